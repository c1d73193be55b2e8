# shellcheck shell=bash
# What the figures must be read with: lines of a name and a value, separated by a tab. Sourced by bench/compare.sh.
: "${here:?}" "${mode:?}" "${seconds:?}" "${nofile:?}" "${proxyd:?}"

describe_run() {
  {
    echo "time|$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "commit|$(git -C "$here" describe --always --dirty --exclude='*' 2>/dev/null || echo unknown)"
    echo "mode|$mode"
    echo "uid|${SUBJECT_UID:-0}"
    echo "options|${arguments[*]}"
    echo "load_seconds|$seconds"
    echo "cpu|$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)"
    echo "cores|$(nproc)"
    echo "memory_mb|$(awk '/^MemTotal:/ { printf "%.0f", $2 / 1024 }' /proc/meminfo)"
    echo "kernel|$(uname -r)"
    echo "busy_before_percent|$(busy_percent)"
    echo "tcp_congestion_control|$congestion_control"
    echo "descriptor_limit|$nofile"
    echo "pipe_user_pages_soft|$(cat /proc/sys/fs/pipe-user-pages-soft)"
    echo "version.proxyd|$("$proxyd" --version | head -n 1)"
    echo "version.socket-proxyd|$("${reference:?}" --version | awk 'NR == 1 { print $1, $2 }')"
    echo "version.haproxy|$(haproxy -v | awk 'NR == 1 { print $3 }')"
    echo "version.nginx|$(nginx -v 2>&1 | sed 's/.*nginx.//')"
    echo "version.socat|$(socat -V | awk '/version/ { print $3; exit }')"
    echo "version.wrk|$(wrk -v 2>&1 | awk 'NR == 1 { print $2 }')"
    echo "version.iperf3|$(iperf3 --version | awk 'NR == 1 { print $2 }')"
    echo "version.sockperf|$(sockperf --version 2>&1 | sed -n 's/.*version \([0-9.]*\).*/\1/p' | head -n 1)"
  } | tr '|' '\t'
}

# How busy all cores were together during one second.
busy_percent() {
  {
    grep '^cpu ' /proc/stat
    sleep 1
    grep '^cpu ' /proc/stat
  } | awk '{ all = 0; for (i = 2; i <= 9; i++) all += $i; idle = $5 + $6 }
    NR == 1 { all0 = all; idle0 = idle }
    END { printf "%.0f", 100 * (1 - (idle - idle0) / (all - all0)) }'
}
