"""Custom fields of contacts and opportunities, their values, and the tags of a location.

`/locations/{locationId}/customFields` and `/tags` (facts: highlevel-api.md 1.5, 1.9). Options are plain texts; a value is
written as `{id or key, field_value}` and read as `{id, value}` of a contact, `{id, fieldValue}` of an opportunity.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
import phonenumbers

from syncline.sandbox.highlevel.bodies import read_body, read_query, refuse_query
from syncline.sandbox.highlevel.calls import Answer, Call
from syncline.sandbox.highlevel.coding import js_number
from syncline.sandbox.highlevel.crm import Crm, LocationField, Model
from syncline.sandbox.highlevel.ids import key_of
from syncline.sandbox.highlevel.jsons import as_number, as_object, as_texts
from syncline.sandbox.highlevel.refusals import bad_request, not_found, unprocessable
from syncline.sandbox.highlevel.state import DataType, World

_LISTS = frozenset({DataType.CHECKBOX.value, DataType.MULTIPLE_OPTIONS.value})
_CHOICES = frozenset({DataType.SINGLE_OPTIONS.value, DataType.RADIO.value})
_NUMBERS = frozenset({DataType.NUMERICAL.value, DataType.MONETORY.value})
_TYPES = frozenset(each.value for each in DataType)


class NewLocationField(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a create. Options go in `textBoxListOptions`, whatever the type."""

    name: str
    data_type: str
    placeholder: str = ""
    position: int = 0
    model: str = "contact"
    text_box_list_options: list[object] = []
    accepted_format: list[str] | None = None
    is_multiple_file: bool | None = None
    max_number_of_files: int | None = None


class _ModelQuery(msgspec.Struct, frozen=True):
    model: str = "contact"


def list_fields(world: World, call: Call) -> Answer:
    """GET /locations/{locationId}/customFields; those of contacts unless `model` says otherwise, `all` for both."""
    query = read_query(call.request, _ModelQuery)
    crm, location_id = _crm(world, call)
    found = [each for each in crm.fields.values() if query.model in (each.model.value, "all")]
    return Answer({"customFields": [field_shape(each, location_id) for each in found]})


def get_field(world: World, call: Call) -> Answer:
    """GET /locations/{locationId}/customFields/{id}."""
    refuse_query(call.request)
    crm, location_id = _crm(world, call)
    return Answer({"customField": field_shape(_field(crm, call.path["id"]), location_id)})


def post_field(world: World, call: Call) -> Answer:
    """POST /locations/{locationId}/customFields."""
    refuse_query(call.request)
    crm, location_id = _crm(world, call)
    made = create_field(world, crm, read_body(call.request, NewLocationField))
    return Answer({"customField": field_shape(made, location_id)}, 201)


def delete_field(world: World, call: Call) -> Answer:
    """DELETE /locations/{locationId}/customFields/{id}."""
    refuse_query(call.request)
    crm, _ = _crm(world, call)
    del crm.fields[_field(crm, call.path["id"]).id]
    return Answer({"succeded": True})


def list_tags(world: World, call: Call) -> Answer:
    """GET /locations/{locationId}/tags."""
    refuse_query(call.request)
    crm, location_id = _crm(world, call)
    tags = [{"id": tag_id, "name": name, "locationId": location_id} for name, tag_id in crm.tags.items()]
    return Answer({"tags": tags})


def create_field(world: World, crm: Crm, body: NewLocationField) -> LocationField:
    """Make a field; its key is the vendor's own reading of the name. Raises 400 and 422."""
    if body.data_type not in _TYPES:
        raise unprocessable(f"dataType must be one of the following values: {', '.join(sorted(_TYPES))}")
    if body.model not in {each.value for each in Model}:
        raise unprocessable("model must be one of the following values: contact, opportunity")
    model, key = Model(body.model), key_of(body.name)
    if any(each.key == key for each in crm.fields_of(model)):
        raise bad_request(f"{model.value} field with name {body.name} already exists")
    options = tuple(_label(each) for each in body.text_box_list_options)
    made = LocationField(
        world.ids.short(), body.name, key, body.data_type, model, body.position, body.placeholder, options
    )
    crm.fields[made.id] = made
    return made


