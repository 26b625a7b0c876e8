"""Each brake pulls where it says, holds one step before, and lets go when a person says so."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.brakes import (
    BRAKES,
    CLOCK_TOLERANCE,
    BrakeName,
    Facts,
    Limits,
    SideFacts,
    brakes,
    released,
)
from syncline.core.forecast import Forecast

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
CALM = SideFacts(listed=100, known=100)
HUNDRED = Forecast(expected=100, spread=0, listings=5)


def facts(
    left: dict[str, object] | None = None, right: dict[str, object] | None = None, **settings: object
) -> Facts:
    sides = [msgspec.structs.replace(CALM, **(changes or {})) for changes in (left, right)]
    return msgspec.structs.replace(Facts(sides[0], sides[1], links=100, now=NOW), **settings)


def pulled(seen: Facts, limits: Limits | None = None) -> set[BrakeName]:
    return {brake.name for brake in brakes(seen, limits or Limits())}


PULLED_AND_NOT = {
    BrakeName.INCOMPLETE_LISTING: (
        facts({"is_complete": False}),
        facts({"is_complete": False, "is_delta": True}),
    ),
    BrakeName.EMPTY_SIDE: (facts(right={"listed": 0, "known": 1}), facts(right={"listed": 0, "known": 0})),
    BrakeName.COUNT_FORECAST: (
        facts({"listed": 201, "expected": HUNDRED}),
        facts({"listed": 200, "expected": HUNDRED}),
    ),
    BrakeName.DELETES: (facts({"gone": 11}), facts({"gone": 10})),
    BrakeName.CHANGES: (facts({"changed": 51}), facts({"changed": 50})),
    BrakeName.ALL_CHANGED: (facts(right={"changed": 100}), facts(right={"changed": 50})),
    BrakeName.MAPPING_CHANGED: (facts(is_mapping_changed=True), facts()),
    BrakeName.FILTER_CHANGED: (facts(is_filter_changed=True), facts()),
    BrakeName.SCOPE_CHANGED: (facts(moved=("the left account was a and is b",)), facts()),
    BrakeName.TOKEN_SCOPES: (facts(lost=("the left lost the scopes x",)), facts()),
    BrakeName.SCHEMA_DRIFT: (facts(drift=("name is gone",)), facts()),
    BrakeName.CLOCK_JUMP: (
        facts(last_run_at=NOW + CLOCK_TOLERANCE + dt.timedelta(seconds=1)),
        facts(last_run_at=NOW + CLOCK_TOLERANCE),
    ),
}


@pytest.mark.parametrize("name", list(BrakeName), ids=lambda name: name.value)
def test_each_brake_pulls_and_not_one_step_before(name: BrakeName) -> None:
    seen, before = PULLED_AND_NOT[name]

    assert pulled(seen) == {name}
    assert pulled(before) == set()


@pytest.mark.parametrize("name", list(BrakeName), ids=lambda name: name.value)
def test_a_person_can_let_go_of_each_brake(name: BrakeName) -> None:
    seen, _ = PULLED_AND_NOT[name]

    assert pulled(seen, Limits(off=frozenset({name}))) == set()
    assert pulled(seen, Limits(off=frozenset(BrakeName) - {name})) == {name}


@pytest.mark.parametrize("name", list(BrakeName), ids=lambda name: name.value)
def test_a_pulled_brake_says_what_to_do(name: BrakeName) -> None:
    (brake,) = brakes(PULLED_AND_NOT[name][0], Limits())

    assert brake.sentence.endswith(".")
    assert brake.remedy.endswith(".")
    assert f"--release {name.value}" in brake.remedy


@pytest.mark.parametrize("name", list(BrakeName), ids=lambda name: name.value)
def test_a_released_brake_still_tells_what_was_seen(name: BrakeName) -> None:
    seen, before = PULLED_AND_NOT[name]
    limits = Limits(off=frozenset({name}))

    assert released(seen, limits) == brakes(seen, Limits())
    assert released(before, limits) == ()
    assert released(seen, Limits()) == ()


def test_every_brake_is_declared() -> None:
    assert list(BRAKES) == list(BrakeName)
    assert {name for name, kind in BRAKES.items() if not kind.may_be_off} == {
        BrakeName.INCOMPLETE_LISTING,
        BrakeName.EMPTY_SIDE,
        BrakeName.SCOPE_CHANGED,
    }


@pytest.mark.parametrize(
    ("listed", "spread", "is_far"),
    [(50, 0, False), (49, 0, True), (200, 0, False), (201, 0, True), (230, 10, False), (231, 10, True), (20, 10, False)],
)  # fmt: skip
def test_a_count_is_far_by_ratio_and_by_what_was_usual(listed: int, spread: int, is_far: bool) -> None:
    told = Forecast(expected=100, spread=spread, listings=4)

    assert (pulled(facts({"listed": listed, "expected": told})) == {BrakeName.COUNT_FORECAST}) == is_far


def test_twenty_records_are_never_far() -> None:
    told = Forecast(expected=5, spread=0, listings=4)

    assert pulled(facts({"listed": 24, "expected": told})) == set()
    assert pulled(facts({"listed": 25, "expected": told})) == {BrakeName.COUNT_FORECAST}
    assert pulled(facts({"listed": 25, "expected": told}), Limits(at_least=21)) == set()


def test_a_count_of_changes_is_what_was_known_and_what_is_new() -> None:
    delta = {"is_delta": True, "is_complete": False, "listed": 1, "known": 100, "expected": HUNDRED}

    assert pulled(facts({**delta, "new": 100})) == set()
    assert pulled(facts({**delta, "new": 101})) == {BrakeName.COUNT_FORECAST}
    assert pulled(facts({**delta, "new": 102, "gone": 2}), Limits(deletes=None)) == set()


def test_a_broken_listing_says_nothing_of_counts() -> None:
    broken = {"listed": 1, "is_complete": False, "expected": HUNDRED}

    assert pulled(facts(broken)) == {BrakeName.INCOMPLETE_LISTING}
    assert pulled(facts({**broken, "listed": 0, "is_complete": True})) == {BrakeName.EMPTY_SIDE}


def test_a_forecast_is_told_with_its_figures() -> None:
    (brake,) = brakes(facts({"listed": 30, "expected": Forecast(101, 1, 7)}), Limits(forecast=0.5))

    assert brake.sentence == (
        "The left side holds 30 records; about 101 were expected (65 to 154, by the last 7 full listings)."
    )


def test_a_forecast_can_be_switched_off() -> None:
    assert pulled(facts({"listed": 900, "expected": HUNDRED}), Limits(forecast=None)) == set()


@given(st.integers(1, 400), st.integers(1, 100), st.integers(0, 400), st.integers(0, 8))
def test_a_share_is_exact_at_its_border(links: int, percent: int, gone: int, at_least: int) -> None:
    limits = Limits(deletes=percent / 100, at_least=at_least)

    is_over = gone * 100 > percent * links and gone >= at_least
    assert (BrakeName.DELETES in pulled(facts({"gone": gone}, links=links), limits)) == is_over


@given(st.integers(1, 400), st.integers(1, 100), st.integers(0, 400), st.integers(0, 8))
def test_changes_are_counted_as_exactly(links: int, percent: int, changed: int, at_least: int) -> None:
    limits = Limits(changes=percent / 100, at_least=at_least)

    found = pulled(facts(right={"changed": changed}, links=links), limits)

    is_all = changed >= max(links, at_least)
    assert (BrakeName.ALL_CHANGED in found) == is_all
    assert (BrakeName.CHANGES in found) == (
        not is_all and changed * 100 > percent * links and changed >= at_least
    )


@pytest.mark.parametrize(("links", "share"), [(100, 0.29), (100, 0.07), (1000, 0.001), (70, 0.1), (10, 0.7)])
def test_exactly_the_limit_is_not_more_than_the_limit(links: int, share: float) -> None:
    limits = Limits(deletes=share, at_least=1)
    at_limit = round(links * share)

    assert pulled(facts({"gone": at_limit}, links=links), limits) == set()
    assert pulled(facts({"gone": at_limit + 1}, links=links), limits) == {BrakeName.DELETES}


def test_small_syncs_are_not_stopped_by_a_few_edits() -> None:
    limits = Limits(deletes=0.1, changes=0.1, at_least=5)

    assert pulled(facts({"gone": 4, "changed": 4}, links=4), limits) == set()
    assert pulled(facts({"gone": 5}, links=5), limits) == {BrakeName.DELETES}
    assert pulled(facts({"changed": 5}, links=5), limits) == {BrakeName.ALL_CHANGED}


def test_a_share_of_none_is_switched_off() -> None:
    limits = Limits(changes=None, deletes=None)

    assert pulled(facts({"gone": 100, "changed": 99}), limits) == set()


def test_without_links_there_is_nothing_to_have_a_share_of() -> None:
    assert pulled(facts({"gone": 9, "changed": 9}, links=0)) == set()


def test_each_side_is_looked_at() -> None:
    for side in ("left", "right"):
        seen = facts(**{side: {"gone": 50}})
        (brake,) = brakes(seen, Limits())
        assert side in brake.sentence


def test_an_incomplete_listing_that_is_empty_is_incomplete_first() -> None:
    assert pulled(facts({"is_complete": False, "listed": 0})) == {BrakeName.INCOMPLETE_LISTING}


def test_a_delta_may_be_empty() -> None:
    assert pulled(facts({"listed": 0, "is_delta": True})) == set()
