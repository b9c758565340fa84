"""The files of the project and what stands in them."""

import os
import re

SKIPPED = {".git", "build", ".cache", "__pycache__", "node_modules"}
SHIPPED = ("worker", "adapters")


def walk(root, *tops):
    """Paths below the given directories, relative to the root, sorted."""
    found = []
    for top in tops:
        for folder, folders, files in os.walk(os.path.join(root, top)):
            folders[:] = [name for name in folders if name not in SKIPPED]
            found += [os.path.relpath(os.path.join(folder, name), root) for name in files]
    return sorted(found)


def code_files(root, *tops):
    return [path for path in walk(root, *tops) if path.endswith((".h", ".cc"))]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def without_comments(text):
    """The code with comments blanked; lines keep their numbers. Strings stay."""
    pattern = re.compile(r'R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\''
                         r'|//[^\n]*|/\*.*?\*/', re.S)

    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found.startswith(("//", "/*")) else found

    return pattern.sub(blank, text)


def includes(text):
    """(line number, name, is quoted) of each include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*(["<])([^">]+)[">]', line)
        if match:
            yield number, match.group(2), match.group(1) == '"'
