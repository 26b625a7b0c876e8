"""What requests and answers of the API have in common: texts, numbers and times in their exact forms.

Used by the models of the routers. A form that the document gives is the only one that is taken: no number for a text, no
seconds for a time.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, SecretStr, StringConstraints

_CONTROL = r"^[^\x00-\x1f\x7f]*$"


def _is_text(value: object) -> object:
    if not isinstance(value, str) or not value[:4].isdecimal() or "-" not in value:
        raise ValueError("Write a time such as 2026-03-02T09:00:00Z")
    return value


def _is_number(value: object) -> object:
    # JSON knows no difference between 5 and 5.0; a text is no number.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("Write a whole number")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_is_text)]
"""A time that comes in: ISO 8601 with its offset."""

WHOLE = BeforeValidator(_is_number)
"""For a number in a body, after its bounds: 3 and 3.0 are whole, as JSON has it; no text is, and no truth value."""

Line = Annotated[str, StringConstraints(max_length=200, pattern=_CONTROL)]
"""One line of text."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_CONTROL)]
"""One line of text that is not empty."""

_PART = r"[^@\s\x00-\x20\x7f]"
Email = Annotated[
    str, StringConstraints(min_length=3, max_length=254, pattern=f"^{_PART}{{1,64}}@{_PART}{{1,189}}$")
]

Password = Annotated[SecretStr, StringConstraints(max_length=1024)]

Number = Annotated[int, Path(ge=1, le=2**53 - 1)]
"""The number of something, in an address: what JavaScript still counts exactly."""


class Sent(BaseModel):
    """What a request carries: nothing that is not known."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """What an answer carries, made from our own structures."""

    model_config = ConfigDict(from_attributes=True)
