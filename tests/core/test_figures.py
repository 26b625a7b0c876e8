"""Figures of several clients together."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from syncline.core.figures import Figures, together, written

_NAMES = st.sampled_from(["a", "b", "c"])
_COUNTS = st.dictionaries(_NAMES, st.integers(0, 9))
_AMOUNTS = st.decimals(-1000, 1000, places=2).map(written)
_FIGURES = st.builds(
    Figures,
    projects=_COUNTS,
    contracts=_COUNTS,
    values=st.dictionaries(_NAMES, st.dictionaries(_NAMES, _AMOUNTS)),
    documents=st.integers(0, 9),
    percents=st.integers(0, 900),
    milestones=_COUNTS,
)


@given(st.lists(_FIGURES), st.randoms(use_true_random=False))
def test_the_order_does_not_matter(several: list[Figures], random: object) -> None:
    shuffled = sorted(several, key=lambda _: random.random())  # pyright: ignore[reportAttributeAccessIssue] - Hypothesis's own

    assert together(shuffled) == together(several)


@given(st.lists(_FIGURES), st.lists(_FIGURES))
def test_parts_together_are_all_together(some: list[Figures], others: list[Figures]) -> None:
    assert together([together(some), together(others)]) == together([*some, *others])


def test_nothing_together_is_nothing() -> None:
    assert together([]) == Figures()
    assert Figures().progress is None


def test_amounts_are_added_exactly() -> None:
    one, other = (Figures(values={"draft": {"EUR": amount}}) for amount in ("0.1", "0.2"))

    assert together([one, other]).values == {"draft": {"EUR": "0.3"}}
    assert [written(Decimal(each)) for each in ("12.50", "100", "-0.10")] == ["12.5", "100", "-0.1"]
    assert Figures(documents=3, percents=100).progress == 33.3
