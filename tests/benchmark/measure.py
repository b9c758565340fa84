#!/usr/bin/env python3
"""Runs a command and says what the process cost: wall and processor time, peak resident memory.

    measure.py [--seconds N] [--deadline N] [--log FILE] -- COMMAND...

Standard output and error of the command go to FILE. With --seconds it gets SIGTERM after that
long. Past the deadline it is killed, and this fails. Prints one JSON object.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time


def wait(child, until):
    """The child's (status, usage) when it has ended, or None at `until`."""
    while time.monotonic() < until:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status), usage
        time.sleep(0.02)
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--deadline", type=float, default=600)
    parser.add_argument("--log", default=os.devnull)
    parser.add_argument("command", nargs="+")
    wishes = parser.parse_args()
    begun = time.monotonic()
    with open(wishes.log, "wb") as log:
        child = subprocess.Popen(wishes.command, stdout=log, stderr=log)
    ended = None
    if wishes.seconds is not None:
        ended = wait(child, begun + wishes.seconds)
        if ended is None:
            child.send_signal(signal.SIGTERM)
    ended = ended or wait(child, begun + wishes.deadline)
    if ended is None:
        child.kill()
        os.wait4(child.pid, 0)
        sys.exit(f"measure.py: not done within {wishes.deadline} s, see {wishes.log}")
    status, usage = ended
    print(json.dumps({
        "status": status,
        "wall_s": round(time.monotonic() - begun, 3),
        "user_s": round(usage.ru_utime, 3),
        "system_s": round(usage.ru_stime, 3),
        "peak_mib": round(usage.ru_maxrss / 1024, 1),
    }))


if __name__ == "__main__":
    main()
