"""What all settings have in common: strictness, and shares written as numbers or percentages.

Used by the other modules of `config`.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema


class Model(BaseModel):
    """Settings: nothing unknown, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_PERCENT = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*%\s*$")


def _share(value: object) -> object:
    if isinstance(value, str):
        found = _PERCENT.match(value)
        if found is None:
            raise ValueError(f"'{value}' is no share.")
        return float(found.group(1)) / 100
    return None if value is False else value


_SHARE_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
        {"type": "number"},
        {"const": False},
        {"type": "null"},
    ]
}
Share = Annotated[float | None, BeforeValidator(_share), WithJsonSchema(_SHARE_SCHEMA)]
