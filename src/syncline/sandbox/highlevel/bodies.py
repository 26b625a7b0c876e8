"""A JSON body or query, as a typed struct or a 422 that lists everything wrong with it.

Called by every operation. It refuses as the vendor's validator does (facts: highlevel-api.md 4): unknown keys, missing
keys and wrong types, each with a message of its own.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec

from syncline.sandbox.highlevel.jsons import as_object
from syncline.sandbox.highlevel.refusals import bad_request, unprocessable
from syncline.sandbox.wire import Request

T = TypeVar("T", bound=msgspec.Struct)

_WORDS = (
    (str, "a string"),
    (bool, "a boolean value"),
    (int, "a number"),
    (float, "a number"),
    (list, "an array"),
)


def json_object(request: Request) -> dict[str, object]:
    """The body, which must be a JSON object; an empty body is an empty object."""
    try:
        body = as_object(msgspec.json.decode(request.body)) if request.body else {}
    except msgspec.DecodeError as exc:
        raise bad_request("Unexpected token in JSON") from exc
    if body is None:
        raise bad_request("Body must be a JSON object")
    return body


def form(request: Request) -> dict[str, object]:
    """A form-encoded body."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


def is_json(request: Request) -> bool:
    """Whether the body says to be JSON."""
    return request.headers.get("content-type", "").startswith("application/json")


def read_body(request: Request, kind: type[T]) -> T:
    """The JSON body as a struct."""
    return checked(json_object(request), kind, is_strict=True)


def read_query(request: Request, kind: type[T]) -> T:
    """The query as a struct; numbers and booleans may be text here."""
    return checked(dict(request.query), kind, is_strict=False)


def refuse_query(request: Request) -> None:
    """For operations without any query."""
    if request.query:
        raise unprocessable(*(f"property {name} should not exist" for name in request.query))


def checked(data: Mapping[str, object], kind: type[T], *, is_strict: bool) -> T:
    """The data as a struct, or 422."""
    fields = _fields(kind)
    problems = [f"property {name} should not exist" for name in data if name not in fields]
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name not in data:
            if field.required:
                problems.append(f"{name} should not be empty")
            continue
        try:
            values[field.name] = msgspec.convert(data[name], field.type, strict=is_strict)
        except msgspec.ValidationError as exc:
            problems.append(_wrong(name, field.type, str(exc)))
    if problems:
        raise unprocessable(*problems)
    return kind(**values)


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _wrong(name: str, expected: Any, reason: str) -> str:
    if get_origin(expected) is types.UnionType:
        expected = get_args(expected)[0]
    plain = get_origin(expected) or expected
    word = next((word for kind, word in _WORDS if plain is kind), None)
    return f"{name} must be {word}" if word else f"{name} is invalid: {reason}"
