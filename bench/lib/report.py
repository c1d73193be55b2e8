"""Prints the table and the goals of a result of bench/compare.sh.

Usage: report.py [--gate] JSON; with --gate it exits 1 when a goal is missed, and when there is no ratio to judge.
"""

import json
import statistics
import sys

import rows


def number(value, digits):
    return f"{value:,.{digits}f}"


def cell(value, digits):
    if value is None:
        return "-"
    text = number(value["median"], digits)
    if value["least"] == value["most"]:
        return text
    return f"{text} ({number(value['least'], digits)}–{number(value['most'], digits)})"


def ratio(ours, theirs):
    if ours is None or theirs is None or theirs["median"] <= 0:
        return "-"
    return f"{ours['median'] / theirs['median']:.2f} x"


def print_table(result):
    subjects = result["subjects"]
    others = [subject for subject in subjects if subject not in (rows.OURS, "direct")]
    titles = {key: title for key, title, *_ in rows.GROUPS}
    lines, last = [["", *subjects, *(f"vs {other}" for other in others)]], None
    for row in result["rows"]:
        heading = ", ".join(filter(None, [titles[row["group"]], row["column"]]))
        if heading != last:
            lines.append([heading])
            last = heading
        values, digits = row["values"], row["digits"]
        lines.append([
            "  " + row["label"],
            *(cell(values.get(subject), digits) for subject in subjects),
            *("" if row["metric"] in rows.NO_RATIO else ratio(values.get(rows.OURS), values.get(other)) for other in others),
        ])
    widths = [max(len(line[i]) for line in lines if len(line) > 1) for i in range(len(lines[0]))]
    for line in lines:
        if len(line) == 1:
            print(f"\n{line[0]}")
        else:
            print("  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))]).rstrip())


def judged(medians):
    """What is judged, figure as text, goal as text, whether it is met; nothing where the run has no figures for it."""

    def judge(name, figure, more, goal):
        figure = round(figure, 2)
        return name, f"{figure:.2f} x", f"{'≥' if more else '≤'} {goal:.2f} x", figure >= goal if more else figure <= goal

    for name, metrics, more, reference_goal, peer_goal in rows.RATIO_GOALS:
        ours = [medians.get((rows.OURS, metric)) for metric in metrics]
        theirs = [medians.get((rows.REFERENCE, metric)) for metric in metrics]
        if all(ours) and all(theirs):
            figure = statistics.geometric_mean([a / b for a, b in zip(ours, theirs)])
            yield judge(f"{name}, against {rows.REFERENCE}", figure, more, reference_goal)
        peers = [[medians.get((peer, metric)) for metric in metrics] for peer in rows.PEERS]
        peers = [peer for peer in peers if all(peer)]
        if peer_goal is not None and all(ours) and peers:
            # The best peer is the one that makes it hardest for us.
            figures = [statistics.geometric_mean([a / b for a, b in zip(ours, peer)]) for peer in peers]
            yield judge(f"{name}, against the best of {' and '.join(rows.PEERS)}", min(figures) if more else max(figures), more, peer_goal)
    for name, metric, divisor, more, goal in rows.OTHER_RATIO_GOALS:
        ours, theirs = medians.get((rows.OURS, metric)), medians.get(divisor)
        if ours and theirs:
            yield judge(name, ours / theirs, more, goal)
    for name, metric, most, unit, digits in rows.COUNT_GOALS:
        figure = medians.get((rows.OURS, metric))
        if figure is not None:
            yield name, f"{figure:,.{digits}f}{unit}", f"≤ {most:,}{unit}", round(figure, 2) <= most


def main():
    with open(sys.argv[-1], encoding="utf-8") as file:
        result = json.load(file)
    run = result["run"]
    print(f"{run['cpu']}, {run['cores']} cores, Linux {run['kernel']}; {run['busy_before_percent']} % busy before; uid {run['uid']}; commit {run['commit']}")
    print("; ".join(f"{name} {version}" for name, version in run["version"].items()))
    print(f"Medians of {run['rounds']} rounds of {run['load_seconds']} s each (least–most).")
    print_table(result)
    print()
    medians = {(subject, row["metric"]): value["median"] for row in result["rows"] for subject, value in row["values"].items()}
    missed = count = 0
    for name, figure, goal, met in judged(medians):
        missed += not met
        # A run without any peer has the counts alone, and those are bench/gate.sh --counts' to judge.
        count += figure.endswith(" x")
        print(f"gate: {'PASS' if met else 'MISS'}  {name}: {figure} (goal {goal})")
    if not count:
        print("gate: this run has no ratio to judge")
    return 1 if (missed or not count) and "--gate" in sys.argv[1:] else 0


sys.exit(main())
