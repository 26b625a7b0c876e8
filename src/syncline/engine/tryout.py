"""An expression, a schema and some records into what the expression would say of them.

Called by the CLI, so that a filter or transform can be tried before it is written down. Reads the first page of a
listing at most; writes nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from syncline.core.convert import Untranslatable
from syncline.core.expressions import Environment, Expression, Fault, compile_expression
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, Record, Scope
from syncline.core.values import Value
from syncline.engine.review import typed
from syncline.errors import SetupError
from syncline.ports import Connector, Ending


class Said(msgspec.Struct, frozen=True):
    """What an expression says of one record or value: the answer as JSON, or why there is none."""

    about: str
    answer: object = None
    reason: str = ""


class Attempt(msgspec.Struct, frozen=True):
    """An expression tried: its faults, or the type that it gives, the fields that it reads, and what it says."""

    text: str
    faults: tuple[Fault, ...] = ()
    gives: str = ""
    reads: tuple[FieldId, ...] = ()
    said: tuple[Said, ...] = ()


async def attempt(
    connector: Connector,
    schema: ObjectSchema,
    text: str,
    *,
    field: str = "",
    value: str | None = None,
    limit: int = 5,
) -> Attempt:
    """Check an expression and evaluate it on sample records. With `field` it is a transform of that field's `value`,
    of the one given or of those of the records. Raises `SetupError` for a field that is not there or a value that is
    none of it."""
    target = _field(schema, field) if field else None
    found = compile_expression(text, _environment(schema, target))
    if not isinstance(found, Expression):
        return Attempt(text, found)
    if target is not None and value is not None:
        samples: Sequence[tuple[str, Mapping[FieldId, Value]]] = [(value, {target.id: typed(value, target)})]
    else:
        records = await _records(connector, schema, limit) if limit else ()
        samples = [(record.title or record.key, record.fields) for record in records]
    said = tuple(_said(found, about, fields) for about, fields in samples)
    return Attempt(text, (), str(found.gives), tuple(sorted(found.reads)), said)


def _environment(schema: ObjectSchema, target: FieldSchema | None) -> Environment:
    if target is not None:
        return Environment({"value": target})
    return Environment({str(each.id): each for each in schema.fields}, has_record=True)


def _field(schema: ObjectSchema, name: str) -> FieldSchema:
    found = schema.field(FieldId(name))
    if found is None:
        known = ", ".join(sorted(each.id for each in schema.fields))
        raise SetupError(f"{schema.id} has no field '{name}'. It has: {known}.")
    return found


async def _records(connector: Connector, schema: ObjectSchema, limit: int) -> Sequence[Record]:
    async for part in connector.pages(Scope(schema.id)):
        if isinstance(part, Ending):
            break
        if part.keys:
            return [part.record(index) for index in range(min(len(part.keys), limit))]
    return ()


def _said(expression: Expression, about: str, fields: Mapping[FieldId, Value]) -> Said:
    found = expression.evaluate(fields)
    return Said(about, reason=found.reason) if isinstance(found, Untranslatable) else Said(about, found)
