"""The first meeting: every record once, never a guess, both sides alike, whatever order they come in."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.match import Matching, MatchMode, MatchRule, Said, external_key, match
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
from syncline.core.values import BLANK, FieldType, OneOf, RichText, Text, Value
from tests.core.worlds import mirror_mapping

SYNC = SyncId("s")
NAME, KIND = FieldId("name"), FieldId("kind")
FIELDS = (
    FieldSchema(NAME, "Name", FieldType.TEXT),
    FieldSchema(KIND, "Kind", FieldType.ONE_OF, options=tuple(Option(key, key) for key in "abcxyz")),
)
SCHEMA = ObjectSchema(ObjectTypeId("t"), "T", FIELDS)
MAPPINGS = (
    FieldMapping(NAME, NAME),
    FieldMapping(KIND, KIND, values=(("a", "x"), ("b", "x"), ("c", "y"), ("c", "z"))),
)
LENSES = lenses(MAPPINGS, SCHEMA, SCHEMA, ConflictPolicy.ASK)
MIRRORED = lenses([mirror_mapping(mapping) for mapping in MAPPINGS], SCHEMA, SCHEMA, ConflictPolicy.ASK)
ON_NAME = MatchRule(((NAME, NAME),))
ON_BOTH = MatchRule(((NAME, NAME), (KIND, KIND)))


def record(key: str, name: str | None = "n", kind: str | None = None, mark: str = "") -> Record:
    fields: dict[FieldId, Value] = {}
    if name is not None:
        fields[NAME] = Text(name) if name else BLANK
    if kind is not None:
        fields[KIND] = OneOf(kind)
    return Record(RecordKey(key), fields, external_key=mark)


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[Record], list[Record]]:
    """Unlinked records of both sides, with few names, some marks, and keys that may be equal on both sides."""
    out: list[list[Record]] = []
    for kinds in ("abc", "xyz"):
        numbers = draw(st.lists(st.integers(1, 6), unique=True, max_size=5))
        marks = st.sampled_from(
            ["", "", "", *(external_key(SYNC, RecordKey(str(n))) for n in (1, 2)), "other:1"]
        )
        out.append(
            [
                record(
                    str(number),
                    draw(st.sampled_from([None, "", "n", "m", " n "])),
                    draw(st.sampled_from([None, "", *kinds])),
                    draw(marks),
                )
                for number in numbers
            ]
        )
    return out[0], out[1]


rules = st.builds(MatchRule, st.sampled_from([(), ON_NAME.on, ON_BOTH.on]), st.sampled_from(list(MatchMode)))


def _pairs(found: Matching) -> set[tuple[str, str]]:
    return {(pair.left.key, pair.right.key) for pair in found.pairs}


def _questions(found: Matching) -> set[tuple[frozenset[str], frozenset[str]]]:
    return {
        (frozenset(r.key for r in asked.left), frozenset(r.key for r in asked.right))
        for asked in found.ambiguous
    }


@given(sides(), rules)
def test_each_record_appears_once(both: tuple[list[Record], list[Record]], rule: MatchRule) -> None:
    found = match(SYNC, rule, LENSES, *both)

    left = (
        [p.left for p in found.pairs] + list(found.lone_left) + [r for a in found.ambiguous for r in a.left]
    )
    right = (
        [p.right for p in found.pairs]
        + list(found.lone_right)
        + [r for a in found.ambiguous for r in a.right]
    )
    assert sorted(r.key for r in left) == sorted(r.key for r in both[0])
    assert sorted(r.key for r in right) == sorted(r.key for r in both[1])
    for side, expected in ((Side.LEFT, found.lone_left), (Side.RIGHT, found.lone_right)):
        assert found.lone(side) == expected


def _candidates(
    here: Record, others: list[Record], rule: MatchRule, made: tuple[Lens, ...], *, is_left: bool
) -> list[str]:
    """The oracle: who could be meant, written one pair of records at a time."""
    out: list[str] = []
    for other in others:
        left, right = (here, other) if is_left else (other, here)
        if right.external_key == f"s:{left.key}" or left.external_key == f"s:{right.key}":
            out.append(other.key)
            continue
        if not rule.on or rule.mode is MatchMode.CREATE_ONLY:
            continue
        ways = ("right", "left")
        if any(all(_equal(made, names, left, right, way) for names in rule.on) for way in ways):
            out.append(other.key)
    return out


def _equal(
    made: tuple[Lens, ...], names: tuple[FieldId, FieldId], left: Record, right: Record, way: str
) -> bool:
    a, b = left.fields.get(names[0], BLANK), right.fields.get(names[1], BLANK)
    if names[0] == NAME:
        return isinstance(a, Text) and isinstance(b, Text) and a.text.strip() == b.text.strip()
    there = {"a": "x", "b": "x", "c": "y"}
    back = {"x": "a", "y": "c", "z": "c"}
    if not isinstance(a, OneOf) or not isinstance(b, OneOf):
        return False
    return there.get(a.key) == b.key if way == "right" else back.get(b.key) == a.key


@given(sides(), rules)
def test_a_pair_is_never_a_guess(both: tuple[list[Record], list[Record]], rule: MatchRule) -> None:
    left, right = both
    found = match(SYNC, rule, LENSES, left, right)
    is_marked = any(r.external_key.startswith("s:") for r in (*left, *right))

    for pair in found.pairs:
        assert pair.right.key in _candidates(pair.left, right, rule, LENSES, is_left=True)
        if not is_marked:
            assert _candidates(pair.left, right, rule, LENSES, is_left=True) == [pair.right.key]
            assert _candidates(pair.right, left, rule, LENSES, is_left=False) == [pair.left.key]
    if not is_marked:
        for lone in found.lone_left:
            assert _candidates(lone, right, rule, LENSES, is_left=True) == []
        for lone in found.lone_right:
            assert _candidates(lone, left, rule, LENSES, is_left=False) == []


@given(sides(), rules)
def test_swapping_the_sides_swaps_the_matching(
    both: tuple[list[Record], list[Record]], rule: MatchRule
) -> None:
    found = match(SYNC, rule, LENSES, *both)
    mirrored = match(SYNC, rule, MIRRORED, both[1], both[0])

    assert {(b, a) for a, b in _pairs(mirrored)} == _pairs(found)
    assert {(b, a) for a, b in _questions(mirrored)} == _questions(found)
    assert {r.key for r in mirrored.lone_left} == {r.key for r in found.lone_right}


@given(sides(), rules, st.randoms(use_true_random=False))
def test_the_order_of_the_records_does_not_matter(
    both: tuple[list[Record], list[Record]], rule: MatchRule, random: Random
) -> None:
    shuffled = [list(records) for records in both]
    for records in shuffled:
        random.shuffle(records)

    found, again = match(SYNC, rule, LENSES, *both), match(SYNC, rule, LENSES, *shuffled)

    assert (_pairs(found), _questions(found)) == (_pairs(again), _questions(again))


# --- examples -------------------------------------------------------------------------------------------------------


def test_the_external_key_wins_over_the_fields() -> None:
    found = match(
        SYNC, ON_NAME, LENSES, [record("1", "n")], [record("8", "n"), record("9", "other", mark="s:1")]
    )

    assert _pairs(found) == {("1", "9")}
    assert [r.key for r in found.lone_right] == ["8"]


def test_a_mark_that_two_records_carry_is_asked_about() -> None:
    found = match(
        SYNC, MatchRule(), LENSES, [record("1")], [record("8", mark="s:1"), record("9", mark="s:1")]
    )

    assert _questions(found) == {(frozenset({"1"}), frozenset({"8", "9"}))}


def test_records_that_mark_each_other_are_one_pair() -> None:
    found = match(SYNC, MatchRule(), LENSES, [record("1", mark="s:9")], [record("9", mark="s:1")])

    assert [pair.by for pair in found.pairs] == ["external key"]


def test_a_chain_of_marks_is_asked_about() -> None:
    left, right = [record("1"), record("2", mark="s:9")], [record("9", mark="s:1")]

    assert _questions(match(SYNC, ON_NAME, LENSES, left, right)) == {
        (frozenset({"1", "2"}), frozenset({"9"}))
    }


def test_a_mark_of_another_sync_says_nothing() -> None:
    found = match(SYNC, MatchRule(), LENSES, [record("1")], [record("9", mark="other:1")])

    assert _pairs(found) == set()


def test_blank_unseen_and_untranslatable_keys_match_nothing() -> None:
    left = [record("1", ""), record("2", None), record("3", "n", ""), record("4", "n", "z")]
    right = [record("1", ""), record("2", None), record("3", "n", ""), record("4", "n", "q")]

    found = match(SYNC, ON_BOTH, LENSES, left, right)

    assert (found.pairs, found.ambiguous) == ((), ())


def test_many_to_one_keys_match_by_what_they_mean() -> None:
    found = match(
        SYNC,
        ON_BOTH,
        LENSES,
        [record("1", "n", "b"), record("2", "m", "c")],
        [record("8", "n", "x"), record("9", "m", "z")],
    )

    assert _pairs(found) == {("1", "8"), ("2", "9")}


def test_a_line_that_goes_left_only_matches_too() -> None:
    body = FieldSchema(FieldId("body"), "Body", FieldType.RICH_TEXT)
    left, right = (
        ObjectSchema(ObjectTypeId("l"), "L", (FIELDS[0],)),
        ObjectSchema(ObjectTypeId("r"), "R", (body,)),
    )
    mapping = FieldMapping(NAME, body.id, Direction.TO_LEFT)
    made = lenses([mapping], left, right, ConflictPolicy.ASK)
    rich = Record(RecordKey("9"), {body.id: RichText("<p>n</p>")})

    assert _pairs(match(SYNC, MatchRule(((NAME, body.id),)), made, [record("1", "n")], [rich])) == {
        ("1", "9")
    }


def test_create_only_trusts_nothing_but_marks() -> None:
    rule = MatchRule(ON_NAME.on, MatchMode.CREATE_ONLY)

    found = match(
        SYNC, rule, LENSES, [record("1"), record("2", "m")], [record("8"), record("9", "m", mark="s:2")]
    )

    assert _pairs(found) == {("2", "9")}
    assert [r.key for r in found.lone_left] == ["1"]


def test_the_same_key_on_both_sides_means_nothing() -> None:
    found = match(SYNC, MatchRule(), LENSES, [record("1")], [record("1")])

    assert (len(found.lone_left), len(found.lone_right)) == (1, 1)


def test_records_kept_apart_are_told_by_their_own_sides_keys() -> None:
    left, right = [record("1"), record("2")], [record("11"), record("12")]
    apart = frozenset({(RecordKey("1"), RecordKey("12")), (RecordKey("2"), RecordKey("11"))})

    found = match(SYNC, ON_NAME, LENSES, left, right, Said(apart=apart))

    assert {(pair.left.key, pair.right.key) for pair in found.pairs} == {("1", "11"), ("2", "12")}
    assert found.ambiguous == ()


def test_a_group_hangs_together_through_records_of_either_side() -> None:
    left, right = [record("1"), record("2"), record("3")], [record("11"), record("12")]
    apart = frozenset({(RecordKey("1"), RecordKey("12")), (RecordKey("3"), RecordKey("11"))})

    found = match(SYNC, ON_NAME, LENSES, left, right, Said(apart=apart))

    assert found.pairs == ()
    (question,) = found.ambiguous
    assert ([r.key for r in question.left], [r.key for r in question.right]) == (
        ["1", "2", "3"],
        ["11", "12"],
    )


def test_key_fields_that_no_line_joins_are_compared_as_they_are() -> None:
    found = match(SYNC, ON_NAME, (), [record("1"), record("2", "other")], [record("3")])

    assert [(pair.left.key, pair.right.key) for pair in found.pairs] == [("1", "3")]
    assert [r.key for r in found.lone_left] == ["2"]
