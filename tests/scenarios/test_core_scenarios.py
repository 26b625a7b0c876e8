"""Each story in `core/` is decided and planned, and told in the words that its file expects.

A story file gives lines, rules, the base and both sides, and says under `then` what must come of it. In a record a
missing field is unseen, `null` is blank; keys with an `@` are about the record itself (`@at` its time, `@key`,
`@mark` its external key, `@away` outside the filter).
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from syncline.core.brakes import BrakeName, Facts, Limits, SideFacts
from syncline.core.convert import Untranslatable
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
    Resolution,
    Revive,
    Rules,
    View,
    Wait,
)
from syncline.core.mapping import ConflictPolicy, Direction, FieldMapping, lenses
from syncline.core.match import Matching, MatchMode, MatchRule, Said, match
from syncline.core.merge import merge
from syncline.core.plan import Effect, Held, Intake, Linked, Plan, Step, plan
from syncline.core.records import (
    Base,
    Edit,
    FieldId,
    FieldSchema,
    Gone,
    LinkId,
    ObjectSchema,
    ObjectTypeId,
    Option,
    Present,
    Proof,
    Record,
    RecordKey,
    Side,
    Sighting,
    SyncId,
    Unseen,
)
from syncline.core.references import Parent, Parents, Through
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    ManyOf,
    Number,
    OneOf,
    Person,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)

Story = Mapping[str, Any]
STORIES = sorted((Path(__file__).parent / "core").glob("*.yaml"))
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story: Story = yaml.safe_load(path.read_text(encoding="utf-8"))

    told, expected = _text(tell(story)), _text(story["then"])

    diff = difflib.unified_diff(
        expected.splitlines(), told.splitlines(), f"{path.name}: expected", "what came of it", lineterm=""
    )
    assert told == expected, "\n".join([story["story"], *diff])


def test_there_are_many_stories() -> None:
    titles = [yaml.safe_load(path.read_text(encoding="utf-8"))["story"] for path in STORIES]

    assert len(set(titles)) == len(titles) >= 25


def _text(told: object) -> str:
    return yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=110)


# --- a story into nouns -----------------------------------------------------------------------------------------------


class _Reader:
    """Reads a story's scalars by the type of their field."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.fields: dict[Side, dict[str, FieldSchema]] = {side: {} for side in Side}
        mappings = [self._mapping(line) for line in story["lines"]]
        rules = story.get("rules", {})
        schemas = [
            ObjectSchema(ObjectTypeId(side.value), side.value, tuple(self.fields[side].values()))
            for side in Side
        ]
        self.rules = Rules(
            lenses(mappings, *schemas, ConflictPolicy(rules.get("conflicts", "ask"))),
            DeletePolicy(rules.get("deletes", "ask")),
            DeletedEdit(rules.get("edited", "edit")),
            frozenset(Side(side) for side in rules.get("archive", [])),
            frozenset(Side(side) for side in rules.get("restore", [])),
        ).looked_up(_parents(story.get("parents", {})))

    def _mapping(self, line: Story) -> FieldMapping:
        types = line.get("type", "text")
        kinds = types if isinstance(types, list) else [types, types]
        for side, kind in zip(Side, kinds, strict=True):
            name = line[side.value]
            self.fields[side][name] = FieldSchema(
                FieldId(name),
                name,
                FieldType(kind),
                is_required=name in line.get("required", []),
                options=_options(line.get("options", {}).get(side.value)),
                max_length=line.get("longest", {}).get(side.value),
                references=_TIED.of(side) if kind == FieldType.REFERENCE.value else None,
            )
        return FieldMapping(
            FieldId(line["left"]),
            FieldId(line["right"]),
            Direction(line.get("direction", "both")),
            ConflictPolicy(line["conflict"]) if "conflict" in line else None,
            tuple((here, there) for here, there in line.get("values", [])),
            line.get("transform"),
            tuple((here, there) for here, there in line.get("people", [])),
            line.get("lossy", False),
            line.get("to_right"),
            line.get("to_left"),
            _TIED if FieldType.REFERENCE.value in kinds else None,
        )

    def values(self, side: Side, fields: Story) -> dict[FieldId, Value]:
        return {
            FieldId(name): self.value(side, name, scalar) for name, scalar in fields.items() if name[0] != "@"
        }

    def value(self, side: Side, name: str, scalar: Any) -> Value:
        if scalar is None:
            return BLANK
        match self.fields[side][name].type:
            case FieldType.TEXT:
                return Text(scalar)
            case FieldType.RICH_TEXT:
                return RichText(scalar)
            case FieldType.NUMBER:
                return Number(Decimal(str(scalar)))
            case FieldType.YES_NO:
                return YesNo(scalar)
            case FieldType.DAY:
                return Day(scalar)
            case FieldType.ONE_OF:
                return OneOf(scalar)
            case FieldType.MANY_OF:
                return ManyOf(tuple(scalar))
            case FieldType.PERSON:
                return Person(email=scalar)
            case FieldType.REFERENCE:
                return Reference(_TIED.of(side), scalar)
            case other:
                raise AssertionError(f"stories hold no {other.value}")

    def sighting(self, side: Side) -> Sighting:
        given = self.story[side.value]
        if "unseen" in given:
            return Unseen(given["unseen"])
        if "gone" in given:
            return Gone(Proof(given["gone"]))
        return Present(self.record(side, {"@key": side.value, **given}))

    def record(self, side: Side, given: Story) -> Record:
        return Record(
            RecordKey(str(given["@key"])),
            self.values(side, given),
            updated_at=_time(given.get("@at")),
            title=str(given["@key"]),
            external_key=given.get("@mark", ""),
            in_scope=not given.get("@away", False),
        )

    def view(self) -> View:
        base = self.story.get("base")
        edits = self.story.get("edits", {})
        read = {
            side: {FieldId(name): Edit(_time(at)) for name, at in edits.get(side.value, {}).items()}
            for side in Side
        }
        return View(
            LinkId(1) if base else None,
            Base(*(self.values(side, base[side.value]) for side in Side)) if base else None,
            self.sighting(Side.LEFT),
            self.sighting(Side.RIGHT),
            read[Side.LEFT],
            read[Side.RIGHT],
            {name: self._choice(name, choice) for name, choice in self.story.get("choices", {}).items()},
            Answer(self.story["answer"]) if "answer" in self.story else None,
        )

    def _choice(self, name: str, choice: Story) -> Resolution:
        left, right = name.split(" ↔ ")
        return Resolution(
            self.value(Side.LEFT, left, choice["left"]),
            self.value(Side.RIGHT, right, choice["right"]),
            self.value(Side.LEFT, left, choice["seen_left"]),
            self.value(Side.RIGHT, right, choice["seen_right"]),
        )


