"""CSV for whoever asks: by `Accept` or by name, and never with a formula in it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.health import Health
from syncline.web.sheets import is_wanted, sheet


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, False),
        ("*/*", False),
        ("text/csv", True),
        ("application/json, text/csv;q=0.5", False),
        ("text/csv, */*;q=0.1", True),
        ("TEXT/CSV;charset=utf-8", True),
        ("text/csv;q=0", False),
        ("text/csv;q=x, */*", False),
        ("text/html, application/*;q=0.9", False),
    ],
)
def test_a_sheet_is_for_whoever_prefers_one(accept: str | None, wanted: bool) -> None:
    assert is_wanted(None, accept) is wanted
    assert is_wanted("csv", accept)
    assert not is_wanted("json", accept)


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4))
def test_no_cell_is_a_formula_and_all_are_read_again(values: list[str]) -> None:
    columns = [str(number) for number in range(len(values))]
    answer = sheet("things", columns, [dict(zip(columns, values, strict=True))])

    header, cells = csv.reader(io.StringIO(bytes(answer.body).decode(), newline=""))
    assert header == columns
    for cell, value in zip(cells, values, strict=True):
        assert cell in (value, f"'{value}")
        assert not cell.startswith(("=", "@", "+", "\t", "\r"))
        assert not cell.startswith("-") or cell[1:].replace(".", "").isdecimal()


def test_what_is_no_text_is_written_plainly() -> None:
    line = {"a": None, "b": True, "c": -1.5, "d": Health.LATE, "e": (Health.LATE, "x"), "f": "-12.50"}
    answer = sheet("things", tuple("abcdef"), [line])

    assert bytes(answer.body) == b"a,b,c,d,e,f\r\n,true,-1.5,late,late; x,-12.50\r\n"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="things.csv"')
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
