"""Makes the table and the gates of bench/compare.sh from its raw values.

Usage: report.py [--gate] RAW, where RAW holds lines of round, subject, metric and value, separated by tabs.
"""

import statistics
import sys
from collections import defaultdict

REFERENCE = "socket-proxyd"
OURS = "proxyd"
NO_RATIO = {"binary_kb"}  # the reference's code is in shared libraries

# Group, then rows: metric, label, digits after the point.
ROWS = [
    ("keep-alive requests, 64 connections", [
        ("request_rate", "requests/s", 0),
        ("request_cpu_us", "proxy CPU, µs per request", 1),
    ]),
    ("a connection per request, 32 at once", [
        ("connection_rate", "connections/s", 0),
        ("connection_cpu_us", "proxy CPU, µs per connection", 1),
    ]),
    ("bulk, 1 stream", [
        ("bulk_1_up_gbps", "to the backend, Gb/s", 1),
        ("bulk_1_up_cpu_s_per_gb", "  proxy CPU, s per GB", 3),
        ("bulk_1_up_machine_s_per_gb", "  whole machine's CPU, s per GB", 3),
        ("bulk_1_down_gbps", "from the backend, Gb/s", 1),
        ("bulk_1_down_cpu_s_per_gb", "  proxy CPU, s per GB", 3),
        ("bulk_1_down_machine_s_per_gb", "  whole machine's CPU, s per GB", 3),
    ]),
    ("bulk, 16 streams", [
        ("bulk_16_up_gbps", "to the backend, Gb/s", 1),
        ("bulk_16_up_cpu_s_per_gb", "  proxy CPU, s per GB", 3),
        ("bulk_16_up_machine_s_per_gb", "  whole machine's CPU, s per GB", 3),
        ("bulk_16_down_gbps", "from the backend, Gb/s", 1),
        ("bulk_16_down_cpu_s_per_gb", "  proxy CPU, s per GB", 3),
        ("bulk_16_down_machine_s_per_gb", "  whole machine's CPU, s per GB", 3),
    ]),
    ("one request at a time", [
        ("latency_new_us", "new connection each, µs", 0),
        ("latency_kept_us", "connection kept, µs", 0),
    ]),
    ("100 idle connections", [
        ("idle_fds", "descriptors per connection", 2),
        ("idle_conn_kb", "RSS per connection, kB", 2),
        ("idle_rss_kb", "RSS of the process, kB", 0),
    ]),
    ("the process", [
        ("start_ms", "exec to first answered byte, ms", 1),
        ("rest_rss_kb", "RSS at rest, kB", 0),
        ("binary_kb", "binary, kB", 0),
    ]),
]

# What the figure is, its metrics, how it is judged, goal, digits, unit.
# ratio: ours / reference, of several metrics the geometric mean. absolute: ours. over: ours - direct.
GATES = [
    ("cpu per keep-alive request", ["request_cpu_us"], "ratio", 0.45, 2, "x"),
    ("cpu per new connection", ["connection_cpu_us"], "ratio", 0.70, 2, "x"),
    ("cpu per GB, mean of the four bulk loads", [
        "bulk_1_up_cpu_s_per_gb", "bulk_1_down_cpu_s_per_gb", "bulk_16_up_cpu_s_per_gb", "bulk_16_down_cpu_s_per_gb",
    ], "ratio", 1.00, 2, "x"),
    ("warm, new connection, over direct", ["latency_new_us"], "over", 300, 0, "µs"),
    ("warm, connection kept, over direct", ["latency_kept_us"], "over", 300, 0, "µs"),
    ("idle connection", ["idle_fds"], "absolute", 2.00, 2, "fds"),
    ("RSS with 100 idle connections", ["idle_rss_kb"], "absolute", 14336, 0, "kB"),
    ("RSS at rest", ["rest_rss_kb"], "absolute", 14336, 0, "kB"),
    ("process start to first answer", ["start_ms"], "absolute", 15.0, 1, "ms"),
]


def read(path):
    """Values by (subject, metric), and the subjects in the order they were measured."""
    values, subjects = defaultdict(list), []
    with open(path, encoding="utf-8") as raw:
        for line in raw:
            _, subject, metric, value = line.rstrip("\n").split("\t")
            values[subject, metric].append(float(value))
            if subject not in subjects:
                subjects.append(subject)
    return values, subjects


def number(value, digits):
    return f"{value:,.{digits}f}"


def cell(values, digits):
    if not values:
        return "-"
    text = number(statistics.median(values), digits)
    if min(values) == max(values):
        return text
    return f"{text} ({number(min(values), digits)}–{number(max(values), digits)})"


def ratio(ours, theirs):
    if not ours or not theirs or statistics.median(theirs) <= 0:
        return "-"
    return f"{statistics.median(ours) / statistics.median(theirs):.2f} x"


def table(values, subjects):
    others = [subject for subject in subjects if subject not in (OURS, "direct")]
    lines = [["", *subjects, *(f"vs {other}" for other in others)]]
    for group, rows in ROWS:
        lines.append([group])
        for metric, label, digits in rows:
            ours = values[OURS, metric]
            lines.append([
                "  " + label,
                *(cell(values[subject, metric], digits) for subject in subjects),
                *("" if metric in NO_RATIO else ratio(ours, values[other, metric]) for other in others),
            ])
    widths = [max(len(line[i]) for line in lines if len(line) > 1) for i in range(len(lines[0]))]
    for line in lines:
        if len(line) == 1:
            print(f"\n{line[0]}")
        else:
            print("  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]).rstrip())


def gates(values):
    """Prints one line each; true when every goal is met."""

    def judge(metric, kind):
        ours = statistics.median(values[OURS, metric])
        if kind == "ratio":
            return ours / statistics.median(values[REFERENCE, metric])
        return ours - statistics.median(values["direct", metric]) if kind == "over" else ours

    all_met = True
    for name, metrics, kind, goal, digits, unit in GATES:
        figures = [judge(metric, kind) for metric in metrics]
        figure = round(statistics.geometric_mean(figures) if len(figures) > 1 else figures[0], digits)
        met = figure <= goal
        all_met = all_met and met
        print(f"gate: {name} {number(figure, digits)} {unit} (goal {number(goal, digits)}) {'PASS' if met else 'MISS'}")
    return all_met


def main():
    must_pass = "--gate" in sys.argv[1:]
    values, subjects = read(sys.argv[-1])
    print("Medians of the rounds (least–most).")
    table(values, subjects)
    print()
    all_met = gates(values)
    return 1 if must_pass and not all_met else 0


sys.exit(main())
