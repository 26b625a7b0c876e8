"""The common options of a call into an open installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from syncline.bootstrap import Installation, install
from syncline.cli.output import complain
from syncline.config import load
from syncline.errors import ConfigError

_T = TypeVar("_T")

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before the command: the configuration file, and how to answer."""

    config: Path
    as_json: bool

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Installation, None]:
        """The installation of the configuration file, closed afterwards. Raises `ConfigError` with every fault."""
        installation = install(load(self.config), self.config.resolve().parent)
        try:
            yield installation
        finally:
            await installation.close()


def given(context: typer.Context) -> Context:
    """The common options of this call."""
    found = context.find_object(Context)
    assert found is not None  # noqa: S101 - the app's callback has set it
    return found


def chosen(installation: Installation, names: list[str] | None) -> list[str]:
    """The syncs of a command: the named ones, else all. Raises `ConfigError` when there are none."""
    if not installation.config.syncs:
        raise ConfigError("The configuration has no syncs. Add one under `syncs:`.")
    if installation.notice:
        complain(installation.notice)
    return names or list(installation.config.syncs)


def wait(task: Coroutine[object, object, _T]) -> _T:
    """Run one command's work to its end."""
    return asyncio.run(task)
