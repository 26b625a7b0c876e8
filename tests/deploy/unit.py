"""The systemd unit into what `systemd-analyze verify` says of it, on machines that have it.

Run by `make check`. The unit names a command that lies on the machine that it is copied to: here another one stands in for it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "syncline.service"
_COMMAND = re.compile(r"^(Exec\w+=[-@:+!]*)/\S+", re.MULTILINE)


def is_here() -> bool:
    """Whether this machine can judge units."""
    return shutil.which("systemd-analyze") is not None


def faults(text: str) -> list[str]:
    """What is wrong with a unit."""
    there = shutil.which("true") or "/bin/true"
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder) / UNIT.name
        unit.write_text(_COMMAND.sub(rf"\g<1>{there}", text), encoding="utf-8")
        command = ["systemd-analyze", "verify", "--man=no", str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    # What it says of other units of this machine is none of ours.
    lines = (done.stdout + done.stderr).splitlines()
    told = [line for line in lines if UNIT.name in line] or (lines[-1:] if done.returncode else [])
    return [line.replace(f"{folder}/", "") for line in told]


def main() -> int:
    """Say what is wrong; 1 when something is."""
    if not is_here():
        print("unit: not judged by systemd-analyze, which this machine lacks; the tests read it")  # noqa: T201 - a command
        return 0
    found = faults(UNIT.read_text(encoding="utf-8"))
    print("\n".join(f"unit: {each}" for each in found or ["ok"]))  # noqa: T201 - a command
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
