"""Commands that need no configuration: sandbox accounts to try things on, and the demo."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    del app
