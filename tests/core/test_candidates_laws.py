"""Candidates: the same from either side, whatever the order; never a pair that is kept apart; equal keys always first."""

from __future__ import annotations

import datetime as dt
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from syncline.core.candidates import Candidate, Reach, candidates
from syncline.core.mapping import ConflictPolicy, FieldMapping, lenses
from syncline.core.match import MatchMode, MatchRule, Said, external_key, match
from syncline.core.records import (
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Option,
    Record,
    RecordKey,
    Side,
    SyncId,
)
from syncline.core.values import BLANK, Day, FieldType, ManyOf, OneOf, RichText, Text, Value
from tests.core.worlds import mirror_mapping

SYNC = SyncId("s")
NAME, BODY, DUE, KIND, TAGS = (FieldId(name) for name in ("name", "body", "due", "kind", "tags"))
OPTIONS = tuple(Option(key, key) for key in "abcxyz")
LEFT = ObjectSchema(
    ObjectTypeId("l"),
    "L",
    (
        FieldSchema(NAME, "Name", FieldType.TEXT),
        FieldSchema(BODY, "Body", FieldType.RICH_TEXT),
        FieldSchema(DUE, "Due", FieldType.DAY),
        FieldSchema(KIND, "Kind", FieldType.ONE_OF, options=OPTIONS),
        FieldSchema(TAGS, "Tags", FieldType.MANY_OF, is_open=True),
    ),
)
RIGHT = ObjectSchema(
    ObjectTypeId("r"), "R", (*LEFT.fields[:1], FieldSchema(BODY, "Body", FieldType.TEXT), *LEFT.fields[2:])
)
MAPPINGS = (
    FieldMapping(NAME, NAME),
    FieldMapping(BODY, BODY, is_lossy=True),
    FieldMapping(DUE, DUE),
    FieldMapping(KIND, KIND, values=(("a", "x"), ("b", "x"), ("c", "y"), ("c", "z")), is_lossy=True),
    FieldMapping(TAGS, TAGS),
)
LENSES = lenses(MAPPINGS, LEFT, RIGHT, ConflictPolicy.ASK)
MIRRORED = lenses([mirror_mapping(mapping) for mapping in MAPPINGS], RIGHT, LEFT, ConflictPolicy.ASK)
ON_NAME = MatchRule(((NAME, NAME),))

NAMES = (
    "",
    "Paint the fence",
    "paint the fence!",
    "The fence: paint",
    "Paint teh fence",
    "Print the fans",
    "Roof",
)


@st.composite
def records(draw: st.DrawFn, side: Side) -> list[Record]:
    """Unlinked records of one side: few names, some alike; some marks; every field may be unseen."""
    body = (RichText, "<p>{}</p>") if side is Side.LEFT else (Text, "{}")
    values: dict[FieldId, st.SearchStrategy[Value]] = {
        NAME: st.sampled_from([Text(name) for name in NAMES]),
        BODY: st.sampled_from([BLANK, *(body[0](body[1].format(text)) for text in ("one two", "two three"))]),
        DUE: st.sampled_from([BLANK, Day(dt.date(2026, 3, 1)), Day(dt.date(2026, 4, 1))]),
        KIND: st.sampled_from([BLANK, *(OneOf(key) for key in ("abc" if side is Side.LEFT else "xyz"))]),
        TAGS: st.sampled_from([BLANK, ManyOf(("red", "blue")), ManyOf(("blue",)), ManyOf(("blue", "red"))]),
    }
    marks = st.sampled_from(["", "", "", external_key(SYNC, RecordKey("1"))])
    return [
        Record(
            RecordKey(str(number)),
            {name: draw(one) for name, one in values.items() if draw(st.integers(0, 4))},
            title=draw(st.sampled_from(NAMES)),
            external_key=draw(marks),
        )
        for number in draw(st.lists(st.integers(1, 9), unique=True, max_size=6))
    ]


both_sides = st.tuples(records(Side.LEFT), records(Side.RIGHT))
rules = st.sampled_from([MatchRule(), ON_NAME, MatchRule(((NAME, NAME), (KIND, KIND)))])
numbers = st.integers(1, 9).map(lambda number: RecordKey(str(number)))
apart = st.frozensets(st.tuples(numbers, numbers), max_size=8).map(lambda pairs: Said(apart=pairs))
reaches = st.builds(Reach, st.integers(1, 3), st.sampled_from([0.0, 0.4, 0.8]), st.integers(1, 4))

Found = dict[tuple[str, str], tuple[float, str]]


def scores(found: tuple[Candidate, ...], *, is_mirrored: bool = False) -> Found:
    """Score and certainty by pair."""
    return {
        ((each.right, each.left) if is_mirrored else (each.left, each.right)): (each.score, each.by)
        for each in found
    }


