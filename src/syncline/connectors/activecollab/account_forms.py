"""Companies, users and labels, which belong to the account as a whole: what each attribute is in the JSON.

Tables, put together with the others in `activecollab.forms` (facts: activecollab-api.md 3.11).
"""

from __future__ import annotations

from syncline.connectors.activecollab.attributes import (
    COMPLETABLE,
    Attribute,
    Form,
    Place,
    as_one_of,
    as_text,
    as_yes_no,
    to_json,
)
from syncline.connectors.activecollab.client import Json
from syncline.connectors.activecollab.parts import NAME, STAMPS, UPDATED
from syncline.core.records import FieldId
from syncline.core.values import FieldType

OWN, CLIENT = "own", "client"
"""The roles of companies."""

_COMPANY_TEXTS = {
    "address": "Address",
    "address_line_1": "Address, first line",
    "address_line_2": "Address, second line",
    "city": "City",
    "zip_code": "Postal code",
    "region": "Region",
    "country": "Country",
    "phone": "Phone",
    "homepage_url": "Home page",
    "tax_id": "Tax id",
    "tax_number": "Tax number",
}


def _company_role(json: Json) -> str:
    return OWN if json.get("is_owner") else CLIENT


def _texts(titles: dict[str, str]) -> tuple[Attribute, ...]:
    """Plain texts that can be written."""
    return tuple(
        Attribute(FieldId(name), name, title, FieldType.TEXT, as_text, send=to_json, clear="")
        for name, title in titles.items()
    )


COMPANY = Form(
    "company",
    "Company (client)",
    "companies",
    (
        NAME,
        *_texts(_COMPANY_TEXTS),
        Attribute(
            FieldId("is_owner"),
            "is_owner",
            "Own company",
            FieldType.YES_NO,
            as_yes_no,
            note="The account's own company; the filter `role: client` leaves it out.",
        ),
        Attribute(
            FieldId("is_archived"),
            "is_archived",
            "Archived",
            FieldType.YES_NO,
            as_yes_no,
            note="Companies are archived, not completed. A company has no e-mail address: a contact person of a client is a "
            "user, and making one invites a real person, so it is not offered.",
        ),
        *STAMPS,
    ),
    place=Place.ACCOUNT,
    abilities=COMPLETABLE,
    listed_at="companies/all",
    roles=_company_role,
)

_NO_INVITING = "Read only: making a user invites a real person by e-mail."


def _user_role(json: Json) -> str:
    return str(json.get("class") or "").lower()


USER = Form(
    "user",
    "User",
    "users",
    (
        Attribute(FieldId("name"), "display_name", "Name", FieldType.TEXT, as_text, note=_NO_INVITING),
        Attribute(FieldId("email"), "email", "E-mail", FieldType.TEXT, as_text, note=_NO_INVITING),
        Attribute(FieldId("first_name"), "first_name", "First name", FieldType.TEXT, as_text),
        Attribute(FieldId("last_name"), "last_name", "Last name", FieldType.TEXT, as_text),
        Attribute(FieldId("role"), "class", "Role", FieldType.TEXT, as_text),
        Attribute(FieldId("title"), "title", "Position", FieldType.TEXT, as_text),
        Attribute(FieldId("phone"), "phone", "Phone", FieldType.TEXT, as_text),
        Attribute(
            FieldId("company"), "company_id", "Company", FieldType.ONE_OF, as_one_of, references="company"
        ),
        Attribute(FieldId("is_archived"), "is_archived", "Archived", FieldType.YES_NO, as_yes_no),
        *STAMPS,
    ),
    place=Place.ACCOUNT,
    abilities=frozenset(),
    listed_at="users/all",
    roles=_user_role,
    refine=lambda json: {**json, "name": json.get("display_name") or json.get("email") or ""},
)

_BY_NAME = "Read only: labels are made by naming them on a task."
LABEL = Form(
    "label",
    "Label",
    "labels",
    (
        Attribute(FieldId("name"), "name", "Name", FieldType.TEXT, as_text, note=_BY_NAME),
        Attribute(FieldId("kind"), "class", "Of", FieldType.TEXT, as_text),
        Attribute(FieldId("color"), "color", "Colour", FieldType.TEXT, as_text),
        UPDATED,
    ),
    place=Place.ACCOUNT,
    abilities=frozenset(),
)
