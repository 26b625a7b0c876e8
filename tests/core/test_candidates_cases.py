"""Which records are compared at all, how a pair's score comes about, and who is among whose best."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from syncline.core.candidates import Candidate, Reach, Reason, candidates
from syncline.core.mapping import ConflictPolicy, FieldMapping, Lens, lenses
from syncline.core.match import MatchRule, Said
from syncline.core.records import (
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Record,
    RecordKey,
    Side,
)
from syncline.core.values import BLANK, Day, FieldType, ManyOf, OneOf, RichText, Text, Value, YesNo
from tests.core.test_candidates_laws import BODY, DUE, KIND, LENSES, NAME, ON_NAME, SYNC, TAGS, task

EVERYTHING = Reach(each=99, least=0.0, compared=99)
ON_KIND = MatchRule(((KIND, KIND),))
NOTHING = MatchRule()


def untitled(key: str, fields: Mapping[FieldId, Value]) -> Record:
    """A record that shows no title."""
    return Record(RecordKey(key), fields)


def pairs(found: Sequence[Candidate]) -> list[tuple[str, str]]:
    """Who is whose candidate."""
    return [(each.left, each.right) for each in found]


def found(
    left: Sequence[Record],
    right: Sequence[Record],
    rule: MatchRule = NOTHING,
    reach: Reach = EVERYTHING,
    made: Sequence[Lens] = LENSES,
) -> tuple[Candidate, ...]:
    """The candidates among them."""
    return candidates(SYNC, rule, made, left, right, Said(), reach)


def likeness(left: Mapping[FieldId, Value], right: Mapping[FieldId, Value]) -> dict[str, str]:
    """What the lines of two records of one title say."""
    one, other = (Record(RecordKey("1"), fields, title="Roof") for fields in (left, right))
    (pair,) = found([one], [other])
    return {reason.line.partition(" ")[0]: reason.text for reason in pair.reasons}


# --- who is compared ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "is_met"),
    [
        ("abcq", "xabcz", True),
        ("abc", "xyabc", True),
        ("abq", "xyq", False),
        ("ab", "abq", False),
        ("ab", "ab", True),
        ("ab xyz", "ab qqq", True),
    ],
)
def test_titles_that_share_three_letters_or_a_word_are_compared(one: str, other: str, is_met: bool) -> None:
    left, right = (Record(RecordKey("1"), {}, title=title) for title in (one, other))

    assert bool(found([left], [right])) is is_met


def test_letters_are_looked_at_in_key_fields_and_words_in_all() -> None:
    def met(name: FieldId, rule: MatchRule, one: str, other: str) -> bool:
        return bool(found([untitled("1", {name: Text(one)})], [untitled("9", {name: Text(other)})], rule))

    assert met(NAME, ON_NAME, "fencepost", "fenceposts")
    assert not met(NAME, NOTHING, "fencepost", "fenceposts")
    assert met(NAME, NOTHING, "a fence", "fence post")
    assert not met(NAME, NOTHING, "wall", "roof")


def test_values_that_are_no_texts_bring_nobody_together() -> None:
    left, right = untitled("1", {KIND: OneOf("a")}), untitled("9", {KIND: OneOf("x")})

    assert found([left], [right]) == ()
    assert pairs(found([left], [right], ON_KIND)) == [("1", "9")]


@pytest.mark.parametrize(("count", "is_met"), [(64, True), (65, False)])
def test_what_too_many_share_brings_nobody_together(count: int, is_met: bool) -> None:
    crowd = [Record(RecordKey(f"{number:03}"), {}, title="Roof") for number in range(count)]

    assert bool(found(crowd, crowd)) is is_met
    assert found(crowd[:1], crowd), "on this side the word is rare"


def test_records_are_compared_with_those_that_share_the_most() -> None:
    left = [untitled("1", {NAME: Text("aa bb")}), untitled("2", {NAME: Text("cc dd ee")})]
    right = [untitled("8", {NAME: Text("aa cc dd ee")}), untitled("9", {NAME: Text("aa bb")})]

    some = found(left, right, reach=Reach(least=0.0, compared=1))

    assert sorted(pairs(some)) == [("1", "9"), ("2", "8")]


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    left = [untitled("1", {NAME: Text("aa rare")}), *(untitled(key, {NAME: Text("aa")}) for key in "234")]
    right = [untitled(key, {NAME: Text("aa")}) for key in "5678"] + [untitled("9", {NAME: Text("rare")})]

    some = found(left, right, reach=Reach(least=0.0, compared=1))

    assert ("1", "9") in pairs(some)
    assert ("1", "5") in pairs(some), "the record there has nobody nearer"
    assert ("1", "6") in pairs(some)


def test_of_those_that_share_a_key_the_most_alike_are_compared() -> None:
    def record(key: str, kind: str, words: str) -> Record:
        return untitled(key, {KIND: OneOf(kind), NAME: Text(words)})

    left, right = (
        [record("1", "a", "aa bb"), record("2", "a", "cc dd")],
        [
            record("8", "x", "cc dd"),
            record("9", "x", "aa bb"),
        ],
    )

    some = found(left, right, ON_KIND, Reach(least=0.0, compared=1))

    assert sorted(pairs(some)) == [("1", "9"), ("2", "8")]


def test_a_shared_key_brings_together_before_any_words_do() -> None:
    left = [untitled("1", {KIND: OneOf("a"), NAME: Text("aa bb")}), untitled("2", {KIND: OneOf("c")})]
    right = [untitled("8", {KIND: OneOf("y"), NAME: Text("aa bb")}), untitled("9", {KIND: OneOf("x")})]

    some = found(left, right, ON_KIND, Reach(least=0.0, compared=1))

    assert sorted(pairs(some)) == [("1", "9"), ("2", "8")]


def test_of_a_crowd_with_one_key_the_first_by_their_keys_are_compared() -> None:
    left, right = ([task(f"{side}{number:02}", "Roof") for number in range(70)] for side in "lr")

    some = candidates(SYNC, ON_NAME, LENSES, left[::-1], right[::-1])

    assert {each.left for each in some if each.right == "r00"} == {record.key for record in left}
    assert {each.right for each in some if each.left == "l00"} == {record.key for record in right}


# --- how alike ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ({KIND: OneOf("a")}, {KIND: OneOf("x")}, "equal"),
        ({KIND: OneOf("b")}, {KIND: OneOf("x")}, "equal"),
        ({KIND: OneOf("c")}, {KIND: OneOf("z")}, "equal"),
        ({KIND: OneOf("a")}, {KIND: OneOf("y")}, "differs"),
        ({KIND: OneOf("x")}, {KIND: OneOf("x")}, "differs"),
        ({KIND: OneOf("a")}, {KIND: OneOf("b")}, "differs"),
        ({KIND: BLANK}, {KIND: OneOf("x")}, "only on the right"),
        ({KIND: OneOf("a")}, {KIND: BLANK}, "only on the left"),
        ({KIND: OneOf("x")}, {KIND: BLANK}, "only on the left"),
        ({KIND: BLANK}, {KIND: OneOf("a")}, "only on the right"),
        ({TAGS: ManyOf(("red", "blue"))}, {TAGS: ManyOf(("blue", "green", "red", "x"))}, "50 % alike"),
        ({TAGS: ManyOf(("red", ""))}, {TAGS: ManyOf(("blue",))}, "differs"),
        ({TAGS: ManyOf(("red", ""))}, {TAGS: ManyOf(("red", "blue"))}, "50 % alike"),
        ({BODY: RichText("<p>one <b>two</b></p>")}, {BODY: Text("One: two!")}, "99 % alike"),
        ({BODY: RichText("<p>abcd</p>")}, {BODY: Text("abcx")}, "75 % alike"),
    ],
)
def test_a_line_is_judged_as_either_side_holds_it(
    left: dict[FieldId, Value], right: dict[FieldId, Value], expected: str
) -> None:
    assert list(likeness(left, right).values())[1:] == [expected]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {KIND: OneOf("x")}),
        ({KIND: OneOf("a")}, {}),
        ({}, {KIND: BLANK}),
        ({KIND: BLANK}, {}),
        ({KIND: BLANK}, {KIND: BLANK}),
        ({KIND: OneOf("x")}, {KIND: OneOf("a")}),
    ],
    ids=["left unseen", "right unseen", "blank right", "blank left", "both blank", "neither translates"],
)
def test_a_line_that_says_nothing_is_no_reason(
    left: dict[FieldId, Value], right: dict[FieldId, Value]
) -> None:
    assert likeness(left, right) == {"title": "equal"}


def _lens(*fields: tuple[str, FieldType], **settings: object) -> tuple[Lens, ...]:
    made = tuple(FieldSchema(FieldId(name), name, kind) for name, kind in fields)
    mappings = [msgspec.structs.replace(FieldMapping(each.id, each.id), **settings) for each in made]
    left, right = (ObjectSchema(ObjectTypeId(side), side, made) for side in "lr")
    return lenses(mappings, left, right, ConflictPolicy.ASK)


def test_two_rich_texts_are_compared_by_their_words() -> None:
    made = _lens(("note", FieldType.RICH_TEXT))
    left, right = (
        Record(RecordKey("1"), {FieldId("note"): RichText(f"<p>{text}</p>")}, title="Roof")
        for text in ("abcd", "abcx")
    )

    (pair,) = found([left], [right], made=made)

    assert pair.reasons == (Reason("title", 1.0, "equal"), Reason("note ↔ note", 0.75, "75 % alike"))
    # (4 + 2 × 0.75) / (4 + 2)
    assert pair.score == 0.9167


def test_a_title_that_is_called_otherwise_there_is_still_the_title() -> None:
    made = _lens(("name", FieldType.TEXT), values=(("Roof", "Dach"), ("Wall", "Wand")))
    left = Record(RecordKey("1"), {NAME: Text("Roof")}, title="Roof", external_key="")
    right = Record(RecordKey("9"), {NAME: Text("Dach")}, title="Dach")

    (pair,) = found([left], [right], ON_NAME, made=made)

    assert (pair.score, pair.by, pair.reasons) == (1.0, "key fields", (Reason("name ↔ name", 1.0, "equal"),))


@pytest.mark.parametrize(
    ("values", "one", "other"),
    [
        ((("b", "b"), ("a", "b")), Text("a"), Text("b")),
        ((("b", "b"), ("b", "a")), Text("b"), Text("a")),
        (((None, "unknown"), ("a", "b")), BLANK, Text("unknown")),
        ((("unknown", None), ("a", "b")), Text("unknown"), BLANK),
    ],
)
def test_what_a_pair_of_values_says_is_equal_is_equal(
    values: tuple[tuple[str | None, str | None], ...], one: Value, other: Value
) -> None:
    made = _lens(("note", FieldType.TEXT), values=values, is_lossy=True)
    left, right = (Record(RecordKey("1"), {FieldId("note"): value}, title="Roof") for value in (one, other))

    (pair,) = found([left], [right], made=made)

    assert pair.reasons[1] == Reason("note ↔ note", 1.0, "equal")


@pytest.mark.parametrize(("one", "other"), [("Roof", "Wall"), ("Wall", "Roof")])
def test_a_title_that_its_line_does_not_hold_on_both_sides_is_compared_too(one: str, other: str) -> None:
    left, right = (Record(RecordKey("1"), {NAME: Text("Roof")}, title=title) for title in (one, other))

    (pair,) = found([left], [right])

    assert [(reason.line, reason.text) for reason in pair.reasons] == [
        ("title", "differs"),
        ("name ↔ name", "equal"),
    ]


def test_a_likeness_has_four_digits() -> None:
    (pair,) = found(
        [task("1", "Roof", tags=ManyOf(("a", "b")))], [task("9", "Roof", tags=ManyOf(("b", "c")))]
    )

    assert pair.reasons[1] == Reason("tags ↔ tags", 0.3333, "33 % alike")


@pytest.mark.parametrize(("one", "other"), [("Roof", ""), ("", "Roof"), ("", "")])
def test_a_title_that_only_one_shows_says_nothing(one: str, other: str) -> None:
    left = Record(RecordKey("1"), {NAME: Text("Roof"), DUE: Day(dt.date(2026, 3, 1))}, title=one)
    right = Record(RecordKey("9"), {NAME: Text("Roof"), DUE: Day(dt.date(2026, 3, 2))}, title=other)

    (pair,) = found([left], [right])

    assert [reason.line for reason in pair.reasons] == ["name ↔ name", "due ↔ due"]
    # 2 / (2 + 1): the line counts as any text.
    assert pair.score == 0.6667


def test_the_title_s_line_counts_as_much_as_a_key_field() -> None:
    left, right = task("1", "Roof", kind=OneOf("a")), task("9", "Roof", kind=OneOf("y"))

    # 4 / (4 + 0.5), and 4 / (4 + 4)
    assert [each.score for each in found([left], [right])] == [0.8889]
    assert [each.score for each in found([left], [right], ON_KIND)] == [0.5]


def test_the_lighter_field_of_a_line_decides_its_weight() -> None:
    light, heavy = (
        ObjectSchema(ObjectTypeId(kind.value), "T", (FieldSchema(NAME, "N", kind),))
        for kind in (FieldType.YES_NO, FieldType.TEXT)
    )
    one_way = FieldMapping(NAME, NAME, values=((True, "abc"), (False, "xyz")))
    other_way = FieldMapping(NAME, NAME, values=(("abc", True), ("xyz", False)))
    yes = Record(RecordKey("1"), {NAME: YesNo(True)}, title="Roof")
    no = Record(RecordKey("9"), {NAME: Text("xyz")}, title="Roof")

    (pair,) = found([yes], [no], made=lenses([one_way], light, heavy, ConflictPolicy.ASK))
    (swapped,) = found([no], [yes], made=lenses([other_way], heavy, light, ConflictPolicy.ASK))

    # The title counts 4, the line a half.
    assert pair.score == swapped.score == 0.8889


def test_what_only_one_side_holds_counts_half() -> None:
    left, right = task("1", "Roof", due=Day(dt.date(2026, 3, 1))), task("9", "Roof", due=BLANK)

    (pair,) = found([left], [right])

    # 4 / (4 + half of 1)
    assert (pair.score, pair.reasons[1]) == (0.8889, Reason("due ↔ due", None, "only on the left"))


def test_the_words_of_a_text_count_in_their_own_order_or_sorted() -> None:
    (same_words,) = found([task("1", "roof of tiles")], [task("9", "tiles of roof")])
    (one_more,) = found([task("1", "roof tiles")], [task("9", "tiles roof")])

    assert (same_words.score, one_more.score) == (0.99, 0.99)


def test_a_text_of_signs_alone_is_taken_as_it_is() -> None:
    (pair,) = found([task("1", "++ same", body=RichText("!!"))], [task("9", "++ same", body=Text("!?"))])

    assert pair.reasons[1] == Reason("body ↔ body", 0.5, "50 % alike")


def test_only_the_begin_of_a_long_text_is_compared() -> None:
    left = task("1", "Roof", body=RichText("x" * 1000 + "abc"))
    right = task("9", "Roof", body=Text("x" * 1000 + "defgh"))

    (pair,) = found([left], [right])

    assert pair.reasons[1].likeness == 0.99


def test_nothing_in_common_but_a_mark_scores_nothing() -> None:
    left = untitled("1", {})
    right = msgspec.structs.replace(untitled("9", {}), external_key="s:1")

    (pair,) = found([left], [right])

    assert (pair.score, pair.by, pair.reasons) == (0.0, "external key", ())


def test_a_candidate_names_both_records() -> None:
    (pair,) = found([task("1", "Roof")], [task("9", "roof")])

    assert (pair.left_title, pair.right_title) == ("Roof", "roof")
    assert (pair.of(Side.LEFT), pair.of(Side.RIGHT)) == ("1", "9")


# --- the best -------------------------------------------------------------------------------------------------------


def tagged(key: str, tags: str) -> Record:
    """Records of one name, which differ in their tags alone."""
    return task(key, "Roof", tags=ManyOf(tuple(tags)))


LEFTS = [tagged("A", "abcd"), tagged("B", "abef"), tagged("C", "cdgh")]
RIGHTS = [tagged("X", "abcd"), tagged("Y", "abef"), tagged("Z", "cdgh")]
BEST = [("A", "X"), ("B", "Y"), ("C", "Z")]
SECOND = [("A", "Y"), ("A", "Z"), ("B", "X"), ("C", "X")]
LAST = [("B", "Z"), ("C", "Y")]


@pytest.mark.parametrize(("each", "expected"), [(1, BEST), (2, BEST + SECOND), (3, BEST + SECOND + LAST)])
def test_a_pair_is_kept_where_it_is_among_the_best_of_either(
    each: int, expected: list[tuple[str, str]]
) -> None:
    some = found(LEFTS, RIGHTS, reach=Reach(each, least=0.0))

    assert pairs(some) == expected
    assert [pair.score for pair in some] == [1.0] * 3 + [0.8667] * (len(expected[3:7])) + [0.8] * len(
        expected[7:]
    )


def test_pairs_that_are_equally_good_are_all_among_the_best() -> None:
    left, right = [task(key, "Roof") for key in "12"], [task(key, "Roof") for key in "89"]

    assert len(found(left, right, reach=Reach(each=1, least=0.0))) == 4


def test_a_score_that_is_just_enough_counts() -> None:
    (pair,) = found([tagged("A", "abcd")], [tagged("Y", "abef")])

    assert pair.score == 0.8667
    assert found([tagged("A", "abcd")], [tagged("Y", "abef")], reach=Reach(least=0.8667)) == (pair,)
    assert found([tagged("A", "abcd")], [tagged("Y", "abef")], reach=Reach(least=0.8668)) == ()


def test_what_is_certain_comes_before_what_is_more_alike() -> None:
    left = task("1", "Roof", kind=OneOf("a"), due=Day(dt.date(2026, 3, 1)))
    sure = task("8", "Wall", kind=OneOf("x"))
    alike = task("9", "Roof", kind=OneOf("y"), due=Day(dt.date(2026, 3, 1)))

    some = found([left], [alike, sure], ON_KIND, Reach(each=1, least=0.0))

    assert [(each.right, each.by) for each in some] == [("8", "key fields"), ("9", "")]
