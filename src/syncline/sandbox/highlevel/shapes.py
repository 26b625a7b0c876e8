"""What is stored, as the JSON that HighLevel answers: each resource in the shape of its own endpoint.

Used by the operations and by webhooks. The shapes differ on purpose: one record has `dateAdded`/`dateUpdated` by id and
`createdAt`/`updatedAt` in search (facts: highlevel-api.md 1.3).
"""

from __future__ import annotations

from syncline.sandbox.highlevel.state import Field, Folder, Location, ObjectType, User, iso
from syncline.sandbox.highlevel.table import Row
from syncline.sandbox.highlevel.webhooks import value_string


def object_shape(item: ObjectType) -> dict[str, object]:
    """`ICustomObjectSchema`."""
    shape: dict[str, object] = {
        "id": item.id,
        "standard": item.is_standard,
        "key": item.key,
        "labels": {"singular": item.singular, "plural": item.plural},
        "locationId": item.location_id,
        "primaryDisplayProperty": item.full_key(item.primary),
        "dateAdded": iso(item.added_ms),
        "dateUpdated": iso(item.updated_ms),
        "type": "SYSTEM_DEFINED" if item.is_standard else "USER_DEFINED",
    }
    return shape | ({"description": item.description} if item.description is not None else {})


def object_event(item: ObjectType, timestamp: str) -> dict[str, object]:
    """The body of ObjectSchemaCreate and ObjectSchemaUpdate."""
    return {
        "id": item.id,
        "labels": {"singular": item.singular, "plural": item.plural},
        "description": item.description or "",
        "searchableProperties": [item.full_key(key) for key in item.searchable],
        "primaryDisplayProperty": item.full_key(item.primary),
        "key": item.key,
        "locationId": item.location_id,
        "updatedAt": iso(item.updated_ms),
        "createdAt": iso(item.added_ms),
        "objectType": "SYSTEM_DEFINED" if item.is_standard else "USER_DEFINED",
        "timestamp": timestamp,
    }


def field_shape(item: ObjectType, field: Field) -> dict[str, object]:
    """`ICustomField`; keys that do not apply are absent."""
    shape: dict[str, object] = {
        "locationId": item.location_id,
        "name": field.name,
        "showInForms": field.show_in_forms,
        "id": field.id,
        "objectKey": item.key,
        "dataType": field.data_type.value,
        "parentId": field.parent_id,
        "fieldKey": item.full_key(field.key),
        "dateAdded": iso(field.added_ms),
        "dateUpdated": iso(field.updated_ms),
    }
    if field.options:
        shape["options"] = field.options
    extras = {
        "description": field.description,
        "placeholder": field.placeholder,
        "acceptedFormats": field.accepted_formats,
        "maxFileLimit": field.max_file_limit,
        "allowCustomOption": field.allow_custom_option,
    }
    return shape | {name: value for name, value in extras.items() if value is not None}


def folder_shape(item: ObjectType, folder: Folder) -> dict[str, object]:
    """`ICustomFieldFolder`."""
    return {"id": folder.id, "objectKey": item.key, "locationId": item.location_id, "name": folder.name}


def record_shape(row: Row) -> dict[str, object]:
    """One record by id, and after a create or update."""
    return {
        "id": row.id,
        "owner": row.owner,
        "followers": row.followers,
        "properties": row.properties,
        "dateAdded": row.created_at,
        "dateUpdated": row.updated_at,
        "relations": [],
    }


def hit_shape(item: ObjectType, row: Row, cursor: list[object]) -> dict[str, object]:
    """One record in a search answer."""
    return {
        "id": row.id,
        "owner": row.owner,
        "followers": row.followers,
        "properties": row.properties,
        "createdAt": row.created_at,
        "updatedAt": row.updated_at,
        "locationId": item.location_id,
        "objectId": item.id,
        "objectKey": item.key,
        "createdBy": row.created_by,
        "lastUpdatedBy": row.updated_by,
        "searchAfter": cursor,
        "relations": [],
    }


def record_event(item: ObjectType, row: Row, timestamp: str, *, with_object_key: bool) -> dict[str, object]:
    """The body of RecordCreate, RecordUpdate and RecordDelete; `objectKey` is sent though undocumented (facts 3.3)."""
    shape: dict[str, object] = {
        "id": row.id,
        "locationId": item.location_id,
        "timestamp": timestamp,
        "owners": row.owner,
        "followers": row.followers,
        "properties": [
            {"key": key, "valueString": value_string(value)} for key, value in row.properties.items()
        ],
    }
    return shape | ({"objectKey": item.key} if with_object_key else {})


def user_shape(user: User) -> dict[str, object]:
    """`UserSchema`."""
    return {
        "id": user.id,
        "name": user.name,
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "phone": user.phone,
        "extension": "",
        "permissions": {"contactsEnabled": True, "settingsEnabled": user.role == "admin"},
        "roles": {"type": "account", "role": user.role, "locationIds": user.location_ids},
    }


def location_shape(location: Location, company_id: str) -> dict[str, object]:
    """`GetLocationByIdSchema`."""
    return location_summary(location) | {
        "companyId": company_id,
        "business": {"name": location.name, "country": "US", "timezone": location.timezone},
    }


def location_summary(location: Location) -> dict[str, object]:
    """`GetLocationSchema`: one entry of the location search."""
    return {
        "id": location.id,
        "name": location.name,
        "phone": "+14155550100",
        "email": location.email,
        "address": "1 Sandbox Street",
        "city": "Sandbox City",
        "state": "CA",
        "country": "US",
        "postalCode": "94000",
        "website": "https://sandbox.example.test",
        "timezone": location.timezone,
        "settings": {"allowDuplicateContact": False, "allowDuplicateOpportunity": False},
    }
