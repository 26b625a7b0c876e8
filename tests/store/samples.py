"""Small records, steps, entries and questions for the store's tests."""

from __future__ import annotations

import datetime as dt

from syncline.core.decisions import FieldDecision, Rule
from syncline.core.memory import Entry, Parked, Question, Seen, Standing
from syncline.core.plan import Effect, Held, Step
from syncline.core.records import FieldId, Gone, LinkId, Proof, RecordKey, RunId, Side, StepId, SyncId, Update
from syncline.core.values import Number, Text, Value
from syncline.store import SqlStore
from syncline.store.dialects import SQLITE
from tests.clock import START

SYNC, OTHER = SyncId("tickets"), SyncId("contracts")
LEFT, RIGHT = Side.LEFT, Side.RIGHT
NOW = START
MINUTE = dt.timedelta(minutes=1)
LEASE = 5 * MINUTE
DIGEST = bytes(range(16))
SECRET_KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXM="
NAME, HOURS = FieldId("name"), FieldId("hours")
GONE = Gone(Proof.TRASHED, START)


def key(number: int | str) -> RecordKey:
    """A record's key."""
    return RecordKey(str(number))


def seen(
    number: int | str,
    *,
    standing: Standing = Standing.WAITING,
    is_settled: bool = False,
    gone: Gone | None = None,
    link: LinkId | None = None,
    digest: bytes = DIGEST,
) -> Seen:
    """A record as last seen."""
    return Seen(
        key(number),
        digest,
        standing,
        is_settled,
        updated_at=NOW,
        title=f"Record {number}",
        fields={NAME: Text(f"name {number}"), HOURS: Number(1)},
        gone=gone,
        link=link,
        external_key=f"tickets:{number}",
    )


def step(number: int = 1, *, link: LinkId | None = None) -> Step:
    """An update of the right side."""
    name: dict[FieldId, Value] = {NAME: Text(f"name {number}")}
    return Step(
        StepId(f"{number:06d}"),
        RIGHT,
        Update(key(number), name, {NAME: Text("before")}),
        Effect.KEEP,
        Rule.ONE_SIDE_CHANGED,
        f"Record {number}",
        link=link,
        key=key(number),
        counterpart=key(f"l{number}"),
        fields=(
            FieldDecision(NAME, NAME, Rule.ONE_SIDE_CHANGED, left=Text("after"), to_right=Text("after")),
        ),
    )


def entry(
    run: str = "tickets-1",
    *,
    left: str | None = "1",
    right: str | None = "r1",
    field: str = "name ↔ title",
    link: int | None = 1,
) -> Entry:
    """A line of the history."""
    return Entry(
        RunId(run),
        None if link is None else LinkId(link),
        None if left is None else key(left),
        None if right is None else key(right),
        field,
        RIGHT,
        Text("before"),
        Text("after"),
        None,
        Rule.ONE_SIDE_CHANGED,
        NOW,
        "Record 1",
    )


def question(
    value: str = "left says",
    *,
    link: int | None = 1,
    left_key: str | None = "1",
    right_key: str | None = "r1",
    field: str | None = "name ↔ title",
    rule: Rule = Rule.CONFLICT,
    title: str = "Record 1",
    asked_at: dt.datetime = NOW,
    run: str = "tickets-1",
) -> Question:
    """A contested field, as the engine asks it."""
    held = Held(
        rule,
        "both sides changed",
        title,
        None if link is None else LinkId(link),
        None if left_key is None else key(left_key),
        None if right_key is None else key(right_key),
        field,
        Text(value),
        Text("right says"),
    )
    return Question(0, SYNC, held, Text("was"), Text("was"), asked_at, RunId(run))


def parked(number: int = 1, *, side: Side = LEFT, attempts: int = 1, message: str = "too long") -> Parked:
    """A failure."""
    return Parked(
        side, key(number), f"Record {number}", "rejected", message, "name", attempts, NOW + MINUTE, NOW
    )


def let_leases_run_out(store: SqlStore) -> None:
    """Nobody renewed one for long. Where leases count in the time that is given, a later one is enough."""
    if store._dialect is not SQLITE:
        store._execute("UPDATE lease SET until = 0")
