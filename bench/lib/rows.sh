# shellcheck shell=bash
# Which measurements a subject goes through in one round. Sourced by bench/compare.sh.
: "${mode:?}" "${parts:?}" "${work:?}" "${http_port:?}" "${bulk_port:?}" "${pong_port:?}" "${sink_port:?}" "${http_path:?}" "${sink_path:?}"

is_wanted() { [[ ,$parts, == *,$1,* ]]; }

is_full() { [[ $mode == full ]]; }

# For what hardly differs from round to round: quick measures it once.
is_due() { is_full || ((round == 1)); }

# Before any client has used it, then with requests on kept connections and on new ones.
http_rows() {
  if [[ $subject != direct ]] && is_due; then
    sleep 0.5
    record process_rest_rss_kb "$(rss_kb)"
  fi
  # A process for each connection is no match here, and not what socat is for.
  [[ $subject == socat ]] || ! is_due || ! is_wanted idle || measure_idle idle_1000 "$1" 1000
  if is_full; then
    measure_latency "$1"
    measure_http request_1 "$1" 1
  fi
  measure_http request_64 "$1" 64
  [[ $subject == socat ]] || ! is_full || measure_http request_1000 "$1" 1000
  measure_http connection "$1" 32 -H 'Connection: close'
}

bulk_rows() {
  local streams
  for streams in 1 16; do
    measure_bulk "bulk_${streams}_up" "$1" "$streams"
    measure_bulk "bulk_${streams}_down" "$1" "$streams" -R
    ! is_full || measure_bulk "bulk_${streams}_both" "$1" "$streams" --bidir
  done
}

# Quick: only what the gate asks.
many_streams_rows() {
  measure_streams "${1}_up" "$2" 256 up
  is_full || return 0
  measure_streams "${1}_down" "$2" 256 down
  measure_streams "${1}_both" "$2" 256 both
}

root_streams() {
  with_subject 2004 "$sink_port" many_streams_rows bulk_256
}

user_streams() {
  SUBJECT_UID=$unprivileged_uid
  # An address of its own: nginx's files have its name, and root's must not be written to.
  with_subject 2007 "$sink_port" many_streams_rows bulk_256_user
  SUBJECT_UID=''
}

# Who comes second may find another machine than the first, so they take turns.
all_streams_rows() {
  is_full || [[ $subject == proxyd ]] || return 0
  if [[ -n $SUBJECT_UID || $subject == direct ]]; then
    root_streams
  elif ((round % 2)); then
    root_streams
    user_streams
  else
    user_streams
    root_streams
  fi
}

# Idle connections until a descriptor limit says no: the subject's own or, above it, the load's.
most_idle_rows() { measure_idle idle_most "$1" $((nofile - 200)); }

path_rows() {
  measure_requests "path_$1" "$2"
}
path_bulk_rows() {
  measure_streams "path_$1_bulk" "$2" 1 up
}

# From client to backend: TCP→TCP, TCP→Unix, Unix→TCP, Unix→Unix.
all_path_rows() {
  local from to public=2006 public_path=$work/public.sock
  for from in tcp unix; do
    for to in tcp unix; do
      # Without a proxy there is no other way than the backend's.
      [[ $subject != direct || $from == "$to" ]] || continue
      [[ $from == tcp ]] || public=$public_path
      if [[ $to == tcp ]]; then
        with_subject "$public" "$http_port" path_rows "${from}_$to"
        with_subject "$public" "$sink_port" path_bulk_rows "${from}_$to"
      else
        with_subject "$public" "$http_path" path_rows "${from}_$to"
        with_subject "$public" "$sink_path" path_bulk_rows "${from}_$to"
      fi
    done
  done
}

# Everything about one subject in one round.
measure_subject() {
  if [[ $subject != direct ]]; then
    record process_binary_kb "$(($(stat -Lc %s "$(subject_binary "$subject")") / 1000))"
  fi
  if is_wanted start && [[ $subject != direct && $subject != socat ]] && is_due; then
    subject_command "$subject" 2002 "$http_port"
    record process_start_ms "$(METER_UID=$SUBJECT_UID "$meter" start 2002 "$starts" "${COMMAND[@]}" 2>>"$work/$subject.log")"
  fi
  ! is_wanted http || with_subject 2000 "$http_port" http_rows
  # No goal is held against direct.
  [[ $subject != direct ]] || is_full || return 0
  ! is_wanted pingpong || with_subject 2003 "$pong_port" measure_pingpong
  ! is_wanted bulk || with_subject 2001 "$bulk_port" bulk_rows
  [[ $subject != socat ]] || return 0
  ! is_wanted streams || all_streams_rows
  is_full || return 0
  ! is_wanted paths || all_path_rows
  [[ $subject == direct ]] || ! is_wanted idle || nginx_connections=$nofile with_subject 2005 "$http_port" most_idle_rows
}
