# shellcheck shell=bash
# The real servers behind every subject, and bench/lib/load's where these can't do it. Sourced by bench/compare.sh.
: "${work:?}" "${load:?}" "${nofile:?}"

# Below the ephemeral range, which compare.sh sets.
http_port=2080 bulk_port=2081 pong_port=2082 sink_port=2083
http_path=$work/http.sock sink_path=$work/sink.sock

start_iperf3() {
  iperf3 -s -p "$bulk_port" >"$work/iperf3.log" 2>&1 &
  iperf3_pid=$!
}

# It serves one client at a time, and one whose end it has missed for ever.
restart_iperf3() {
  end_process "$iperf3_pid"
  start_iperf3
  await_listener "$bulk_port" iperf3
}

start_backends() {
  # Of its own: nginx makes its user the owner.
  mkdir "$work/temp"
  printf '%s\n' \
    'daemon off;' 'worker_processes 1;' "pid $work/backend.pid;" "error_log $work/backend.log;" \
    "events { worker_connections $nofile; }" \
    'http {' ' access_log off;' ' keepalive_requests 1000000000;' ' tcp_nodelay on;' " client_body_temp_path $work/temp;" \
    " proxy_temp_path $work/temp;" " fastcgi_temp_path $work/temp;" " uwsgi_temp_path $work/temp;" " scgi_temp_path $work/temp;" ' keepalive_timeout 600;' \
    " server { listen 127.0.0.1:$http_port backlog=4096; listen unix:$http_path backlog=4096;" \
    '  location / { return 200 "hello\n"; } }' '}' >"$work/backend.conf"
  nginx -p "$work" -e "$work/backend.log" -c "$work/backend.conf" &
  start_iperf3
  sockperf server --tcp -i 127.0.0.1 -p "$pong_port" >"$work/sockperf.log" 2>&1 &
  "$load" sink "$work/received" "$sink_port" "$sink_path" >"$work/sink.log" 2>&1 &
  await_listener "$http_port" backend
  await_listener "$http_path" backend
  await_listener "$bulk_port" iperf3
  await_listener "$pong_port" sockperf
  await_listener "$sink_path" sink
}
