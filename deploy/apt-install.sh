#!/usr/bin/env bash
# apt-install.sh PACKAGE…: installs Debian packages without starting any service they bring.
set -euo pipefail

if ((EUID != 0)); then
  echo "apt-install.sh: not root; install these yourself: $*" >&2
  exit 1
fi

# Installing a server must not start it: refuse every start for as long as apt runs, then put back what was there.
policy=/usr/sbin/policy-rc.d
saved=$(mktemp -u "$policy.saved.XXXXXX")
restore() {
  rm -f "$policy"
  [[ ! -e $saved && ! -L $saved ]] || mv "$saved" "$policy"
}
[[ ! -e $policy && ! -L $policy ]] || mv "$policy" "$saved"
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -q -y -o DPkg::Lock::Timeout=300)
echo "installing: $*"
"${apt[@]}" update >/dev/null
"${apt[@]}" install --no-install-recommends "$@" >/dev/null
