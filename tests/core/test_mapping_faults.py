"""Every fault of a mapping in the words that a person reads, beside `mapping_faults.txt`: where, what is wrong, what to do.

A sentence that is worded better is put into that file after somebody has read it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.records import FieldId, FieldSchema, ObjectSchema, ObjectTypeId
from syncline.core.values import FieldType
from syncline.errors import MappingError
from tests.core.test_mapping_laws import field as _field

T = FieldType
TO_RIGHT, TO_LEFT = Direction.TO_RIGHT, Direction.TO_LEFT
MERGE = ConflictPolicy.MERGE
GOLDEN = Path(__file__).with_name("mapping_faults.txt")

Mapped = tuple[str, str, dict[str, object]]
Case = tuple[list[FieldSchema], list[FieldSchema], list[Mapped]]

CASES: dict[str, Case] = {
    "unknown left": ([_field("name"), _field("due", T.DAY)], [_field("title")], [("nmae", "title", {})]),
    "unknown right": ([_field("name")], [_field("title"), _field("body")], [("name", "titel", {})]),
    "read-only right": ([_field("name")], [_field("title", is_read_only=True)], [("name", "title", {})]),
    "read-only left": ([_field("name", is_read_only=True)], [_field("title")], [("name", "title", {})]),
    "merge of texts": ([_field("name")], [_field("title")], [("name", "title", {"conflict": MERGE})]),
    "merge left many": (
        [_field("name", T.MANY_OF, is_open=True)],
        [_field("title")],
        [("name", "title", {"conflict": MERGE, "direction": TO_RIGHT})],
    ),
    "merge right many": (
        [_field("name")],
        [_field("title", T.MANY_OF, is_open=True)],
        [("name", "title", {"conflict": MERGE, "direction": TO_LEFT})],
    ),
    "merge expressions": (
        [_field("name", T.MANY_OF)],
        [_field("title", T.MANY_OF)],
        [("name", "title", {"conflict": MERGE, "direction": TO_RIGHT, "to_right": "value"})],
    ),
    "types": (
        [_field("stage", T.ONE_OF, "low high")],
        [_field("done", T.YES_NO)],
        [("stage", "done", {"direction": TO_RIGHT})],
    ),
    "types left": (
        [_field("stage", T.ONE_OF, "low high")],
        [_field("done", T.YES_NO)],
        [("stage", "done", {"direction": TO_LEFT})],
    ),
    "unknown transform": (
        [_field("name")],
        [_field("title")],
        [("name", "title", {"transform": "uper", "direction": TO_RIGHT})],
    ),
    "no inverse": ([_field("name")], [_field("title")], [("name", "title", {"transform": "upper"})]),
    "transform types": (
        [_field("name", T.NUMBER)],
        [_field("title")],
        [("name", "title", {"transform": "upper", "direction": TO_RIGHT})],
    ),
    "transform types target": (
        [_field("name")],
        [_field("title", T.NUMBER)],
        [("name", "title", {"transform": "upper", "direction": TO_LEFT})],
    ),
    "missing expression": ([_field("name")], [_field("title")], [("name", "title", {"to_right": "value"})]),
    "wrong expression": (
        [_field("name")],
        [_field("title")],
        [("name", "title", {"to_right": "value", "direction": TO_LEFT})],
    ),
    "values and expressions": (
        [_field("name")],
        [_field("title")],
        [("name", "title", {"to_right": "value", "direction": TO_RIGHT, "values": (("a", "b"),)})],
    ),
    "transform and expressions": (
        [_field("name")],
        [_field("title")],
        [("name", "title", {"to_right": "value", "direction": TO_RIGHT, "transform": "upper"})],
    ),
    "fault in expression": (
        [_field("name")],
        [_field("title")],
        [("name", "title", {"to_right": "vale", "direction": TO_RIGHT})],
    ),
    "fault in expressions both": (
        [_field("name")],
        [_field("title")],
        [("name", "title", {"to_right": "vale", "to_left": "vaule"})],
    ),
    "fault in unused expression": (
        [_field("name")],
        [_field("title", T.NUMBER)],
        [("name", "title", {"to_right": "double(value)", "to_left": "value", "direction": TO_RIGHT})],
    ),
    "fault in unused to_right": (
        [_field("name")],
        [_field("title", T.NUMBER)],
        [("name", "title", {"to_right": "value", "to_left": "string(value)", "direction": TO_LEFT})],
    ),
    "set by pairs": (
        [_field("tags", T.MANY_OF)],
        [_field("kind", T.ONE_OF)],
        [("tags", "kind", {"values": (("a", "x"),)})],
    ),
    "set by pairs left": (
        [_field("kind", T.ONE_OF)],
        [_field("tags", T.MANY_OF)],
        [("kind", "tags", {"values": (("a", "x"),)})],
    ),
    "loses": ([_field("body", T.RICH_TEXT)], [_field("text")], [("body", "text", {})]),
    "transform loses": (
        [_field("body", T.RICH_TEXT)],
        [_field("text")],
        [("body", "text", {"transform": "plain_text"})],
    ),
    "pair left": (
        [_field("stage", T.ONE_OF, "low high")],
        [_field("title")],
        [("stage", "title", {"values": (("low", "a"), ("hihg", "b"))})],
    ),
    "pair right": (
        [_field("title")],
        [_field("stage", T.ONE_OF, "low high")],
        [("title", "stage", {"values": (("a", "lwo"),)})],
    ),
    "pair of no options": (
        [_field("n", T.NUMBER)],
        [_field("stage", T.ONE_OF, "low high")],
        [("n", "stage", {"values": (("many", "low"),)})],
    ),
    "values do not come back": (
        [_field("stage", T.ONE_OF, "a b")],
        [_field("rank", T.ONE_OF, "x y")],
        [("stage", "rank", {"values": (("a", "x"), ("b", "x"), ("b", "y"))})],
    ),
    "people do not come back": (
        [_field("one", T.PERSON)],
        [_field("other", T.PERSON)],
        [
            (
                "one",
                "other",
                {"people": (("a@l.test", "x@r.test"), ("b@l.test", "x@r.test"), ("b@l.test", "y@r.test"))},
            )
        ],
    ),
    "sets do not come back": (
        [_field("tags", T.MANY_OF, "a b")],
        [_field("labels", T.MANY_OF, "x y")],
        [("tags", "labels", {"values": (("a", "x"), ("b", "x"), ("b", "y"))})],
    ),
    "written twice": (
        [_field("a"), _field("b")],
        [_field("x")],
        [("a", "x", {}), ("b", "x", {"direction": TO_RIGHT}), ("b", "x", {"direction": TO_LEFT})],
    ),
    "written twice left": (
        [_field("a")],
        [_field("x"), _field("y")],
        [("a", "x", {}), ("a", "y", {"direction": TO_LEFT})],
    ),
    "written twice after one that does not write": (
        [_field("a"), _field("b"), _field("c")],
        [_field("x")],
        [
            ("a", "x", {"direction": TO_LEFT}),
            ("b", "x", {"direction": TO_RIGHT}),
            ("c", "x", {"direction": TO_RIGHT}),
        ],
    ),
    "mapped twice": (
        [_field("a")],
        [_field("x")],
        [("a", "x", {"direction": TO_RIGHT}), ("a", "x", {"direction": TO_LEFT})],
    ),
}


def told(case: Case) -> str:
    """The kind and the sentence of each fault."""
    left, right = (
        ObjectSchema(ObjectTypeId(title), title, tuple(fields))
        for title, fields in (("Task", case[0]), ("Ticket", case[1]))
    )
    mappings = [
        msgspec.structs.replace(FieldMapping(FieldId(one), FieldId(other)), **settings)
        for one, other, settings in case[2]
    ]
    with pytest.raises(MappingError, match="does not fit Task and Ticket:") as caught:
        lenses(mappings, left, right, ConflictPolicy.ASK)
    problems = caught.value.problems
    return "".join(f"{each.kind.value if each.kind else '?'}\n  {each}\n" for each in problems)


def accepted() -> dict[str, str]:
    """The sentences as they were accepted, by case."""
    parts = GOLDEN.read_text(encoding="utf-8").split("# ")[1:]
    return {name: text.strip("\n") + "\n" for name, _, text in (part.partition("\n") for part in parts)}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_in_these_words(name: str) -> None:
    assert told(CASES[name]) == accepted()[name]


def test_no_sentence_is_left_over() -> None:
    assert list(accepted()) == list(CASES)
