"""The values that items of the workspace hold, in their exact forms: texts, days, amounts, ids, times; and what every item tells.

Used by `workspace_forms` and by the routers of the workspace. They take what `core.workspace_checks` takes, so that whatever is
kept can be shown.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from syncline.core.workspace import LONGEST_TEXT, LONGEST_TITLE
from syncline.web.forms import Told

# Not even a NUL: databases refuse it.
_TEXT = r"^[^\x00]*$"
_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
_PART = r"[^\s\x00@<>,;\"]+"


def _is_day(text: str) -> str:
    dt.date.fromisoformat(text)
    return text


Id = Annotated[str, Path(max_length=64, pattern=f"^{_ID}$")]
"""The id of an item or an attachment, in an address."""

Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TITLE, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$"),
]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=_TEXT)]
Html = Annotated[str, StringConstraints(pattern=_TEXT)]
"""Formatted text: as long as a request may be."""

Mail = Annotated[str, StringConstraints(max_length=254, pattern=f"^({_PART}@{_PART})?$")]
"""Somebody's e-mail address; empty for nobody."""

Phone = Annotated[str, StringConstraints(max_length=50, pattern=_TEXT), Field(examples=["+14155550100"])]
Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_is_day),
    Field(json_schema_extra={"format": "date"}, examples=["2026-03-31"]),
]
Label = Annotated[str, StringConstraints(max_length=250, pattern=_TEXT)]
Labels = Annotated[list[Label], Field(max_length=100)]
Reference = Annotated[str, StringConstraints(max_length=64, pattern=f"^({_ID})?$")]
"""The id of another item; empty for none."""

Decimal = Annotated[
    str,
    StringConstraints(max_length=64, pattern=r"^-?[0-9]+(\.[0-9]+)?$"),
    Field(examples=["1.5"]),
]


class MoneyBody(BaseModel):
    """An amount of money."""

    model_config = ConfigDict(extra="forbid")

    amount: Decimal = Field(examples=["12500.00"])
    currency: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3}|default)$")] = Field(
        default="default", examples=["EUR"], description="`default`: whatever an account counts in."
    )


def _whole(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


Instant = Annotated[
    dt.datetime,
    PlainSerializer(_whole, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with all of its digits: the later one is the greater text, too."""


class ItemOut(Told):
    """What every item tells. `revision` is the `ETag`; `last_modified` grows with every change of anything, so that whoever
    asks for what was modified since then misses nothing; `deleted_at` says since when it lies in the trash."""

    id: str
    revision: int
    created_at: Instant
    last_modified: Instant
    deleted_at: Instant | None
