"""Every case of a small world against an oracle that knows nothing of the merge's code.

The world: two text lines, the values blank, "1" and "2", each field of each side possibly unseen, each line's base
agreed, never decided or kept by one side alone; both records present, gone, out of scope or unseen; every conflict policy,
direction, delete policy, rule for edited deletions and answer. The oracle is a page of plain strings, written from the
merge rules of the design (`""` is blank, `None` unseen or never agreed).

The number of cases is asserted below: 57,024 with both records there, 73,728 with one gone.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

import pytest

from syncline.core.decisions import (
    Answer,
    AskDelete,
    Decision,
    DeletedEdit,
    DeletePolicy,
    FieldDecision,
    Fields,
    Forget,
    Remove,
    Revive,
    Rules,
    View,
    Wait,
)
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, Lens, lenses
from syncline.core.merge import merge
from syncline.core.records import (
    Base,
    FieldId,
    FieldSchema,
    Gone,
    ObjectSchema,
    ObjectTypeId,
    Present,
    Proof,
    Record,
    RecordKey,
    Side,
    Sighting,
    Unseen,
)
from syncline.core.values import BLANK, FieldType, Text, Value

Word = str | None
NAMES = ("a", "b")
SEEN: tuple[Word, ...] = (None, "", "1", "2")
AGREED: tuple[tuple[Word, Word], ...] = (
    (None, None),
    ("", ""),
    ("1", "1"),
    ("2", "2"),
    ("1", None),
    (None, "2"),
)
NEIGHBOUR = ((None, None), ("1", "1"))
POLICIES = tuple(policy for policy in ConflictPolicy if policy is not ConflictPolicy.MERGE)
TIMES = {"no time": (None, None), "tie": (1, 1), "left later": (2, 1), "right later": (1, 2)}

# --- the oracle: strings in, strings out ------------------------------------------------------------------------------


def field_oracle(
    base: tuple[Word, Word], left: Word, right: Word, policy: str, way: str, later: str
) -> dict[str, Word]:
    """What becomes of one field: its rule, what each side gets, and what is lost on which side."""
    if left is None or right is None:
        return {"rule": "unseen"}
    met = None not in base
    edited_left, edited_right = not met or left != base[0], not met or right != base[1]
    if not edited_left and not edited_right:
        return {"rule": "in_step"}
    if left == right:
        return {"rule": "agreed"}
    if way != "both":
        leader, follower, before, mark = (
            (left, right, base, "right") if way == "to_right" else (right, left, base[::-1], "left")
        )
        if leader == "" and (not met or before[0] == ""):
            return {"rule": "keeps_own"}
        out: dict[str, Word] = {"rule": "one_way", "to_" + mark: leader}
        if (not met and follower != "") or before[1] not in (None, follower):
            out |= {"lost": follower, "on": mark}
        return out
    if not edited_right:
        return {"rule": "one_side_changed", "to_right": left}
    if not edited_left:
        return {"rule": "one_side_changed", "to_left": right}
    if not met and "" in (left, right):
        return {"rule": "filled_blank", **({"to_left": right} if left == "" else {"to_right": left})}
    winner = {
        "left": "left",
        "right": "right",
        "left_unless_blank": "right" if left == "" else "left",
        "right_unless_blank": "left" if right == "" else "right",
        "newest": {"left later": "left", "right later": "right"}.get(later, ""),
        "ask": "",
    }[policy]
    if winner == "":
        return {"rule": "conflict"}
    rule = "newest" if policy == "newest" else winner + "_wins"
    if winner == "left":
        return {"rule": rule, "to_right": left, "lost": right, "on": "right"}
    return {"rule": rule, "to_left": right, "lost": left, "on": "left"}


def gone_oracle(
    gone: str,
    kept: dict[str, Word],
    base: dict[str, tuple[Word, Word]],
    ways: dict[str, str],
    settings: dict[str, str | bool],
) -> str:
    """What becomes of a link whose `gone` side is deleted: one word, with what an edit beats or loses."""
    index = 1 if gone == "left" else 0
    edits = {n for n, word in kept.items() if word is not None and word != (base[n][index] or "")}
    received = {n for n in edits if ways[n] in ("both", "to_" + gone)}
    match settings["answer"]:
        case "delete":
            return "remove " + " ".join(sorted(edits))
        case "restore":
            return "restore" if settings["can_restore"] else "create"
        case "release":
            return "release"
        case _:
            pass
    if received and settings["edited"] == "edit":
        return "restore" if settings["can_restore"] else "create"
    if received and settings["edited"] == "ask":
        return "ask edited"
    if settings["deletes"] == "propagate":
        return "remove " + " ".join(sorted(edits))
    if settings["deletes"] == "archive" and settings["can_archive"]:
        return "archive " + " ".join(sorted(edits))
    if settings["deletes"] == "ignore":
        return "release"
    return "ask edited" if received else "ask"


# --- from words to the core's nouns, and back ---------------------------------------------------------------------------


def _value(word: str) -> Value:
    return Text(word) if word else BLANK


def _word(value: Value | None) -> Word:
    return None if value is None else value.text if isinstance(value, Text) else ""


def _record(side: Side, words: dict[str, Word], hour: int | None = None) -> Record:
    at = None if hour is None else dt.datetime(2026, 3, 1, hour, tzinfo=dt.UTC)
    fields = {FieldId(name): _value(word) for name, word in words.items() if word is not None}
    return Record(RecordKey(side.value), fields, updated_at=at)


def _base(agreed: dict[str, tuple[Word, Word]]) -> Base:
    sides = [
        {FieldId(name): _value(word) for name, pair in agreed.items() if (word := pair[index]) is not None}
        for index in (0, 1)
    ]
    return Base(sides[0], sides[1])


def _lenses(policy: ConflictPolicy, *ways: str) -> tuple[Lens, ...]:
    fields = tuple(FieldSchema(FieldId(name), name, FieldType.TEXT) for name in NAMES)
    schema = ObjectSchema(ObjectTypeId("t"), "T", fields)
    mappings = [
        FieldMapping(FieldId(name), FieldId(name), Direction(way))
        for name, way in zip(NAMES, ways, strict=True)
    ]
    return lenses(mappings, schema, schema, policy)


def _told(field: FieldDecision) -> dict[str, Word]:
    out: dict[str, Word] = {"rule": field.rule.value}
    for name, value in (("to_left", field.to_left), ("to_right", field.to_right), ("lost", field.lost)):
        if value is not None:
            out[name] = _word(value)
    if field.lost_side is not None:
        out["on"] = field.lost_side.value
    return out


def _outcome(decision: Decision) -> str:
    match decision:
        case Remove(side, is_archive, _, fields):
            names = " ".join(sorted(field.of(side) for field in fields))
            return f"{'archive' if is_archive else 'remove'} {names}"
        case Revive(_, is_restore):
            return "restore" if is_restore else "create"
        case Forget(None):
            return "close"
        case Forget():
            return "release"
        case AskDelete(_, is_edited):
            return "ask edited" if is_edited else "ask"
        case Wait(rule):
            return rule.value
        case Fields():
            return "fields"


# --- both records there -------------------------------------------------------------------------------------------------

WAYS = ("both", "to_right", "to_left")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.value)
def test_two_records_are_merged_as_the_oracle_says(policy: ConflictPolicy, way: str) -> None:
    # The second line goes another way, so that lines are seen not to touch each other.
    ways = (way, WAYS[(WAYS.index(way) + 1) % 3])
    rules = Rules(_lenses(policy, *ways))
    times = TIMES if policy is ConflictPolicy.NEWEST else {"tie": TIMES["tie"]}
    cases = 0
    for later, (left_hour, right_hour) in times.items():
        neighbour = SEEN if later == "tie" else ("1",)
        for words in itertools.product(SEEN, SEEN, AGREED, neighbour, neighbour, NEIGHBOUR):
            left, right = {"a": words[0], "b": words[3]}, {"a": words[1], "b": words[4]}
            agreed = {"a": words[2], "b": words[5]}
            view = View(
                None,
                _base(agreed),
                Present(_record(Side.LEFT, left, left_hour)),
                Present(_record(Side.RIGHT, right, right_hour)),
            )
            decision = merge(view, rules)

            assert isinstance(decision, Fields)
            for name, line_way, field in zip(NAMES, ways, decision.fields, strict=True):
                expected = field_oracle(agreed[name], left[name], right[name], policy.value, line_way, later)
                assert _told(field) == expected, (view, field)
            cases += 1
    assert cases == 3072 + (len(times) - 1) * 192


# --- one record gone, or unseen -----------------------------------------------------------------------------------------


def _settings() -> Iterator[dict[str, str | bool]]:
    for edited in DeletedEdit:
        for able in (True, False):
            for answer in (None, *Answer):
                yield {
                    "edited": edited.value,
                    "can_restore": able,
                    "can_archive": able,
                    "answer": answer.value if answer else "",
                }


@pytest.mark.parametrize("gone", list(Side), ids=lambda side: side.value)
@pytest.mark.parametrize("deletes", list(DeletePolicy), ids=lambda policy: policy.value)
def test_a_deletion_is_decided_as_the_oracle_says(deletes: DeletePolicy, gone: Side) -> None:
    ways = {"a": "both", "b": "to_" + gone.other.value}
    made = _lenses(ConflictPolicy.ASK, *ways.values())
    cases = 0
    for settings in _settings():
        able = frozenset(Side) if settings["can_restore"] else frozenset[Side]()
        rules = Rules(made, deletes, DeletedEdit(settings["edited"]), able, able)
        answer = Answer(settings["answer"]) if settings["answer"] else None
        for here in itertools.product(SEEN, AGREED, SEEN, AGREED[:4]):
            kept, agreed = {"a": here[0], "b": here[2]}, {"a": here[1], "b": here[3]}
            seen: dict[Side, Sighting] = {
                gone: Gone(Proof.TRASHED),
                gone.other: Present(_record(gone.other, kept)),
            }
            view = View(None, _base(agreed), seen[Side.LEFT], seen[Side.RIGHT], answer=answer)

            outcome = _outcome(merge(view, rules))

            assert outcome == gone_oracle(
                gone.value, kept, agreed, ways, {**settings, "deletes": deletes.value}
            ), view
            cases += 1
    assert cases == 9216


@pytest.mark.parametrize("side", list(Side), ids=lambda side: side.value)
def test_unseen_and_out_of_scope_wait_whatever_the_rules(side: Side) -> None:
    made = _lenses(ConflictPolicy.NEWEST, "both", "both")
    there: list[Sighting] = [Present(_record(side.other, {"a": word, "b": "1"})) for word in SEEN]
    away = Record(RecordKey("x"), {FieldId("a"): Text("2")}, in_scope=False)
    for deletes, edited in itertools.product(DeletePolicy, DeletedEdit):
        rules = Rules(made, deletes, edited, frozenset(Side), frozenset(Side))
        for other, agreed in itertools.product([*there, Gone(Proof.NOT_FOUND), Unseen()], AGREED):
            base = _base({"a": agreed, "b": ("1", "1")})
            waits: list[tuple[Sighting, str]] = [(Unseen("timeout"), "unseen")]
            if not isinstance(other, Unseen):
                waits.append((Present(away), "out_of_scope"))
            for sighting, expected in waits:
                left, right = (sighting, other) if side is Side.LEFT else (other, sighting)
                assert _outcome(merge(View(None, base, left, right), rules)) == expected


def test_two_deletions_close_the_link() -> None:
    made = _lenses(ConflictPolicy.NEWEST, "both", "both")
    for deletes, edited, left, right in itertools.product(DeletePolicy, DeletedEdit, Proof, Proof):
        decision = merge(
            View(None, _base({"a": ("1", "1")}), Gone(left), Gone(right)), Rules(made, deletes, edited)
        )

        assert _outcome(decision) == ("close" if left.is_direct or right.is_direct else "unseen")
