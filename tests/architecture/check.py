#!/usr/bin/env python3
"""Checks one rule of the architecture or the style over the whole tree.

usage: check.py RULE [ROOT]    RULE: one of the names in CHECKS; prints each fault, exits 1 if any.
"""

import os
import re
import subprocess
import sys

import rules
import sources


def check_includes(root):
    """Core and adapters include what their layer allows."""
    for path in sources.code_files(root, *sources.SHIPPED):
        parts = path.split(os.sep)
        for number, name, quoted in sources.includes(sources.read(root, path)):
            fault = (core_fault(name, quoted) if parts[0] == "worker"
                     else adapter_fault(parts[1], name, quoted))
            if fault:
                yield f"{path}:{number}: {fault}"


def core_fault(name, quoted):
    if quoted:
        return None if name.startswith("worker/") else f"the core may not include {name}"
    if name in rules.CORE_THIRD_PARTY:
        return None
    if name in rules.STANDARD - rules.STANDARD_BUT_NOT_IN_THE_CORE:
        return None
    return f"the core may not include <{name}>: it computes, adapters do the rest"


def adapter_fault(adapter, name, quoted):
    if adapter not in rules.ADAPTERS:
        return f"adapter {adapter} is not in tests/architecture/rules.py"
    if quoted:
        if name.startswith("worker/"):
            return None
        parts = name.split("/")
        if parts[0] != "adapters" or len(parts) < 3:
            return f"{name}: include by the path from the project's root, never tests"
        allowed = rules.ADAPTERS[adapter]
        if parts[1] == adapter or parts[1] in allowed:
            return None
        if "*" in allowed and parts[1] != "cli":
            return None
        return f"adapter {adapter} may not include adapter {parts[1]}"
    for library, adapters in rules.LIBRARIES.items():
        if name.startswith(library) and adapter not in adapters:
            return f"<{name}> stays in: {', '.join(sorted(adapters))}"
    return None


def check_core_words(root):
    """The core has no clock, no chance and no environment of its own."""
    for path in sources.code_files(root, "worker"):
        text = sources.without_comments(sources.read(root, path))
        for number, line in enumerate(text.splitlines(), 1):
            for word in rules.CORE_FORBIDDEN_WORDS:
                if word in line:
                    yield f"{path}:{number}: the core may not use {word}"


RESULT = re.compile(r"(?<![\w:<>])(?:helsekontakter::)?Result<")
FUNCTION_NAME = re.compile(r"[&\s]+(?:\w+::)*\w+\s*\(")


def end_of_template(text, start):
    """The index after the > that closes the < before start."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"<": 1, ">": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return len(text)


def check_nodiscard(root):
    """Every function that returns a Result is declared [[nodiscard]]."""
    for path in sources.code_files(root, *sources.SHIPPED):
        if not path.endswith(".h"):
            continue
        text = sources.without_comments(sources.read(root, path))
        for match in RESULT.finditer(text):
            if not FUNCTION_NAME.match(text, end_of_template(text, match.end())):
                continue
            before = re.split(r"[;{}]|public:|private:|protected:", text[:match.start()])[-1]
            if "[[nodiscard]]" not in before:
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path}:{line}: returns a Result and is not [[nodiscard]]"


def check_format(root):
    """clang-format 14 would change nothing."""
    files = sources.code_files(root, "worker", "adapters", "tests")
    run = subprocess.run(["clang-format-14", "--dry-run", *files], cwd=root, check=False,
                         capture_output=True, text=True)
    if run.returncode != 0:
        yield f"clang-format-14 failed: {run.stderr.strip()}"
    dirty = sorted({line.split(":")[0] for line in run.stderr.splitlines() if "warning:" in line})
    for path in dirty:
        yield f"{path}: not formatted; run clang-format-14 -i {path}"


LINES_MAX = 500
COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 50


def long_functions(lines):
    """(first line number, length) of functions at namespace level, whose bodies end at column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield start, number - start + 1
            start = None
        elif line[:1].strip() and not line.startswith(("}", "#", ")")):
            start = number


def check_size(root):
    """Files, functions and lines are short enough to be read."""
    for path in sources.code_files(root, "worker", "adapters", "tests"):
        lines = sources.read(root, path).splitlines()
        if len(lines) > LINES_MAX:
            yield f"{path}: {len(lines)} lines, at most {LINES_MAX}"
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                yield f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
        for start, length in long_functions(lines):
            yield f"{path}:{start}: a function of {length} lines, at most {FUNCTION_LINES_MAX}"


# Split, so that this file does not hold what it forbids.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
SKIPPED_TEST = re.compile(r"GTEST_" r"SKIP|\bDISABLED" r"_")
SWALLOWED = re.compile(r"catch\s*\(\s*\.\.\.\s*\)\s*\{\s*\}")
MACRO = re.compile(r"^\s*#\s*define\b", re.M)
PRAGMA_ONCE = "#pragma once"


def check_text(root):
    """Nothing unfinished, skipped, swallowed; no macros; every header has its guard."""
    for path in sources.walk(root, "worker", "adapters", "tests", "schemas", "deploy"):
        if not path.endswith((".h", ".cc", ".py", ".sh", ".java", ".txt", ".md", ".yaml", ".yml")):
            continue
        text = sources.read(root, path)
        if UNFINISHED.search(text):
            yield f"{path}: unfinished work is marked; finish it or write it down as an issue"
        if not path.endswith((".h", ".cc")):
            continue
        if SKIPPED_TEST.search(text):
            yield f"{path}: a test is skipped"
        code = sources.without_comments(text)
        if SWALLOWED.search(code):
            yield f"{path}: an exception is swallowed"
        if path.startswith(sources.SHIPPED) and MACRO.search(code):
            yield f"{path}: a macro; use a constant or a function"
        if path.endswith(".h") and PRAGMA_ONCE not in text:
            yield f"{path}: no {PRAGMA_ONCE}"


README_LINES_MAX = 100


def check_readmes(root):
    """Each part says what it is and what belongs there, on a page."""
    for top in ("worker", "adapters", "tests", "schemas", "deploy"):
        if not os.path.isdir(os.path.join(root, top)):
            continue
        parts = [top]
        if top in sources.SHIPPED:
            parts += [os.path.join(top, name) for name in sorted(os.listdir(os.path.join(root, top)))
                      if sources.walk(root, os.path.join(top, name))]
        for part in parts:
            path = os.path.join(part, "README.md")
            if not os.path.isfile(os.path.join(root, path)):
                yield f"{path}: missing"
            elif len(sources.read(root, path).splitlines()) > README_LINES_MAX:
                yield f"{path}: more than {README_LINES_MAX} lines"


CHECKS = {
    "includes": check_includes,
    "core_words": check_core_words,
    "nodiscard": check_nodiscard,
    "format": check_format,
    "size": check_size,
    "text": check_text,
    "readmes": check_readmes,
}


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[0] not in CHECKS:
        print(__doc__ + "\nrules: " + ", ".join(CHECKS), file=sys.stderr)
        return 2
    here = os.path.dirname(os.path.abspath(__file__))
    root = arguments[1] if len(arguments) == 2 else os.path.dirname(os.path.dirname(here))
    if not sources.code_files(root, "worker"):
        print(f"no code below {root}", file=sys.stderr)
        return 2
    faults = list(CHECKS[arguments[0]](root))
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
