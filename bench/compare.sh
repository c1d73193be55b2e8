#!/usr/bin/env bash
# Measures proxyd against its peers and against no proxy at all: one run, interleaved rounds, medians, ratios.
# Debian 12, as root; installs what it misses. See bench/README.md for what each row means.
set -euo pipefail

usage() {
  cat <<'END_OF_USAGE'
Usage: bench/compare.sh [OPTIONS]

  --quick          the rows of the gate, within 3 minutes (default)
  --full           every row, within 30 minutes
  --user           the subjects run as an unprivileged uid instead of root
  --gate           exit 1 when a goal is missed
  --rounds N       at most so many rounds, each through every subject in turn (default: quick 3, full 7)
  --seconds S      length of each load, in s (default 1)
  --subjects LIST  some of direct,socket-proxyd,proxyd,haproxy,nginx,socat
  --rows LIST      only some of start,http,pingpong,bulk,streams,paths,idle (default: all that the mode has; 1,000 idle connections are
                   measured with http)
  --proxyd FILE    the binary to measure (default artifacts/proxyd/proxyd, published when missing)
  --out FILE       where the result goes (default bench/results/TIME-MODE.json)
END_OF_USAGE
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
mode=quick rounds='' seconds=1 proxyd='' user='' gate='' out='' inside='' list='' parts=start,http,pingpong,bulk,streams,paths,idle
arguments=("$@")
while (($#)); do
  case $1 in
    --quick) mode=quick && shift ;;
    --full) mode=full && shift ;;
    --user) user=yes && shift ;;
    --gate) gate=--gate && shift ;;
    --rounds) rounds=$2 && shift 2 ;;
    --seconds) seconds=$2 && shift 2 ;;
    --subjects) list=$2 && shift 2 ;;
    --rows) parts=$2 && shift 2 ;;
    --proxyd) proxyd=$2 && shift 2 ;;
    --out) out=$2 && shift 2 ;;
    --inside-namespace) inside=yes && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
case $mode in
  quick) : "${rounds:=3}" "${list:=direct,socket-proxyd,proxyd,haproxy,nginx}" && starts=15 limit_s=175 ;;
  full) : "${rounds:=7}" "${list:=direct,socket-proxyd,proxyd,haproxy,nginx,socat}" && starts=15 limit_s=1750 ;;
esac
for value in "$rounds" "$seconds"; do
  [[ $value =~ ^[1-9][0-9]*$ ]] || { echo "compare.sh: not a whole number of at least 1: $value" >&2 && exit 2; }
done

# known WHAT LIST NAMES: each of LIST is one of NAMES.
known() {
  local name names
  IFS=, read -ra names <<<"$2"
  for name in "${names[@]}"; do
    [[ ,$3, == *,$name,* ]] || { echo "compare.sh: $1 '$name' is not known; expected some of $3" >&2 && exit 2; }
  done
}
known --rows "$parts" start,http,pingpong,bulk,streams,paths,idle
known --subjects "$list" direct,socket-proxyd,proxyd,haproxy,nginx,socat

if [[ -z $inside ]]; then
  ((EUID == 0)) || { echo 'compare.sh: must run as root (it makes a network namespace)' >&2 && exit 1; }
  "$here/lib/install.sh" >&2
  [[ -n $proxyd || -x $here/../artifacts/proxyd/proxyd ]] || "$here/../deploy/build.sh" >&2
  # A network of our own: no port collides with anybody's, and nobody's traffic is measured.
  exec unshare --net -- "$0" "${arguments[@]}" --inside-namespace
fi

SECONDS=0
: "${proxyd:=$here/../artifacts/proxyd/proxyd}"
: "${out:=$here/results/$(date -u +%Y%m%dT%H%M%SZ)-$mode${user:+-user}.json}"
work=$(mktemp -d)
# A copy: whoever builds meanwhile does not change what is measured.
cp -- "$proxyd" "$work/proxyd"
proxyd=$work/proxyd meter=$work/meter load=$work/load raw=$work/raw.tsv finished=

# shellcheck source=lib/namespace.sh
source "$here/lib/namespace.sh"
cleanup() {
  end_jobs
  # A run that broke off tells why: what the processes said.
  [[ -n $finished ]] || tail -v -n 5 "$work"/*.log >&2 || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Nobody's uid, so that nobody else's pipes count against it. It must reach what the subjects read and write.
unprivileged_uid=61789
chown "$unprivileged_uid" "$work"
chmod 755 "$work"
ulimit -n "$(ulimit -Hn)"
nofile=$(ulimit -n)
((nofile <= 65536)) || { nofile=65536 && ulimit -n "$nofile"; }
# Two descriptors each is the least that a relay needs, and some must be left for pipes: proxyd's are what connections leave over.
connections_max=$((nofile / 2 - 1000))

for part in subjects backends measure rows describe; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done

for tool in meter load; do gcc -O2 -Wall -Wextra -Werror -o "$work/$tool" "$here/lib/$tool.c"; done
open_namespace

IFS=, read -ra subjects <<<"$list"
[[ -z $user ]] || SUBJECT_UID=$unprivileged_uid
describe_run >"$work/run.tsv"
start_backends
longest_s=0 round=0
while ((round < rounds && SECONDS + longest_s <= limit_s)); do
  round=$((round + 1)) began_s=$SECONDS
  for subject in "${subjects[@]}"; do
    echo "round $round of $rounds, $SECONDS s: $subject" >&2
    measure_subject
  done
  ((SECONDS - began_s <= longest_s)) || longest_s=$((SECONDS - began_s))
done
printf '%s\t%s\n' rounds "$round" elapsed_s "$SECONDS" >>"$work/run.tsv"

mkdir -p "$(dirname "$out")"
export PYTHONDONTWRITEBYTECODE=1
python3 "$here/lib/result.py" "$raw" "$work/run.tsv" "$out"
finished=yes
echo
status=0
python3 "$here/lib/report.py" $gate "$out" || status=$?
echo
echo "$round rounds in $SECONDS s; written to $out"
exit "$status"
