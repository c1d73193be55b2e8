#!/usr/bin/env bash
# Installs what the bench needs and this machine lacks; with nothing missing it does nothing. Debian 12, as root.
# Usage: install.sh [--counts | --perf]   with --counts only what bench/gate.sh --counts needs, with --perf what bench/kernel.sh needs too
set -euo pipefail

# A program that must be there, and the Debian package that brings it.
needs=(
  /usr/bin/gcc                            gcc          # bench/lib/*.c
  /usr/include/stdlib.h                   libc6-dev
  /usr/bin/unshare                        util-linux
  /sbin/ip                                iproute2     # the loopback of the private network namespace
  /usr/bin/strace                         strace
)
if [[ ${1-} != --counts ]]; then
  needs+=(
    /usr/lib/systemd/systemd-socket-proxyd       systemd      # the reference
    /usr/sbin/haproxy                            haproxy
    /usr/lib/nginx/modules/ngx_stream_module.so  libnginx-mod-stream
    /usr/bin/socat                               socat
    /usr/sbin/nginx                              nginx-light  # the HTTP backend
    /usr/bin/wrk                                 wrk          # HTTP load
    /usr/bin/iperf3                              iperf3       # bulk load
    /usr/bin/sockperf                            sockperf     # round trips
    /usr/bin/python3                             python3      # the report
  )
fi
[[ ${1-} != --perf ]] || needs+=(/usr/bin/perf linux-perf)

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
