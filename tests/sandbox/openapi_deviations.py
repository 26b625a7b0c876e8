"""Where HighLevel's official OpenAPI files are wrong or silent, and what holds instead: the whole list.

Worked into the files by `openapi` before it judges. A deviation that is no longer in the files is an error there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.sandbox.openapi_crm import CRM_DEVIATIONS, CRM_EXTRA_KEYS

Json = dict[str, Any]


@dataclass(frozen=True)
class Deviation:
    """One place where the official files are wrong or silent, and what holds instead."""

    document: str
    pointer: str
    value: Any
    reason: str


TEXTS: Json = {"type": "array", "items": {"type": "string"}}
_ADD_REMOVE: Json = {
    "type": "object",
    "properties": {"add": {"type": "array"}, "remove": {"type": "array"}},
    "additionalProperties": False,
}
_TEXT: Json = {"type": "string"}
_ASSOCIATION: Json = {
    "type": "object",
    "properties": {
        "locationId": _TEXT,
        "id": _TEXT,
        "key": _TEXT,
        "firstObjectLabel": _TEXT,
        "firstObjectKey": _TEXT,
        "secondObjectLabel": _TEXT,
        "secondObjectKey": _TEXT,
        "associationType": {"type": "string", "enum": ["USER_DEFINED", "SYSTEM_DEFINED"]},
    },
    "additionalProperties": False,
}
_RELATION: Json = {
    "type": "object",
    "properties": {
        "locationId": _TEXT,
        "id": _TEXT,
        "associationId": _TEXT,
        "firstObjectKey": _TEXT,
        "firstRecordId": _TEXT,
        "secondObjectKey": _TEXT,
        "secondRecordId": _TEXT,
    },
    "additionalProperties": False,
}


def _required(schema: Json, *left_out: str) -> Json:
    """With exactly these keys, but some left out."""
    kept = {key: value for key, value in schema["properties"].items() if key not in left_out}
    return schema | {"properties": kept, "required": list(kept)}


def _listed(name: str, item: Json) -> Json:
    """A list as it was observed."""
    numbers = {key: {"type": "number"} for key in ("total", "skip", "limit")}
    properties = {name: {"type": "array", "items": _required(item)}} | numbers
    return {"type": "object", "properties": properties, "required": [name], "additionalProperties": False}


_FOLDER: Json = {"$ref": "#/components/schemas/ICustomFieldFolder"}

DEVIATIONS = (
    Deviation(
        "objects",
        "IRecordSchema/properties/properties",
        {"type": "object"},
        "typed `string`, though its own example is an object (facts 1.3)",
    ),
    Deviation(
        "objects",
        "RecordResponseDTO/properties/properties",
        {"type": "object"},
        "typed `string`, though its own example is an object (facts 1.3)",
    ),
    Deviation(
        "objects",
        "RecordResponseDTO/properties/searchAfter",
        {"type": "array", "items": {"type": ["number", "string", "null"]}},
        "items typed `number`, though the example ends with the id, which is text",
    ),
    Deviation(
        "objects",
        "SearchRecordsBody",
        {
            "type": "object",
            "properties": {
                "locationId": {"type": "string"},
                "page": {"type": "number"},
                "pageLimit": {"type": "number"},
                "query": {"type": "string"},
                "searchAfter": {"type": "array", "items": {"type": ["number", "string", "null"]}},
                "filters": {"type": "array", "items": {"type": "object"}},
                "sort": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "field": {"type": "string"},
                            "direction": {"type": "string", "enum": ["asc", "desc"]},
                        },
                        "required": ["field", "direction"],
                    },
                },
            },
            "required": ["locationId", "page", "pageLimit"],
        },
        "filters and sort are in use but not in the file; query and searchAfter are not always sent (facts 1.3)",
    ),
    Deviation(
        "objects",
        "CreateCustomObjectRecordDto",
        {
            "type": "object",
            "properties": {
                "locationId": {"type": "string"},
                "properties": {"type": "object"},
                "owner": TEXTS | {"maxItems": 1},
                "owners": TEXTS | {"maxItems": 1},
                "followers": TEXTS | {"maxItems": 10},
            },
            "required": ["locationId", "properties"],
        },
        "empty in the file; the body as the vendor's pages describe it (facts 1.3)",
    ),
    Deviation(
        "objects",
        "UpdateCustomObjectRecordDto",
        {
            "type": "object",
            "properties": {
                "properties": {"type": "object"},
                "owner": {"anyOf": [_ADD_REMOVE, TEXTS]},
                "owners": {"anyOf": [_ADD_REMOVE, TEXTS]},
                "followers": {"anyOf": [_ADD_REMOVE, TEXTS]},
            },
        },
        "empty in the file; the body as the vendor's pages describe it (facts 1.3)",
    ),
    Deviation(
        "objects",
        "ICustomObjectSchema/properties/type",
        {"type": "string", "enum": ["USER_DEFINED", "SYSTEM_DEFINED"]},
        "typed `object`, though the example names two words",
    ),
    Deviation(
        "custom-fields",
        "CustomFieldsResponseDTO/properties/folders/items",
        _FOLDER,
        "typed as a field, which a folder cannot be: it has no dataType",
    ),
    Deviation(
        "custom-fields",
        "CustomFieldSuccessfulResponseDto/properties/field",
        {"anyOf": [{"$ref": "#/components/schemas/ICustomField"}, _FOLDER]},
        "the operation says that it answers a field or a folder",
    ),
    Deviation(
        "custom-fields",
        "UpdateCustomFieldsDTO/properties/options/items",
        {
            "type": "object",
            "properties": {"key": {"type": "string"}, "label": {"type": "string"}, "url": {"type": "string"}},
            "required": ["label"],
        },
        "the key of an option is not sent in an update (facts 1.5)",
    ),
    Deviation(
        "medias",
        "GetFilesResponseDTO/properties/files/items",
        {
            "type": "object",
            "properties": dict.fromkeys(
                ("_id", "altId", "altType", "name", "parentId", "url", "path"), _TEXT
            ),
            "required": ["name", "url"],
            "additionalProperties": False,
        },
        "items typed `string`, though the example beside them is an object; an id is needed to delete a file",
    ),
    Deviation(
        "associations",
        "GetPostSuccessfulResponseDto",
        {
            "anyOf": [
                _required(_ASSOCIATION),
                _required(_RELATION),
                _listed("associations", _ASSOCIATION),
                _listed("relations", _RELATION),
            ]
        },
        "one association stands for every answer, with texts typed `object`; relations are seen otherwise (facts 1.6)",
    ),
    Deviation(
        "associations",
        "createAssociationReqDto",
        _required(_ASSOCIATION, "id", "associationType"),
        "labels and keys typed `object`, though the examples are texts",
    ),
    Deviation(
        "associations",
        "UpdateAssociationReqDto",
        {
            "type": "object",
            "properties": {"firstObjectLabel": _TEXT, "secondObjectLabel": _TEXT},
            "required": ["firstObjectLabel", "secondObjectLabel"],
        },
        "labels typed `object`, though the examples are texts",
    ),
    *(Deviation(*each) for each in CRM_DEVIATIONS),
)

EXTRA_KEYS = (
    ("objects", "IRecordSchema", "relations", {"type": "array"}, "observed (facts 1.3)"),
    ("objects", "RecordResponseDTO", "relations", {"type": "array"}, "observed (facts 1.3)"),
    *CRM_EXTRA_KEYS,
)
"""Document, schema, key, the key's schema, reason. Besides, any answer may carry a `traceId` (facts 4)."""
