"""Plain dice into cases for the planner, each checked against the laws of merge: Hypothesis finds, this counts.

Used by `soak`, which wants a million of them. A case is one link with a mapping, policies, a base and two sightings.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from tests.core import test_merge_laws as laws
from tests.core.worlds import World, world

T = TypeVar("T")
Law = Callable[[World], None]

_FOR_ALL = (
    laws.test_swapping_the_sides_swaps_the_decision,
    laws.test_a_one_way_line_never_writes_back,
    laws.test_deletions_follow_the_policy,
    laws.test_every_written_value_comes_from_the_other_side_or_a_person,
)
_FOR_BOTH_PRESENT = (
    laws.test_both_sides_agree_after_the_plan,
    laws.test_deciding_again_writes_nothing,
    laws.test_no_edit_is_lost_silently,
    laws.test_a_choice_holds_only_for_what_the_person_saw,
)


class Dice:
    """Chooses without a record of what it chose: a hundred times faster than a search."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def of(self, choices: Sequence[T]) -> T:
        """One of these."""
        return choices[int(self._random() * len(choices))]

    def number(self, least: int, most: int) -> int:
        """One of these numbers."""
        return least + int(self._random() * (most - least + 1))


def broken(seed: int) -> list[str]:
    """The laws that the case of this seed breaks, with the case."""
    is_present = seed % 2 == 0
    case = world(Dice(seed), is_present=is_present)
    out: list[str] = []
    for law in _FOR_BOTH_PRESENT if is_present else _FOR_ALL:
        try:
            _plain(law)(case)
        except AssertionError as error:
            out.append(f"case {seed}: {law.__name__}: {error}")
    return out


def _plain(law: Law) -> Law:
    """The law without the search around it."""
    return law.hypothesis.inner_test  # type: ignore[attr-defined,no-any-return]
