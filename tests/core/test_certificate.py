"""Laws of the certificate: its sums come out, its fingerprint sees meaning and nothing else, and it agrees with merge."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Mapping
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.certificate import (
    Certificate,
    Fingerprint,
    Lines,
    Listing,
    Records,
    moved_branches,
    stable,
    summed,
)
from syncline.core.comparison import (
    Asked,
    Cause,
    Knowledge,
    Lone,
    Whereabouts,
    asked_cause,
    half_cause,
    lone_cause,
)
from syncline.core.decisions import Rule
from syncline.core.memory import Standing
from syncline.core.records import Base, RecordKey, SyncId
from syncline.core.values import BLANK, FieldType, Number, Text, Value, canonical, same
from tests.core.strategies import values_of

AT = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
counts = st.integers(min_value=0, max_value=9)
causes = st.dictionaries(st.sampled_from(Cause), st.integers(min_value=1, max_value=9))


def _lines(equal: int, by_cause: Mapping[Cause, int]) -> Lines:
    return Lines(equal + sum(by_cause.values()), equal, by_cause)


@given(counts, causes, st.integers(min_value=-3, max_value=3).filter(bool))
def test_a_count_that_does_not_add_up_cannot_be_made(good: int, by_cause: dict[Cause, int], off: int) -> None:
    total = good + sum(by_cause.values())

    for kind, what in ((Records, "records"), (Lines, "fields")):
        assert kind(total, good, by_cause).total == total
        told = f"^{total + off} {what} are not {good} and {total - good}$"
        with pytest.raises(ValueError, match=told):
            kind(total + off, good, by_cause)


@given(st.integers(min_value=1, max_value=9))
def test_no_count_is_negative(count: int) -> None:
    with pytest.raises(ValueError, match="are not"):
        Records(0, count, {Cause.PENDING: -count})


@given(st.lists(st.tuples(counts, causes), max_size=5))
def test_lines_sum_to_the_fields(each: list[tuple[int, dict[Cause, int]]]) -> None:
    lines = [_lines(*one) for one in each]

    total = summed(lines)

    assert total.total == sum(line.total for line in lines)
    assert total.equal == sum(line.equal for line in lines)
    for cause in Cause:
        assert total.causes.get(cause, 0) == sum(line.causes.get(cause, 0) for line in lines)


def _certificate(**changed: object) -> Certificate:
    lines = {"a ↔ b": Lines(2, 1, {Cause.UNEXPLAINED: 1}), "c ↔ d": Lines(2, 2)}
    listing = Listing(AT, is_complete=True)
    parts: dict[str, object] = {
        "sync": SyncId("tickets"),
        "run": None,
        "at": AT,
        "mapping": "m",
        "filter": "f",
        "version": 0,
        "listings": (listing, listing),
        "left": Records(3, 2, {Cause.UNEXPLAINED: 1}),
        "right": Records(2, 2),
        "links": Records(2, 2),
        "fields": summed(lines.values()),
        "lines": lines,
        "branches": Fingerprint().branches,
        "digest": Fingerprint().digest,
    }
    return Certificate(**{**parts, **changed})  # pyright: ignore[reportArgumentType] - parts by name


def test_a_certificate_counts_what_is_unexplained_everywhere() -> None:
    assert (_certificate().unexplained, _certificate().differences) == (2, 1)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"left": Records(1, 1)}, "2 pairs were compared, 1 left, 2 right"),
        ({"right": Records(3, 3)}, "2 pairs were compared, 2 left, 3 right"),
        ({"links": Records(1, 1)}, "1 pairs were compared, 2 left, 2 right"),
        ({"fields": Lines(4, 4)}, "the fields are not the sum of the lines"),
        ({"lines": {"a ↔ b": Lines(1, 1)}}, "a line was not compared in each of 2 pairs"),
    ],
)
def test_a_certificate_whose_sums_do_not_come_out_cannot_be_made(
    changed: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        _certificate(**changed)


def test_two_certificates_say_in_how_many_parts_they_differ() -> None:
    branches = _certificate().branches
    other = _certificate(branches=("x", *branches[1:-1], "y"))

    assert moved_branches(_certificate(), _certificate()) == 0
    assert moved_branches(_certificate(), other) == moved_branches(other, _certificate()) == 2
    with pytest.raises(ValueError, match="zip"):
        moved_branches(_certificate(), _certificate(branches=branches[:-1]))


def test_a_certificate_survives_its_json() -> None:
    made = _certificate()

    assert msgspec.json.decode(msgspec.json.encode(made), type=Certificate) == made


# --- the fingerprint ------------------------------------------------------------------------------------------------

any_value = st.sampled_from(FieldType).flatmap(values_of)


@given(any_value, any_value)
def test_values_have_the_same_text_just_when_they_mean_the_same(a: Value, b: Value) -> None:
    assert (stable(canonical(a)) == stable(canonical(b))) == same(a, b)


@given(st.sampled_from(FieldType).flatmap(lambda kind: st.tuples(values_of(kind), values_of(kind))))
def test_values_of_one_type_too(pair: tuple[Value, Value]) -> None:
    assert (stable(canonical(pair[0])) == stable(canonical(pair[1]))) == same(*pair)


@given(st.lists(st.tuples(any_value, st.none() | any_value), max_size=4), st.randoms())
def test_the_order_of_pairs_does_not_matter(values: list[tuple[Value, Value | None]], dice: object) -> None:
    pairs = [(RecordKey(str(number)), RecordKey(f"r{number}"), [each]) for number, each in enumerate(values)]
    shuffled = list(reversed(pairs))
    one, other = Fingerprint(), Fingerprint()
    for left, right, held in pairs:
        one.add(left, right, held)
    for left, right, held in shuffled:
        other.add(left, right, held)

    assert (one.branches, one.digest) == (other.branches, other.digest)


def test_a_pair_that_is_missing_or_doubled_shows() -> None:
    digests: list[str] = []
    for times in range(3):
        print_ = Fingerprint()
        for _ in range(times):
            print_.add(RecordKey("1"), RecordKey("2"), [])
        digests.append(print_.digest)

    assert len(set(digests)) == 3


def test_a_fingerprint_is_the_same_in_every_version() -> None:
    made = Fingerprint()
    made.add(RecordKey("1"), RecordKey("9"), [(Text("Roof"), Text("roof")), (BLANK, None)])
    made.add(RecordKey("2"), RecordKey("8"), [(Number(Decimal("1.50")), Text("\ud800"))])
    empty = Fingerprint().branches

    assert set(empty) == {"66687aadf862bd776c8fc18b8e9f8e20"}
    assert {at: part for at, part in enumerate(made.branches) if part != empty[at]} == {
        40: "4dca48bc49e866125c89b7cc630639a0",
        44: "c11d453334407f2a715cdc3cbb01df85",
    }
    assert made.digest == "9e8dd1cf147ed604ad2e228f3e045cb107a6c61ae462a7642681659694d71a61"


def test_each_branch_holds_the_pairs_whose_keys_name_it() -> None:
    one, both = Fingerprint(), Fingerprint()
    one.add(RecordKey("1"), RecordKey("9"), [])
    for number in range(200):
        both.add(RecordKey(str(number)), RecordKey("9"), [])

    assert len(set(one.branches)) == 2
    assert len(set(both.branches)) > 50


@pytest.mark.usefixtures("far_west")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1.50"), "15e-1"),
        (Decimal("1.5"), "15e-1"),
        (Decimal("-0.050"), "-5e-2"),
        (Decimal("1e3"), "1e3"),
        (Decimal(1000), "1e3"),
        (Decimal(102), "102e0"),
        (Decimal("-0.00"), "0"),
        (Decimal("9" * 40), f"{'9' * 40}e0"),
        (Decimal("NaN"), "NaN"),
        (Decimal("-Infinity"), "-Infinity"),
        (dt.datetime(2026, 3, 2, 1, tzinfo=dt.timezone(dt.timedelta(hours=2))), "2026-03-01T23:00:00+00:00"),
        (dt.date(2026, 3, 2), "datetime.date(2026, 3, 2)"),
        (("a", None, frozenset({"c", "b", 1})), "('a',None,{'b','c',1})"),
        ("it's", '"it\'s"'),
    ],
)
def test_a_normal_form_has_one_text(value: Hashable, text: str) -> None:
    assert stable(value) == text


# --- records in no pair ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lone", "expected"),
    [
        (Lone(None), Cause.PENDING),
        (Lone(Standing.WAITING, is_gone=True), Cause.UNSEEN),
        (Lone(Standing.RELEASED, is_parked=True), Cause.EXCLUDED),
        (Lone(Standing.WAITING, is_unclear=True, is_parked=True), Cause.PENDING),
        (Lone(Standing.WAITING, Asked(Rule.AMBIGUOUS)), Cause.NO_COUNTERPART),
        (Lone(Standing.WAITING, Asked(Rule.AMBIGUOUS, is_answered=True)), Cause.PENDING),
        (Lone(Standing.WAITING, is_parked=True, may_be_copied=False), Cause.PARKED),
        (Lone(Standing.WAITING, may_be_copied=False), Cause.EXCLUDED),
        (Lone(Standing.WAITING, is_due=True), Cause.PENDING),
        (Lone(Standing.WAITING), Cause.UNEXPLAINED),
        (Lone(Standing.LINKED), Cause.UNEXPLAINED),
    ],
)
def test_a_lone_record_has_one_cause(lone: Lone, expected: Cause) -> None:
    assert lone_cause(lone) is expected


@pytest.mark.parametrize(
    ("places", "known", "expected"),
    [
        ((Whereabouts.GONE,), Lone(Standing.LINKED, is_due=True), Cause.PENDING),
        ((Whereabouts.GONE,), Lone(Standing.LINKED), Cause.UNEXPLAINED),
        ((Whereabouts.LOST,), Lone(Standing.LINKED), Cause.PENDING),
        ((Whereabouts.OUTSIDE, Whereabouts.GONE), Lone(Standing.LINKED), Cause.EXCLUDED),
        ((Whereabouts.UNKNOWN,), Lone(Standing.LINKED), Cause.UNSEEN),
        ((Whereabouts.GONE,), Lone(Standing.LINKED, Asked(Rule.DELETED_ASK)), Cause.CONFLICT),
        (
            (Whereabouts.GONE,),
            Lone(Standing.LINKED, Asked(Rule.DELETED_ASK, is_answered=True)),
            Cause.PENDING,
        ),
        ((Whereabouts.GONE,), Lone(Standing.LINKED, is_parked=True), Cause.PARKED),
        ((Whereabouts.GONE,), Lone(Standing.LINKED, is_unclear=True), Cause.PENDING),
    ],
)
def test_half_a_pair_has_one_cause(places: tuple[Whereabouts, ...], known: Lone, expected: Cause) -> None:
    assert half_cause((Whereabouts.HERE, *places), known) is expected


def test_a_question_about_a_choice_is_a_conflict_and_any_other_a_missing_counterpart() -> None:
    found = {rule: asked_cause(rule) for rule in Rule if rule.is_question}

    assert {rule for rule, cause in found.items() if cause is Cause.CONFLICT} == {
        Rule.CONFLICT,
        Rule.DELETED_ASK,
    }


def test_nothing_is_known_of_a_pair_by_itself() -> None:
    assert list(Knowledge(Base({}, {})).told("a ↔ b")) == []


@pytest.mark.parametrize("cause", list(Cause))
def test_every_cause_is_a_sentence(cause: Cause) -> None:
    assert cause.sentence.endswith(".")
