"""A real tracker's history, each edit on a random side: both sides end where the history does.

The whole of it: `python -m tests.simulation history --all`.
"""

from __future__ import annotations

from tests.simulation.history import replayed


def test_a_recorded_history_ends_in_step_with_nothing_lost_or_doubled() -> None:
    told = replayed(1, 300)

    assert told.faults == []


def test_swapping_left_and_right_gives_the_mirrored_result() -> None:
    one, other = replayed(2, 120), replayed(2, 120, left="hl")

    assert one.faults == other.faults == []
    assert one.ends == other.ends
