"""A sync's settings and the object types of both sides into a connected sync, or into everything that does not fit.

Called by `bootstrap`, which finds the object types.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from syncline.config import SyncSettings
from syncline.core.decisions import Rules
from syncline.core.expressions import Condition
from syncline.core.formulas import filter_of
from syncline.core.formulas import problems as problems_of
from syncline.core.mapping import FieldMapping, Lens, lenses
from syncline.core.records import Ability, ObjectSchema, Side, SyncId
from syncline.core.shapes import is_needed
from syncline.engine.sync import Patience, SideSetup, Sync, Unfit
from syncline.errors import MappingError, Problem, ProblemKind


def connected(
    name: str,
    settings: SyncSettings,
    sides: tuple[SideSetup, SideSetup],
    patience: Patience,
    applied: str | None,
) -> Sync:
    """The sync of these settings. `applied` is their digest where they are in force: a line that fitted when it was
    applied, and does not any more, rests."""
    left, right = sides
    setups = {Side.LEFT: left, Side.RIGHT: right}
    may_create = settings.may_create() & _able(setups, Ability.CREATE)
    unfit = _unfit(settings, left.schema, right.schema, may_create) if applied else ()
    resting = {(each.mapping.left, each.mapping.right) for each in unfit}
    going = [each for each in settings.mappings() if (each.left, each.right) not in resting]
    rules = Rules(
        _fitting(name, settings, going, left.schema, right.schema),
        settings.deletes,
        settings.deleted_edit,
        _able(setups, Ability.ARCHIVE),
        _able(setups, Ability.RESTORE),
    )
    return Sync(
        SyncId(name),
        left,
        right,
        rules,
        settings.match_rule(),
        settings.limits(),
        may_create,
        _digest(settings.mappings()),
        _digest([*(settings.scope(side) for side in Side), *settings.filters().items()]),
        patience,
        applied or "",
        unfit,
        filters=_filters(settings, left.schema, right.schema)[0],
    )


def _unfit(
    settings: SyncSettings, left: ObjectSchema, right: ObjectSchema, may_create: frozenset[Side]
) -> tuple[Unfit, ...]:
    """The lines that do not fit by themselves, but for those that the sync cannot do without."""
    out: list[Unfit] = []
    for mapping in settings.mappings():
        try:
            lenses([mapping], left, right, settings.conflicts)
        except MappingError as error:
            fields = (left.field(mapping.left), right.field(mapping.right))
            if not is_needed(mapping, fields, settings.match_rule(), may_create):
                reason = " ".join(f"{each.message} {each.remedy}".strip() for each in error.problems)
                out.append(Unfit(mapping, reason))
    return tuple(out)


def _fitting(
    name: str,
    settings: SyncSettings,
    mappings: Sequence[FieldMapping],
    left: ObjectSchema,
    right: ObjectSchema,
) -> tuple[Lens, ...]:
    """The lenses of these lines. Raises `MappingError` with every fault of the mapping and of the match keys."""
    problems = [
        Problem(
            f"match.on[{index}]",
            f"{schema.id} has no field '{field_id}'.",
            "Name a key field.",
            ProblemKind.UNKNOWN_FIELD,
        )
        for index, pair in enumerate(settings.match_rule().on)
        for schema, field_id in zip((left, right), pair, strict=True)
        if schema.field(field_id) is None
    ]
    problems += _filters(settings, left, right)[1]
    made: tuple[Lens, ...] = ()
    try:
        made = lenses(mappings, left, right, settings.conflicts)
    except MappingError as error:
        problems += error.problems
    if problems:
        placed = tuple(replace(each, path=f"syncs.{name}.{each.path}") for each in problems)
        raise MappingError(f"The sync '{name}' does not fit {left.title} and {right.title}:", placed)
    return made


def _filters(
    settings: SyncSettings, left: ObjectSchema, right: ObjectSchema
) -> tuple[dict[Side, Condition], list[Problem]]:
    """The filters of both sides, and what is wrong with them."""
    made: dict[Side, Condition] = {}
    problems: list[Problem] = []
    for side, text in settings.filters().items():
        found = filter_of(text, left if side is Side.LEFT else right)
        if isinstance(found, Condition):
            made[side] = found
        else:
            problems += problems_of(found, f"{side.value}.filter")
    return made, problems


def _able(setups: dict[Side, SideSetup], ability: Ability) -> frozenset[Side]:
    return frozenset(side for side, setup in setups.items() if ability in setup.schema.abilities)


def _digest(settings: object) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, enc_hook=str, order="deterministic")).hexdigest()[:16]
