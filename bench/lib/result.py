"""Makes the JSON of one run of bench/compare.sh.

Usage: result.py RAW RUN JSON, where RAW holds lines of round, subject, metric and value, and RUN lines of name and value,
separated by tabs.
"""

import json
import statistics
import sys
from collections import defaultdict

import rows


def read_run(path):
    run = {"version": {}}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, value = line.rstrip("\n").split("\t", 1)
            if name.startswith("version."):
                run["version"][name.removeprefix("version.")] = value
            else:
                run[name] = int(value) if value.isdigit() else value
    return run


def read_values(path):
    """Values by metric and subject, and the subjects in the order they were measured."""
    values, subjects = defaultdict(lambda: defaultdict(list)), []
    with open(path, encoding="utf-8") as raw:
        for line in raw:
            _, subject, metric, value = line.rstrip("\n").split("\t")
            values[metric][subject].append(float(value))
            if subject not in subjects:
                subjects.append(subject)
    return values, subjects


def main():
    raw, run, out = sys.argv[1:]
    values, subjects = read_values(raw)
    result = {"run": read_run(run), "subjects": subjects, "rows": []}
    for metric, group, _, heading, label, digits, more in rows.metrics():
        if metric not in values:
            continue
        result["rows"].append({
            "metric": metric, "group": group, "column": heading, "label": label, "digits": digits, "more_is_better": more,
            "values": {
                subject: {"median": statistics.median(each), "least": min(each), "most": max(each), "count": len(each)}
                for subject, each in values[metric].items()
            },
        })
    # One row a line: two runs can be compared with diff.
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in result["rows"])
    head = json.dumps({"run": result["run"], "subjects": subjects}, indent=1, ensure_ascii=False).removesuffix("\n}")
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'{head},\n "rows": [\n{lines}\n ]\n}}\n')
    # Said afterwards: no run is lost for a name that is missing.
    unknown = set(values) - {row["metric"] for row in result["rows"]}
    if unknown:
        print(f"result.py: left out, because rows.py does not know them: {sorted(unknown)}", file=sys.stderr)


main()
