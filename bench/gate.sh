#!/usr/bin/env bash
# Exits 1 when proxyd passes a ceiling of bench/lib/rows.py.
#   bench/gate.sh [compare.sh's options]   ratios of medians of one quick run against the peers; three minutes
#   bench/gate.sh --counts [PROXYD]        only what doesn't jitter, without peers: descriptors, binary, system calls; seconds
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

if [[ ${1-} == --counts ]]; then
  shift
  exec "$here/lib/counts.sh" "$@"
fi
exec "$here/compare.sh" --quick --gate "$@"
