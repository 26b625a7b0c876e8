"""The common options of a call into an open installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from syncline.bootstrap import Installation, install
from syncline.cli.output import complain
from syncline.config import load
from syncline.config.keys import key_beside
from syncline.core.records import SyncId
from syncline.core.references import parents_first as in_order
from syncline.errors import ConfigError, Problem, ProblemKind, SynclineError

_T = TypeVar("_T")

NO_SYNC = "Make one over the API (docs/first-steps-api.md), or write one into syncline.yaml (docs/configuration.md)."

AsJson = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]


@dataclass(frozen=True, slots=True)
class Context:
    """What stands before the command: the configuration file, and how to answer."""

    config: Path
    as_json: bool

    def ensure_key(self) -> None:
        """Whatever keeps secrets needs a key: where none is configured, one lies beside the configuration from now on."""
        if load(self.config).secret_key is None:
            key_beside(self.config.resolve().parent)

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
    """The syncs of a command: the named ones, else all. Raises `ConfigError` when there are none, `UsageError` for a name
    that is not there."""
    if not installation.config.syncs:
        problem = Problem("syncs", "there is none yet.", NO_SYNC, ProblemKind.MISSING)
        raise ConfigError("No sync is configured.", (problem,))
    if installation.notice:
        complain(installation.notice)
    return [_known(installation, name) for name in names or installation.config.syncs]


async def parents_first(installation: Installation, names: Sequence[str]) -> Sequence[str]:
    """The syncs in their order, but each after those that its lines go through."""
    needs: dict[str, Sequence[str]] = {}
    for name in names if len(names) > 1 else ():
        try:
            lenses = (await installation.remembered(name)).rules.lenses
        except SynclineError:
            # Whoever runs it is told.
            continue
        needs[name] = [lens.mapping.through.sync for lens in lenses if lens.mapping.through is not None]
    return in_order(names, needs)


def only(installation: Installation, sync: str | None) -> list[str]:
    """The sync of `--sync`, else all. Raises `UsageError` for a name that is not there."""
    return list(installation.config.syncs) if sync is None else [_known(installation, sync)]


def kept(installation: Installation, sync: str | None) -> SyncId | None:
    """The sync of `--sync` for what is only looked up in our memory: one that is not configured any more still has its
    past. Raises `UsageError` for a name that never was one."""
    if sync is None or sync in installation.config.syncs or installation.store.runs(SyncId(sync), 1):
        return SyncId(sync) if sync is not None else None
    raise installation.unknown(sync)


def _known(installation: Installation, name: str) -> str:
    if name not in installation.config.syncs:
        raise installation.unknown(name)
    return name


def wait(task: Coroutine[object, object, _T]) -> _T:
    """Run one command's work to its end."""
    return asyncio.run(task)
