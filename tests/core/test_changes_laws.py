"""What differs between two configurations: nothing is left out, and each change says what it does to linked records."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.changes import Change, ChangeKind, Reach, changes, digest
from syncline.core.records import SyncId

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "b"]) | st.just(0.5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=2),
    max_leaves=4,
)
NAMES = st.sampled_from(["a", "b", "c"])
LINES = st.fixed_dictionaries(
    {
        "left": NAMES,
        "right": NAMES,
        "direction": st.sampled_from(["both", "to_left", "to_right"]),
        "conflict": st.sampled_from([None, "newest", "left"]),
        "values": st.lists(st.tuples(st.sampled_from([True, 1, "1", None]), NAMES).map(list), max_size=2),
        "lossy": st.booleans(),
    },
    optional={"new setting": JSON},
)
SIDES = st.fixed_dictionaries(
    {
        "connection": NAMES,
        "object": NAMES,
        "where": st.dictionaries(st.sampled_from(["project", "create_in"]), st.lists(NAMES, max_size=2)),
    },
    optional={"new setting": JSON},
)
SYNCS = st.fixed_dictionaries(
    {
        "left": SIDES,
        "right": SIDES,
        "fields": st.lists(LINES, min_size=1, max_size=3),
        "deletes": st.sampled_from(["ask", "propagate"]),
        "brakes": st.fixed_dictionaries({"deletes": st.sampled_from([None, 0, 0.1])}),
    },
    optional={"new setting": JSON},
)
BODIES = st.dictionaries(st.sampled_from(["tickets", "phases"]), SYNCS, max_size=2)


@given(BODIES)
def test_equal_configurations_differ_in_nothing(body: dict[str, Any]) -> None:
    assert changes(body, copy.deepcopy(body)) == ()
    assert digest(body) == digest(copy.deepcopy(body))


@given(BODIES, BODIES)
def test_nothing_differs_only_between_equal_configurations(a: dict[str, Any], b: dict[str, Any]) -> None:
    is_same = msgspec.json.encode(a, order="deterministic") == msgspec.json.encode(b, order="deterministic")

    assert (changes(a, b) == ()) == is_same == (changes(b, a) == ()) == (digest(a) == digest(b))


@given(BODIES, BODIES)
def test_every_change_says_where_and_what(a: dict[str, Any], b: dict[str, Any]) -> None:
    for change in changes(a, b):
        assert change.sync in {*a, *b}
        assert change.sentence
        assert change.touches_links == (change.kind.reach is not Reach.NONE)
        assert bool(change.kind.meaning) or not change.touches_links


def _line(left: str, right: str, **settings: object) -> dict[str, Any]:
    plain = {
        "direction": "both",
        "conflict": None,
        "values": [],
        "transform": None,
        "people": {},
        "lossy": False,
    }
    return {"left": left, "right": right, **plain, **settings}


def _sync(**settings: object) -> dict[str, Any]:
    return {
        "left": {"connection": "ac", "object": "task", "where": {"project": ["1", "2"]}},
        "right": {"connection": "hl", "object": "ticket", "where": {}},
        "match": {"on": [["name", "title"]], "mode": "match_then_create"},
        "fields": [_line("name", "title"), _line("due", "due_date")],
        "conflicts": "newest",
        "deletes": "ask",
        "deleted_edit": "edit",
        "create": "both",
        "brakes": {"changes": 0.5},
        **settings,
    }


def _left(**where: list[str]) -> dict[str, Any]:
    return {"left": {"connection": "ac", "object": "task", "where": where}}


def _only(**settings: object) -> Change:
    (change,) = changes({"t": _sync()}, {"t": _sync(**settings)})
    return change


NAME, DUE = _line("name", "title"), _line("due", "due_date")


@pytest.mark.parametrize(
    ("settings", "kind", "reach", "sentence"),
    [
        (
            {"fields": [NAME, _line("due", "due_date", direction="to_right")]},
            ChangeKind.DIRECTION,
            Reach.OPEN,
            "field due ↔ due_date becomes one-way (to_right)",
        ),
        (
            {"fields": [NAME, DUE, _line("x", "y", direction="to_left")]},
            ChangeKind.FIELD_ADDED,
            Reach.FILL,
            "adds field x ↔ y (to_left)",
        ),
        ({"fields": [NAME]}, ChangeKind.FIELD_REMOVED, Reach.LATER, "removes field due ↔ due_date"),
        ({"fields": [DUE, NAME]}, ChangeKind.FIELD_ORDER, Reach.NONE, "lists the fields in another order"),
        (
            {"fields": [_line("name", "title", conflict="left"), DUE]},
            ChangeKind.CONFLICT,
            Reach.OPEN,
            "field name ↔ title: conflict policy as the sync says → left",
        ),
        (
            {"fields": [_line("name", "title", transform="upper"), DUE]},
            ChangeKind.TRANSLATION,
            Reach.OPEN,
            "field name ↔ title is translated otherwise: transform none → upper",
        ),
        (
            {"fields": [_line("name", "title", lossy=True), DUE]},
            ChangeKind.LOSSY,
            Reach.NONE,
            "field name ↔ title may lose something on the way back",
        ),
        ({"deletes": "propagate"}, ChangeKind.DELETES, Reach.OPEN, "deletes ask → propagate"),
        (
            {"conflicts": "left"},
            ChangeKind.CONFLICTS,
            Reach.OPEN,
            "conflict policy newest → left, for fields without one of their own",
        ),
        (_left(), ChangeKind.FILTER_WIDER, Reach.SCOPE, "filter on the left widens: project 1, 2 → any"),
        (
            _left(project=["1", "2", "3"]),
            ChangeKind.FILTER_WIDER,
            Reach.SCOPE,
            "filter on the left widens: project 1, 2 → 1, 2, 3",
        ),
        (
            _left(project=["2"]),
            ChangeKind.FILTER_NARROWER,
            Reach.SCOPE,
            "filter on the left narrows: project 1, 2 → 2",
        ),
        (
            _left(project=["2", "3"]),
            ChangeKind.FILTER_OTHER,
            Reach.SCOPE,
            "filter on the left takes others: project 1, 2 → 2, 3",
        ),
        (
            _left(project=["1", "2"], create_in=["2"]),
            ChangeKind.PLACE,
            Reach.NONE,
            "new records on the left go elsewhere: create_in any → 2",
        ),
        (
            {"left": {"connection": "ac", "object": "phase", "where": {"project": ["1", "2"]}}},
            ChangeKind.OBJECT,
            Reach.ALL,
            "the left side holds phase (was task)",
        ),
        ({"create": "left"}, ChangeKind.CREATE, Reach.NONE, "new records are made on: both → left"),
        (
            {"schedule": {"poll": 5}},
            ChangeKind.SCHEDULE,
            Reach.NONE,
            'looked at by itself otherwise:  → {"poll":5}',
        ),
        (
            {"freshness": {"within": "5m"}},
            ChangeKind.FRESHNESS,
            Reach.NONE,
            'how soon edits should arrive:  → {"within":"5m"}',
        ),
        ({"unheard_of": 1}, ChangeKind.OTHER, Reach.OPEN, "unheard_of changes:  → 1"),
    ],
)
def test_a_change_is_told_in_a_sentence(
    settings: dict[str, Any], kind: ChangeKind, reach: Reach, sentence: str
) -> None:
    change = _only(**settings)

    assert (change.kind, change.kind.reach, change.sentence) == (kind, reach, sentence)


def _right(**settings: object) -> dict[str, Any]:
    return {"right": {"connection": "hl", "object": "ticket", "where": {}, **settings}}


LONG = "x" * 80


@pytest.mark.parametrize(
    ("before", "after", "path", "line", "sentence"),
    [
        (
            _right(),
            _right(connection="other"),
            "right.connection",
            "",
            "the right side is read through the connection other (was hl)",
        ),
        (_right(), _right(object="deal"), "right.object", "", "the right side holds deal (was ticket)"),
        (
            _right(kind="a"),
            _right(kind=["b", "c"]),
            "right.kind",
            "",
            "filter on the right changes: kind a → b, c",
        ),
        (
            _right(where={"project": ["1", "2"]}),
            _right(where={"project": ["2", "1"]}),
            "right.where.project",
            "",
            "filter on the right names the same values in another order: project 1, 2 → 2, 1",
        ),
        (
            {"fields": [NAME]},
            {"fields": [NAME, DUE]},
            "fields[due ↔ due_date]",
            "due ↔ due_date",
            "adds field due ↔ due_date",
        ),
        (
            {"fields": [NAME]},
            {"fields": [NAME, _line("due", "due_date", direction="to_right")]},
            "fields[due ↔ due_date]",
            "due ↔ due_date",
            "adds field due ↔ due_date (to_right)",
        ),
        (
            {"fields": [NAME, DUE]},
            {"fields": [NAME]},
            "fields[due ↔ due_date]",
            "due ↔ due_date",
            "removes field due ↔ due_date",
        ),
        ({"fields": [NAME, DUE]}, {"fields": [DUE, NAME]}, "fields", "", "lists the fields in another order"),
        (
            {"fields": [_line("a", "b", direction="to_left")]},
            {"fields": [_line("a", "b")]},
            "fields[a ↔ b].direction",
            "a ↔ b",
            "field a ↔ b becomes two-way",
        ),
        (
            {"fields": [_line("a", "b", conflict="left")]},
            {"fields": [_line("a", "b")]},
            "fields[a ↔ b].conflict",
            "a ↔ b",
            "field a ↔ b: conflict policy left → as the sync says",
        ),
        (
            {"fields": [_line("a", "b", lossy=True)]},
            {"fields": [_line("a", "b")]},
            "fields[a ↔ b].lossy",
            "a ↔ b",
            "field a ↔ b must come back as it went",
        ),
        (
            {"fields": [_line("a", "b", transform="upper")]},
            {"fields": [_line("a", "b")]},
            "fields[a ↔ b].transform",
            "a ↔ b",
            "field a ↔ b is translated otherwise: transform upper → none",
        ),
        (
            {"fields": [_line("a", "b", people={"x": "y"})]},
            {"fields": [_line("a", "b")]},
            "fields[a ↔ b].people",
            "a ↔ b",
            'field a ↔ b is translated otherwise: people {"x":"y"} → none',
        ),
        ({"deletes": LONG}, {"deletes": [LONG]}, "deletes", "", f"deletes {LONG} → {LONG}"),
        ({"deletes": "ask"}, {"deletes": [LONG, "y"]}, "deletes", "", f"deletes ask → {LONG[1:]}…"),
        ({"brakes": None}, {"brakes": {"deletes": 1}}, "brakes", "", 'brakes  → {"deletes":1}'),
        ({"match": "a"}, {"match": "b"}, "match", "", "first meetings are matched otherwise: a → b"),
        (
            {"deleted_edit": "edit"},
            {"deleted_edit": "ask"},
            "deleted_edit",
            "",
            "deleted here and edited there: edit → ask",
        ),
        ({"fresh": 1}, {}, "fresh", "", "fresh changes: 1 → "),
    ],
)
def test_a_change_says_where_it_is(
    before: dict[str, Any], after: dict[str, Any], path: str, line: str, sentence: str
) -> None:
    (change,) = changes({"t": _sync(**before)}, {"t": _sync(**after)})

    assert (change.sync, change.path, change.line, change.sentence) == ("t", path, line, sentence)


def test_several_changes_are_told_in_the_order_in_which_things_are_configured() -> None:
    after = _sync(
        **_left(project=["2"], list=["7"]),
        fields=[DUE, _line("x", "y"), _line("name", "title", lossy=True, direction="to_left")],
        deletes="propagate",
    )
    found = changes(
        {"gone": _sync(), "t": _sync(), "same": _sync()}, {"new": _sync(), "t": after, "same": _sync()}
    )

    assert [(change.sync, change.path) for change in found] == [
        ("new", ""),
        ("t", "left.where.project"),
        ("t", "left.where.list"),
        ("t", "fields[x ↔ y]"),
        ("t", "fields[name ↔ title].direction"),
        ("t", "fields[name ↔ title].lossy"),
        ("t", "fields"),
        ("t", "deletes"),
        ("gone", ""),
    ]


def test_a_sync_that_says_the_same_in_other_words_is_told() -> None:
    nothing, empty = _sync(**_left(project=[])), _sync(**_left())

    (change,) = changes({"t": nothing}, {"t": empty})

    assert change == Change(SyncId("t"), "", ChangeKind.OTHER, "says the same in other words")


def test_a_digest_has_sixteen_digits() -> None:
    assert digest({"t": {"b": 1, "a": [True]}}) == digest({"t": {"a": [True], "b": 1}}) == "a8d89c0250c680d6"


def test_a_filter_where_there_was_none_narrows() -> None:
    (change,) = changes({"t": _sync(**_left())}, {"t": _sync(**_left(project=["1"]))})

    assert change.kind is ChangeKind.FILTER_NARROWER


def test_added_and_removed_syncs_are_told() -> None:
    added, removed = changes({"old": _sync()}, {"new": _sync()})

    assert (added.kind, added.sentence) == (
        ChangeKind.SYNC_ADDED,
        "adds the sync new: task and ticket, 2 fields",
    )
    assert not added.touches_links
    assert (removed.sync, removed.kind, removed.touches_links) == ("old", ChangeKind.SYNC_REMOVED, True)


def test_yes_is_not_one() -> None:
    yes = {"t": _sync(fields=[_line("name", "title", values=[[True, "a"]])])}
    one = {"t": _sync(fields=[_line("name", "title", values=[[1, "a"]])])}

    assert [change.kind for change in changes(yes, one)] == [ChangeKind.TRANSLATION]
