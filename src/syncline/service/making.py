"""A ready-made sync and two connections into what has to be made, what is there, and a draft.

Called by `web.templates` and `cli.templates`. Looking makes nothing; making shows what was made, is repeated without harm,
and puts nothing in force: the draft is looked over, changed and applied like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from syncline.bootstrap import Installation
from syncline.connectors.highlevel import HighLevelConnector, ObjectWish, ensure_object, survey_object
from syncline.connectors.highlevel.setup import slug
from syncline.core.records import FieldId
from syncline.errors import Problem, ProblemKind, SetupError
from syncline.service.ready_made import KEY_FIELD, End, Line, Template

_HARMLESS = {"conflicts": "newest", "deletes": "ask", "brakes": {"changes": "50%", "deletes": "10%"}}


class Choice(msgspec.Struct, frozen=True):
    """What a person chose: two connections, and which records take part on either side."""

    left: str
    right: str
    left_where: Mapping[str, tuple[str, ...]] = {}
    right_where: Mapping[str, tuple[str, ...]] = {}


class Wanted(msgspec.Struct, frozen=True):
    """Something that has to be there: an object or a field of it, its type, its options, and whether it is there."""

    what: str
    name: str
    kind: str
    is_there: bool
    options: tuple[str, ...] = ()


class Prepared(msgspec.Struct, frozen=True):
    """What a template would make, or has made, in the connection of the right side, the draft's body, and what a person has
    to do by hand."""

    wanted: tuple[Wanted, ...]
    body: Mapping[str, Any]
    notes: tuple[str, ...]


async def look(installation: Installation, template: Template, choice: Choice) -> Prepared:
    """What would be made. Nothing is. Raises `SetupError` with the faults of the choice, or where something is there and does
    not fit, and what reading the connection raises."""
    _check(installation, template, choice)
    wish = template.right.wish
    if wish is None:
        return Prepared((), _body(template, choice, template.right.object_type, {}), ())
    there = await survey_object(_highlevel(installation, choice.right).client, wish)
    missing = {each.name for each in there.missing}
    guessed = {each.name: FieldId(slug(each.name)) for each in (wish.primary, *wish.fields)}
    body = _body(template, choice, there.object_type or wish.full_key, {**guessed, **there.fields})
    wanted = tuple(_wanted(wish, is_there=there.object_type is not None, missing=missing))
    return Prepared(wanted, body, tuple(_notes(installation, choice, wish)))


async def make(installation: Installation, template: Template, choice: Choice) -> Prepared:
    """Make what is missing; what is there stays as it is. Raises as `look` does."""
    _check(installation, template, choice)
    wish = template.right.wish
    if wish is None:
        return Prepared((), _body(template, choice, template.right.object_type, {}), ())
    made = await ensure_object(_highlevel(installation, choice.right).client, wish)
    body = _body(template, choice, made.object_type, made.fields)
    wanted = tuple(_wanted(wish, is_there=True, missing=frozenset()))
    return Prepared(wanted, body, tuple(_notes(installation, choice, wish)))


def _check(installation: Installation, template: Template, choice: Choice) -> None:
    problems = [
        *_faults(installation, "left", template.left, choice.left, choice.left_where),
        *_faults(installation, "right", template.right, choice.right, choice.right_where),
    ]
    if problems:
        raise SetupError("The template cannot be used like this.", tuple(problems))


def _faults(
    installation: Installation, path: str, end: End, connection: str, where: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    settings = installation.config.connections.get(connection)
    if settings is None:
        there = ", ".join(installation.config.connections) or "none yet"
        yield Problem(
            path, f"names no connection: '{connection}'.", f"There are: {there}.", ProblemKind.UNKNOWN_NAME
        )
    elif settings.vendor != end.vendor:
        fault = f"'{connection}' is a connection to {settings.vendor}, not to {end.vendor}."
        yield Problem(path, fault, f"Name a connection to {end.vendor}.", ProblemKind.BAD_VALUE)
    for name in end.needs:
        if not where.get(name):
            fault = f"says nothing of {name}: it is not known where new records go."
            yield Problem(f"{path}_where.{name}", fault, "Give the ids.", ProblemKind.MISSING)


def _highlevel(installation: Installation, name: str) -> HighLevelConnector:
    connector = installation.connector(name)
    assert isinstance(connector, HighLevelConnector)  # noqa: S101 - its vendor was checked
    return connector


def _wanted(wish: ObjectWish, *, is_there: bool, missing: frozenset[str] | set[str]) -> Iterator[Wanted]:
    yield Wanted("object", wish.plural, "custom object", is_there)
    for each in (wish.primary, *wish.fields):
        yield Wanted("field", each.name, each.data_type.value, each.name not in missing, each.options)


def _notes(installation: Installation, choice: Choice, wish: ObjectWish) -> Iterator[str]:
    """What no API does."""
    key = slug(KEY_FIELD.name)
    yield (
        f"In HighLevel, open Settings, Objects, {wish.plural}, the field '{KEY_FIELD.name}', and switch on unique: "
        "then no record is ever made twice. It cannot be switched off again."
    )
    if getattr(installation.config.connections[choice.right], "external_key", "") != key:
        yield f"Set external_key: {key} in the connection '{choice.right}', or created records carry another field's mark."


def _body(template: Template, choice: Choice, right: str, fields: Mapping[str, FieldId]) -> Mapping[str, Any]:
    """What `syncs.NAME` would hold."""

    def side(connection: str, object_type: str, where: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        filters = {name: list(values) for name, values in where.items() if values}
        return {"connection": connection, "object": object_type} | ({"where": filters} if filters else {})

    return {
        "left": side(choice.left, template.left.object_type, {**template.left.where, **choice.left_where}),
        "right": side(choice.right, right, {**template.right.where, **choice.right_where}),
        "match": {"on": [[a, fields.get(b, b)] for a, b in template.on], "mode": "match_then_create"},
        "fields": [_line(each, fields) for each in template.lines],
        **_HARMLESS,
        **template.policies,
    }


def _line(line: Line, fields: Mapping[str, FieldId]) -> dict[str, Any]:
    body: dict[str, Any] = {"left": line.left, "right": str(fields.get(line.right, line.right))}
    if line.direction.value != "both":
        body["direction"] = line.direction.value
    if line.values:
        body["values"] = [list(pair) for pair in line.values]
    return body | dict(line.more)
