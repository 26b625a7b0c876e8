"""The rows of the change matrix into the tables of `docs/bisync.md`."""

from __future__ import annotations

from collections.abc import Iterator

from tests.architecture.markdown import code, table
from tests.scenarios.bisync.rows import SECTIONS, Row, rows

_COLUMNS = ("row", "bisync's", "what happens", "outcomes", "file")
_TITLES = {
    "one side": "One side",
    "both sides": "Both sides",
    "crosswise": "Deleted here, changed there",
    "first meeting": "New on both, and a lost memory",
    "filters": "Filters",
    "brakes": "Brakes",
}


def bisync_matrix() -> str:
    """A table for each section, a line for each row."""
    return "\n\n".join(_section(section) for section in SECTIONS)


def _section(section: str) -> str:
    lines = list(_lines(row for row in rows() if row.given["section"] == section))
    return f"### {_TITLES[section]}\n\n{table(_COLUMNS, lines)}"


def _lines(found: Iterator[Row]) -> Iterator[tuple[str, ...]]:
    for row in found:
        told = row.given
        link = f"[{code(row.name)}](../tests/scenarios/bisync/{row.path.name})"
        yield told["row"], told["bisync"], told["story"], _outcomes(row), link


def _outcomes(row: Row) -> str:
    """How many there are, and on what they depend."""
    doubt = f"; {len(row.doubts)} policies in doubt" if row.doubts else ""
    if len(row.golden) == 1:
        return f"1{doubt}"
    return f"{len(row.golden)}, by {' and '.join(code(each) for each in row.given['under'])}{doubt}"
