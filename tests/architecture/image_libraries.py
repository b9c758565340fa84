#!/usr/bin/env python3
"""The container image (deploy/Dockerfile) holds the Debian package of each library that the program
is linked with.

usage: image_libraries.py PROGRAM DOCKERFILE
"""

import re
import subprocess
import sys

# Of every Debian.
IN_THE_BASE_IMAGE = {"libc6", "libgcc-s1", "libstdc++6"}


def needed_by(program):
    """Paths of the libraries that the program itself names."""
    dynamic = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True)
    names = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic.stdout))
    loaded = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    paths = dict(re.findall(r"(\S+) => (/\S+)", loaded.stdout))
    return {name: paths[name] for name in names if name in paths}


def package_of(path):
    """The package that brings a library; Debian's own record knows it by one of its two paths."""
    for each in (path, "/usr" + path if path.startswith("/lib") else path.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "-S", each], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None


def installed_in(dockerfile):
    """What the last stage of the image installs."""
    with open(dockerfile, encoding="utf-8") as file:
        stage = file.read().rsplit("\nFROM ", 1)[-1]
    command = re.search(r"apt-get install (.*?)&&", stage, re.DOTALL).group(1)
    return set(command.replace("\\\n", " ").split())


def main():
    program, dockerfile = sys.argv[1:]
    needed = needed_by(program)
    if not needed:
        print(f"{program} names no library: this is no test")
        return 1
    installed = installed_in(dockerfile) | IN_THE_BASE_IMAGE
    missing = 0
    for name, path in sorted(needed.items()):
        package = package_of(path)
        if package not in installed:
            print(f"{dockerfile}: the last stage lacks {package or 'the package'} of {name}")
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
