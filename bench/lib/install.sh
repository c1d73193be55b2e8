#!/usr/bin/env bash
# Installs what bench/compare.sh needs and this machine lacks; with nothing missing it does nothing. Debian 12, as root.
# Usage: install.sh [--peers]
set -euo pipefail

# A program that must be there, and the Debian package that brings it.
needs=(
  /usr/lib/systemd/systemd-socket-proxyd  systemd      # the reference
  /usr/bin/wrk                            wrk          # HTTP load
  /usr/bin/iperf3                         iperf3       # bulk load
  /usr/sbin/nginx                         nginx-light  # the HTTP backend
  /usr/bin/gcc                            gcc          # bench/lib/meter.c
  /usr/include/stdlib.h                   libc6-dev
  /usr/bin/python3                        python3      # the report
  /sbin/ip                                iproute2     # the loopback of the private network namespace
  /usr/bin/unshare                        util-linux
)
if [[ ${1-} == --peers ]]; then
  needs+=(
    /usr/sbin/haproxy                            haproxy
    /usr/lib/nginx/modules/ngx_stream_module.so  libnginx-mod-stream
  )
fi

missing=()
for ((i = 0; i < ${#needs[@]}; i += 2)); do
  [[ -e ${needs[i]} ]] || missing+=("${needs[i + 1]}")
done
if ((${#missing[@]} == 0)); then exit 0; fi
"$(dirname "$0")/../../deploy/apt-install.sh" "${missing[@]}"

# They are not started now; nor may a server that only the bench wanted start at the next boot.
for package in "${missing[@]}"; do
  case $package in
    nginx-light) systemctl disable nginx.service ;;
    haproxy) systemctl disable haproxy.service ;;
  esac
done
