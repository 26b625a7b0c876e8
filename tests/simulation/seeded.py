"""The deliberate bugs: each one line of thought that is easily got wrong, and where it would be.

Read by `bugs`. A bug's old text stands exactly once in its file; when it is moved or reworded, this list is mended.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bug:
    """One wrong thought: `old` becomes `new` in a file of `src/syncline`.

    `suite` names tests for pytest that are asked instead of the worlds, which seldom show it, or never.
    """

    name: str
    sentence: str
    file: str
    old: str
    new: str
    suite: tuple[str, ...] = ()


BUGS = (
    Bug(
        "echo-in-our-words",
        "The base keeps what we sent, not what the vendor made of it, and our own write comes back as an edit.",
        "engine/settle.py",
        "out[name] = planned if answered is None else answered",
        "out[name] = planned",
    ),
    Bug(
        "echo-not-suppressed",
        "The base keeps what was there before our write, and our own write comes back as an edit.",
        "engine/settle.py",
        "return _now(decision, side) if target is None else target",
        "return _now(decision, side)",
    ),
    Bug(
        "timeout-is-a-refusal",
        "A write without an answer is taken for one that never happened, and made again.",
        "engine/apply.py",
        "case UnknownOutcomeError():\n            return IntentState.UNKNOWN",
        "case UnknownOutcomeError():\n            return IntentState.DROPPED",
    ),
    Bug(
        "create-repeated",
        "A create that is not found at the first look is given up, though the listing lags.",
        "engine/recover.py",
        "elif _is_absence_proven(world, sync, intent, sweeps):",
        "elif not sweeps[intent.step.side].is_delta:",
    ),
    Bug(
        "mark-not-searched",
        "An interrupted create is not looked for by its external key.",
        "engine/recover.py",
        "for record in await side.connector.find(side.scope, step.write.external_key):",
        "for record in ():",
    ),
    Bug(
        "crash-forgotten",
        "An intent that a crash left open is thrown away; only the unknown ones are looked after.",
        "engine/recover.py",
        "for intent in world.store.intents(sync.id)]",
        "for intent in world.store.intents(sync.id) if intent.state.value != 'open']",
    ),
    Bug(
        "own-deletion-followed",
        "Our own deletion, whose answer was never heard, is taken for a person's.",
        "engine/recover.py",
        "if isinstance(step.write, Delete) and isinstance(sighting, Gone):",
        "if isinstance(step.write, Delete) and isinstance(sighting, Gone) and step.link is None:",
    ),
    Bug(
        "unheard-loss",
        "What a write overrode that we never heard of is not told in the history.",
        "engine/unheard.py",
        "is_lost = decision.lost is not None and decision.lost_side is step.side",
        "is_lost = decision.lost is not None and decision.lost_side is not step.side",
    ),
    Bug(
        "absence-believed",
        "A record that a complete listing lacks counts as deleted without a direct read.",
        "engine/pull.py",
        "found = await read(sync, side, missing)",
        "from syncline.core.records import Proof\n\n    found = dict.fromkeys(missing, Gone(Proof.NOT_FOUND))",
    ),
    Bug(
        "incomplete-listing-believed",
        "A listing that broke off counts as all that there is.",
        "engine/pull.py",
        "sweep.ending = part\n",
        "sweep.ending = msgspec.structs.replace(part, is_complete=True)\n",
    ),
    Bug(
        "lag-ignored",
        "An older state out of a search index that lags is taken for news.",
        "engine/pull.py",
        "if ours is not None and version(record.updated_at) < ours.version:",
        "if ours is not None and version(record.updated_at) < 0:",
    ),
    Bug(
        "ghost-believed",
        "A record that a lagging listing still shows after its deletion is taken for a new one.",
        "engine/pull.py",
        "if not sweep.new:\n        return\n    buried",
        "if sweep.new or not sweep.new:\n        return\n    buried",
    ),
    Bug(
        "hint-creates-blindly",
        "A webhook's new record is copied without a look for its counterpart on the other side.",
        "engine/pick.py",
        "if not any(sweep.new for sweep in sweeps.values()) and not any(map(_is_lone, known)):",
        "for sweep in sweeps.values():\n        sweep.is_chosen = False\n    if sweeps:",
    ),
    Bug(
        "stray-copied-back",
        "A copy whose link is not known is copied back to where it came from.",
        "engine/strays.py",
        "strays = [record for record in lone[side] if marked.get(record.key) in alive]",
        "strays = list[Record]()",
    ),
    Bug(
        "base-before-write",
        "The base moves before the vendor has the write.",
        "engine/apply.py",
        "        ids = work.world.store.intend(",
        "        from syncline.engine.settle import bases\n\n"
        "        for step in batch:\n"
        "            if step.link is not None:\n"
        "                work.world.store.move_base(step.link, *bases(step, None, work.ledger))\n"
        "        ids = work.world.store.intend(",
    ),
    Bug(
        "write-without-a-look",
        "A record is written over without a look whether somebody has edited it since the listing.",
        "engine/look.py",
        "if not _is_fresh(known, step.side, key):",
        "if not _is_fresh(known, step.side, key) and not key:",
    ),
    Bug(
        "delete-without-a-look",
        "A deletion does not look whether the other record is back by now.",
        "engine/look.py",
        "if step.rule is not Rule.UNDONE:\n                await _expect_gone(known, step)",
        "if step.rule is Rule.UNDONE:\n                await _expect_gone(known, step)",
    ),
    Bug(
        "loss-not-recorded",
        "The history does not tell what was overridden.",
        "engine/settle.py",
        "lost = decision.lost if decision.lost_side is side else None",
        "lost = decision.lost if decision.lost_side is None else None",
    ),
    Bug(
        "choice-applied-late",
        "A person's choice is applied to values that were edited after it.",
        "core/merge.py",
        "if chosen and same(chosen.seen_left, now_left) and same(chosen.seen_right, now_right):",
        "if chosen:",
    ),
    Bug(
        "older-wins",
        "Where the later edit is to win, the earlier one does.",
        "core/merge.py",
        "if left_at > right_at else",
        "if left_at < right_at else",
    ),
    Bug(
        "our-write-is-an-edit",
        "The time that our own write left on a record is taken for the time of a person's edit.",
        "core/merge.py",
        "is_bound=at == record.wrote_at)",
        "is_bound=at is None)",
        suite=("tests/core/test_edit_times.py",),
    ),
    Bug(
        "one-way-writes-back",
        "A field that goes to the right only writes back to the left.",
        "core/merge.py",
        "next((side for side in Side if not lens.flows_to(side)), None)",
        "next((side.other for side in Side if not lens.flows_to(side)), None)",
    ),
    Bug(
        "addition-lost",
        "What one side added to a set does not go over.",
        "core/elements.py",
        "is_wanted = is_led or origin not in before",
        "is_wanted = is_led or origin in own_before",
    ),
    Bug(
        "removal-lost",
        "What one side took out of a set comes back.",
        "core/elements.py",
        "dropped = {element for element in before if element not in after}",
        "dropped = {element for element in before if element not in before}",
    ),
    Bug(
        "deletion-beats-edit",
        "A deletion is followed though the other side was edited, where the edit is to win.",
        "core/absence.py",
        "if is_edited and rules.deleted_edit is DeletedEdit.EDIT:",
        "if is_edited and rules.deleted_edit is not DeletedEdit.EDIT:",
    ),
    Bug(
        "brake-off-by-one",
        "A brake pulls at its limit, not above it.",
        "core/brakes.py",
        "count > Decimal(str(share)) * total",
        "count >= Decimal(str(share)) * total",
        suite=("tests/scenarios/test_bisync.py", "-k", "max_delete"),
    ),
    Bug(
        "late-listing-written-over",
        "A listing that lags is believed before a write, as one that does not lag is.",
        "engine/look.py",
        "is_late = bool(patience.lag.get(side)) and key not in sweep.direct",
        "is_late = False",
    ),
    Bug(
        "doubtful-source-copied",
        "The source of a copy that may have been made is not kept back until that is known.",
        "engine/recover.py",
        "recovery.frozen[step.side.other][step.counterpart] = text",
        "del text",
    ),
    Bug(
        "half-made-copy-believed",
        "A copy that was cut off half-way through counts as whole.",
        "engine/recover.py",
        "candidates, key=lambda each: (len(each[1]), each[0].key), default=(None, frozenset[FieldId]()))",
        "((each[0], frozenset[FieldId]()) for each in candidates), key=lambda each: each[0].key, "
        "default=(None, frozenset[FieldId]()))",
        suite=("tests/engine/test_recover.py",),
    ),
    Bug(
        "left-alone-for-nothing",
        "A record that goes on alone after its counterpart's deletion is copied again.",
        "engine/reconcile.py",
        "is_back = seen is not None and (seen.gone is not None or seen.standing is Standing.WAITING)",
        "is_back = seen is not None",
        suite=("tests/engine/test_linking.py", "-k", "unlinked_both_stay"),
    ),
    Bug(
        "mark-not-matched",
        "A copy without a link is not known by the key that it carries.",
        "core/match.py",
        "return (own, (side.other, record.external_key)) if record.external_key else (own,)",
        "return (own,)",
        suite=("tests/core/test_match_laws.py",),
    ),
    Bug(
        "cursor-past-a-gap",
        "A listing that broke off moves the cursor, and what it did not show is never asked for again.",
        "engine/remember.py",
        "if sweep.ending.cursor is not None and (sweep.ending.is_complete or sweep.is_delta):",
        "if sweep.ending.cursor is not None:",
        suite=("tests/engine/test_runs.py", "-k", "broke_off"),
    ),
    Bug(
        "answer-believed",
        "An answer that does not show what was written is taken for a yes.",
        "engine/keeping.py",
        "if is_whole and not not_kept(step, receipt, base):",
        "if is_whole or base is not None:",
        suite=("tests/engine/test_keeping.py",),
    ),
    Bug(
        "release-never-used-up",
        "A brake that is released once stays released.",
        "engine/brakes.py",
        "if name in kept and not kept[name].is_for_good:",
        "if name in kept and kept[name].is_for_good:",
        suite=("tests/engine/test_brake_damage.py", "tests/engine/test_brakes.py"),
    ),
    Bug(
        "undone-without-a-look",
        "An undo puts the old value back over whatever was typed since.",
        "core/undo.py",
        "if entry.new is not None and same(entry.new, now):\n        return True",
        "if entry.new is not None:\n        return True",
        suite=("tests/core/test_undo_laws.py", "tests/engine/test_undo.py"),
    ),
    Bug(
        "reserve-spent",
        "Bulk work spends the day's calls that are kept for live edits.",
        "connectors/limiter.py",
        "if left > (kept(limit, self._reserve) if purpose.is_bulk and limit is not None else 0):",
        "if left > 0:",
        suite=("tests/connectors", "-k", "limiter or quota"),
    ),
    Bug(
        "lost-lease-ignored",
        "A run that was silent for too long goes on writing beside the one that took its place.",
        "store/runs.py",
        "if self._row(_HOLDS, holder=run) is None:",
        "if self._row(_HOLDS, holder=run) is None and not run:",
        suite=("tests/store",),
    ),
)
