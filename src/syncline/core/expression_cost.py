"""How much an expression may do while it is evaluated, and how it is stopped.

Used by everything of an expression that runs. A step is one operator, function or list item; long texts count by their
length. What cannot be computed stops the expression (`&&` and `||` may do without it); too much work ends it.
"""

from __future__ import annotations

MAX_STEPS = 50_000
"""Steps of one evaluation: some tens of milliseconds at most."""
MAX_TEXT = 1_000_000
"""Characters of a text that an expression makes."""
MAX_ITEMS = 10_000
"""Items of a list that an expression makes."""
_CHARACTERS = 64
"""Characters of a text that count as one step."""


class StopError(Exception):
    """There is no value, and why. Never leaves the evaluation."""


class TooCostlyError(Exception):
    """The limit is reached, and which. Never leaves the evaluation."""


class Budget:
    """Steps that are left."""

    __slots__ = ("left",)

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps; raises `TooCostlyError` when there are none left."""
        self.left -= steps
        if self.left < 0:
            raise TooCostlyError("the expression takes too many steps")

    def text(self, length: int) -> None:
        """A text of this length is made or gone through."""
        if length > MAX_TEXT:
            raise TooCostlyError(f"the expression makes a text of more than {MAX_TEXT:,} characters")
        self.spend(length // _CHARACTERS)

    def items(self, count: int) -> None:
        """A list of this length is made or gone through."""
        if count > MAX_ITEMS:
            raise TooCostlyError(f"the expression makes a list of more than {MAX_ITEMS:,} items")
        self.spend(count)
