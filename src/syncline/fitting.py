"""A sync's settings and the object types of both sides into a connected sync, or into everything that does not fit.

Called by `bootstrap`, which finds the object types.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import msgspec

from syncline.config import SyncSettings
from syncline.core.decisions import Rules
from syncline.core.expressions import Condition
from syncline.core.formulas import filter_of
from syncline.core.formulas import problems as problems_of
from syncline.core.mapping import FieldMapping, Lens, lenses
from syncline.core.records import Ability, FieldId, ObjectSchema, ObjectTypeId, Side, SyncId
from syncline.core.references import Through
from syncline.core.shapes import is_needed
from syncline.core.values import FieldType
from syncline.engine.sync import Patience, SideSetup, Sync, Unfit
from syncline.errors import MappingError, Problem, ProblemKind

Line = tuple[FieldId, FieldId]
Types = tuple[ObjectTypeId | None, ObjectTypeId | None]
"""What the left and the right field of a line point to, where that is known."""


def connected(
    name: str,
    settings: SyncSettings,
    sides: tuple[SideSetup, SideSetup],
    patience: Patience,
    applied: str | None,
    syncs: Mapping[str, SyncSettings],
) -> Sync:
    """The sync of these settings. `applied` is their digest where they are in force: a line that fitted when it was
    applied, and does not any more, rests. `syncs` are all that there are: a line may go through another one."""
    left, right = sides
    mappings, lost = _crossed(settings, left.schema, right.schema, syncs)
    setups = {Side.LEFT: left, Side.RIGHT: right}
    may_create = settings.may_create() & _able(setups, Ability.CREATE)
    unfit = _unfit(settings, (mappings, lost), (left.schema, right.schema), may_create) if applied else ()
    resting = {(each.mapping.left, each.mapping.right) for each in unfit}
    going = [each for each in mappings if (each.left, each.right) not in resting]
    faults = [found for line, found in lost.items() if line not in resting]
    rules = Rules(
        _fitting(name, settings, (going, faults), left.schema, right.schema),
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
        _digest_of(mappings),
        _digest([*(settings.scope(side) for side in Side), *settings.filters().items()]),
        patience,
        applied or "",
        unfit,
        filters=_filters(settings, left.schema, right.schema)[0],
    )


def _unfit(
    settings: SyncSettings,
    lines: tuple[Sequence[FieldMapping], Mapping[Line, Problem]],
    schemas: tuple[ObjectSchema, ObjectSchema],
    may_create: frozenset[Side],
) -> tuple[Unfit, ...]:
    """The lines that do not fit by themselves, but for those that the sync cannot do without."""
    out: list[Unfit] = []
    left, right = schemas
    for mapping in lines[0]:
        fields = (left.field(mapping.left), right.field(mapping.right))
        problems = _faults(mapping, settings, schemas, lines[1].get((mapping.left, mapping.right)))
        if problems and not is_needed(mapping, fields, settings.match_rule(), may_create):
            reason = " ".join(f"{each.message} {each.remedy}".strip() for each in problems)
            out.append(Unfit(mapping, reason))
    return tuple(out)


def _faults(
    mapping: FieldMapping,
    settings: SyncSettings,
    schemas: tuple[ObjectSchema, ObjectSchema],
    lost: Problem | None,
) -> Sequence[Problem]:
    """What is wrong with a line by itself."""
    try:
        lenses([mapping], *schemas, settings.conflicts)
    except MappingError as error:
        return error.problems
    return () if lost is None else (lost,)


def _fitting(
    name: str,
    settings: SyncSettings,
    lines: tuple[Sequence[FieldMapping], Sequence[Problem]],
    left: ObjectSchema,
    right: ObjectSchema,
) -> tuple[Lens, ...]:
    """The lenses of these lines, which may have faults already. Raises `MappingError` with every fault of the mapping and of
    the match keys."""
    mappings, found = lines
    problems = list(found)
    problems += [
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


# --- lines through other syncs ----------------------------------------------------------------------------------------


def _crossed(
    settings: SyncSettings, left: ObjectSchema, right: ObjectSchema, syncs: Mapping[str, SyncSettings]
) -> tuple[Sequence[FieldMapping], Mapping[Line, Problem]]:
    """The lines, each with the sync that it goes through; what is wrong with those of which that cannot be said."""
    out: list[FieldMapping] = []
    lost: dict[Line, Problem] = {}
    for index, mapping in enumerate(settings.mappings()):
        fields = left.field(mapping.left), right.field(mapping.right)
        is_pointing = all(field is not None and field.type is FieldType.REFERENCE for field in fields)
        is_told = mapping.has_expressions or mapping.transform or mapping.values
        if mapping.through is None and (not is_pointing or is_told):
            out.append(mapping)
            continue
        types = tuple(field.references if field is not None else None for field in fields)
        found = _through(mapping, settings, (types[0], types[1]), syncs)
        if isinstance(found, Problem):
            lost[mapping.left, mapping.right] = replace(found, path=f"fields[{index}].{found.path}")
            name = mapping.through.sync if mapping.through is not None else SyncId("")
            found = Through(name)
        out.append(msgspec.structs.replace(mapping, through=found))
    return out, lost


def _through(
    mapping: FieldMapping, settings: SyncSettings, types: Types, syncs: Mapping[str, SyncSettings]
) -> Through | Problem:
    """The sync that a line goes through: the named one, else the only one that ties what both fields point to."""
    if mapping.through is not None:
        name = mapping.through.sync
        if name not in syncs:
            remedy = f"There are: {', '.join(syncs)}."
            return Problem("through", f"there is no sync '{name}'.", remedy, ProblemKind.UNKNOWN_NAME)
        found = [*_ties(name, syncs[name], settings, types)]
        return found[0] if found else _no_tie(mapping, name, syncs[name], types)
    every = [each for name, other in syncs.items() for each in [*_ties(name, other, settings, types)][:1]]
    if len(every) == 1 and all(types):
        return every[0]
    told = " and ".join(f"{each or 'some record'}" for each in types)
    if every:
        text = f"several syncs tie {told}: {', '.join(each.sync for each in every)}."
        return Problem("through", text, "Name the one whose links translate it.", ProblemKind.MISSING)
    text = f"'{mapping.left}' and '{mapping.right}' point to records ({told}) that no sync ties."
    return Problem(
        "through", text, "Add a sync of those records; its links translate it.", ProblemKind.MISSING
    )


def _ties(name: str, other: SyncSettings, settings: SyncSettings, types: Types) -> Iterator[Through]:
    """How a sync ties the records that both sides of a line point to; nothing when it does not."""
    for is_turned in (False, True):
        theirs = [other.side(side.other if is_turned else side) for side in Side]
        ours = [settings.side(side) for side in Side]
        is_there = all(one.connection == own.connection for one, own in zip(theirs, ours, strict=True))
        if is_there and all(kind in (None, one.object) for one, kind in zip(theirs, types, strict=True)):
            left, right = (ObjectTypeId(each.object) for each in theirs)
            yield Through(SyncId(name), left, right, is_turned)


def _no_tie(mapping: FieldMapping, name: str, other: SyncSettings, types: Types) -> Problem:
    tied = " and ".join(f"{other.side(side).object} of {other.side(side).connection}" for side in Side)
    wanted = " and ".join(str(each or "records of this sync's connection") for each in types)
    text = f"'{name}' ties {tied}, and '{mapping.left}' and '{mapping.right}' point to {wanted}."
    return Problem("through", text, "Name the sync that ties those.", ProblemKind.TYPES)


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


def _digest_of(mappings: Sequence[FieldMapping]) -> str:
    """A line that goes through no sync is told as it was before lines could: its sync has not changed."""
    plain: list[dict[str, object]] = [msgspec.to_builtins(each) for each in mappings]
    told = [{key: value for key, value in each.items() if key != "through" or value} for each in plain]
    return hashlib.sha256(msgspec.json.encode(told)).hexdigest()[:16]


def _digest(settings: object) -> str:
    return hashlib.sha256(msgspec.json.encode(settings, enc_hook=str, order="deterministic")).hexdigest()[:16]
