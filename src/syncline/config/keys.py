"""The installation's secret key where none is configured: a file beside the configuration, made on first use.

Read by `bootstrap`, which also puts a new key in its place; made by `cli.serve`, since a service keeps secrets.
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
    made = new_key()
    try:
        _write(folder / NAME, made)
    except FileExistsError:
        # Another process was faster.
        return key_beside(folder)
    return SecretStr(made)


def new_key() -> str:
    """A key of 32 random bytes, as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def replace_keys(folder: Path, *keys: str) -> None:
    """Let these be the keys beside the configuration, the newest first: all of them or none, whatever happens meanwhile."""
    beside = folder / f"{NAME}.new"
    beside.unlink(missing_ok=True)
    _write(beside, ",".join(keys))
    beside.replace(folder / NAME)


def _write(path: Path, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as opened:
        opened.write(f"{text}\n")
        opened.flush()
        os.fsync(opened.fileno())
