"""What a faulty expression probably meant: near names, options by key or label, ways from type to type.

Used by `expression_check` and `expressions` for the second half of a fault.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from syncline.core.expression_types import Choice, Kind, Type


def option_of(text: str, of: Type) -> Choice | None:
    """The option of that key or label; any text where options are free."""
    for option in of.options or ():
        if text == option.key:
            return Choice(option.key, option.label or option.key)
    folded = text.strip().casefold()
    for option in of.options or ():
        if folded == (option.label or option.key).strip().casefold():
            return Choice(option.key, option.label or option.key)
    return Choice(text, text) if of.options is None or of.is_open else None


def near(name: str, known: Sequence[str] | Mapping[str, object]) -> str:
    """A word that may have been meant, and what there is."""
    folded = {each.casefold(): each for each in sorted(known)}
    close = difflib.get_close_matches(name.casefold(), folded)
    listed = ", ".join(sorted(known)[:_SHOWN]) + (", …" if len(known) > _SHOWN else "")
    if close:
        return f"Did you mean '{folded[close[0]]}'?"
    return f"There are: {listed}." if known else ""


_SHOWN = 20

_HINTS = {
    (Kind.HTML, Kind.STRING): "Write plain(…) for its text.",
    (Kind.STRING, Kind.HTML): "Write html(…) for text as HTML.",
    (Kind.OPTION, Kind.STRING): "Write .label or .key behind it.",
    (Kind.NUMBER, Kind.STRING): "Write string(…).",
    (Kind.BOOL, Kind.STRING): "Write string(…).",
    (Kind.DAY, Kind.STRING): "Write string(…).",
    (Kind.TIMESTAMP, Kind.STRING): "Write string(…).",
    (Kind.STRING, Kind.NUMBER): "Write double(…).",
    (Kind.STRING, Kind.DAY): "Write day(…).",
    (Kind.STRING, Kind.TIMESTAMP): "Write timestamp(…).",
    (Kind.DAY, Kind.TIMESTAMP): "Write timestamp(…).",
    (Kind.TIMESTAMP, Kind.DAY): "Write day(…).",
    (Kind.PERSON, Kind.STRING): "Write .email or .name behind it.",
    (Kind.STRING, Kind.PERSON): "Write person(…).",
    (Kind.MONEY, Kind.NUMBER): "Write .amount behind it.",
    (Kind.NUMBER, Kind.MONEY): "Write money(…).",
    (Kind.REFERENCE, Kind.STRING): "Write .key behind it.",
}


def hint(given_type: Type, wanted: Type) -> str:
    """How the one type becomes the other."""
    return _HINTS.get((given_type.kind, wanted.kind), "")
