#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test; the last line is "N passed, N failed, N skipped".
# As root (the end-to-end tests boot a systemd of their own), on Debian 12 with the .NET 10 SDK.
#   tests/run.sh [PROJECT…]   all, or some of: ProxyD.Tests ProxyD.BlackBox ProxyD.EndToEnd
set -euo pipefail
cd "$(dirname "$0")/.."

projects=("$@")
((${#projects[@]})) || projects=(ProxyD.Tests ProxyD.BlackBox ProxyD.EndToEnd)

tests/install-deps.sh
deploy/build.sh

passed=0 failed=0 skipped=0
for project in "${projects[@]}"; do
  echo "== $project"
  dotnet build "tests/$project" -c Release --nologo -v quiet
  log=$(mktemp)
  # A hang is a failure too, not a wait for somebody's patience.
  timeout 480 "tests/$project/bin/Release/net10.0/$project" -noColor 2>&1 | tee "$log" | grep -vE '^ +(Discover|Start|Finish)' || true
  # "   ProxyD.Tests  Total: 29, Errors: 0, Failed: 0, Skipped: 0, Not Run: 0, Time: 2.2s"
  if [[ $(grep -E 'Total: +[0-9]+, Errors:' "$log" | tail -1) =~ Total:\ *([0-9]+),\ Errors:\ ([0-9]+),\ Failed:\ ([0-9]+),\ Skipped:\ ([0-9]+),\ Not\ Run:\ ([0-9]+) ]]; then
    total=${BASH_REMATCH[1]} bad=$((BASH_REMATCH[2] + BASH_REMATCH[3])) idle=$((BASH_REMATCH[4] + BASH_REMATCH[5]))
    ((passed += total - bad - idle, failed += bad, skipped += idle)) || true
  else
    echo "$project did not finish"
    ((failed += 1))
  fi
  rm -f "$log"
done

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
