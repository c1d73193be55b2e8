"""What the rows of bench/compare.sh are called, and which goals are judged from them."""

OURS = "proxyd"
REFERENCE = "socket-proxyd"
PEERS = ["haproxy", "nginx"]

# Key, title, columns (prefix of the metric, heading), rows (rest of the metric, label, digits after the point, whether more is better).
# A metric that a run did not record is left out.
GROUPS = [
    ("requests", "Keep-alive requests", [
        ("request_1", "1 connection"), ("request_64", "64 connections"), ("request_1000", "1,000 connections"),
    ], [
        ("rate", "requests/s", 0, True),
        ("errors", "errors", 0, False),
        ("p50_us", "p50, µs", 0, False),
        ("p99_us", "p99, µs", 0, False),
        ("p999_us", "p99.9, µs", 0, False),
        ("cpu_us", "proxy CPU, µs per request", 1, False),
    ]),
    ("connections", "A connection per request", [("connection", "32 at once")], [
        ("rate", "connections/s", 0, True),
        ("errors", "errors", 0, False),
        ("cpu_us", "proxy CPU, µs per connection", 1, False),
    ]),
    ("bulk", "Bulk", [
        ("bulk_1", "1 stream"), ("bulk_16", "16 streams"), ("bulk_256", "256 streams"), ("bulk_256_user", "256, unprivileged uid"),
    ], [
        (way + metric, label + rest, digits, more)
        for way, label in [("up", "to the backend"), ("down", "from the backend"), ("both", "both ways")]
        for metric, rest, digits, more in [
            ("_gbps", ", Gb/s", 1, True),
            ("_cpu_s_per_gb", ", proxy CPU, s per GB", 3, False),
            ("_machine_s_per_gb", ", machine's CPU, s per GB", 3, False),
        ]
    ]),
    ("latency", "One at a time", [("latency", "")], [
        ("pingpong_p50_us", "64 bytes there and back, p50, µs", 1, False),
        ("pingpong_p99_us", "64 bytes there and back, p99, µs", 1, False),
        ("new_us", "HTTP request, new connection each, µs", 0, False),
        ("kept_us", "HTTP request, connection kept, µs", 0, False),
    ]),
    ("idle", "Idle connections", [("idle_1000", "1,000"), ("idle_most", "as many as descriptors allow")], [
        ("connections", "connections held", 0, True),
        ("fds", "descriptors per connection", 2, False),
        ("conn_kb", "RSS per connection, kB", 2, False),
        ("kernel_kb", "kernel memory per connection, kB", 1, False),
        ("rss_kb", "RSS of the process, kB", 0, False),
    ]),
    ("process", "The process", [("process", "")], [
        ("start_ms", "exec to first answered byte, ms", 1, False),
        ("rest_rss_kb", "RSS at rest, kB", 0, False),
        ("binary_kb", "binary, kB", 0, False),
    ]),
    ("paths", "TCP and Unix sockets, client → backend", [
        ("path_tcp_tcp", "TCP → TCP"), ("path_tcp_unix", "TCP → Unix"), ("path_unix_tcp", "Unix → TCP"), ("path_unix_unix", "Unix → Unix"),
    ], [
        ("rate", "requests/s, 64 connections", 0, True),
        ("p50_us", "p50, µs", 0, False),
        ("p99_us", "p99, µs", 0, False),
        ("cpu_us", "proxy CPU, µs per request", 1, False),
        ("bulk_gbps", "1 stream, Gb/s", 1, True),
        ("bulk_cpu_s_per_gb", "1 stream, proxy CPU, s per GB", 3, False),
    ]),
]

NO_RATIO = {"request_1_errors", "request_64_errors", "request_1000_errors", "connection_errors", "process_binary_kb", "idle_most_connections", "idle_1000_connections"}  # shared libraries; a bound, not a merit

CPU_1 = ["bulk_1_up_cpu_s_per_gb", "bulk_1_down_cpu_s_per_gb"]
CPU_16 = ["bulk_16_up_cpu_s_per_gb", "bulk_16_down_cpu_s_per_gb"]
RATE_1 = ["bulk_1_up_gbps", "bulk_1_down_gbps"]

# What is judged, its metrics (of several the geometric mean of the ratios), whether more is better, the goal against the reference,
# the goal against the best peer. None: not judged.
RATIO_GOALS = [
    ("CPU per keep-alive request, 64 connections", ["request_64_cpu_us"], False, 0.36, 0.97),
    ("requests/s, 64 connections", ["request_64_rate"], True, 2.3, 1.0),
    ("CPU per new connection", ["connection_cpu_us"], False, 0.55, 1.0),
    ("CPU per GB, 1 stream", CPU_1, False, 0.88, 0.40),
    ("CPU per GB, 16 streams", CPU_16, False, 0.88, 0.40),
    ("Gb/s, 1 stream", RATE_1, True, 1.0, 1.4),
    ("64 B round trip, p50", ["latency_pingpong_p50_us"], False, 0.95, 1.0),
    ("RSS at rest", ["process_rest_rss_kb"], False, 1.3, None),
    ("start to first answer", ["process_start_ms"], False, 2.5, None),
]

# What is judged, metric, subject and metric it is divided by, whether more is better, goal.
OTHER_RATIO_GOALS = [
    ("p99, 64 connections, against HAProxy", "request_64_p99_us", ("haproxy", "request_64_p99_us"), False, 1.0),
    ("256 streams, unprivileged uid against root", "bulk_256_user_up_gbps", (OURS, "bulk_256_up_gbps"), True, 0.9),
]

# Figures that don't jitter: what is judged, metric, most, unit, digits after the point.
COUNT_GOALS = [
    ("descriptors per idle connection", "idle_1000_fds", 2.0, "", 2),
    ("RSS per idle connection", "idle_1000_conn_kb", 0.25, " kB", 2),
    ("binary", "process_binary_kb", 7000, " kB", 0),
]


def metrics():
    """Each metric with group, column heading, label, digits and direction, in the order of the table."""
    for key, title, columns, rows in GROUPS:
        for prefix, heading in columns:
            for rest, label, digits, more in rows:
                yield f"{prefix}_{rest}", key, title, heading, label, digits, more
