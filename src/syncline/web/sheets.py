"""Lines of an answer into a CSV file, for whoever asks for one (`Accept: text/csv`, or `format=csv`).

Used by the overviews and the search. Cells never begin a formula: a spreadsheet shows what is in them and runs nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, cast

from fastapi import Depends, Header, Query, Response

from syncline.web.downloads import disposition

CSV = "text/csv"
SHEET: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}
"""The `responses` of a route that answers a sheet to whoever asks for one."""

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def is_wanted(
    format_: Annotated[
        Literal["json", "csv"] | None, Query(alias="format", description="Outdoes `Accept`.")
    ] = None,
    accept: Annotated[str | None, Header(max_length=1000, include_in_schema=False)] = None,
) -> bool:
    """Whether a request wants a sheet."""
    if format_ is not None:
        return format_ == "csv"
    return _weight(accept or "", CSV) > _weight(accept or "", "application/json", "application/*", "*/*")


Sheet = Annotated[bool, Depends(is_wanted)]
"""Whether a request wants a sheet."""


def sheet(
    name: str, columns: Sequence[str], lines: Iterable[Mapping[str, object]], page: Response | None = None
) -> Response:
    """The lines as a file of this name (RFC 4180). Where they are one page, it says where the next one is, as `page` does."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(line.get(column)) for column in columns] for line in lines)
    headers = {"Content-Disposition": disposition(f"{name}.csv")}
    if page is not None and "Link" in page.headers:
        headers["Link"] = page.headers["Link"]
    return Response(text.getvalue(), headers=headers, media_type=CSV)


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Enum():
            return _cell(value.value)
        case list() | tuple():
            return "; ".join(_cell(each) for each in cast("Sequence[object]", value))
        case _:
            text = str(value)
            is_safe = not text.startswith(_BEGINS_FORMULA) or _NUMBER.fullmatch(text)
            return text if is_safe else f"'{text}"


def _weight(accept: str, *kinds: str) -> float:
    """How much any of these media types is wanted (RFC 9110, 12.5.1); 0 when none is named."""
    found = [0.0]
    for each in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in each.split(";"))
        if kind in kinds:
            told = next((part[2:] for part in parameters if part.startswith("q=")), "1")
            found.append(float(told) if told.replace(".", "", 1).isdecimal() else 0.0)
    return max(found)
