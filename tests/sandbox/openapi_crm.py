"""Where HighLevel's official files are wrong or silent about contacts, opportunities, tasks and notes. See
`openapi_deviations`, of whose list this is a part: document (with its version where only one is wrong), pointer, value,
reason."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

_VALUE: Json = {"type": ["string", "number", "array", "object"]}
_SORT: Json = {
    "type": "object",
    "properties": {"field": {"type": "string"}, "direction": {"type": "string", "enum": ["asc", "desc"]}},
    "required": ["field", "direction"],
}

CRM_DEVIATIONS: tuple[tuple[str, str, Any, str], ...] = (
    (
        "contacts",
        "CustomFieldSchema/properties/value",
        _VALUE,
        "typed `string`, though lists and numbers are written and the search's own pages show lists",
    ),
    (
        "contacts",
        "SearchBodyV2DTO",
        {
            "type": "object",
            "properties": {
                "locationId": {"type": "string"},
                "pageLimit": {"type": "number"},
                "page": {"type": "number"},
                "query": {"type": "string"},
                "searchAfter": {"type": "array", "items": {"type": ["number", "string"]}},
                "filters": {"type": "array", "items": {"type": "object"}},
                "sort": {"type": "array", "items": _SORT},
            },
            "required": ["locationId", "pageLimit"],
        },
        "empty in the file; what is needed and in use (facts 1.8)",
    ),
    *(
        (
            document,
            f"{schema}/properties/{name}",
            {"type": "number"},
            "typed `object`, though its example is a number",
        )
        for schema in ("NumericField", "MonetoryField")
        for document, name in (("contacts", "field_value"), ("contacts-v3", "fieldValue"))
    ),
    *(
        (
            document,
            f"{schema}/properties/dateOfBirth",
            {"type": ["string", "null"]},
            "typed `object`, though its example and its eight forms are texts",
        )
        for document, schema in (
            ("contacts-v2", "CreateContactDto"),
            ("contacts-v2", "UpdateContactDto"),
            ("contacts-v3", "CreateContactDtoV3"),
            ("contacts-v3", "UpdateContactDtoV3"),
        )
    ),
    (
        "locations",
        "LocationTaskListSuccessfulResponseDto/properties/tasks",
        {"type": "array", "items": {"type": "object"}},
        "typed as a list of lists; tasks are objects elsewhere in the same files",
    ),
    (
        "opportunities",
        "PipelinesResponseSchema/properties/stages",
        {
            "type": "array",
            "items": {"type": "object", "properties": {"id": {"type": "string"}, "name": {"type": "string"}}},
        },
        "typed as a list of lists; a stage has an id and a name in published programs",
    ),
)

CRM_EXTRA_KEYS = (
    (
        "common-schemas",
        "BadRequestDTO",
        "meta",
        {"type": "object", "properties": {"contactId": {"type": "string"}}},
        "names the contact that a refused one duplicates, as published programs read it",
    ),
)
