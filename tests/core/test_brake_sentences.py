"""What a pulling brake says, word for word: it is all that a person has to decide by."""

from __future__ import annotations

import pytest

from syncline.core.brakes import BrakeName, Facts, Limits, brakes
from syncline.core.forecast import Forecast
from tests.core.test_brakes import facts

SAID = [
    (facts({"is_complete": False}), "The left side's listing is incomplete: it broke off."),
    (facts({"is_complete": False, "reason": "page 3"}), "The left side's listing is incomplete: page 3."),
    (
        facts(right={"listed": 0, "known": 7}),
        "The right side lists no record at all; last time there were 7.",
    ),
    (
        facts({"listed": 401, "expected": Forecast(expected=100, spread=50, listings=5)}),
        "The left side holds 401 records; about 100 were expected (0 to 350, by the last 5 full listings).",
    ),
    (facts({"gone": 11}), "11 of 100 linked records are gone on the left side (limit 10 %)."),
    (facts({"changed": 51}), "51 of 100 linked records changed on the left side (limit 50 %)."),
    (facts(right={"changed": 100}), "All 100 linked records changed on the right side at once."),
    (facts(is_mapping_changed=True), "The field mapping changed since the records last agreed."),
    (facts(is_filter_changed=True), "The filter changed since the records last agreed."),
    (facts(moved=("one", "two")), "A side is another one than before: one; two."),
    (facts(lost=("one", "two")), "A connection lost rights: one; two."),
    (facts(drift=("one", "two")), "A mapped field changed at its vendor: one; two."),
]


@pytest.mark.parametrize(("seen", "sentence"), SAID)
def test_a_brake_says_what_it_saw(seen: Facts, sentence: str) -> None:
    (brake,) = brakes(seen, Limits())

    assert brake.sentence == sentence


def test_a_limit_of_nothing_is_told_as_no_percent() -> None:
    (brake,) = brakes(facts({"gone": 11}), Limits(deletes=0))

    assert brake.name is BrakeName.DELETES
    assert brake.sentence.endswith("(limit 0 %).")
