#!/usr/bin/env bash
# Installs what the tests need and this machine lacks; with nothing missing it does nothing. Debian 12, as root.
set -euo pipefail

# A program that must be there (or a pattern for it), and the Debian package that brings it.
needs=(
  /usr/bin/x86_64-linux-gnu-gcc   gcc                 # the ABI test
  /usr/include/stdio.h            libc6-dev
  /usr/bin/aarch64-linux-gnu-gcc  gcc-aarch64-linux-gnu
  /usr/aarch64-linux-gnu/include/stdio.h libc6-dev-arm64-cross
  /usr/include/systemd/sd-bus.h   libsystemd-dev
  /usr/bin/ip                     iproute2            # network namespaces
  /usr/bin/prlimit                util-linux
  /usr/bin/mount                  mount               # a file of the test's own as /etc/hosts
  /usr/bin/script                 bsdutils            # a terminal
  /usr/bin/zsh                    zsh                 # with fish: packaging/completions
  /usr/bin/fish                   fish
  /usr/bin/pgrep                  procps
  /etc/services                   netbase             # ports by name
  /usr/lib/systemd/systemd        systemd             # systemd-analyze, and the incumbent to compare with
  /usr/bin/systemd-nspawn         systemd-container   # the lab: a real systemd as PID 1 over a view of this machine
  /usr/bin/dbus-daemon            dbus                # the lab's system bus
  /usr/lib/polkit-1/polkitd       polkitd             # who may start which unit there
  /usr/lib/systemd/user/dbus.socket dbus-user-session # user managers there, with a bus
  '/usr/lib/*/security/pam_systemd.so' libpam-systemd
  /usr/bin/nsenter                util-linux          # commands inside the lab
  /sbin/useradd                   passwd              # the users that some trios run as
  /bin/ss                         iproute2            # what guards and ExecStartPost= loops poll with
  /bin/nc                         netcat-openbsd      # what the minecraft hook polls with
  /usr/bin/curl                   curl
  /usr/bin/node                   nodejs              # backends
  /usr/bin/pydoc3                 python3             # pydoc3: python3-minimal lacks http.server
  /usr/bin/redis-server           redis-server
  /usr/bin/redis-cli              redis-tools
  '/usr/lib/postgresql/*/bin/postgres' postgresql     # in a folder per major version
  /usr/bin/psql                   postgresql-client
  /usr/sbin/sshd                  openssh-server
  /usr/bin/ssh                    openssh-client
)

missing=()
for ((i = 0; i < ${#needs[@]}; i += 2)); do
  compgen -G "${needs[i]}" >/dev/null || missing+=("${needs[i + 1]}")
done

# Not installed, only looked at; the test that needs them says so when they are not there.
"$(dirname "$0")/debian-units.sh" || echo "install-deps.sh: the units of Debian's packages could not be fetched" >&2

if ((${#missing[@]} == 0)); then exit 0; fi
"$(dirname "$0")/../deploy/apt-install.sh" "${missing[@]}"

# They are not started now; nor may a server that only the tests wanted start at the next boot.
units=()
for package in "${missing[@]}"; do
  case $package in
    redis-server) units+=(redis-server.service) ;;
    postgresql) units+=(postgresql.service) ;;
    openssh-server) units+=(ssh.service) ;;
  esac
done
# Without systemctl there is nobody who would start them.
if ((${#units[@]})) && command -v systemctl >/dev/null; then
  systemctl disable --quiet "${units[@]}" || echo "install-deps.sh: still enabled: ${units[*]}" >&2
fi