def field_shape(field: LocationField, location_id: str) -> dict[str, object]:
    """`CustomFieldSchema`."""
    shape: dict[str, object] = {
        "id": field.id,
        "name": field.name,
        "fieldKey": field.full_key,
        "placeholder": field.placeholder,
        "dataType": field.data_type,
        "position": field.position,
        "locationId": location_id,
        "model": field.model.value,
    }
    return shape | ({"picklistOptions": list(field.options)} if field.options else {})


def values_after(
    crm: Crm, model: Model, before: Mapping[str, object], given: Sequence[object]
) -> dict[str, object]:
    """The values by field id after a write: those named change, the others stay. Raises 400 and 422."""
    after = dict(before)
    for entry in given:
        item = as_object(entry)
        if item is None or not item.keys() <= {"id", "key", "field_value", "fieldValue"}:
            raise unprocessable("each value in customFields must be an object with id and field_value")
        field = _named(crm, model, item)
        value = _stored(field, item.get("field_value", item.get("fieldValue")))
        after.pop(field.id, None)
        if value is not None:
            after[field.id] = value
    return after


def value_shapes(values: object, key: str) -> list[dict[str, object]]:
    """`[{id, value}]`, or with the key that opportunities use, whose numbers are texts in the official files."""
    held = (as_object(values) or {}).items()
    if key == "value":
        return [{"id": field_id, key: value} for field_id, value in held]
    return [
        {"id": field_id, key: value if as_number(value) is None else str(value)} for field_id, value in held
    ]


def phone_of(value: str, name: str) -> str:
    """E.164. Raises 422 naming the field."""
    try:
        number = phonenumbers.parse(value, None)
    except phonenumbers.NumberParseException:
        raise unprocessable(f"{name} must be a valid phone number") from None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _crm(world: World, call: Call) -> tuple[Crm, str]:
    location_id = call.location(world, call.path["locationId"])
    return world.locations[location_id].crm, location_id


def _field(crm: Crm, field_id: str) -> LocationField:
    if field_id not in crm.fields:
        raise not_found("Custom field not found")
    return crm.fields[field_id]


def _named(crm: Crm, model: Model, item: Mapping[str, object]) -> LocationField:
    wanted = item.get("id") or item.get("key")
    for field in crm.fields_of(model):
        if wanted in (field.id, field.key, field.full_key):
            return field
    raise bad_request(f"Custom field {wanted} not found")


def _stored(field: LocationField, value: object) -> object:
    """What is kept; None for what is emptied by null, an empty text or an empty list."""
    name = field.full_key
    if value is None or value in ("", []):
        return None
    if field.data_type in _LISTS:
        texts = as_texts(value)
        if texts is None:
            raise unprocessable(f"{name} must be an array")
        return [_option(field, text) for text in dict.fromkeys(texts)]
    if field.data_type in _NUMBERS:
        number = _number(value)
        if number is None:
            raise unprocessable(f"{name} must be a number")
        return js_number(number)
    if not isinstance(value, str):
        raise unprocessable(f"{name} must be a string")
    return _stored_text(field, value)


def _number(value: object) -> float | None:
    """Opportunities write numbers as texts: the official files offer them nothing else."""
    try:
        return float(value) if isinstance(value, str) else as_number(value)
    except ValueError:
        return None


def _stored_text(field: LocationField, value: str) -> str:
    if field.data_type in _CHOICES:
        return _option(field, value)
    if field.data_type == DataType.PHONE.value:
        return phone_of(value, field.full_key)
    if field.data_type == DataType.DATE.value:
        try:
            return dt.date.fromisoformat(value[:10]).isoformat()
        except ValueError:
            raise unprocessable(f"{field.full_key} must be a date") from None
    return value


def _option(field: LocationField, text: str) -> str:
    if text not in field.options:
        raise unprocessable(
            f"{field.full_key} must be one of the following values: {', '.join(field.options)}"
        )
    return text


def _label(option: object) -> str:
    item = as_object(option)
    return str(item.get("label", "")) if item is not None else str(option)
