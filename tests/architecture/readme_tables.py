#!/usr/bin/env python3
"""Holds the tables of README.md in step with the program: options and metrics.

readme_tables.py --options PROGRAM --metrics PROGRAM [--write]

Without --write it compares and says how to mend; exit status 1 when a table is stale.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def cell(text):
    return text.replace("|", "\\|").strip()


def options_table(program):
    lines = subprocess.run([program, "options", "--format", "table"], check=True, text=True,
                           capture_output=True).stdout.splitlines()
    columns = [lines[0].index(name) for name in ("key", "type", "unit", "default", "meaning")]
    rows = ["| key | unit | default | meaning |", "|---|---|---|---|"]
    for line in lines[1:]:
        if not line.strip():
            break
        # A default longer than its column moves the meaning to the right: two spaces end it.
        key, unit = line[:columns[1]].strip(), line[columns[2]:columns[3]].strip()
        default, _, meaning = line[columns[3]:].partition("  ")
        if default.strip() != "not in this release":
            rows.append(f"| `{key}` | {cell(unit)} | {cell(default)} | {cell(meaning)} |")
    return "\n".join(rows)


def metrics_table(program):
    lines = subprocess.run([program], check=True, text=True, capture_output=True).stdout
    rows = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for line in lines.splitlines():
        name, kind, labels, meaning = (cell(part) for part in line.split("\t"))
        rows.append(f"| `{name}` | {kind} | {labels} | {meaning} |")
    return "\n".join(rows)


def replace(text, name, table):
    pattern = re.compile(f"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    found, count = pattern.subn(lambda match: match[1] + table + "\n" + match[2], text)
    if count != 1:
        sys.exit(f"README.md has no place for the {name}: <!-- {name} --> … <!-- end of {name} -->")
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--options", required=True)
    parser.add_argument("--metrics", required=True)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    before = README.read_text()
    after = replace(before, "options", options_table(arguments.options))
    after = replace(after, "metrics", metrics_table(arguments.metrics))
    if arguments.write:
        README.write_text(after)
    elif before != after:
        command = " ".join(sys.argv + ["--write"])
        sys.exit(f"README.md: a table is not what the program says; mend it with\n  {command}")


if __name__ == "__main__":
    main()
