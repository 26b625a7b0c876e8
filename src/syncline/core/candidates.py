"""Unlinked records of both sides into pairs that may be the same thing, each with a score and its reasons.

Called by `engine.linking`, for a person to choose from: nothing is ever linked because of a score. `match` alone links by
itself, and only what is certain. The score says how alike two records are in what both of them hold: 1 is alike in
everything, 0 in nothing. It is the mean of the mapped lines' likeness, weighted by `WEIGHTS`, and the same from either
side.

Not every pair is looked at. Records meet in blocks: they share a key, or one of the rarer words, letter groups or values
of their texts. The work grows with the number of records and not with its square.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec
from rapidfuzz.fuzz import ratio
from rapidfuzz.utils import default_process

from syncline.core.convert import Untranslatable
from syncline.core.decisions import line_name
from syncline.core.mapping import Lens
from syncline.core.markup import text_of_html
from syncline.core.match import NOTHING_SAID, MatchRule, Said, keys, marks
from syncline.core.records import Record, RecordKey, Side, SyncId
from syncline.core.values import FieldType, ManyOf, RichText, Text, Value, canonical, canonical_text

NAME_WEIGHT = 4.0
"""Of the key fields, and of the line that holds the title."""
WEIGHTS: Mapping[FieldType, float] = {
    FieldType.TEXT: 2.0,
    FieldType.RICH_TEXT: 2.0,
    FieldType.PHONE: 2.0,
    FieldType.NUMBER: 1.0,
    FieldType.MONEY: 1.0,
    FieldType.DAY: 1.0,
    FieldType.MOMENT: 1.0,
    FieldType.PERSON: 1.0,
    FieldType.REFERENCE: 1.0,
    FieldType.FILES: 1.0,
    FieldType.MANY_OF: 1.0,
    FieldType.ONE_OF: 0.5,
    FieldType.YES_NO: 0.5,
}
"""How much a line counts; the lighter of its two fields decides. What only one side holds counts half, as a difference."""

Certainty = Literal["external key", "key fields", ""]


class Reason(msgspec.Struct, frozen=True):
    """What one line says about a pair. `likeness` is None where only one side holds something."""

    line: str
    likeness: float | None
    text: str


class Candidate(msgspec.Struct, frozen=True):
    """Two records that may be the same thing. `by` names what they share for certain, if anything."""

    left: RecordKey
    right: RecordKey
    left_title: str
    right_title: str
    score: float
    by: Certainty
    reasons: tuple[Reason, ...]

    def of(self, side: Side) -> RecordKey:
        """The record of one side."""
        return self.left if side is Side.LEFT else self.right


class Reach(msgspec.Struct, frozen=True):
    """How far to look: the most candidates `each` record gets, the `least` score that counts where no key is shared, and
    how many others a record is compared with."""

    each: int = 5
    least: float = 0.6
    compared: int = 8


_BLOCK = 64
"""A word or letter group that more records share says nothing; of a key that more share, these many are looked at."""
_TELLING = 24
"""How many of its rarest words and letter groups a record is looked up by."""
_LONGEST = 1_000
"""Characters of a text that are compared."""
_WHOLE = 720_720
"""Divisible by every small block size: whole numbers add up to the same in every order."""


def candidates(
    sync: SyncId,
    rule: MatchRule,
    lenses: Sequence[Lens],
    left: Sequence[Record],
    right: Sequence[Record],
    said: Said = NOTHING_SAID,
    reach: Reach | None = None,
) -> tuple[Candidate, ...]:
    """Pairs that may be the same thing: those that share keys first, then the most alike.

    A pair is kept where it is among the best of either record. Swapping the sides gives the same pairs and scores.
    Records that a person keeps apart are never a pair.
    """
    reach = reach or Reach()
    terms = _terms(sync, rule, lenses)
    lefts = [_profile(terms, record, Side.LEFT) for record in left]
    rights = [_profile(terms, record, Side.RIGHT) for record in right]
    near = _near(lefts, rights, reach.compared)
    near |= {(there, here) for here, there in _near(rights, lefts, reach.compared)}
    found: list[Candidate] = []
    for here, there in near:
        a, b = lefts[here], rights[there]
        if (a.record.key, b.record.key) in said.apart:
            continue
        by, score = _certainty(a, b), _score(terms, a, b)
        if by or score >= reach.least:
            found.append(_candidate(terms, a, b, score, by))
    return tuple(_best(sorted(found, key=_best_first), reach.each))


def _best_first(pair: Candidate) -> tuple[bool, float, RecordKey, RecordKey]:
    return not pair.by, -pair.score, pair.left, pair.right


def _best(pairs: Sequence[Candidate], each: int) -> Iterator[Candidate]:
    """The pairs that are among the best of one of their records. Equal ones are all among them: no order of keys, which
    the two sides would not share, decides."""
    ranks: dict[tuple[Side, RecordKey], dict[tuple[bool, float], None]] = defaultdict(dict)
    taken: dict[tuple[Side, RecordKey], int] = defaultdict(int)
    for pair in pairs:
        mine = (not pair.by, pair.score)
        is_good = False
        for side in Side:
            spot = (side, pair.of(side))
            is_good |= taken[spot] < each or mine in ranks[spot]
            if taken[spot] < each:
                ranks[spot][mine] = None
            taken[spot] += 1
        if is_good:
            yield pair


# --- one record, made ready to be compared ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Terms:
    """What pairs are compared by: for each lens its weight and whether it is one of the key fields."""

    sync: SyncId
    rule: MatchRule
    lenses: Sequence[Lens]
    weights: Sequence[float]
    is_key: Sequence[bool]


def _terms(sync: SyncId, rule: MatchRule, lenses: Sequence[Lens]) -> _Terms:
    is_key = [(lens.mapping.left, lens.mapping.right) in rule.on for lens in lenses]
    weights = [
        NAME_WEIGHT if is_key[at] else min(WEIGHTS[lens.left.type], WEIGHTS[lens.right.type])
        for at, lens in enumerate(lenses)
    ]
    return _Terms(sync, rule, lenses, weights, is_key)


class _Form(msgspec.Struct, frozen=True):
    """A value in the form that likeness is judged on. `exact` is its normal form (None: blank), `text` its plain words,
    `ordered` the same words in alphabetical order."""

    exact: Hashable
    text: str = ""
    ordered: str = ""
    elements: frozenset[str] | None = None


_EMPTY = _Form(None)

_Held = tuple[_Form | None, _Form | None]
"""A line's value as the right side would hold it, and as the left would; None where unseen or untranslatable."""


