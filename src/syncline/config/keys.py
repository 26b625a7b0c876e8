"""The installation's secret key where none is configured: a file beside the configuration, made on first use.

Read by `bootstrap`; made by `cli.serve`, since a service keeps secrets.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from pydantic import SecretStr

NAME = "syncline.key"


def kept_key(folder: Path) -> SecretStr | None:
    """The key beside the configuration, when there is one."""
    try:
        return SecretStr((folder / NAME).read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None


def key_beside(folder: Path) -> SecretStr:
    """The key beside the configuration, made when there is none: readable by its owner only, and never replaced."""
    kept = kept_key(folder)
    if kept is not None:
        return kept
    made = base64.urlsafe_b64encode(secrets.token_bytes(32))
    try:
        file = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Another process was faster.
        return key_beside(folder)
    with os.fdopen(file, "wb") as opened:
        opened.write(made + b"\n")
    return SecretStr(made.decode())
