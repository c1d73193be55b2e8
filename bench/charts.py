#!/usr/bin/env python3
"""Draws one SVG per row group from a result of bench/compare.sh: a panel per row, a bar per subject.

Usage: bench/charts.py JSON [FOLDER]; the default folder is charts, beside this script.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE / "lib"))
import rows  # noqa: E402

PANEL_WIDTH, NAME_WIDTH, FIGURE_WIDTH, GAP = 276, 92, 56, 24
BAR_HEIGHT, BAR_STEP, PANEL_HEAD, PAGE_HEAD = 11, 17, 20, 66

# Readable on white and on GitHub's dark page; a viewer without the media query gets the light ones.
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.column { font-size: 13px; font-weight: 600 }
.quiet, .name { fill: #59636e }
.ours { fill: #1f2328; font-weight: 600 }
.figure { font-variant-numeric: tabular-nums }
.bar { fill: #a3adb8 }
.bar-ours { fill: #0969da }
.bar-direct { fill: #d8dee4 }
.spread { stroke: #59636e; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text, .ours { fill: #f0f6fc }
  .quiet, .name { fill: #9198a1 }
  .bar { fill: #59636e }
  .bar-ours { fill: #4493f8 }
  .bar-direct { fill: #32393f }
  .spread { stroke: #c1c8cf }
}
"""


def escape(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def text(x, y, content, kind="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(content)}</text>'


def bar(x, y, subject, value, most, digits):
    """One subject of a panel: name, bar to the median, a line from least to most, the median as a figure."""
    room = PANEL_WIDTH - NAME_WIDTH - FIGURE_WIDTH
    scale = room / most if most > 0 else 0
    left, middle = x + NAME_WIDTH, y + BAR_HEIGHT / 2
    ours = subject == rows.OURS
    kind = "bar-ours" if ours else "bar-direct" if subject == "direct" else "bar"
    yield text(left - 6, y + BAR_HEIGHT - 1, subject, "ours" if ours else "name", "end")
    yield f'<rect x="{left}" y="{y}" width="{max(value["median"] * scale, 1):.1f}" height="{BAR_HEIGHT}" rx="1.5" class="{kind}"/>'
    if value["most"] > value["least"]:
        begin, end = left + value["least"] * scale, left + value["most"] * scale
        yield f'<path d="M{begin:.1f} {middle}H{end:.1f}" class="spread"/>'
    figure = f"{value['median']:,.{digits}f}"
    yield text(x + PANEL_WIDTH, y + BAR_HEIGHT - 1, figure, "figure ours" if ours else "figure", "end")


def panel(x, y, row, subjects):
    yield text(x, y + 10, ("↑ " if row["more_is_better"] else "↓ ") + row["label"])
    values = row["values"]
    # A spread far beyond every median would leave nothing of the bars.
    medians = max(value["median"] for value in values.values())
    most = min(max(value["most"] for value in values.values()), 1.5 * medians)
    for i, subject in enumerate(subjects):
        if subject in values:
            value = dict(values[subject])
            value["most"] = min(value["most"], most)
            yield from bar(x, y + PANEL_HEAD + i * BAR_STEP, subject, value, most, row["digits"])
        else:
            yield text(x + NAME_WIDTH - 6, y + PANEL_HEAD + i * BAR_STEP + BAR_HEIGHT - 1, subject, "quiet", "end")
            yield text(x + PANEL_WIDTH, y + PANEL_HEAD + i * BAR_STEP + BAR_HEIGHT - 1, "–", "quiet", "end")


def chart(result, title, group):
    """The group's rows as a grid: its columns side by side, its rows below each other; where there is but one column, rows side by side."""
    subjects = [s for s in result["subjects"] if any(s in row["values"] for row in group)]
    columns = list(dict.fromkeys(row["column"] for row in group))
    labels = list(dict.fromkeys(row["label"] for row in group))
    one = len(columns) == 1
    height = PANEL_HEAD + len(subjects) * BAR_STEP + GAP
    wide = len(labels) if one else len(columns)
    width = wide * (PANEL_WIDTH + GAP) + GAP
    top = PAGE_HEAD - 20 if one else PAGE_HEAD
    total = top + (1 if one else len(labels)) * height + 32
    run = result["run"]
    parts = [text(GAP, 28, title + (f", {columns[0]}" if one and columns[0] else ""), "title")]
    if not one:
        parts += [text(GAP + i * (PANEL_WIDTH + GAP), 54, column, "column") for i, column in enumerate(columns)]
    for row in group:
        i, j = (labels.index(row["label"]), 0) if one else (columns.index(row["column"]), labels.index(row["label"]))
        parts += panel(GAP + i * (PANEL_WIDTH + GAP), top + j * height, row, subjects)
    notes = [
        "↑ more, ↓ less is better. Bar and figure: median of the rounds. Line: from least to most.",
        f"{run['cpu']}, {run['cores']} cores, Linux {run['kernel']}; {run['rounds']} rounds; {run['time'][:10]}, commit {run['commit']}.",
    ]
    parts += [text(GAP, total - 26 + i * 16, note, "quiet") for i, note in enumerate(notes)]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}" role="img">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n{body}\n</svg>\n"
    )


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        result = json.load(file)
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else HERE / "charts"
    folder.mkdir(parents=True, exist_ok=True)
    for key, title, *_ in rows.GROUPS:
        group = [row for row in result["rows"] if row["group"] == key]
        if group:
            (folder / f"{key}.svg").write_text(chart(result, title, group), encoding="utf-8")
            print(folder / f"{key}.svg")


main()