@dataclass(frozen=True, slots=True)
class _Profile:
    """A record, and all that it is found and compared by."""

    record: Record
    title: _Form
    lines: tuple[_Held, ...]
    keys: frozenset[Hashable]
    marks: frozenset[Hashable]
    blocks: frozenset[str]


def _profile(terms: _Terms, record: Record, side: Side) -> _Profile:
    title = _form(Text(record.title))
    lines = tuple(_line(lens, record, side) for lens in terms.lenses)
    own_keys = frozenset(keys(terms.rule, terms.lenses, record, side) if terms.rule.on else ())
    own_marks = frozenset(marks(terms.sync, record, side))
    blocks = {*_words(title), *_letters(title.text)}
    for at, line in enumerate(lines):
        for form in line:
            if form is not None:
                blocks.update(_words(form))
                blocks.update(_letters(form.text) if terms.is_key[at] else ())
    return _Profile(record, title, lines, own_keys, own_marks, frozenset(blocks))


def _line(lens: Lens, record: Record, side: Side) -> _Held:
    value = record.fields.get(lens.mapping.of(side))
    if value is None:
        return None, None
    own, there = _form(value), lens.to(side.other, value)
    if isinstance(there, Untranslatable):
        return (None, own) if side is Side.LEFT else (own, None)
    other = own if there == value else _form(there)
    return (other, own) if side is Side.LEFT else (own, other)


def _form(value: Value) -> _Form:
    exact = canonical(value)
    if exact is None:
        return _EMPTY
    match value:
        case Text(text):
            return _worded(exact, text)
        case RichText(html):
            return _worded(exact, text_of_html(html))
        case ManyOf(elements):
            return _Form(exact, elements=frozenset(element for element in elements if element))
        case _:
            return _Form(exact)


def _worded(exact: Hashable, text: str) -> _Form:
    plain = _plain(text)
    return _Form(exact, plain, " ".join(sorted(plain.split())))


def _plain(text: str) -> str:
    """Lower case, words and digits only; a text of nothing else stays as it is."""
    short = canonical_text(text)[:_LONGEST]
    return default_process(short) or short


def _words(form: _Form) -> Iterator[str]:
    """What a text is found by. Other values are shared by too many records that have nothing to do with each other."""
    return (f"word {word}" for word in form.text.split())


def _letters(text: str) -> Iterator[str]:
    """Groups of three letters: two spellings of one word share most of them."""
    return (f"letters {text[start : start + 3]}" for start in range(len(text) - 2))


# --- which records are compared ---------------------------------------------------------------------------------------