def mirrored(rule: MatchRule, said: Said) -> tuple[MatchRule, Said]:
    """The same from the other side."""
    on = tuple((right, left) for left, right in rule.on)
    return MatchRule(on, rule.mode), Said(apart=frozenset((right, left) for left, right in said.apart))


@given(both_sides, rules, apart, reaches)
def test_swapping_the_sides_changes_no_score(
    both: tuple[list[Record], list[Record]], rule: MatchRule, said: Said, reach: Reach
) -> None:
    found = candidates(SYNC, rule, LENSES, both[0], both[1], said, reach)
    other_rule, other_said = mirrored(rule, said)
    swapped = candidates(SYNC, other_rule, MIRRORED, both[1], both[0], other_said, reach)

    assert scores(swapped, is_mirrored=True) == scores(found)


@given(both_sides, rules, apart, st.randoms(use_true_random=False))
def test_the_order_of_the_records_changes_nothing(
    both: tuple[list[Record], list[Record]], rule: MatchRule, said: Said, random: Random
) -> None:
    shuffled = [list(each) for each in both]
    for each in shuffled:
        random.shuffle(each)

    assert candidates(SYNC, rule, LENSES, shuffled[0], shuffled[1], said) == candidates(
        SYNC, rule, LENSES, *both, said
    )


@given(both_sides, rules, apart)
def test_records_kept_apart_are_no_candidates_and_never_matched(
    both: tuple[list[Record], list[Record]], rule: MatchRule, said: Said
) -> None:
    found = candidates(SYNC, rule, LENSES, *both, said, Reach(least=0.0))
    matched = match(SYNC, rule, LENSES, *both, said)

    assert not {(each.left, each.right) for each in found} & said.apart
    assert not {(pair.left.key, pair.right.key) for pair in matched.pairs} & said.apart


@given(both_sides, rules, apart)
def test_nothing_is_linked_by_itself_that_is_not_certain(
    both: tuple[list[Record], list[Record]], rule: MatchRule, said: Said
) -> None:
    wide = Reach(each=9, least=0.0, compared=9)
    found = scores(candidates(SYNC, rule, LENSES, *both, said, wide))

    for pair in match(SYNC, rule, LENSES, *both, said).pairs:
        assert found[pair.left.key, pair.right.key][1]


@given(both_sides, rules)
def test_scores_are_shares_and_certain_pairs_come_first(
    both: tuple[list[Record], list[Record]], rule: MatchRule
) -> None:
    found = candidates(SYNC, rule, LENSES, *both, Said(), Reach(least=0.0))

    assert all(0 <= each.score <= 1 for each in found)
    ranks = [(not each.by, -each.score) for each in found]
    assert ranks == sorted(ranks)
    for each in found:
        told = [reason.likeness for reason in each.reasons]
        assert each.score < 1 or all(likeness == 1 for likeness in told)
        assert each.score > 0 or not any(told)


@given(both_sides, rules, apart)
def test_a_question_is_about_records_that_are_candidates(
    both: tuple[list[Record], list[Record]], rule: MatchRule, said: Said
) -> None:
    found = candidates(SYNC, rule, LENSES, *both, said, Reach(each=9, compared=9))
    sure = {(side, each.of(side)) for each in found if each.by for side in Side}

    for asked in match(SYNC, rule, LENSES, *both, said).ambiguous:
        for side, group in ((Side.LEFT, asked.left), (Side.RIGHT, asked.right)):
            assert {(side, record.key) for record in group} <= sure


# --- examples -------------------------------------------------------------------------------------------------------


def task(key: str, name: str, **more: Value) -> Record:
    """A record with a title."""
    fields = {FieldId(field): value for field, value in more.items()}
    return Record(RecordKey(key), {NAME: Text(name), **fields}, title=name)


def test_each_reason_says_how_alike_a_line_is() -> None:
    left = task(
        "1", "Paint the fence", due=Day(dt.date(2026, 3, 1)), kind=OneOf("a"), tags=ManyOf(("a", "b"))
    )
    right = task("9", "Paint teh fence", due=Day(dt.date(2026, 3, 1)), kind=OneOf("y"), tags=ManyOf(("b",)))
    left = Record(left.key, {**left.fields, BODY: RichText("<p>with care</p>")}, title=left.title)
    right = Record(right.key, {**right.fields, BODY: BLANK}, title=right.title)

    (found,) = candidates(SYNC, MatchRule(), LENSES, [left], [right])

    assert {reason.line: reason.text for reason in found.reasons} == {
        "name ↔ name": "93 % alike",
        "body ↔ body": "only on the left",
        "due ↔ due": "equal",
        "kind ↔ kind": "differs",
        "tags ↔ tags": "50 % alike",
    }
    # (4 × 0.9333 + 1 + 0 + 0.5) / (4 + half of 2 + 1 + 0.5 + 1)
    assert found.score == 0.6978
    assert found.by == ""


