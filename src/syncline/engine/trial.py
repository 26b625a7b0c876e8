"""A mapping that is to be switched on into what it would lose and what it could not carry over.

Called by `bootstrap` before the first version and by the CLI before any other. Looks at generated values, and at those
of the first page of each side: the customer's own records know best what a mapping has to bear.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import msgspec

from syncline.core.records import Record, Side, SyncId
from syncline.core.roundtrip import Loss, Uncarried, generated_losses, losses, uncarried
from syncline.engine.sync import Sync
from syncline.errors import ConfigError, MappingError, Problem, ProblemKind
from syncline.ports import Ending

_SAMPLED = 100
_TOLD = 3


class Trial(msgspec.Struct, frozen=True):
    """What a mapping would lose, and which of the sampled records' values it could not carry over. `sampled` counts the
    records that were looked at."""

    losses: tuple[Loss, ...] = ()
    uncarried: tuple[Uncarried, ...] = ()
    sampled: int = 0


async def try_out(sync: Sync, *, is_offline: bool = False) -> Trial:
    """Carry values over and back: generated ones, and (unless offline) those of real records; a few of each are
    told. Raises `ConfigError` for a filter that a side does not have, with its place."""
    seen = {side: () if is_offline else await _sample(sync, side) for side in Side}
    lost: list[Loss] = []
    without: list[Uncarried] = []
    for lens in sync.rules.lenses:
        found: list[Loss] = []
        for side in Side:
            name = lens.mapping.of(side)
            real = [record.fields[name] for record in seen[side] if name in record.fields]
            found += losses(lens, side, real, is_exact=True)
            without += list(uncarried(lens, side, real))[:_TOLD]
        # The customer's own values first: they tell more.
        lost += (*found, *generated_losses(lens))[:_TOLD]
    return Trial(tuple(lost), tuple(without), sum(len(records) for records in seen.values()))


def faults(sync: SyncId, trial: Trial) -> tuple[Problem, ...]:
    """What would be lost, with the values that show it."""
    return tuple(_problem(sync, loss) for loss in trial.losses)


def check(sync: SyncId, trial: Trial) -> None:
    """Raise `MappingError` when something would be lost."""
    problems = faults(sync, trial)
    if problems:
        raise MappingError(f"The mapping of '{sync}' loses something on the way there and back:", problems)


def _problem(sync: SyncId, loss: Loss) -> Problem:
    value, there, back = (_plain(each) for each in (loss.value, loss.there, loss.back))
    text = f"{value} on the {loss.side.value} becomes {there} on the other side, and comes back as {back}."
    return Problem(
        f"syncs.{sync}.fields[{loss.line}]",
        text,
        "Set a direction, or accept it with lossy: true.",
        ProblemKind.LOSES,
    )


def _plain(value: object) -> str:
    """A value as it is configured or typed."""
    told = msgspec.to_builtins(value)
    told.pop("type", None)
    return "nothing" if not told else ", ".join(str(each) for each in told.values() if each not in ("", None))


async def _sample(sync: Sync, side: Side) -> Sequence[Record]:
    """The records of the first page that holds any."""
    try:
        return await _first_page(sync, side)
    except ConfigError as error:
        placed = (replace(each, path=f"syncs.{sync.id}.{side.value}.{each.path}") for each in error.problems)
        raise ConfigError(error.args[0], tuple(placed)) from error


async def _first_page(sync: Sync, side: Side) -> Sequence[Record]:
    setup = sync.side(side)
    parts = setup.connector.pages(setup.scope)
    found: Sequence[Record] = ()
    async for part in parts:
        if isinstance(part, Ending):
            break
        if part.keys:
            found = [part.record(index) for index in range(min(len(part.keys), _SAMPLED))]
            break
    if isinstance(parts, AsyncGenerator):
        await parts.aclose()  # the rest of the listing is not wanted
    return found
