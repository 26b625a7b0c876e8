"""Invoices and estimates, of which no source tells what they hold: their fields are what this account's objects show.

Used by `activecollab.connector`. That the two lists exist, and answer 404 to whoever may not see money, is all that is known
(facts: activecollab-api.md 3.12). They are read, never written, and a plain value is shown under its own name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from syncline.connectors.activecollab.attributes import (
    Attribute,
    Form,
    Place,
    as_moment,
    as_number,
    as_text,
    as_yes_no,
)
from syncline.connectors.activecollab.client import Client, Json
from syncline.core.records import FieldId
from syncline.core.values import FieldType
from syncline.errors import Detail, NotFoundError, RejectedError

_NOTE = "Read only, as this account tells it: what invoices and estimates hold is not published."
_NOT_FIELDS = frozenset({"id", "class", "url_path"})
_READERS = {
    FieldType.YES_NO: as_yes_no,
    FieldType.MOMENT: as_moment,
    FieldType.NUMBER: as_number,
    FieldType.TEXT: as_text,
}


def _bill(slug: str, title: str, collection: str) -> Form:
    return Form(slug, title, collection, (), Place.ACCOUNT, frozenset(), is_discovered=True)


INVOICE = _bill("invoice", "Invoice (read as it comes)", "invoices")
ESTIMATE = _bill("estimate", "Estimate (read as it comes)", "estimates")


async def answers(client: Client, form: Form) -> bool:
    """Whether this account shows them to the token's user at all."""
    try:
        await client.http.read("GET", form.collection)
    except NotFoundError:
        return False
    except RejectedError as error:
        if error.detail not in (Detail.UNKNOWN_ROUTE, Detail.FORBIDDEN):
            raise
        return False
    return True


def discovered(form: Form, objects: Iterable[Json]) -> Form:
    """The form with a field for every plain value that was seen by now. What was seen as two types is a text."""
    types = {each.key: each.type for each in form.attributes}
    for json in objects:
        for key, value in json.items():
            kind = _type(key, value)
            if kind is not None:
                types[key] = kind if types.get(key, kind) is kind else FieldType.TEXT
    return replace(form, attributes=tuple(_attribute(key, kind) for key, kind in types.items()))


def _type(key: str, value: object) -> FieldType | None:
    """Times end in `_on` and are whole seconds (facts: 2). Lists and objects are not shown."""
    if key in _NOT_FIELDS or value is None:
        return None
    if isinstance(value, bool):
        return FieldType.YES_NO
    if isinstance(value, int | float):
        return FieldType.MOMENT if key.endswith("_on") else FieldType.NUMBER
    return FieldType.TEXT if isinstance(value, str) else None


def _attribute(key: str, kind: FieldType) -> Attribute:
    title = key.replace("_", " ").capitalize()
    return Attribute(FieldId(key), key, title, kind, _READERS[kind], note=_NOTE)
