"""Two values into whether one may be the other in a vendor's own form: rounded, in another case, without its HTML.

Called by `engine.recover`, which knows what was sent, sees what is there, and has no answer to tell whether the one
became the other.
"""

from __future__ import annotations

from decimal import Decimal

from syncline.core.convert import text_of_html
from syncline.core.values import ManyOf, Money, Number, OneOf, Phone, RichText, Text, Value, same

_HUNDREDTH = Decimal("0.01")
_DIGITS = 7
"""Two phone numbers with so many last digits in common are one number."""


def resembles(sent: Value, kept: Value) -> bool:
    """Whether a vendor that was sent the one may keep the other for it.

    Numbers: rounded to hundredths or finer; texts, options and sets: but for case and white space; HTML: by its text;
    phones: by their last digits. Law: equal values resemble each other.
    """
    match sent, kept:
        case (Number(exact), Number(rounded)) | (Money(exact, _), Money(rounded, _)):
            return _is_rounded(exact, rounded)
        case (Text() | RichText() as one, Text() | RichText() as other):
            return _plain(one) == _plain(other)
        case (OneOf(one), OneOf(other)):
            return _words(one) == _words(other)
        case (ManyOf(some), ManyOf(others)):
            return {_words(each) for each in some} == {_words(each) for each in others}
        case (Phone(one), Phone(other)):
            ends = [_digits(number)[-_DIGITS:] for number in (one, other)]
            return same(sent, kept) or (ends[0] == ends[1] and len(ends[0]) == _DIGITS)
        case _:
            return same(sent, kept)


def _is_rounded(exact: Decimal, rounded: Decimal) -> bool:
    """Rounded to hundredths or finer: what is further away may be somebody's edit, and an edit is never taken for the
    vendor's doing."""
    if not (exact.is_finite() and rounded.is_finite()):
        return exact == rounded
    return abs(exact - rounded) < _HUNDREDTH


def _plain(value: Text | RichText) -> tuple[str, ...]:
    return _words(value.text if isinstance(value, Text) else text_of_html(value.html))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.casefold().split())


def _digits(number: str) -> str:
    return "".join(each for each in number if each.isdigit())
