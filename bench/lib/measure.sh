# shellcheck shell=bash
# The measurements of one subject. Each takes the address where the subject is reached and records values; CPU only where there is a
# proxy. Sourced by bench/compare.sh, which sets $round and $subject before each call of measure_subject.
: "${here:?}" "${work:?}" "${meter:?}" "${load:?}" "${seconds:?}" "${starts:?}" "${raw:?}"
round=0
subject=''

# record METRIC VALUE
record() { printf '%s\t%s\t%s\t%s\n' "$round" "$subject" "$1" "$2" >>"$raw"; }

# Not for direct, where there is no proxy to charge it to.
#   record_cpu METRIC VALUE
record_cpu() { [[ $subject == direct ]] || record "$@"; }

calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }

# HTTP load; records NAME_rate, percentiles and NAME_cpu_us (per request).
#   measure_http NAME PORT CONNECTIONS [WRK OPTIONS...]
measure_http() {
  local name=$1 port=$2 connections=$3 before after requests rate p50 p99 p999 errors
  shift 3
  before=$(subject_cpu_ns)
  read -r requests rate p50 p99 p999 errors < <(timeout $((seconds + 20)) \
    wrk -t1 -c"$connections" -d"${seconds}s" -s "$here/lib/percentiles.lua" "$@" "http://127.0.0.1:$port/" | sed -n 's/^bench: //p')
  after=$(subject_cpu_ns)
  # Only where there were any: then the row says so.
  ((errors == 0)) || record "${name}_errors" "$errors"
  record "${name}_rate" "$rate"
  # With a connection for each request wrk's clock starts only when it stands.
  if [[ $name == request_* ]]; then
    record "${name}_p50_us" "$p50"
    record "${name}_p99_us" "$p99"
    record "${name}_p999_us" "$p999"
  fi
  record_cpu "${name}_cpu_us" "$(calc "($after - $before) / 1e3 / $requests")"
}

# Bulk load; records NAME_gbps, NAME_cpu_s_per_gb and NAME_machine_s_per_gb.
#   measure_bulk NAME PORT STREAMS [IPERF3 OPTIONS...]
measure_bulk() {
  local name=$1 port=$2 streams=$3 attempt bytes bits before after machine_before machine_after
  shift 3
  for attempt in 1 2 3; do
    before=$(subject_cpu_ns)
    machine_before=$(machine_ms)
    ! timeout $((seconds + 5)) iperf3 -c 127.0.0.1 -p "$port" -t "$seconds" -P "$streams" -J "$@" >"$work/iperf3.json" || break
    # Now and then it hangs at its end when a proxy cuts one of its streams (seen with nginx).
    echo "note: $subject, $name: iperf3 did not end, attempt $attempt" >&2
    ((attempt < 3)) || return 1
    restart_iperf3
  done
  machine_after=$(machine_ms)
  after=$(subject_cpu_ns)
  read -r bytes bits < <(python3 -c '
import json, sys
end = json.load(sys.stdin)["end"]
ways = [end[key] for key in ("sum_received", "sum_received_bidir_reverse") if key in end]
print(sum(way["bytes"] for way in ways), sum(way["bits_per_second"] for way in ways))' <"$work/iperf3.json")
  record "${name}_gbps" "$(calc "$bits / 1e9")"
  record "${name}_machine_s_per_gb" "$(calc "($machine_after - $machine_before) * 1e6 / $bytes")"
  record_cpu "${name}_cpu_s_per_gb" "$(calc "($after - $before) / $bytes")"
}

# The same by bench/lib/load, for Unix sockets and for more streams than iperf3's 128.
#   measure_streams NAME ADDRESS STREAMS up|down|both
measure_streams() {
  local bytes gbps cpu
  # shellcheck disable=SC2046 # several words are meant
  read -r bytes gbps cpu < <(timeout $((seconds + 20)) "$load" bulk "$work/received" "$2" "$3" "$4" "$seconds" $(subject_pids))
  record "${1}_gbps" "$gbps"
  record_cpu "${1}_cpu_s_per_gb" "$(calc "$cpu / $bytes")"
}

# Requests by bench/lib/load, which speaks through Unix sockets; 64 connections.
#   measure_requests NAME ADDRESS
measure_requests() {
  local requests rate p50 p99 p999 cpu
  # shellcheck disable=SC2046 # several words are meant
  read -r requests rate p50 p99 p999 cpu < <(timeout $((seconds + 20)) "$load" http "$2" 64 "$seconds" $(subject_pids))
  record "${1}_rate" "$rate"
  record "${1}_p50_us" "$p50"
  record "${1}_p99_us" "$p99"
  record_cpu "${1}_cpu_us" "$(calc "$cpu / 1e3 / $requests")"
}

# 64 bytes there and back, by sockperf.
measure_pingpong() {
  local report
  report=$(timeout $((seconds + 20)) sockperf ping-pong --tcp -i 127.0.0.1 -p "$1" -t "$seconds" -m 64 --full-rtt 2>&1)
  record latency_pingpong_p50_us "$(awk '/percentile 50.000/ { print $NF }' <<<"$report")"
  record latency_pingpong_p99_us "$(awk '/percentile 99.000/ { print $NF }' <<<"$report")"
}

# One request at a time; records latency_new_us and latency_kept_us.
measure_latency() {
  record latency_new_us "$("$meter" latency "$1" new 2000)"
  record latency_kept_us "$("$meter" latency "$1" kept 5000)"
}

# What idle connections cost: one request on each, then silence. Sixteen before, closed again, make room for what a
# process keeps for good, so the rest is the connections' own. Kernel memory is the proxy's share: what client and backend
# alone hold was measured with direct in the same round.
#   measure_idle NAME ADDRESS COUNT
measure_idle() {
  local fds rss kernel
  hold_connections "$2" 16 true
  sleep 0.2
  fds=$(count_fds) rss=$(rss_kb) kernel=$(kernel_kb)
  hold_connections "$2" "$3" idle_snapshot
  kernel=$(calc "($idle_kernel - $kernel) / $held")
  if [[ $subject == direct ]]; then
    direct_kernel=$kernel
    return
  fi
  record "${1}_connections" "$held"
  record "${1}_fds" "$(calc "($idle_fds - $fds) / $held")"
  record "${1}_rss_kb" "$idle_rss"
  record "${1}_conn_kb" "$(calc "($idle_rss - $rss) / $held")"
  [[ -z ${direct_kernel-} ]] || record "${1}_kernel_kb" "$(calc "$kernel - $direct_kernel")"
}

idle_snapshot() {
  sleep 0.2
  idle_fds=$(count_fds) idle_rss=$(rss_kb) idle_kernel=$(kernel_kb)
}

# Runs COMMAND ADDRESS... with a fresh subject in front of BACKEND, or with the backend itself.
#   with_subject PUBLIC BACKEND COMMAND [ARGUMENTS...]
with_subject() {
  local public=$1 backend=$2
  shift 2
  if [[ $subject == direct ]]; then
    "$@" "$backend"
    return
  fi
  rm -f "$work"/public.sock
  start_subject "$subject" "$public" "$backend"
  "$@" "$public"
  end_process "$SUBJECT_PID"
  SUBJECT_PID=''
}
