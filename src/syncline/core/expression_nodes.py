"""What an expression consists of once its text has been read: nodes with their place in the text, and faults.

Made by `expression_parse`, walked by `expression_check`. Operators are calls by the names that the language gives them
(`_+_`, `!_`, `_?_:_`), so that one table of functions covers all.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One fault in an expression: where (from 1), what is wrong, what to do."""

    column: int
    line: int
    message: str
    remedy: str = ""

    @property
    def place(self) -> str:
        """Where, in words: `column 14`, or `line 2, column 3`."""
        return f"column {self.column}" if self.line == 1 else f"line {self.line}, column {self.column}"


_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the text, counted from 1."""

    line: int
    column: int

    def fault(self, message: str, remedy: str = "") -> Fault:
        """What is wrong here."""
        told = message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"
        return Fault(self.column, self.line, told, remedy)


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true, false or null."""

    at: Spot
    value: Decimal | str | bool | None


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    at: Spot
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`of.name`; `at` is where the name stands."""

    at: Spot
    of: Node
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or an operator; `of` is what a method is called on."""

    at: Spot
    name: str
    arguments: tuple[Node, ...]
    of: Node | None = None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list written out."""

    at: Spot
    items: tuple[Node, ...]


Node = Literal | Name | Select | Call | ListOf
