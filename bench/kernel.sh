#!/usr/bin/env bash
# How much of each subject's CPU time is the kernel's, by sampling (perf); as root, about a minute and a half.
# Usage: bench/kernel.sh [SUBJECT...] (default: proxyd socket-proxyd haproxy nginx)
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
if [[ ${1-} != --inside-namespace ]]; then
  ((EUID == 0)) || { echo 'kernel.sh: must run as root (it makes a network namespace, and samples kernel addresses)' >&2 && exit 1; }
  "$here/lib/install.sh" --perf >&2
  [[ -x $here/../artifacts/proxyd/proxyd ]] || "$here/../deploy/build.sh" >&2
  exec unshare --net -- "$0" --inside-namespace "$@"
fi
shift
(($#)) || set -- proxyd socket-proxyd haproxy nginx

work=$(mktemp -d) nofile=$(ulimit -n)
proxyd=$here/../artifacts/proxyd/proxyd meter=$work/meter load=$work/load connections_max=1000
for part in namespace subjects backends; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done
cleanup() {
  end_jobs
  rm -rf "$work"
}
trap cleanup EXIT
for tool in meter load; do gcc -O2 -o "$work/$tool" "$here/lib/$tool.c"; done
open_namespace
start_backends

# sample NAME SUBJECT PORT BACKEND LOAD...: two of the load's three seconds.
sample() {
  local name=$1 subject=$2 pids client
  start_subject "$2" "$3" "$4"
  pids=$(subject_pids)
  shift 4
  "$@" >"$work/load.log" 2>&1 &
  client=$!
  sleep 0.5
  # shellcheck disable=SC2001 # runs of blanks
  perf record -q -e cpu-clock -F 5000 -p "$(sed 's/ \+$//; s/ \+/,/g' <<<"$pids")" -o "$work/perf.data" -- sleep 2 2>>"$work/perf.log"
  wait "$client"
  # Kernel addresses are the upper half's: sixteen digits, the first of them f.
  perf script -i "$work/perf.data" -F ip 2>/dev/null |
    awk -v name="$name" -v subject="$subject" '{ all++; kernel += length($1) == 16 && $1 ~ /^f/ }
      END { printf "%-34s %-14s %5.1f %% of %d samples\n", name, subject, 100 * kernel / all, all }'
  end_process "$SUBJECT_PID"
}

for subject in "$@"; do
  sample '64 connections kept' "$subject" 2000 "$http_port" wrk -t1 -c64 -d3s http://127.0.0.1:2000/
  sample 'a connection per request' "$subject" 2001 "$http_port" wrk -t1 -c32 -d3s -H 'Connection: close' http://127.0.0.1:2001/
  sample 'bulk, 1 stream to the backend' "$subject" 2002 "$bulk_port" iperf3 -c 127.0.0.1 -p 2002 -t 3
  sample 'bulk, 16 streams to the backend' "$subject" 2003 "$bulk_port" iperf3 -c 127.0.0.1 -p 2003 -t 3 -P 16
done
