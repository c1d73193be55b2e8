# shellcheck shell=bash
# Who is measured, and how each is started. Sourced by bench/compare.sh.
: "${work:?}" "${meter:?}" "${proxyd:?}"

# Below the ephemeral range, which compare.sh sets.
http_port=2080
bulk_port=2081

# The process that is measured now; empty while there is none (direct).
SUBJECT_PID=''

reference=/usr/lib/systemd/systemd-socket-proxyd

# What a subject is started with; it finds the public listener as fd 3. Sets COMMAND.
#   subject_command SUBJECT PUBLIC_PORT BACKEND_PORT
subject_command() {
  local conf=$work/$1-$2.conf
  case $1 in
    proxyd) COMMAND=("$proxyd" "127.0.0.1:$3") ;;
    socket-proxyd) COMMAND=("$reference" "127.0.0.1:$3") ;;
    haproxy)
      printf '%s\n' \
        'defaults' ' mode tcp' ' option splice-auto' ' timeout connect 5s' ' timeout client 1h' ' timeout server 1h' \
        'listen bench' ' bind fd@3' " server backend 127.0.0.1:$3" >"$conf"
      COMMAND=(haproxy -db -q -f "$conf")
      ;;
    nginx)
      printf '%s\n' \
        'load_module /usr/lib/nginx/modules/ngx_stream_module.so;' \
        'daemon off;' 'worker_processes auto;' "pid $conf.pid;" "error_log $conf.log;" 'events { worker_connections 4096; }' \
        "stream { server { listen 127.0.0.1:$2; proxy_pass 127.0.0.1:$3; tcp_nodelay on; } }" >"$conf"
      # The variable through which nginx hands listeners to the next nginx on an upgrade.
      COMMAND=(env 'NGINX=3;' nginx -p "$work" -e "$conf.log" -c "$conf")
      ;;
    *)
      echo "unknown subject: $1" >&2
      return 1
      ;;
  esac
}

# The file whose size counts.
subject_binary() {
  case $1 in
    proxyd) echo "$proxyd" ;;
    socket-proxyd) echo "$reference" ;;
    *) command -v "$1" ;;
  esac
}

# Starts a subject between two ports and sets SUBJECT_PID.
#   start_subject SUBJECT PUBLIC_PORT BACKEND_PORT
start_subject() {
  subject_command "$@"
  "$meter" pass "$2" "${COMMAND[@]}" >>"$work/$1.log" 2>&1 &
  SUBJECT_PID=$!
  await_port "$2" "$1"
}

# The measured process and its children (nginx: its workers).
subject_pids() {
  [[ -z $SUBJECT_PID ]] || echo "$SUBJECT_PID" "$(cat "/proc/$SUBJECT_PID/task/$SUBJECT_PID/children")"
}

# CPU time of the subject so far, in ns.
cpu_ns() {
  # shellcheck disable=SC2046 # several words are meant
  "$meter" cpu $(subject_pids)
}

# CPU time of the whole machine so far, in ms; steps of 10.
machine_ms() { awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 10 }' /proc/stat; }

rss_kb() {
  local pid sum=0
  for pid in $(subject_pids); do
    sum=$((sum + $(awk '/^VmRSS:/ { print $2 }' "/proc/$pid/status")))
  done
  echo "$sum"
}

count_fds() {
  local pid fds sum=0
  for pid in $(subject_pids); do
    fds=("/proc/$pid/fd/"*)
    sum=$((sum + ${#fds[@]}))
  done
  echo "$sum"
}

# The real servers behind every subject.
start_backends() {
  printf '%s\n' \
    'daemon off;' 'worker_processes 1;' "pid $work/backend.pid;" "error_log $work/backend.log;" 'events { worker_connections 4096; }' \
    'http {' ' access_log off;' ' keepalive_requests 1000000000;' ' tcp_nodelay on;' " client_body_temp_path $work;" \
    " proxy_temp_path $work;" " fastcgi_temp_path $work;" " uwsgi_temp_path $work;" " scgi_temp_path $work;" \
    " server { listen 127.0.0.1:$http_port backlog=4096; location / { return 200 \"hello\\n\"; } }" '}' >"$work/backend.conf"
  nginx -p "$work" -e "$work/backend.log" -c "$work/backend.conf" &
  iperf3 -s -p "$bulk_port" >"$work/iperf3.log" 2>&1 &
  await_port "$http_port" nginx
  await_port "$bulk_port" iperf3
}

# Waits until somebody listens, for at most 5 s. Looks only: a connection would already be a client.
#   await_port PORT WHO
await_port() {
  local hex hex6 tries
  printf -v hex ' 0100007F:%04X 00000000:0000 0A ' "$1"
  for ((tries = 0; tries < 500; tries++)); do
    ! grep -qs "$hex" /proc/net/tcp || return 0
    # iperf3 listens on both families at once.
    printf -v hex6 ':%04X 00000000000000000000000000000000:0000 0A ' "$1"
    ! grep -qs "$hex6" /proc/net/tcp6 || return 0
    sleep 0.01
  done
  echo "$2 does not listen on port $1; its log:" >&2
  tail -n 5 "$work/$2.log" >&2
  return 1
}

# Ends a process of ours by pid, and waits for it.
end_process() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
