#!/usr/bin/env bash
# The cold start, in a real systemd in a container: how much of it is proxyd's, what a loop in bash takes instead, and proxyd's own timeline of it.
# Runs the end-to-end tests that measure it; as root. Usage: bench/cold.sh [CYCLES] (default 20, of the first measurement; systemd's
# start limit sets the pace)
set -euo pipefail
cd "$(dirname "$0")/.."

tests/install-deps.sh >&2
[[ -x artifacts/proxyd/proxyd ]] || deploy/build.sh >&2
dotnet build tests/ProxyD.EndToEnd -c Release --nologo -v quiet >&2

# measure TEST: what the test says of its figures, and the timelines that it shows. It also holds a goal, which is no matter here.
measure() {
  local said
  said=$(tests/ProxyD.EndToEnd/bin/Release/net10.0/ProxyD.EndToEnd -noColor -showLiveOutput -method "*.$1" | sed -nE 's/.*(medians of|answered after) /  \1 /p' | awk '!seen[$0]++') || true
  [[ -n $said ]] || { echo "cold.sh: $1 gave no figures" >&2 && exit 1; }
  echo "$said"
}

export PROXYD_E2E_CYCLES=${1:-20}
echo 'a socket, proxyd and its backend, started together by the first client'
measure Twenty_cold_starts_lose_no_request
echo 'a proxyd that stays, and starts its backend over D-Bus'
measure A_cold_start_costs_hardly_more_than_the_backends_own
measure Each_wake_is_one_line_with_its_timeline