_TIED = Through(SyncId("projects"), ObjectTypeId("project"), ObjectTypeId("case"))


def _parents(given: Story) -> Parents:
    """What the sync of projects knows: by side and key `{is: …, title: …, gone: …, lost: …, why: …}`."""
    return {
        (_TIED.sync, side, RecordKey(key)): Parent(
            RecordKey(known["is"]) if "is" in known else None,
            known.get("title", ""),
            known.get("why", "has not been seen yet"),
            known.get("gone", False),
            known.get("lost", False),
        )
        for side in Side
        for key, known in given.get(side.value, {}).items()
    }


def _options(given: list[str] | None) -> tuple[Option, ...] | None:
    return None if given is None else tuple(Option(key, key.title()) for key in given)


def _time(hour: str | None) -> dt.datetime | None:
    return None if hour is None else dt.datetime.fromisoformat(f"2026-03-01T{hour}+00:00")


# --- a story told -----------------------------------------------------------------------------------------------------


def tell(story: Story) -> dict[str, object]:
    """What comes of a story: the decision, the steps, what is held, the brakes and the calls."""
    reader = _Reader(story)
    out: dict[str, object] = {}
    linked: list[Linked] = []
    paired: list[tuple[Record, Record, Decision]] = []
    found = Matching((), (), (), ())
    mode = MatchMode(story.get("match", {}).get("mode", "match_then_create"))
    said = _said(story.get("said", {}))
    if "left" in story:
        view = reader.view()
        decision = merge(view, reader.rules)
        out["decided"] = _told(decision)
        gone = [seen if isinstance(seen, Gone) else None for seen in (view.left, view.right)]
        linked.append(Linked(LinkId(1), RecordKey("left"), RecordKey("right"), "record", decision, *gone))
    else:
        sides = [
            [reader.record(side, given) for given in story["unlinked"].get(side.value, [])] for side in Side
        ]
        on = tuple((FieldId(here), FieldId(there)) for here, there in story.get("match", {}).get("on", []))
        found = match(SyncId("tickets"), MatchRule(on, mode), reader.rules.lenses, *sides, said)
        for pair in found.pairs:
            view = View(None, None, Present(pair.left), Present(pair.right))
            paired.append((pair.left, pair.right, merge(view, reader.rules)))
        names = [f"{pair.left.key} = {pair.right.key} by {pair.by}" for pair in found.pairs]
        if names:
            out["paired"] = {name: _told(made) for name, (_, _, made) in zip(names, paired, strict=True)}
    may_create = frozenset(Side(side) for side in story.get("may_create", ["left", "right"]))
    intake = Intake(SyncId("tickets"), linked, found, paired, mode, reader.rules.lenses, may_create, said)
    made = plan(
        intake, _facts(story.get("facts", {})), _limits(story.get("limits", {})), lambda _side, _write: 1
    )
    return out | _planned(made)