def _near(here: Sequence[_Profile], there: Sequence[_Profile], most: int) -> set[tuple[int, int]]:
    """For each record here the few there that share the most and the rarest with it."""
    index = _indexed(there, lambda profile: profile.blocks)
    key_index = _indexed(there, lambda profile: (*profile.keys, *profile.marks))
    found: set[tuple[int, int]] = set()
    for number, profile in enumerate(here):
        shared: dict[int, int] = defaultdict(int)
        rare = sorted(
            (len(index[block]), block)
            for block in profile.blocks
            if block in index and len(index[block]) <= _BLOCK
        )
        for size, block in rare[:_TELLING]:
            for other in index[block]:
                shared[other] += _WHOLE // size
        for key in (*profile.keys, *profile.marks):
            for other in key_index.get(key, ())[:_BLOCK]:
                shared[other] += _WHOLE * _TELLING
        best = sorted(shared, key=lambda other: (-shared[other], there[other].record.key))
        found.update((number, other) for other in best[:most])
    return found


_Block = TypeVar("_Block", bound=Hashable)


def _indexed(
    profiles: Sequence[_Profile], blocks: Callable[[_Profile], Iterable[_Block]]
) -> dict[_Block, list[int]]:
    """Which records are in each block, in the order of their keys."""
    index: dict[_Block, list[int]] = defaultdict(list)
    for number in sorted(range(len(profiles)), key=lambda n: profiles[n].record.key):
        for block in blocks(profiles[number]):
            index[block].append(number)
    return dict(index)


# --- two records ------------------------------------------------------------------------------------------------------


def _score(terms: _Terms, left: _Profile, right: _Profile) -> float:
    """The weighted mean of the likeness of all lines that say something."""
    whole = alike = 0.0
    is_titled = left.title is _EMPTY or right.title is _EMPTY
    for at, own in enumerate(terms.weights):
        here, there = left.lines[at], right.lines[at]
        found = _likeness(here, there)
        if found is None:
            continue
        is_title = here[1] == left.title and there[0] == right.title
        is_titled |= is_title
        weight = NAME_WEIGHT if is_title else own
        if isinstance(found, Side):
            whole += weight / 2
        else:
            whole += weight
            alike += weight * found
    if not is_titled:
        whole += NAME_WEIGHT
        alike += NAME_WEIGHT * _alike(left.title, right.title)
    return round(alike / whole, 4) if whole else 0.0


def _candidate(terms: _Terms, left: _Profile, right: _Profile, score: float, by: Certainty) -> Candidate:
    reasons: list[Reason] = []
    is_titled = left.title is _EMPTY or right.title is _EMPTY
    for at, lens in enumerate(terms.lenses):
        here, there = left.lines[at], right.lines[at]
        found = _likeness(here, there)
        if found is not None:
            is_titled |= here[1] == left.title and there[0] == right.title
            reasons.append(_reason(line_name(lens.mapping.left, lens.mapping.right), found))
    if not is_titled:
        reasons.insert(0, _reason("title", _alike(left.title, right.title)))
    a, b = left.record, right.record
    return Candidate(a.key, b.key, a.title, b.title, score, by, tuple(reasons))


def _reason(line: str, found: float | Side) -> Reason:
    if isinstance(found, Side):
        return Reason(line, None, f"only on the {found.value}")
    likeness = round(found, 4)
    if found == 1:
        return Reason(line, likeness, "equal")
    return Reason(line, likeness, f"{found:.0%}".replace("%", " % alike") if found else "differs")


def _certainty(left: _Profile, right: _Profile) -> Certainty:
    if not left.marks.isdisjoint(right.marks):
        return "external key"
    return "" if left.keys.isdisjoint(right.keys) else "key fields"


def _likeness(here: _Held, there: _Held) -> float | Side | None:
    """How alike two values are as either side holds them, whichever says more; the side that alone holds something; None
    where nothing can be said."""
    own, other = here[1], there[0]
    if own is None or other is None or own is other is _EMPTY:
        return None
    is_plain = here[0] is own and there[1] is other
    forms = ((own, other),) if is_plain else ((here[0], other), (own, there[1]))
    alike = [_alike(a, b) for a, b in forms if a is not None and b is not None]
    if 1 not in alike and (own is _EMPTY or other is _EMPTY):
        return Side.RIGHT if own is _EMPTY else Side.LEFT
    return max(alike) if alike else None


def _alike(a: _Form, b: _Form) -> float:
    if a.exact == b.exact:
        return 1.0
    if a.text:
        # Never 1: they are not equal, though their words may be.
        return min(max(ratio(a.text, b.text), ratio(a.ordered, b.ordered)) / 100, 0.99)
    if a.elements and b.elements:
        return len(a.elements & b.elements) / len(a.elements | b.elements)
    return 0.0
