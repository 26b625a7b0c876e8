"""Rows into Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a pipe in a cell is escaped, a line end becomes a space."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(cell(each) for each in row)} |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Text that fits in a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: object) -> str:
    """As code."""
    return f"`{text}`"


def sentence(text: str) -> str:
    """The first paragraph of a docstring, without the indentation."""
    return " ".join(text.strip().split("\n\n")[0].split())
