#!/usr/bin/env bash
# Measures proxyd against systemd-socket-proxyd and against no proxy at all: one run, interleaved rounds, medians, ratios.
# Debian 12, as root; installs what it misses. See bench/README.md for what each row means.
set -euo pipefail

usage() {
  cat <<'END'
Usage: bench/compare.sh [OPTIONS]

  --rounds N      rounds, each through every subject in turn (default 5)
  --seconds S     length of each load, in s (default 1)
  --peers         HAProxy (tcp, splice-auto) and nginx stream too
  --gate          exit 1 when a goal is missed
  --proxyd FILE   the binary to measure (default artifacts/proxyd/proxyd, published when missing)
  --raw FILE      also keep every single value: round, subject, metric, value, separated by tabs
END
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
rounds=5 seconds=1 proxyd='' raw_copy='' peers='' gate='' inside=''
arguments=("$@")
while (($#)); do
  case $1 in
    --rounds) rounds=$2 && shift 2 ;;
    --seconds) seconds=$2 && shift 2 ;;
    --proxyd) proxyd=$2 && shift 2 ;;
    --raw) raw_copy=$2 && shift 2 ;;
    --peers) peers=--peers && shift ;;
    --gate) gate=--gate && shift ;;
    --inside-namespace) inside=yes && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
for value in "$rounds" "$seconds"; do
  [[ $value =~ ^[1-9][0-9]*$ ]] || { echo "compare.sh: not a whole number of at least 1: $value" >&2 && exit 2; }
done

if [[ -z $inside ]]; then
  ((EUID == 0)) || { echo 'compare.sh: must run as root (it makes a network namespace)' >&2 && exit 1; }
  "$here/lib/install.sh" $peers >&2
  [[ -n $proxyd || -x $here/../artifacts/proxyd/proxyd ]] || "$here/../deploy/build.sh" >&2
  # A network of our own: no port collides with anybody's, and nobody's traffic is measured.
  exec unshare --net -- "$0" "${arguments[@]}" --inside-namespace
fi

: "${proxyd:=$here/../artifacts/proxyd/proxyd}"
work=$(mktemp -d)
# A copy: whoever builds meanwhile does not change what is measured.
cp -- "$proxyd" "$work/proxyd"
proxyd=$work/proxyd
meter=$work/meter
raw=$work/raw.tsv
finished=

# Bash's own list of its children: a pid that is not ours any more is not in it.
cleanup() {
  local pid
  for pid in $(jobs -p); do
    kill "$pid" 2>/dev/null || true
  done
  wait
  # A run that broke off tells why: what the processes said.
  [[ -n $finished ]] || tail -v -n 5 "$work"/*.log >&2
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# shellcheck source=/dev/null
source "$here/lib/subjects.sh"
# shellcheck source=/dev/null
source "$here/lib/measure.sh"

gcc -O2 -Wall -Wextra -Werror -o "$meter" "$here/lib/meter.c"
ip link set lo up
# Ports of ours lie below the ephemeral range; the range is wide enough for a connection per request.
echo '10000 65535' >/proc/sys/net/ipv4/ip_local_port_range
# Debian's default, or its like. A congestion control that paces (bbr) would measure its timers: through loopback it costs
# two thirds of the speed, and everybody's CPU per GB then varies threefold from run to run. A namespace may be refused cubic.
for congestion_control in cubic reno; do
  ! (echo "$congestion_control" >/proc/sys/net/ipv4/tcp_congestion_control) 2>/dev/null || break
done

# What the figures must be read with.
describe_run() {
  local model
  model=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
  echo "Machine: ${model:-unknown CPU}, $(nproc) cores, Linux $(uname -r); $(busy_percent) % busy before the run."
  echo "Subjects: proxyd $("$proxyd" --version | head -n 1); $("${reference:?}" --version | head -n 1)."
  echo "Load: $rounds rounds of ${seconds} s each: $(wrk -v 2>&1 | awk 'NR == 1 { print $1, $2 }'), $(iperf3 --version | awk 'NR == 1 { print $1, $2 }'); backend: $(nginx -v 2>&1 | sed 's/.*: //'); TCP $congestion_control."
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

subjects=(direct socket-proxyd proxyd)
[[ -z $peers ]] || subjects+=(haproxy nginx)
describe_run
start_backends
for ((round = 1; round <= rounds; round++)); do
  for subject in "${subjects[@]}"; do
    echo "round $round of $rounds: $subject" >&2
    measure_subject "${http_port:?}" "${bulk_port:?}"
  done
done

finished=yes
echo
[[ -z $raw_copy ]] || cp "$raw" "$raw_copy"
python3 "$here/lib/report.py" $gate "$raw"
