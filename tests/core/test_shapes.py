"""What changed in a field at its vendor, in sentences; and which lines a sync cannot do without."""

from __future__ import annotations

import msgspec
import pytest

from syncline.core.mapping import Direction, FieldMapping
from syncline.core.match import MatchRule
from syncline.core.records import FieldId, FieldSchema, Option, Side
from syncline.core.shapes import Shape, drift, gone, is_needed, shape
from syncline.core.values import FieldType

T = FieldType
LINE = FieldMapping(FieldId("l"), FieldId("r"))
BOTH = frozenset(Side)


def stage(*options: tuple[str, str], **settings: object) -> FieldSchema:
    made = tuple(Option(key, label) for key, label in options)
    return msgspec.structs.replace(FieldSchema(FieldId("stage"), "Stage", T.ONE_OF, options=made), **settings)


def told(was: FieldSchema | Shape, now: FieldSchema, mapping: FieldMapping | None = LINE) -> list[str]:
    before = was if isinstance(was, Shape) else shape(was)
    return [*drift(mapping, now, Side.RIGHT, before)]


# --- what is relied on ----------------------------------------------------------------------------------------------


def test_only_closed_sets_of_options_are_relied_on() -> None:
    closed = stage(("o", "Open"), ("d", "Done"))

    assert shape(closed) == Shape(T.ONE_OF, ("o", "d"), ("Open", "Done"))
    assert shape(closed).named == {"o": "Open", "d": "Done"}
    assert shape(msgspec.structs.replace(closed, is_open=True)) == Shape(T.ONE_OF)
    assert shape(msgspec.structs.replace(closed, type=T.PERSON)) == Shape(T.PERSON)
    assert shape(msgspec.structs.replace(closed, options=None)) == Shape(T.ONE_OF)


def test_what_an_older_version_remembered_has_no_labels() -> None:
    assert Shape(T.ONE_OF, ("o", "d")).named == {}
    assert Shape(T.ONE_OF, ("o", "d"), ("Open",)).named == {"o": "Open"}


# --- what changed ---------------------------------------------------------------------------------------------------


def test_what_did_not_change_is_not_told() -> None:
    was = stage(("o", "Open"), ("d", "Done"))

    assert told(was, was) == []
    assert told(was, stage(("d", "Done"), ("n", "New"), ("o", "Open"))) == []
    assert told(Shape(T.ONE_OF, ("o",)), stage(("o", "Open"), ("d", "Done"))) == []


def test_a_field_that_is_gone_is_named_with_its_side_and_type() -> None:
    assert gone(FieldId("stage"), Side.LEFT, Shape(T.ONE_OF)) == (
        "'stage' on the left was one_of and is not there any more"
    )


def test_another_type_is_told() -> None:
    now = FieldSchema(FieldId("stage"), "Stage", T.TEXT)

    assert told(stage(("o", "Open")), now) == ["'stage' on the right was one_of and is text"]


def test_options_that_are_not_closed_any_more_are_not_missed() -> None:
    assert told(stage(("o", "Open")), stage(("d", "Done"), is_open=True)) == []


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (
            stage(("o", "Open"), ("d", "Done")),
            stage(("o", "Open")),
            ["'stage' on the right lost the options Done (d)"],
        ),
        (
            stage(("o", "Open"), ("e", "e"), ("d", "Done")),
            stage(("o", "Open"), ("n", "New")),
            ["'stage' on the right lost the options Done (d), e"],
        ),
        (
            stage(("o", "Open"), ("d", "Done")),
            stage(("o", "Open"), ("n", "New"), ("m", "More")),
            ["'stage' on the right lost the options Done (d)"],
        ),
        (
            stage(("o", "Open"), ("d", "Done")),
            stage(("o", "Open"), ("c", "Closed")),
            [
                "'stage' on the right lost the option Done (d), and Closed (c) is new: it may have been renamed"
            ],
        ),
        (
            stage(("o", "Open"), ("d", "Done")),
            stage(("o", "Open"), ("7", "DONE")),
            ["'stage' on the right has a new key for the option Done: d is now 7"],
        ),
        (
            stage(("o", "Open"), ("d", "Done"), ("e", "Ended")),
            stage(("o", "Open"), ("7", "Done"), ("8", "New")),
            [
                "'stage' on the right has a new key for the option Done: d is now 7",
                "'stage' on the right lost the options Ended (e)",
            ],
        ),
        (
            Shape(T.ONE_OF, ("o", "d")),
            stage(("o", "Open"), ("7", "Done")),
            ["'stage' on the right lost the option d, and Done (7) is new: it may have been renamed"],
        ),
        (
            Shape(T.ONE_OF, ("o", "d")),
            stage(("o", "Open"), ("7", ""), ("8", "XXXX")),
            ["'stage' on the right lost the options d"],
        ),
    ],
)
def test_an_option_that_is_gone_is_told_with_what_took_its_place(
    was: FieldSchema | Shape, now: FieldSchema, expected: list[str]
) -> None:
    assert told(was, now) == expected


