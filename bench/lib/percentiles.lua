-- For wrk: one line with what its own report lacks. Defines no request() and no response(), which would slow wrk down.
function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format("bench: %d %.1f %.1f %.1f %.1f %d\n", summary.requests, summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
