# shellcheck shell=bash
# The network namespace that a measurement has for itself, and the end of what was started in it. Sourced inside it.

# Loopback; ports of ours lie below the ephemeral range, which is wide enough for a connection per request. Sets $congestion_control to
# Debian's default, or its like. One that paces (bbr) would measure its timers: through loopback it costs two thirds of the speed, and
# everybody's CPU per GB then varies threefold from run to run. A namespace may be refused cubic.
open_namespace() {
  ip link set lo up
  echo '10000 65535' >/proc/sys/net/ipv4/ip_local_port_range
  for congestion_control in cubic reno; do
    ! (echo "$congestion_control" >/proc/sys/net/ipv4/tcp_congestion_control) 2>/dev/null || break
  done
}

# Bash's own list of its children: a pid that is not ours any more is not in it.
end_jobs() {
  local pid
  for pid in $(jobs -p); do
    kill "$pid" 2>/dev/null || true
  done
  wait
}
