"""Every row of the change matrix is played under every policy that may matter to it, and told as its file expects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from tests.scenarios.bisync.__main__ import difference
from tests.scenarios.bisync.office import Office, in_step
from tests.scenarios.bisync.played import look, play
from tests.scenarios.bisync.rows import POLICIES, SECTIONS, Policy, Row, rows

ROWS = rows()


def _plays() -> Iterator[Any]:
    for row in ROWS:
        for policy in row.policies:
            why = row.doubts.get(policy.name)
            marks = [pytest.mark.xfail(reason=why, raises=AssertionError, strict=True)] if why else []
            yield pytest.param(row, policy, id=f"{row.name}-{policy.name}", marks=marks)


each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


@cache
def _kept() -> dict[str, Office]:
    """The rows' offices in step: setting one up takes as long as the rest of a play."""
    return {}


async def _start(row: Row) -> Office:
    if row.name not in _kept():
        _kept()[row.name] = await in_step(row)
    return _kept()[row.name]


@pytest.mark.parametrize(("row", "policy"), list(_plays()))
async def test_row(row: Row, policy: Policy) -> None:
    outcome = await play(row, policy, await _start(row))

    assert outcome == row.expected[policy.name], "\n".join(difference(row, policy.name, outcome))


@each_row
async def test_a_certificate_before_the_run_explains_every_difference(row: Row) -> None:
    assert await look(row, await _start(row)) == row.before


@each_row
def test_a_row_has_an_outcome_for_every_policy(row: Row) -> None:
    assert set(row.expected) | set(row.doubts) == {policy.name for policy in POLICIES}
    assert not set(row.expected) & set(row.doubts)


@each_row
def test_a_policy_that_does_not_matter_has_the_outcome_of_its_stand_in(row: Row) -> None:
    pairs = [(policy.name, row.stand_in(policy).name) for policy in POLICIES]

    assert [name for name, other in pairs if row.expected.get(name) != row.expected.get(other)] == []


def test_the_matrix_has_no_row_twice() -> None:
    assert (
        len({row.given["row"] for row in ROWS})
        == len({row.given["story"] for row in ROWS})
        == len(ROWS)
        >= 50
    )
    assert {row.given["section"] for row in ROWS} == set(SECTIONS)
