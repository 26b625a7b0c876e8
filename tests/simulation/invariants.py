"""What must be true of a world once nothing is left to do, judged by the vendors' own state.

The engine is only asked for its excuses: open questions, parked records, what the last plan held, and the history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from syncline.core.decisions import DeletePolicy, Rule
from syncline.core.mapping import ConflictPolicy
from syncline.core.memory import Entry
from syncline.core.records import RecordKey, Side
from syncline.core.values import Blank, Day, ManyOf, Number, OneOf, Person, RichText, Text, Value, YesNo
from syncline.engine.runs import Report
from tests.simulation.outfit import SYNC
from tests.simulation.people import (
    PALETTE,
    Deed,
    Held,
    Plain,
    plain_number,
    plain_text,
    plain_words,
    words_of_html,
)
from tests.simulation.weather import FIELDS, NAMES
from tests.simulation.world import World

CALLS_PER_RUN = 40
CALLS_PER_DEED = 16
"""A bound on the engine's calls that is stated once and holds for every world: listings with their retries for each
run, and looks, writes, repeated looks and edit histories for each thing a person did or a fault spoiled."""


def plain_value(value: Value | None, name: str) -> Plain:
    """A value of the engine in the plain form of a field."""
    match value:
        case None | Blank():
            return frozenset() if name == "labels" else False if name == "is_completed" else None
        case Text(text):
            return plain_words(text) if name == "body" else plain_text(text)
        case RichText(html):
            return words_of_html(html)
        case Number(number):
            return plain_number(number)
        case YesNo(yes):
            return yes
        case Day(day):
            return day.isoformat()
        case OneOf(key):
            return key == "done"
        case ManyOf(keys):
            return frozenset(keys) & frozenset(PALETTE)
        case Person(email):
            return email or None
        case _:
            raise AssertionError(value)


_POLICIES = {
    Rule.NEWEST: {ConflictPolicy.NEWEST},
    Rule.LEFT_WINS: {
        ConflictPolicy.LEFT,
        ConflictPolicy.LEFT_UNLESS_BLANK,
        ConflictPolicy.RIGHT_UNLESS_BLANK,
    },
    Rule.RIGHT_WINS: {
        ConflictPolicy.RIGHT,
        ConflictPolicy.LEFT_UNLESS_BLANK,
        ConflictPolicy.RIGHT_UNLESS_BLANK,
    },
}


def check(world: World) -> list[str]:
    """Everything that is wrong; empty for a good world."""
    return list(_Judge(world).faults())


def _run(entry: Entry) -> int:
    """The number of an entry's run."""
    return int(entry.run.rsplit("-", 1)[1])


