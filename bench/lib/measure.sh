# shellcheck shell=bash
# The measurements. Each takes the ports where a subject is reached and records values; CPU only where there is a proxy.
# Sourced by bench/compare.sh, which sets $round and $subject before each call of measure_subject.
: "${work:?}" "${meter:?}" "${seconds:?}" "${raw:?}"
round=0
subject=''

# record METRIC VALUE
record() { printf '%s\t%s\t%s\t%s\n' "$round" "$subject" "$1" "$2" >>"$raw"; }

calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }

# HTTP load; records NAME_rate and NAME_cpu_us (per request).
#   measure_http NAME PORT CONNECTIONS [WRK OPTIONS...]
measure_http() {
  local name=$1 port=$2 connections=$3 output requests rate errors before after
  shift 3
  before=$(cpu_ns)
  output=$(timeout $((seconds + 20)) wrk -t1 -c"$connections" -d"${seconds}s" "$@" "http://127.0.0.1:$port/")
  after=$(cpu_ns)
  requests=$(awk '/ requests in / { print $1 }' <<<"$output")
  rate=$(awk '/^Requests\/sec:/ { print $2 }' <<<"$output")
  errors=$(awk '/Socket errors:|Non-2xx/ { print }' <<<"$output")
  [[ -z $errors ]] || echo "note: $subject, $name:$errors" >&2
  record "${name}_rate" "$rate"
  [[ $subject == direct ]] || record "${name}_cpu_us" "$(calc "($after - $before) / 1e3 / $requests")"
}

# Bulk load; records NAME_gbps, NAME_cpu_s_per_gb and NAME_machine_s_per_gb.
#   measure_bulk NAME PORT STREAMS [IPERF3 OPTIONS...]
measure_bulk() {
  local name=$1 port=$2 streams=$3 bytes bits before after machine_before machine_after
  shift 3
  before=$(cpu_ns)
  machine_before=$(machine_ms)
  timeout $((seconds + 20)) iperf3 -c 127.0.0.1 -p "$port" -t "$seconds" -P "$streams" -J "$@" >"$work/iperf3.json"
  machine_after=$(machine_ms)
  after=$(cpu_ns)
  read -r bytes bits < <(python3 -c '
import json, sys
received = json.load(sys.stdin)["end"]["sum_received"]
print(received["bytes"], received["bits_per_second"])' <"$work/iperf3.json")
  record "${name}_gbps" "$(calc "$bits / 1e9")"
  record "${name}_machine_s_per_gb" "$(calc "($machine_after - $machine_before) * 1e6 / $bytes")"
  [[ $subject == direct ]] || record "${name}_cpu_s_per_gb" "$(calc "($after - $before) / $bytes")"
}

# One request at a time; records latency_new_us and latency_kept_us.
measure_latency() {
  record latency_new_us "$("$meter" latency "$1" new 2000)"
  record latency_kept_us "$("$meter" latency "$1" kept 5000)"
}

# A fresh process that no client has used yet.
measure_rest() {
  sleep 0.5
  record rest_rss_kb "$(rss_kb)"
}

# What idle connections cost: one request on each, then silence. A first dozen, closed again, makes room for what a
# process keeps for good, so the rest is the connections' own.
measure_idle() {
  local count=100 fds rss
  hold_connections "$1" 16 true
  sleep 0.2
  fds=$(count_fds)
  rss=$(rss_kb)
  hold_connections "$1" "$count" idle_snapshot
  record idle_fds "$(calc "($idle_fds - $fds) / $count")"
  record idle_rss_kb "$idle_rss"
  record idle_conn_kb "$(calc "($idle_rss - $rss) / $count")"
}

idle_snapshot() {
  sleep 0.2
  idle_fds=$(count_fds)
  idle_rss=$(rss_kb)
}

# hold_connections PORT COUNT COMMAND: runs COMMAND while they are open.
hold_connections() {
  local ready
  coproc holder { exec "$meter" hold "$1" "$2"; }
  # Bash unsets the coproc's variables when it ends; its descriptors are copied because they may go any time.
  local pid=$! in=${holder[1]} out=${holder[0]}
  read -r -t 10 -u "$out" ready
  [[ $ready == ready ]]
  "$3"
  eval "exec $in>&-"
  wait "$pid"
}

# From exec to the first byte for a client that waits already; records start_ms. The backend is up.
#   measure_start PUBLIC_PORT BACKEND_PORT
measure_start() {
  subject_command "$subject" "$1" "$2"
  record start_ms "$("$meter" start "$1" 15 "${COMMAND[@]}" 2>>"$work/$subject.log")"
}

# Everything about one subject in one round.
#   measure_subject HTTP_BACKEND_PORT BULK_BACKEND_PORT
measure_subject() {
  local http=$1 bulk=$2 public_port=2000 http_pid='' bulk_pid=''
  if [[ $subject != direct ]]; then
    record binary_kb "$(($(stat -Lc %s "$(subject_binary "$subject")") / 1000))"
    measure_start $((public_port + 2)) "$1"
    http=$public_port
    bulk=$((public_port + 1))
    start_subject "$subject" "$bulk" "$2"
    bulk_pid=$SUBJECT_PID
    start_subject "$subject" "$http" "$1"
    http_pid=$SUBJECT_PID
    measure_rest
    measure_idle "$http"
  fi
  measure_latency "$http"
  measure_http request "$http" 64
  measure_http connection "$http" 32 -H 'Connection: close'
  SUBJECT_PID=$bulk_pid
  measure_bulk bulk_1_up "$bulk" 1
  measure_bulk bulk_1_down "$bulk" 1 -R
  measure_bulk bulk_16_up "$bulk" 16
  measure_bulk bulk_16_down "$bulk" 16 -R
  if [[ $subject != direct ]]; then
    end_process "$bulk_pid"
    end_process "$http_pid"
    SUBJECT_PID=''
  fi
}
