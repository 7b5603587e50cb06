"""What a figure must be read with: the machine, its load, and the program's commit."""

import datetime
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def machine():
    with open("/proc/cpuinfo") as file:
        processor = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {"processor": processor, "processors": len(os.sched_getaffinity(0)), "commit": commit.stdout.strip(),
            "started": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "load": os.getloadavg()[0]}


def sentence(found):
    return (f"{found['processor']}, {found['processors']} processors, load {found['load']:.1f} at the start; "
            f"{found['started']}; cellvec {found['commit']}")
