"""ActiveCollab's JSON objects into records, and typed fields into what its write routes take.

Pure. Parsing is lenient, since field sets differ by version: an attribute that is not in the JSON is unseen (facts:
activecollab-api.md 2, 3.2 to 3.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from syncline.connectors.activecollab.attributes import (
    Attribute,
    CannotSendError,
    Directory,
    Form,
    Send,
    moment,
)
from syncline.connectors.activecollab.client import Json
from syncline.connectors.activecollab.dialect import field_id
from syncline.connectors.activecollab.parts import IS_COMPLETED, URL
from syncline.core.records import Edit, FieldId, Record, RecordKey
from syncline.core.values import Blank, Text, Value, YesNo, is_blank
from syncline.errors import Detail, RejectedError


def to_record(form: Form, json: Json, directory: Directory, site: str) -> Record:
    """One object, normalised. `site` is the address that `url_path` is relative to."""
    json = form.refine(json)
    fields = {each.id: each.read(json[each.key], directory) for each in form.attributes if each.key in json}
    path = json.get("url_path")
    if isinstance(path, str) and path:
        fields[URL] = Text(f"{site}{path}")
    updated_by = str(json.get("updated_by_id") or "")
    return Record(
        RecordKey(str(json["id"])),
        fields,
        updated_at=moment(json.get("updated_on")),
        created_at=moment(json.get("created_on")),
        updated_by=directory.person(updated_by).email or updated_by if updated_by else "",
        title=str(json.get("name") or ""),
        url=f"{site}{path}" if isinstance(path, str) else "",
    )


def to_payload(form: Form, fields: Mapping[FieldId, Value], directory: Directory) -> dict[str, object]:
    """The JSON that sets these fields, without those that have a route of their own.

    Raises `RejectedError` naming the first field that cannot be written so.
    """
    payload: dict[str, object] = {}
    for name, value in fields.items():
        attribute = form.attribute(name)
        if attribute is None:
            raise RejectedError("unknown field", field=name, detail=Detail.UNKNOWN_FIELD)
        if attribute.by_route:
            continue
        if attribute.send is None:
            raise RejectedError("read-only", field=name, detail=Detail.READ_ONLY)
        key = attribute.sent_as or attribute.key
        if is_blank(value):
            if attribute.is_required or not attribute.can_clear:
                raise RejectedError("a value is required", field=name, detail=Detail.REQUIRED_FIELD)
            payload[key] = attribute.clear
        else:
            payload[key] = _sent(attribute, attribute.send, value, directory)
    return payload


def demand_whole(form: Form, payload: Mapping[str, object]) -> None:
    """Raises `RejectedError` naming the first field that a new record must have and has not."""
    for each in form.attributes:
        if each.is_required and (each.sent_as or each.key) not in payload:
            raise RejectedError("a value is required", field=each.id, detail=Detail.REQUIRED_FIELD)


def demand_movable(form: Form, fields: Mapping[FieldId, Value]) -> None:
    """Raises `RejectedError` naming the first field that is set when a record is made, and stays."""
    for each in form.attributes:
        if each.is_fixed and each.id in fields:
            text = "is set when the record is made, and stays"
            raise RejectedError(text, field=each.id, detail=Detail.READ_ONLY)


def _sent(attribute: Attribute, send: Send, value: Value, directory: Directory) -> object:
    if value.__struct_config__.tag != attribute.type.value:
        raise RejectedError(f"wants {attribute.type.value}", field=attribute.id, detail=Detail.VALIDATION)
    try:
        return send(value, directory)
    except CannotSendError as error:
        raise RejectedError(str(error), field=attribute.id, detail=Detail.VALIDATION) from None


def completion(fields: Mapping[FieldId, Value]) -> bool | None:
    """Whether completion is to be set or taken back; None leaves it."""
    value = fields.get(IS_COMPLETED)
    if value is None:
        return None
    if not isinstance(value, YesNo | Blank):
        raise RejectedError("wants yes_no", field=IS_COMPLETED, detail=Detail.VALIDATION)
    return isinstance(value, YesNo) and value.yes


def to_edits(history: list[Json]) -> dict[FieldId, Edit]:
    """The latest edit of each field from an audit trail, which may come in any order (facts: 3.4, history)."""
    edits: dict[FieldId, Edit] = {}
    for change in history:
        modified = change.get("modifications")
        at = moment(change.get("timestamp"))
        if not isinstance(modified, dict) or at is None:
            continue
        by = str(change.get("created_by_email") or change.get("created_by_id") or "")
        for theirs in cast("Json", modified):
            name = field_id(theirs)
            known = edits.get(name)
            if known is None or known.at is None or known.at <= at:
                edits[name] = Edit(at, by)
    return edits
