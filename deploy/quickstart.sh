#!/usr/bin/env bash
# Builds proxyd and shows its main job: a real backend, asleep until the first request wakes it.
#   deploy/quickstart.sh           runs in the foreground; Ctrl-C ends both
#   deploy/quickstart.sh --check   runs the cold/warm/stopped/cold matrix itself, prints it and exits (1 if a line fails)
# PUBLIC_PORT and BACKEND_PORT choose other ports than 8080 and 18080.
set -euo pipefail
cd "$(dirname "$0")/.."

public=127.0.0.1:${PUBLIC_PORT:-8080}
backend=127.0.0.1:${BACKEND_PORT:-18080}
proxyd=artifacts/proxyd/proxyd

case ${1-} in
  '' | --check) ;;
  *) echo "quickstart.sh: '$1' is not accepted; expected --check or nothing" >&2; exit 1 ;;
esac

deploy/build.sh
if ! command -v curl >/dev/null || ! python3 -c 'import http.server' 2>/dev/null || ! command -v pgrep >/dev/null; then
  deploy/apt-install.sh curl python3 procps
fi

run=("$proxyd" --listen="$public" --exec="python3 -m http.server --bind ${backend%:*} ${backend##*:}" "$backend")

if [[ ${1-} != --check ]]; then
  printf '\nNothing listens on %s yet. In another terminal:\n\n  curl -s -o /dev/null -w "%%{http_code} in %%{time_total} s\\n" http://%s/\n\n' "$backend" "$public"
  printf 'The first request starts the backend and waits for it; the second is as fast as direct.\n\n'
  exec "${run[@]}"
fi

log=$(mktemp)
"${run[@]}" >/dev/null 2>"$log" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; wait "$pid" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in {1..100}; do
  grep -q Listening "$log" && break
  kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; exit 1; }
  sleep 0.05
done

failed=0
row() { # what, expected, seen, ms
  local verdict=ok
  [[ $2 == "$3" ]] || { verdict=FAILED; failed=1; }
  printf '%-44s %-10s %-10s %8s  %s\n' "$1" "$2" "$3" "$4" "$verdict"
}
ask() { # what
  local code seconds
  read -r code seconds < <(curl -s -o /dev/null -m 10 -w '%{http_code} %{time_total}\n' "http://$public/") || true
  row "$1" 200 "$code" "$(awk -v s="$seconds" 'BEGIN { printf "%.1f", s * 1000 }')"
}
backend_pid() { pgrep -P "$pid" || true; }

printf '%-44s %-10s %-10s %8s\n' state expected seen ms
row "backend before the first request" asleep "$([[ -z $(backend_pid) ]] && echo asleep || echo running)" -
ask "cold: the request wakes the backend"
ask "warm"
kill -9 "$(backend_pid)"
for _ in {1..100}; do [[ -n $(backend_pid) ]] || break; sleep 0.02; done
ask "backend killed, asked again"
row "public port" listening "$( (: <"/dev/tcp/${public/://}") 2>/dev/null && echo listening || echo closed)" -
exit "$failed"
