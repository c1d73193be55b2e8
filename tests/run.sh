#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test; the last line is "N passed, N failed, N skipped".
# As root (the end-to-end tests boot a systemd of their own), on Debian 12 with the .NET 10 SDK.
#   tests/run.sh [PROJECT…]   all, or some of: ProxyD.Tests ProxyD.BlackBox ProxyD.EndToEnd
set -euo pipefail
cd "$(dirname "$0")/.."

# A hang is a failure too, not a wait for somebody's patience: all three within half an hour.
limit_s=600 grace_s=20

projects=("$@") all=0
((${#projects[@]})) || all=1 projects=(ProxyD.Tests ProxyD.BlackBox ProxyD.EndToEnd)

passed=0 failed=0 skipped=0 session=
log=$(mktemp)

# Whoever ends us, and whatever failed before the first test: nothing stays behind, and there is a last line.
finish() {
  local status=$?
  end_suite
  rm -f "$log"
  ((status == 0 || failed > 0)) || failed=1
  echo "$passed passed, $failed failed, $skipped skipped"
  exit $((failed > 0))
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The suite, its session, and below them what has taken a session of its own, as the lab has.
processes_of_suite() {
  local all next
  all=$(pgrep -s "$session" || true)
  next=$all
  while [[ -n $next ]]; do
    next=$(pgrep -P "${next//$'\n'/,}" || true)
    all+=$'\n'$next
  done
  sort -un <<<"$all" | grep . || true
}

is_running() { jobs -rp | grep -qx "$session"; }

# Ends the suite, which takes nobody with it when it is killed: what it has started is listed while it still lives.
end_suite() {
  [[ -n $session ]] || return 0
  local left
  mapfile -t left < <(processes_of_suite)
  if is_running; then kill "$session"; fi
  for ((i = 0; i < grace_s * 10; i++)); do
    is_running || break
    sleep 0.1
  done
  ((${#left[@]} == 0)) || kill -KILL "${left[@]}" 2>/dev/null || true
  wait "$session" 2>/dev/null || true
  session=
}

tests/install-deps.sh
deploy/build.sh

for project in "${projects[@]}"; do
  echo "== $project"
  if ! dotnet build "tests/$project" -c Release --nologo -v quiet; then
    echo "$project does not build"
    ((failed += 1))
    continue
  fi
  # A session of its own, so that what it leaves behind can be found.
  setsid "tests/$project/bin/Release/net10.0/$project" -noColor >"$log" 2>&1 &
  session=$!
  # Beside us, because a trap waits for what runs in the foreground.
  { timeout "$limit_s" tail -n +1 -f -s 0.2 --pid="$session" "$log" | grep -vE '^ +(Discover|Start|Finish)'; } &
  wait "$!" || true
  end_suite
  # "   ProxyD.Tests  Total: 29, Errors: 0, Failed: 0, Skipped: 0, Not Run: 0, Time: 2.2s"
  if [[ $(grep -E 'Total: +[0-9]+, Errors:' "$log" | tail -1) =~ Total:\ *([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
    total=${BASH_REMATCH[1]} bad=$((BASH_REMATCH[2] + BASH_REMATCH[3])) idle=$((BASH_REMATCH[4] + BASH_REMATCH[5]))
    ((passed += total - bad - idle, failed += bad, skipped += idle)) || true
  else
    echo "$project did not finish"
    ((failed += 1))
  fi
done

# What the bench holds that is the same on every machine: descriptors, size, system calls.
if ((all)); then
  echo '== bench/gate.sh --counts'
  if bench/gate.sh --counts; then ((passed += 1)); else ((failed += 1)); fi
fi

((failed == 0 && passed > 0))