def _said(given: Story) -> Said:
    return Said(
        frozenset((RecordKey(left), RecordKey(right)) for left, right in given.get("apart", [])),
        frozenset((Side(side), RecordKey(key), word) for side, key, word in given.get("copies", [])),
        frozenset(given.get("taken", [])),
    )


def _facts(given: Story) -> Facts:
    sides = {side: {"listed": 100, "known": 100, **given.get(side.value, {})} for side in Side}
    rest = {name: value for name, value in given.items() if name not in ("left", "right")}
    return Facts(
        SideFacts(**sides[Side.LEFT]), SideFacts(**sides[Side.RIGHT]), rest.pop("links", 100), NOON, **rest
    )


def _limits(given: Story) -> Limits:
    rest = {name: value for name, value in given.items() if name != "release"}
    return Limits(**rest, off=frozenset(BrakeName(name) for name in given.get("release", [])))


def _planned(made: Plan) -> dict[str, object]:
    out: dict[str, object] = {}
    if made.brakes:
        out["brakes"] = [f"{brake.name.value}: {brake.sentence}" for brake in made.brakes]
        out["stopped"] = [_step(step) for step in made.stopped]
    out["steps"] = [_step(step) for step in made.steps]
    if made.held:
        out["held"] = [_held(item) for item in made.held]
    out["calls"] = made.calls
    return out


def _told(decision: Decision) -> str | list[str]:
    match decision:
        case Fields(fields):
            return [_field(field) for field in fields]
        case Remove(side, is_archive, rule, fields):
            lost = [f"{field.of(side)} was {_shown(field.lost)}" for field in fields]
            return [f"{'archive' if is_archive else 'delete'} {side.value}: {rule.value}", *lost]
        case Revive(side, is_restore, fields, rule):
            return [
                f"{'restore' if is_restore else 'make anew'} {side.value}: {rule.value}",
                *map(_field, fields),
            ]
        case Forget(release, rule):
            return f"close the link{f', {release.value} goes on alone' if release else ''}: {rule.value}"
        case AskDelete(gone, is_edited, rule, parent):
            told = f"ask, {gone.value} is gone{', the other was edited' if is_edited else ''}"
            return f"{told}{f', as is {parent}' if parent else ''}: {rule.value}"
        case Wait(rule, reason):
            return f"wait: {rule.value}{f' ({reason})' if reason else ''}"


def _field(field: FieldDecision) -> str:
    out = f"{field.name}: {field.rule.value}"
    for side in Side:
        target = field.target(side)
        if target is not None:
            out += f", {side.value} gets {_shown(target)}"
    if field.lost_side is not None:
        out += f", {field.lost_side.value} loses {_shown(field.lost)}"
    return out + (f" ({field.reason})" if field.reason else "")


def _step(step: Step) -> str:
    out = (
        f"{type(step.write).__name__.lower()} {step.side.value}"
        if step.write
        else f"note {step.effect.value}"
    )
    fields = getattr(step.write, "fields", {})
    if fields:
        out += " {" + ", ".join(f"{name}: {_shown(value)}" for name, value in fields.items()) + "}"
    mark = getattr(step.write, "external_key", "")
    out += f" marked {mark}" if mark else ""
    word = "names" if step.effect is Effect.CLOSE else "settles"
    out += f", {word} {', '.join(field.name for field in step.fields)}" if step.fields else ""
    out += f", releases {step.release.value}" if step.release else ""
    return out + (f", after {int(step.after)}" if step.after else "")


def _held(item: Held) -> str:
    keys = " = ".join(str(key) for key in (item.left_key, item.right_key) if key is not None)
    return f"{item.field or keys}: {item.rule.value} ({item.reason})"


def _shown(value: Value | Untranslatable | None) -> str:
    match value:
        case Text(text):
            return text
        case RichText(html):
            return html
        case OneOf(key):
            return key
        case ManyOf(keys):
            return " + ".join(keys)
        case Number(number):
            return str(number)
        case YesNo(yes):
            return "yes" if yes else "no"
        case Day(day):
            return day.isoformat()
        case Person(email):
            return email
        case Reference(kind, key):
            return f"{kind} {key}"
        case _:
            return "blank"
