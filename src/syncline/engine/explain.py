"""What we remember of one record into why it did or did not sync, in sentences and with the facts behind them.

Called by the CLI. Nothing is asked of a vendor: what was seen last, the base, the history, open questions, failures and
open writes are looked up by their indexes, and the next decision is made from them. Each answer is a sentence for a
person and the facts behind it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from syncline.core.absence import created_fields
from syncline.core.decisions import Decision, FieldDecision, Fields, Rule, View, line_fields, line_name
from syncline.core.mapping import Lens
from syncline.core.match import MatchMode
from syncline.core.memory import Entry, Link, Parked, Question, Run, RunState, Seen, Standing
from syncline.core.merge import merge
from syncline.core.records import LinkId, Present, RecordKey, Side, Sighting, SyncId
from syncline.core.shapes import Paused
from syncline.engine.drift import paused
from syncline.engine.explain_line import Around, Line, line_of
from syncline.engine.explain_past import Absence, absences, end_sentences, ended, told_of
from syncline.engine.pull import as_seen, remembered
from syncline.engine.report import Summary, last_runs, told
from syncline.engine.sync import Sync, World

_RUNS = 10
"""How many runs are looked at for the last one that came to its end."""


class Explanation(msgspec.Struct, frozen=True):
    """Why a record is as it is. `side` is None where it is not known (any more); `sentences` answer for the record, each
    line's own for the line. `gone` are its absent sides, and `past` is what happened to the record as a whole."""

    sync: SyncId
    key: RecordKey
    side: Side | None
    title: str
    link: LinkId | None
    left: Seen | None
    right: Seen | None
    sentences: tuple[str, ...]
    lines: tuple[Line, ...] = ()
    next: Decision | None = None
    parked: tuple[Parked, ...] = ()
    suggestions: tuple[str, ...] = ()
    gone: tuple[Absence, ...] = ()
    past: tuple[Entry, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether anything is known of the record, be it only of old."""
        return self.side is not None or bool(self.title or self.past)


def explain(world: World, sync: Sync, key: RecordKey, field: str | None = None) -> tuple[Explanation, ...]:
    """Explain a record by its key, on whichever side it is known (on both, where both use the same key for different
    records). `field` names a line by either side's field, its title or both."""
    found = [(side, seen) for side in Side if (seen := world.store.seen(sync.id, side, [key]).get(key))]
    links = {seen.link for _, seen in found}
    if len(found) > 1 and len(links) == 1 and None not in links:
        found = found[:1]
    if not found:
        return (_unknown(world, sync, key),)
    return tuple(_known(world, sync, side, seen, field) for side, seen in found)


def _unknown(world: World, sync: Sync, key: RecordKey) -> Explanation:
    entries = world.store.history(sync.id, key)
    sentences = [f"No record '{key}' is known in this sync."]
    if entries:
        last = entries[-1]
        sentences = [
            f"'{last.title or key}' was known once; it is not part of this sync any more.",
            *(
                end_sentences(end)
                if (end := ended(entries))
                else [f"The last thing that happened: {told_of(last)}"]
            ),
        ]
    else:
        sentences.append(
            "Either no run has seen it yet, or it is outside the sync's filter, or the id is another."
        )
        sentences += _last_run(world, sync)
    title = next((each.title for each in reversed(entries) if each.title), "")
    past = tuple(each for each in entries if not each.field)
    return Explanation(sync.id, key, None, title, None, None, None, tuple(sentences), past=past)


def _known(world: World, sync: Sync, side: Side, seen: Seen, field: str | None) -> Explanation:
    link = world.store.links(sync.id, [seen.link]).get(seen.link) if seen.link is not None else None
    left = link.left if link else (seen if side is Side.LEFT else None)
    right = link.right if link else (seen if side is Side.RIGHT else None)
    keys = {each.key for each in (left, right) if each is not None}
    questions = [
        each for each in world.store.questions(sync.id) if {each.held.left_key, each.held.right_key} & keys
    ]
    parked = tuple(each for each in world.store.parked(sync.id) if each.key in keys)
    view = _view(link) if link else None
    decision = _decide(sync, view, side, seen)
    lenses, suggestions, missing = _chosen(world, sync, field)
    entries = _history(world, sync, seen)
    around = Around(sync, link, _sightings(side, seen, link), decision, entries, _asked(questions))
    lines = tuple(line_of(lens, around) for lens in lenses)
    past = tuple(entries.get("", ()))
    gone = _gone(world, sync, side, seen, link, past)
    sentences = [
        *_standing(sync, side, seen, link),
        *(each.sentence for each in gone),
        *(end_sentences(past[-1]) if link is None and past else ()),
        *_hindrances(world, sync, keys, parked),
        *_about(world, sync, seen.key, questions),
        *missing,
        *_last_run(world, sync),
        *_next(decision, parked, is_alone=link is None),
    ]
    return Explanation(
        sync.id, seen.key, side, _title(seen, link), link.id if link else None, left, right, tuple(sentences),
        lines, decision, parked, suggestions, gone, past,
    )  # fmt: skip


def _gone(
    world: World, sync: Sync, side: Side, seen: Seen, link: Link | None, past: Sequence[Entry]
) -> tuple[Absence, ...]:
    """What is gone of the record and its counterpart; that of a closed link, where the record is gone too."""
    records = [(each, link.of(each)) for each in Side] if link else [(side, seen)]
    other = (past[-1].left_key if side is Side.RIGHT else past[-1].right_key) if past else None
    if link is None and seen.gone is not None and other is not None:
        known = world.store.seen(sync.id, side.other, [other]).get(other)
        records += [(side.other, known)] if known is not None and known.link is None else []
    return absences(world, sync, records)


def _sightings(side: Side, seen: Seen, link: Link | None) -> Mapping[Side, Sighting]:
    return {each: remembered(link, each) for each in Side} if link else {side: as_seen(seen)}


def _history(world: World, sync: Sync, seen: Seen) -> Mapping[str, Sequence[Entry]]:
    """The record's history by line."""
    out: dict[str, list[Entry]] = {}
    for entry in world.store.history(sync.id, seen.key):
        out.setdefault(entry.field, []).append(entry)
    return out


def _asked(questions: Sequence[Question]) -> Mapping[str, Question]:
    """The open questions about lines."""
    return {each.held.field: each for each in questions if each.held.field is not None}


def _title(seen: Seen, link: Link | None) -> str:
    others = (link.left.title, link.right.title) if link else ()
    return next((title for title in (seen.title, *others) if title), seen.key)


def _view(link: Link) -> View:
    return View(link.id, link.base, remembered(link, Side.LEFT), remembered(link, Side.RIGHT))


def _decide(sync: Sync, view: View | None, side: Side, seen: Seen) -> Decision | None:
    """What the next run would decide if nothing more changed."""
    if view is not None:
        return merge(view, sync.rules)
    sighting = as_seen(seen)
    is_alone = (
        seen.standing is Standing.WAITING and seen.in_scope and sync.match.mode is not MatchMode.MATCH_ONLY
    )
    if is_alone and isinstance(sighting, Present) and side.other in sync.may_create:
        return Fields(created_fields(sync.rules.lenses, sighting.record, side.other))
    return None


# --- the record -----------------------------------------------------------------------------------------------------


def _standing(sync: Sync, side: Side, seen: Seen, link: Link | None) -> Iterator[str]:
    where = f"on the {side.value}"
    if link is not None:
        yield f"It is linked: {_name(link.left)} on the left, {_name(link.right)} on the right."
        for each in Side:
            if link.of(each).gone is None and not link.of(each).in_scope:
                yield f"The record on the {each.value} is outside the sync's filter; the link rests until it is back."
        return
    if seen.gone is not None:
        return
    if seen.standing is Standing.RELEASED:
        yield f"It stands for itself {where}: its link was ended, and it is never linked or copied again by itself."
    elif not seen.in_scope:
        yield f"It is outside the sync's filter {where}, so nothing is done about it."
    elif sync.match.mode is MatchMode.MATCH_ONLY:
        yield f"It waits {where}: no record on the other side matches, and this sync makes no copies (match_only)."
    elif side.other not in sync.may_create:
        yield f"It waits {where}: no record on the other side matches, and none can be made there."
    else:
        yield f"It has no counterpart yet. Last seen {where}; the next run matches it, or copies it to the {side.other.value}."


def _name(seen: Seen) -> str:
    return f"{seen.title} ({seen.key})" if seen.title else seen.key


def _hindrances(world: World, sync: Sync, keys: set[RecordKey], parked: Sequence[Parked]) -> Iterator[str]:
    for each in parked:
        due = f"The next try is at {each.due:%Y-%m-%d %H:%M} UTC." if each.due else ""
        advice = due or "Mend it and edit the record, or run `syncline retry`."
        tries = "once" if each.attempts == 1 else f"{each.attempts} times"
        yield f"A write failed {tries} on the {each.side.value} ({each.code}): {_closed(each.message)} {advice}"
    for intent in world.store.intents(sync.id):
        if {intent.step.key, intent.step.counterpart} & keys:
            when = f"{intent.at:%Y-%m-%d %H:%M} UTC"
            yield f"A write of {when} has no known outcome yet: the next run looks before it writes anything."


def _closed(text: str) -> str:
    """A vendor's words as a sentence."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _about(world: World, sync: Sync, key: RecordKey, questions: Sequence[Question]) -> Iterator[str]:
    """Questions about the record as a whole, and persons' words that keep it from others."""
    for question in questions:
        if question.held.field is None:
            reason = f" ({question.held.reason})" if question.held.reason else ""
            yield f"A person is asked (question {question.id}): {question.held.rule.sentence}{reason} See `syncline conflicts show {question.id}`."
    for pair in world.store.apart(sync.id):
        if key in (pair.left, pair.right):
            other = pair.right if key == pair.left else pair.left
            yield f"A person said that it is not the same as '{other}'{f': {pair.reason}' if pair.reason else ''}."


def _last_run(world: World, sync: Sync) -> Iterator[str]:
    runs = [(run, told(run)) for run in last_runs(world.store, sync.id, _RUNS)]
    last = next(((run, summary) for run, summary in runs if summary is not None), None)
    failed = runs[0][0] if runs and runs[0][0].state in (RunState.FAILED, RunState.INTERRUPTED) else None
    if not runs:
        yield "The sync has never run."
    elif failed is not None:
        yield f"The last run ({failed.id}) did not come to its end: {failed.state.value}."
    if last is not None:
        yield from _braked(*last)


def _braked(run: Run, summary: Summary) -> Iterator[str]:
    for brake in summary.brakes:
        yield f"A brake stopped the last run ({run.id}), so nothing was written: {brake.sentence} {brake.remedy}"


def _next(decision: Decision | None, parked: Sequence[Parked], *, is_alone: bool) -> Iterator[str]:
    if parked and not any(each.due for each in parked):
        yield "Next run: nothing, until it is edited or tried again."
    elif isinstance(decision, Fields) and is_alone and (awaited := _awaited(decision)):
        yield f"Next run: nothing; it {awaited[0].reason}. It goes as soon as that one is linked."
    elif isinstance(decision, Fields):
        writing = [
            each.name for each in decision.fields if each.to_left is not None or each.to_right is not None
        ]
        awaited = _awaited(decision)
        asked = [each.name for each in decision.fields if each.is_open and each not in awaited]
        if writing:
            yield f"Next run: writes {', '.join(writing)}."
        if asked:
            yield f"Next run: waits for a person in {', '.join(asked)}."
        for each in awaited:
            yield f"{each.name} {each.reason}. It goes as soon as that one is linked."
        if not writing and not asked and not awaited:
            yield "Next run: nothing to do, as far as we have seen."
    elif decision is not None:
        yield f"Next run: {decision.rule.sentence}"


def _awaited(decision: Fields) -> list[FieldDecision]:
    return [each for each in decision.fields if each.rule is Rule.AWAITS_PARENT]


# --- which lines ----------------------------------------------------------------------------------------------------


def _chosen(
    world: World, sync: Sync, field: str | None
) -> tuple[Sequence[Lens], tuple[str, ...], Sequence[str]]:
    """The lines that are asked about; for a name that is none, what may have been meant and why it is not synced."""
    lenses = sync.rules.lenses
    resting = {each.line: each for each in (*paused(world.store, sync.id), *sync.paused)}
    if field is None:
        return lenses, (), [_resting(each) for each in resting.values()]
    wanted = field.strip().casefold()
    if found := [lens for lens in lenses if wanted in {name.casefold() for name in _names(lens)}]:
        return found, (), ()
    if rests := [each for name, each in resting.items() if wanted in _parts(name)]:
        return (), (), [_resting(each) for each in rests]
    near = _near(lenses, wanted)
    text = f"'{field}' is not mapped in this sync, so nothing of it is carried over."
    if not _is_field(sync, wanted):
        text = f"There is no field '{field}' on either side."
    mapped = ", ".join(line_name(lens.mapping.left, lens.mapping.right) for lens in lenses)
    hint = f"Did you mean {' or '.join(near)}?" if near else f"Mapped are: {mapped}."
    return (), near, [text, hint]


def _near(lenses: Sequence[Lens], wanted: str) -> tuple[str, ...]:
    """Names that may have been meant, the nearest first; of a field's id and title only the nearer one."""
    owners: dict[str, tuple[Side, str]] = {}
    for lens in lenses:
        for side in Side:
            shape, name = lens.of(side), lens.mapping.of(side)
            for each in (name, shape.title):
                owners.setdefault(each, (side, name))
    folded = {each.casefold(): each for each in reversed(owners)}
    near = [folded[each] for each in difflib.get_close_matches(wanted, folded, n=6, cutoff=0.5)]
    first = {owners[each]: each for each in reversed(near)}
    return tuple(each for each in near if first[owners[each]] == each)[:3]


def _resting(line: Paused) -> str:
    return f"The line '{line.line}' is paused: {line.reason} {line.remedy}"


def _names(lens: Lens) -> tuple[str, ...]:
    """Whatever a line may be called."""
    mapping = lens.mapping
    return (
        mapping.left, mapping.right, lens.left.title, lens.right.title, line_name(mapping.left, mapping.right)
    )  # fmt: skip


def _parts(name: str) -> set[str]:
    return {name.casefold(), *(part.casefold() for part in line_fields(name))}


def _is_field(sync: Sync, wanted: str) -> bool:
    fields = (each for side in Side for each in sync.side(side).schema.fields)
    return any(wanted in (each.id.casefold(), each.title.casefold()) for each in fields)
