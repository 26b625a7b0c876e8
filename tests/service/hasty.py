"""`syncline` with runs that are given up after some seconds of silence, not after a minute: `python -m tests.service.hasty`.

What is killed in tests would hold its syncs for the whole time that a person would wait for.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from syncline.bootstrap import Installation, install
from syncline.cli import main, serve
from syncline.config import Config

LEASE = dt.timedelta(seconds=4)


def _install(config: Config, folder: Path) -> Installation:
    made = install(config, folder)
    made.patience = replace(made.patience, lease=LEASE)
    return made


if __name__ == "__main__":
    serve.install = _install
    main()
