# shellcheck shell=bash
# Who is measured, how each is started and what the kernel says of it. Sourced by bench/compare.sh.
# An address is a port of 127.0.0.1 or the path of a Unix socket.
: "${work:?}" "${meter:?}" "${proxyd:?}" "${connections_max:?}"

# The process that is measured now; empty while there is none (direct).
SUBJECT_PID=''

# Who it runs as; empty for root.
SUBJECT_UID=''

reference=/usr/lib/systemd/systemd-socket-proxyd

# ADDRESS as most programs want it; with a prefix for paths.
spell() { if [[ $1 == /* ]]; then echo "${2-}$1"; else echo "127.0.0.1:$1"; fi; }

# What a subject is started with; it finds the public listener as fd 3, but for socat, which can't. Sets COMMAND.
#   subject_command SUBJECT PUBLIC BACKEND
subject_command() {
  local conf=$work/$1-${2##*/}.conf
  case $1 in
    proxyd) COMMAND=("$proxyd" "--connections-max=$connections_max" "$(spell "$3")") ;;
    socket-proxyd) COMMAND=("$reference" "--connections-max=$connections_max" "$(spell "$3")") ;;
    haproxy)
      printf '%s\n' \
        'defaults' ' mode tcp' ' option splice-auto' ' timeout connect 5s' ' timeout client 1h' ' timeout server 1h' \
        'listen bench' ' bind fd@3' " server backend $(spell "$3" unix@)" >"$conf"
      COMMAND=(haproxy -db -q -f "$conf")
      ;;
    nginx)
      printf '%s\n' \
        'load_module /usr/lib/nginx/modules/ngx_stream_module.so;' \
        'daemon off;' 'worker_processes auto;' "pid $conf.pid;" "error_log $conf.log;" \
        "events { worker_connections ${nginx_connections:-4096}; }" \
        "stream { server { listen $(spell "$2" unix:); proxy_pass $(spell "$3" unix:); tcp_nodelay on; } }" >"$conf"
      # The variable through which nginx hands listeners to the next nginx on an upgrade.
      COMMAND=(env 'NGINX=3;' nginx -p "$work" -e "$conf.log" -c "$conf")
      ;;
    socat) COMMAND=(socat "TCP-LISTEN:$2,bind=127.0.0.1,reuseaddr,fork,backlog=4096,nodelay" "TCP:127.0.0.1:$3,nodelay") ;;
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

# Starts a subject between two addresses and sets SUBJECT_PID.
#   start_subject SUBJECT PUBLIC BACKEND
start_subject() {
  local tries
  subject_command "$@"
  if [[ $1 == socat ]]; then
    "${COMMAND[@]}" >>"$work/$1.log" 2>&1 &
  else
    METER_UID=$SUBJECT_UID "$meter" pass "$2" "${COMMAND[@]}" >>"$work/$1.log" 2>&1 &
  fi
  SUBJECT_PID=$!
  await_listener "$2" "$1"
  # The listener was there before the subject: what it needs to start is not the load's, and nginx's workers come after nginx.
  sleep 0.1
  for ((tries = 0; tries < 500; tries++)); do
    [[ $1 == nginx && -z $(cat "/proc/$SUBJECT_PID/task/$SUBJECT_PID/children") ]] || return 0
    sleep 0.01
  done
  echo "nginx has no workers; its log:" >&2
  tail -n 5 "$work/$1.log" >&2
  return 1
}

# The measured process and its children (nginx: its workers; socat: one for each connection).
subject_pids() {
  [[ -z $SUBJECT_PID ]] || echo "$SUBJECT_PID" "$(cat "/proc/$SUBJECT_PID/task/$SUBJECT_PID/children")"
}

# CPU time of the subject so far, in ns. Socat's children take theirs along when they end; what they leave is in the
# parent's stat(5) in ticks of 10 ms, so it is read when they have all ended.
subject_cpu_ns() {
  local tries
  if [[ ${subject-} == socat ]]; then
    for ((tries = 0; tries < 100; tries++)); do
      [[ -n $(cat "/proc/$SUBJECT_PID/task/$SUBJECT_PID/children") ]] || break
      sleep 0.01
    done
    awk '{ print ($14 + $15 + $16 + $17) * 10000000 }' "/proc/$SUBJECT_PID/stat"
  else
    # shellcheck disable=SC2046 # several words are meant
    "$meter" cpu $(subject_pids)
  fi
}

# CPU time of the whole machine so far, in ms; steps of 10.
machine_ms() { awk '/^cpu / { print ($2 + $3 + $4 + $7 + $8) * 10 }' /proc/stat; }

# Kernel memory of the whole machine, in kB: objects in use of all slabs (sockets, their inodes, files, epoll items …), and socket
# buffers. The kernel gives none of it to a process, so what a subject's connections cost is a difference.
kernel_kb() {
  local pages
  pages=$(awk '/^TCP:/ { print $11 }' /proc/net/sockstat)
  awk -v pages="$pages" 'NR > 2 { sum += $2 * $4 } END { printf "%.0f", sum / 1024 + pages * 4 }' /proc/slabinfo
}

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

# Waits until somebody listens, for at most 5 s. Looks only: a connection would already be a client.
#   await_listener ADDRESS WHO
await_listener() {
  local hex hex6 tries
  for ((tries = 0; tries < 500; tries++)); do
    if [[ $1 == /* ]]; then
      # Flags 00010000: accepts connections.
      ! grep -qs " 00010000 .* $1\$" /proc/net/unix || return 0
    else
      printf -v hex ' 0100007F:%04X 00000000:0000 0A ' "$1"
      ! grep -qs "$hex" /proc/net/tcp || return 0
      # iperf3 listens on both families at once.
      printf -v hex6 ':%04X 00000000000000000000000000000000:0000 0A ' "$1"
      ! grep -qs "$hex6" /proc/net/tcp6 || return 0
    fi
    sleep 0.01
  done
  echo "$2 does not listen on $1; its log:" >&2
  tail -n 5 "$work/$2.log" >&2
  return 1
}

# Runs COMMAND while they are open, as many as the subject could take in $held.
#   hold_connections ADDRESS COUNT COMMAND
hold_connections() {
  coproc holder { exec "$meter" hold "$1" "$2" tries; }
  # Bash unsets the coproc's variables when it ends; its descriptors are copied because they may go any time.
  local pid=$! in=${holder[1]} out=${holder[0]}
  read -r -t 60 -u "$out" held
  ((held > 0))
  "$3"
  eval "exec $in>&-"
  wait "$pid"
}

# Ends a process of ours by pid, and waits for it.
end_process() {
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
