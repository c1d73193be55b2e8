#!/usr/bin/env bash
# The gate's non-timing form: figures of proxyd alone that are the same on every machine and under any load.
# As root (a network namespace, ptrace). Usage: counts.sh [PROXYD]
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

if [[ ${1-} != --inside-namespace ]]; then
  "$here/lib/install.sh" --counts >&2
  exec unshare --net -- "$0" --inside-namespace "$@"
fi
shift
proxyd=$(realpath "${1:-$here/../artifacts/proxyd/proxyd}")
[[ -x $proxyd ]] || { echo "counts.sh: no $proxyd: run deploy/build.sh, or name another" >&2 && exit 2; }

work=$(mktemp -d)
meter=$work/meter
# shellcheck source=/dev/null
source "$here/lib/namespace.sh"
cleanup() {
  end_jobs
  rm -rf "$work"
}
trap cleanup EXIT
connections_max=256
# shellcheck source=/dev/null
source "$here/lib/subjects.sh"
gcc -O2 -Wall -Wextra -Werror -o "$meter" "$here/lib/meter.c"
ip link set lo up

# One request after the other on one connection, or a connection for each. How many events an epoll_wait(2) brings depends on who
# runs when, and sched_yield(2) is the runtime's: both are shown and not judged. Leaves sum and single calls in $work/MODE.counted.
count_syscalls() {
  local mode=$1 times=$2 tracer tries
  strace -f -c -o "$work/$mode" -p "$SUBJECT_PID" 2>/dev/null &
  tracer=$!
  for ((tries = 0; tries < 500; tries++)); do
    ! grep -q '^TracerPid:.*\b0$' /proc/"$SUBJECT_PID"/task/*/status || { sleep 0.01 && continue; }
    break
  done
  "$meter" latency 2000 "$mode" "$times" >/dev/null
  kill -INT "$tracer"
  wait "$tracer" || true
  # The 20 that warm up count too. Columns: % of time, seconds, usecs/call, calls, errors if any, name; the total has no average.
  awk -v times=$((times + 20)) '
    $1 ~ /^[0-9.]+$/ && $NF != "total" { per[$NF] = $4 / times; if ($NF !~ /^(epoll_wait|sched_yield)$/) all += $4 / times }
    END {
      printf "%.2f\n", all
      for (name in per) if (per[name] >= 0.05) printf "  %.1f %s\n", per[name], name | "sort -rn"
    }' "$work/$mode" >"$work/$mode.counted"
}

missed=0
# judge WHAT FIGURE MOST
judge() {
  local verdict=PASS
  if awk "BEGIN { exit !($2 > $3) }"; then verdict=MISS missed=$((missed + 1)); fi
  printf 'gate: %s  %s: %s (at most %s)\n' "$verdict" "$1" "$2" "$3"
}

SECONDS=0
"$meter" serve 2080 &
await_listener 2080 serve
start_subject proxyd 2000 2080

# What the process keeps once it has served somebody (a pipe ahead) is not the connections' own.
hold_connections 2000 16 true
before=$(count_fds)
held_snapshot() { held_fds=$(count_fds); }
hold_connections 2000 100 held_snapshot
judge 'descriptors per idle connection' "$(awk "BEGIN { printf \"%.2f\", ($held_fds - $before) / 100 }")" 2.00
judge 'binary, kB' "$(($(stat -Lc %s "$proxyd") / 1000))" 7000
count_syscalls kept 2000
judge 'system calls per keep-alive request, without epoll_wait' "$(head -n 1 "$work/kept.counted")" 4.10
tail -n +2 "$work/kept.counted"
count_syscalls new 1000
judge 'system calls per connection with one request, without epoll_wait' "$(head -n 1 "$work/new.counted")" 18.50
tail -n +2 "$work/new.counted"
echo "counted in $SECONDS s"
((missed == 0))