class _Judge:
    """One look at a finished world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.last: Report = world.reports[-1]
        self.live = {name: world.crowd.account(name).records() for name in NAMES}
        self.by_token: dict[str, dict[int, list[str]]] = {name: {} for name in NAMES}
        for name in NAMES:
            for key in self.live[name]:
                self.by_token[name].setdefault(world.crowd.account(name).token(key), []).append(key)
        self.excuses = self._excuses()
        self.history = self._history()
        self.tokens = sorted({deed.token for deed in world.crowd.deeds})

    def faults(self) -> Iterator[str]:
        """Every broken promise."""
        yield from self._quiet_and_cheap()
        yield from self.world.witness.faults
        for token in self.tokens:
            yield from self._copies(token)
            yield from self._agreement(token)
            yield from self._edits(token)
            yield from self._winners(token)
        yield from self._deletions()

    # --- excuses

    def _excuses(self) -> set[tuple[str, str | None]]:
        """Records (by vendor key), and their fields, that a question, a parked write or a held item speaks of."""
        out: set[tuple[str, str | None]] = set()
        held = [*self.last.plan.held, *(question.held for question in self.world.store.questions(SYNC))]
        for each in held:
            if each.rule is Rule.UNKNOWN_OUTCOME:
                continue
            field = self._field(each.field) if each.field else None
            out |= {(str(key), field) for key in (each.left_key, each.right_key) if key}
        return out | {(str(parked.key), None) for parked in self.world.store.parked(SYNC)}

    def _field(self, line: str) -> str:
        """Our name of a line, or of one side's field."""
        known = {**{hl: ac for ac, hl in FIELDS.items()}, **{ac: ac for ac in FIELDS}}
        return known[line.split(" ↔ ")[0]]

    def _is_excused(self, keys: list[str], field: str | None) -> bool:
        return any((key, None) in self.excuses or (key, field) in self.excuses for key in keys)

    def _history(self) -> Mapping[str, list[Entry]]:
        out: dict[str, list[Entry]] = {}
        for entry in [*self.world.forgotten, *self.world.store.history(SYNC, limit=100_000)]:
            for key in (entry.left_key, entry.right_key):
                if key is not None:
                    out.setdefault(str(key), []).append(entry)
        return out

    # --- promises

    def _quiet_and_cheap(self) -> Iterator[str]:
        world = self.world
        stats = world.vendors["hl"].control("stats", {})
        if stats["refused_429"]:  # type: ignore[index]
            yield f"HighLevel refused {stats['refused_429']} calls"  # type: ignore[index]
        if world.certificate is None or world.certificate.unexplained:
            yield f"the certificate cannot explain {world.certificate and world.certificate.samples}"
        if self.last.writes or self.last.unknown:
            yield "the last run still wrote, or left something unknown"
        calls = sum(door.counted.calls for door in world.doors.values())
        bound = CALLS_PER_RUN * (world.runs + world.crashes) + CALLS_PER_DEED * len(world.crowd.deeds)
        if calls > bound:
            yield f"{calls} calls, more than {bound}"

    def _copies(self, token: int) -> Iterator[str]:
        """At most one copy for an origin, and one more for each time a person deleted one."""
        deeds = list(self.world.crowd.touching(token))
        for name in NAMES:
            is_home = any(deed.what == "made" and deed.side == name for deed in deeds)
            deleted = sum(deed.what == "deleted" and deed.side == name for deed in deeds)
            # A record taken out of the trash after its link was closed is a new one to us.
            restored = sum(deed.what == "restored" for deed in deeds)
            deleted += sum(gone == token for gone, _ in self.world.doors[name].counted.deleted)
            made = self.world.doors[name].counted.made[token]
            # With its link forgotten, a record that lies outside the filter or in the trash cannot be found again.
            # Each old backup may forget once more what was made in its place.
            hidden = (
                sum(deed.what in ("moved", "deleted") for deed in deeds) * self.world.setbacks
                if token in self.world.unknown
                else 0
            )
            allowed = (0 if is_home else 1) + deleted + restored + hidden
            if made > allowed:
                yield f"⟦{token}⟧ was created {made} times in {name}, {allowed} allowed"
            live = self.by_token[name].get(token, [])
            if len(live) > 1 + restored + hidden:
                yield f"⟦{token}⟧ is there {len(live)} times in {name}: {live}"

    def _agreement(self, token: int) -> Iterator[str]:
        there = {name: self.by_token[name].get(token, []) for name in NAMES}
        keys = [key for name in NAMES for key in there[name]]
        if all(len(there[name]) == 1 for name in NAMES):
            yield from self._fields_agree(token, there["ac"][0], there["hl"][0])
        elif len(keys) == 1 and not self._is_excused(keys, None) and not self._may_be_alone(token, there):
            yield f"⟦{token}⟧ is only in {[name for name in NAMES if there[name]]}"

    def _fields_agree(self, token: int, ac: str, hl: str) -> Iterator[str]:
        if not self.world.crowd.ac.is_in_scope(ac) or self._was_released(token):
            return
        for field in FIELDS:
            left, right = self.live["ac"][ac][field], self.live["hl"][hl][field]
            if left == right or self._is_excused([ac, hl], field):
                continue
            target = self.world.weather.one_way.get(field)
            leader = right if target == "ac" else left
            # A blank that nobody entered overwrites nothing.
            if target is not None and not leader:
                continue
            yield f"⟦{token}⟧ {field}: {left!r} in ac, {right!r} in hl, and nobody says why"

    def _may_be_alone(self, token: int, there: Mapping[str, list[str]]) -> bool:
        """Outside the filter, or left alone after a person's deletion of the other."""
        ac = there["ac"]
        if ac and all(not self.world.crowd.ac.is_in_scope(key) for key in ac):
            return True
        return self._was_released(token) or self._rests_outside(token)

    def _rests_outside(self, token: int) -> bool:
        """Whether the left record was last seen outside the filter: nobody looks there, so what becomes of it is not heard."""
        keys = {RecordKey(deed.key) for deed in self.world.crowd.touching(token) if deed.side == "ac"}
        side = Side.LEFT if self.world.weather.left == "ac" else Side.RIGHT
        seen = self.world.store.seen(SYNC, side, sorted(keys))
        return any(not each.in_scope and each.gone is None for each in seen.values())

    def _was_released(self, token: int) -> bool:
        """Whether the history says that the link was closed so that one record goes on alone."""
        keys = {deed.key for deed in self.world.crowd.touching(token)}
        entries = [entry for key in keys for entry in self.history.get(key, []) if not entry.field]
        return any(
            entry.rule in (Rule.DELETED_IGNORED, Rule.DELETED_ARCHIVED)
            or (entry.rule is Rule.RESOLVED and entry.side is None)
            for entry in entries
        )

    def _edits(self, token: int) -> Iterator[str]:
        deeds = list(self.world.crowd.touching(token))
        keys = {deed.key for deed in deeds} | {
            k for name in NAMES for k in self.by_token[name].get(token, [])
        }
        lost = [entry for key in sorted(keys) for entry in self.history.get(key, []) if entry.field]
        final = [self.live[name][key] for name in NAMES for key in self.by_token[name].get(token, [])]
        for deed in deeds:
            if deed.what not in ("made", "edited"):
                continue
            for field, value in deed.new.items():
                old = deed.old.get(field, frozenset() if field == "labels" else None)
                if value == old or (deed.what == "made" and not value):
                    continue
                if not self._is_accounted(deed, field, old, value, deeds, final, lost):
                    yield f"⟦{token}⟧ {deed.side} {field} = {value!r} (deed {deed.number}) is lost without a word"

    def _is_accounted(
        self,
        deed: Deed,
        field: str,
        old: Plain,
        value: Plain,
        deeds: list[Deed],
        final: list[Held],
        entries: list[Entry],
    ) -> bool:
        """Still there, or changed or deleted by somebody who saw it, or told of in the history or in a question."""
        seen_later = [d.old[field] for d in deeds if d.number > deed.number and field in d.old]
        # Put back to what it was before anybody looked, or before a write of ours that we never heard of: that leaves
        # no trace to go by.
        seen_later += [
            held[field]
            for key, number, held in self.world.doors[deed.side].counted.before
            if key == deed.key and number < deed.number and self.world.is_rough
        ]
        told_at = [] if self.world.rewound else [_run(e) for e in entries if self._field(e.field) == field]
        seen_later += [d.old[field] for d in deeds if d.number < deed.number and field in d.old and d.key == deed.key
                       and (d.looked >= deed.looked - 2 or not any(d.run < r <= deed.run for r in told_at))]  # fmt: skip
        told = [
            plain_value(each, field)
            for entry in entries
            if self._field(entry.field) == field
            for each in (entry.lost, entry.old if entry.rule is Rule.RESOLVED else None)
            if each is not None
        ]
        # It was on both sides, and whatever came later is another edit.
        agreed = [
            plain_value(entry.new, field)
            for entry in entries
            if entry.rule is Rule.AGREED
            and entry.new is not None
            and self._field(entry.field) == field
            and self._is_since(entry, deed)
        ]
        asked = [
            plain_value(each, field)
            for question in self.world.store.questions(SYNC)
            if question.held.field and self._field(question.held.field) == field
            for each in (question.held.left, question.held.right)
        ]
        places = [held[field] for held in final] + seen_later + told + agreed + asked
        if not value and self._was_filled_unheard(deed, field):
            return True
        if deed.token in self.world.unknown and (not value or field == "labels"):
            # With their link forgotten, two records meet for the first time: blanks are filled, labels united.
            return True
        if field != "labels":
            return value in places
        if self.world.is_rough and any(self._is_united(entry, deed, value) for entry in entries):
            return True
        gained, dropped = value - old, old - value
        kept = all(any(label in place for place in places) for label in gained)
        return kept and all(any(label not in place for place in places) for label in dropped)

    def _is_since(self, entry: Entry, deed: Deed) -> bool:
        """Whether a run told this after the deed; an old backup counts its runs anew."""
        return bool(self.world.rewound) or _run(entry) >= deed.run

    def _is_united(self, entry: Entry, deed: Deed, value: Plain) -> bool:
        """Whether the history tells that this set was united with the other side's: after a write that we never heard
        of, nobody knows what both last agreed on, and a label too many is better than one that is gone."""
        if entry.rule is not Rule.MERGED or self._field(entry.field) != "labels" or entry.new is None:
            return False
        return (
            self._is_since(entry, deed)
            and value == plain_value(entry.old, "labels")
            and value < plain_value(entry.new, "labels")
        )

    def _was_filled_unheard(self, deed: Deed, field: str) -> bool:
        """Whether a person cleared what we had just filled, and we may never have heard that we had."""
        counted, old = self.world.doors[deed.side].counted, deed.old.get(field)
        typed = (d for d in self.world.crowd.touching(deed.token) if d.side == deed.side)
        is_ours = bool(counted.made[deed.token]) and all(d.new.get(field) != old for d in typed)
        return self.world.is_rough and (
            is_ours
            or any(
                key == deed.key and number < deed.number and held[field] != old
                for key, number, held in counted.before
            )
        )

    def _winners(self, token: int) -> Iterator[str]:
        """A conflict is settled by the field's own policy, and `newest` by the newest."""
        deeds = list(self.world.crowd.touching(token))
        for entry in (
            e for key in sorted({deed.key for deed in deeds}) for e in self.history.get(key, []) if e.field
        ):
            field = self._field(entry.field)
            policy = self.world.weather.policies[field]
            if _POLICIES.get(entry.rule, {policy}).isdisjoint({policy}):
                yield f"⟦{token}⟧ {field}: settled by {entry.rule.value}, though it is {policy.value}"
            if entry.rule in _POLICIES and not self.world.rewound and not self._was_contested(field, deeds):
                yield f"⟦{token}⟧ {field}: {entry.lost} was overridden, though only one side was ever edited"
            if entry.rule is Rule.NEWEST and not self.world.rewound and self._is_older(entry, field, deeds):
                yield f"⟦{token}⟧ {field}: the older value won over {entry.lost}"

    def _was_contested(self, field: str, deeds: list[Deed]) -> bool:
        """Whether people put something into a field, or emptied it, on both sides."""
        typed = {deed.side for deed in deeds if deed.what in ("made", "edited") and field in deed.new}
        # A task that is made or brought back is open, whoever says so: nothing tells that from a person's word.
        return len(typed) == len(NAMES) or field == "is_completed"

    def _is_older(self, entry: Entry, field: str, deeds: list[Deed]) -> bool:
        """Whether the loser was typed last, and nobody touched the winner's record later (its only time may be its own)."""

        def typed(value: Value | None) -> list[Deed]:
            known = [d for d in deeds if d.run <= _run(entry)]
            return [d for d in known if field in d.new and d.new[field] == plain_value(value, field)]

        lost, won = typed(entry.lost), typed(entry.new)
        if not lost or not won or lost[-1].side == won[-1].side:
            return False
        side, first = won[-1].side, lost[0].number
        # Where the vendor tells no times of fields, a write of ours moves the record's only time too.
        ours = any(
            key == won[-1].key and number >= first for key, number, _ in self.world.doors[side].counted.before
        )
        touched = any(
            (at, token) == (side, deeds[0].token) and number >= first
            for at, token, number in self.world.crowd.touches
        )
        return not ours and not touched and not any(d.side == side and d.number > first for d in deeds)

    def _deletions(self) -> Iterator[str]:
        """The engine deletes only what a person has deleted on the other side before."""
        for name in NAMES:
            for token, number in self.world.doors[name].counted.deleted:
                deeds = self.world.crowd.touching(token)
                deleters = [d for d in deeds if d.what == "deleted" and d.number <= number]
                # We followed a deletion and forgot that we did: the other side's absence is our own doing.
                is_echo = token in self.world.rewound and bool(deleters)
                if not is_echo and not any(d.side != name for d in deleters):
                    yield f"⟦{token}⟧ was deleted in {name}, and nobody had deleted it on the other side"
                elif (
                    self.world.weather.deletes is not DeletePolicy.PROPAGATE
                    and token not in self.world.condemned
                ):
                    yield f"⟦{token}⟧ was deleted in {name}, and nobody had said so"