def test_another_label_is_told_where_the_line_goes_by_labels() -> None:
    was, now = (
        stage(("o", "Open"), ("d", "Done"), ("e", "E")),
        stage(("o", "Open"), ("d", "Ready"), ("e", "E")),
    )
    renamed = ["'stage' on the right calls the option d now Ready, not Done"]
    paired = {
        by: msgspec.structs.replace(LINE, values=(("x", "Open"), ("y", by))) for by in ("done", "d", "E")
    }

    assert told(was, now) == renamed
    assert told(was, now, None) == renamed
    assert told(was, now, paired["done"]) == renamed
    assert told(was, now, paired["d"]) == []
    assert told(was, now, paired["E"]) == []


def test_every_renamed_option_is_told_those_without_a_known_label_left_out() -> None:
    was = Shape(T.ONE_OF, ("e", "o", "gone", "d", "n"), ("E", "Open", "Gone", "Done"))
    now = stage(("e", "E"), ("o", "Opened"), ("d", "Ready"), ("n", "New"))

    assert told(was, now)[1:] == [
        "'stage' on the right calls the option o now Opened, not Open",
        "'stage' on the right calls the option d now Ready, not Done",
    ]


# --- what is needed -------------------------------------------------------------------------------------------------


def needed(
    mapping: FieldMapping, *, left: bool = False, right: bool = False, may_create: frozenset[Side] = BOTH
) -> bool:
    fields = (
        FieldSchema(FieldId("l"), "L", T.TEXT, is_required=left),
        FieldSchema(FieldId("r"), "R", T.TEXT, is_required=right),
    )
    return is_needed(mapping, fields, MatchRule(), may_create)


@pytest.mark.parametrize("key", [("l", "x"), ("x", "r")])
def test_a_line_by_which_records_are_recognised_is_needed(key: tuple[str, str]) -> None:
    match = MatchRule(((FieldId("a"), FieldId("b")), (FieldId(key[0]), FieldId(key[1]))))

    assert is_needed(LINE, (None, None), match, frozenset())
    assert not is_needed(LINE, (None, None), MatchRule(match.on[:1]), frozenset())


def test_a_line_that_new_records_need_is_needed() -> None:
    assert needed(LINE, left=True)
    assert needed(LINE, right=True)
    assert not needed(LINE)
    assert needed(LINE, right=True, may_create=frozenset({Side.RIGHT}))
    assert not needed(LINE, right=True, may_create=frozenset({Side.LEFT}))
    one_way = msgspec.structs.replace(LINE, direction=Direction.TO_RIGHT)
    assert needed(one_way, right=True)
    assert not needed(one_way, left=True)


def test_a_field_that_is_not_there_is_not_needed_for_new_records() -> None:
    needs = FieldSchema(FieldId("r"), "R", T.TEXT, is_required=True)

    assert is_needed(LINE, (None, needs), MatchRule(), BOTH)
    assert not is_needed(LINE, (None, None), MatchRule(), BOTH)