def test_equal_keys_are_named_and_shown_whatever_the_score() -> None:
    left = task("1", "Roof", due=Day(dt.date(2026, 3, 1)), kind=OneOf("a"))
    right = task("9", "Roof", due=Day(dt.date(2026, 4, 1)), kind=OneOf("y"))

    (found,) = candidates(SYNC, ON_NAME, LENSES, [left], [right], Said(), Reach(least=0.99))

    assert found.by == "key fields"
    assert found.score < 0.99


def test_an_external_key_is_more_than_equal_fields() -> None:
    left, right = task("1", "Roof"), task("9", "Roof")
    marked = Record(right.key, right.fields, title="Roof", external_key="s:1")

    assert [each.by for each in candidates(SYNC, ON_NAME, LENSES, [left], [marked])] == ["external key"]


def test_the_title_counts_where_no_line_holds_it() -> None:
    left = Record(RecordKey("1"), {DUE: Day(dt.date(2026, 3, 1))}, title="Paint the fence")
    right = Record(RecordKey("9"), {DUE: Day(dt.date(2026, 3, 1))}, title="Paint the fence")

    (found,) = candidates(SYNC, MatchRule(), LENSES, [left], [right])

    assert [reason.line for reason in found.reasons] == ["title", "due ↔ due"]
    assert found.score == 1.0


def test_words_in_another_order_are_nearly_the_same() -> None:
    (found,) = candidates(SYNC, MatchRule(), LENSES, [task("1", "Fence, paint")], [task("9", "Paint fence")])

    assert found.score == 0.99
    assert found.reasons[0].text == "99 % alike"


def test_every_record_gets_its_best_few() -> None:
    left = [task("1", "Paint the fence")]
    right = [task(str(number), f"Paint the fence {'x' * number}") for number in range(2, 9)]

    found = candidates(SYNC, MatchRule(), LENSES, left, right, Said(), Reach(each=1, compared=9))

    # The left record's best is one; but each right record has no better one than this.
    assert next(each.right for each in found) == "2"
    assert {each.left for each in found} == {"1"}


def test_a_thousand_equal_names_stay_within_bounds() -> None:
    left = [task(f"l{number}", "Task") for number in range(300)]
    right = [task(f"r{number}", "Task") for number in range(300)]

    found = candidates(SYNC, ON_NAME, LENSES, left, right)

    assert 300 <= len(found) <= 2 * 300 * Reach().compared
    assert {each.by for each in found} == {"key fields"}


def test_a_record_that_is_to_be_copied_is_nobodys_by_its_fields() -> None:
    left, right = [task("1", "Roof")], [task("8", "Roof"), task("9", "Roof")]
    said = Said(copies=frozenset({(Side.LEFT, RecordKey("1"), "s-1")}))

    found = match(SYNC, ON_NAME, LENSES, left, right, said)

    assert (found.pairs, found.ambiguous) == ((), ())
    assert [record.key for record in found.lone_left] == ["1"]


def test_keeping_one_apart_makes_the_other_pair_certain() -> None:
    left, right = [task("1", "Roof")], [task("8", "Roof"), task("9", "Roof")]
    said = Said(apart=frozenset({(RecordKey("1"), RecordKey("8"))}))

    found = match(SYNC, ON_NAME, LENSES, left, right, said)

    assert [(pair.left.key, pair.right.key) for pair in found.pairs] == [("1", "9")]
    assert [record.key for record in found.lone_right] == ["8"]


def test_keeping_apart_holds_for_marks_too() -> None:
    left, right = [task("1", "Roof")], [Record(RecordKey("9"), {}, external_key="s:1")]
    said = Said(apart=frozenset({(RecordKey("1"), RecordKey("9"))}))

    assert match(SYNC, MatchRule((), MatchMode.MATCH_ONLY), LENSES, left, right, said).pairs == ()


def test_a_group_falls_apart_into_what_still_hangs_together() -> None:
    left = [task("1", "Roof"), task("2", "Roof")]
    right = [task("8", "Roof"), task("9", "Roof")]
    pairs = frozenset({(RecordKey("1"), RecordKey("9")), (RecordKey("2"), RecordKey("8"))})

    found = match(SYNC, ON_NAME, LENSES, left, right, Said(apart=pairs))

    assert {(pair.left.key, pair.right.key) for pair in found.pairs} == {("1", "8"), ("2", "9")}
