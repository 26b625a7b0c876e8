"""Hypothesis strategies for values of every type, awkward ones included, and for the schemas that hold them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import strategies as st

from syncline.core.records import (
    FieldId,
    FieldSchema,
    ObjectSchema,
    ObjectTypeId,
    Option,
)
from syncline.core.values import (
    BLANK,
    Day,
    FieldType,
    File,
    Files,
    ManyOf,
    Moment,
    Money,
    Number,
    OneOf,
    Person,
    Phone,
    Reference,
    RichText,
    Text,
    Value,
    YesNo,
)

T = FieldType

# --- values ---------------------------------------------------------------------------------------------------------

AWKWARD = [
    "",
    " ",
    "\u00a0",
    "\r\n",
    "a\r\nb",
    "a\rb",
    "a\nb",
    "e\u0301",
    "é",
    "\u212b",
    "Å",
    "ﬁ",
    "\u200b",
    "\u202eabc",
    "👩‍👩‍👧",
    "ß",
    "İ",
    "\0",
    "a\0b",
    "<b>",
    "&lt;",
    "&amp;lt;",
    "0",
    "-0",
    "1e3",
    "nan",
    "inf",
    "1,5",
    "a,b",
    " a , b ",
    "2026-02-30",
    "2026-02-28",
    "yes",
    "None",
]
texts = st.one_of(st.sampled_from(AWKWARD), st.text(max_size=12))
numbers = st.one_of(
    st.sampled_from(
        [Decimal(n) for n in ("0", "-0", "0.00", "1", "1.0", "1.00", "-1.5", "1E+3", "1000", "0.005")]
    ),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4),
)
wild_numbers = st.one_of(
    numbers,
    st.sampled_from([Decimal(n) for n in ("1E+40", "-1E+400", "1E-400", "1E+999999", "NaN", "Infinity")]),
)
_words = st.sampled_from(
    ["one", "two", "a &amp; b", "&lt;b&gt;", "&nbsp;", " ", "\n ", "é", "e\u0301", "x" * 20]
)
_html_leaf = st.one_of(_words, st.sampled_from(["<br>", "<hr>", '<img src="a.png">', "plain"]))


def _wrapped(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tags = st.sampled_from(
        ["p", "div", "b", "strong", "em", "u", "ul", "li", "h2", "blockquote", "pre", "span"]
    )
    return st.one_of(
        st.tuples(tags, children).map(lambda pair: f"<{pair[0]}>{pair[1]}</{pair[0]}>"),
        children.map(lambda inner: f'<a href="https://example.test/">{inner}</a>'),
        st.lists(children, max_size=3).map("".join),
    )


htmls = st.one_of(texts, st.recursive(_html_leaf, _wrapped, max_leaves=8))
emails = st.sampled_from(
    ["", "owner@example.test", "Owner@Example.test", " owner@example.test", "two@example.test"]
)
phones = st.sampled_from(
    [
        "",
        "abc",
        "+1 415-555-0100",
        "+14155550100",
        "+1 (415) 555 0100 ext 7",
        "0100",
        "(0)100",
        "+49 30 123456",
    ]
)
days = st.dates()
moments = st.datetimes(timezones=st.just(dt.UTC))
keys = st.sampled_from(["", "a", "b", "c", "1"])
files = st.builds(
    File,
    name=st.sampled_from(["", "a.txt"]),
    size=st.sampled_from([None, 0, 3]),
    sha256=st.sampled_from(["", "AB", "ab"]),
    url=st.sampled_from(["", "https://example.test/f"]),
)

BY_TYPE: Mapping[FieldType, st.SearchStrategy[Value]] = {
    T.TEXT: st.builds(Text, texts),
    T.RICH_TEXT: st.builds(RichText, htmls),
    T.NUMBER: st.builds(Number, numbers),
    T.MONEY: st.builds(Money, numbers, st.sampled_from(["default", "USD", "usd"])),
    T.YES_NO: st.builds(YesNo, st.booleans()),
    T.DAY: st.builds(Day, days),
    T.MOMENT: st.builds(Moment, moments),
    T.PHONE: st.builds(Phone, phones),
    T.ONE_OF: st.builds(OneOf, keys),
    T.MANY_OF: st.builds(ManyOf, st.lists(keys, max_size=4).map(tuple)),
    T.PERSON: st.builds(
        Person, email=emails, id=st.sampled_from(["", "7"]), name=st.sampled_from(["", "Owner"])
    ),
    T.REFERENCE: st.builds(Reference, st.sampled_from(["list", "project"]), keys),
    T.FILES: st.builds(Files, st.lists(files, max_size=2).map(tuple)),
}


def values_of(field_type: FieldType) -> st.SearchStrategy[Value]:
    """Any value that a field of the type may hold, blank included."""
    return st.one_of(st.just(BLANK), BY_TYPE[field_type])


values: st.SearchStrategy[Value] = st.sampled_from(list(T)).flatmap(values_of)

# --- schemas --------------------------------------------------------------------------------------------------------


@st.composite
def field_schemas(draw: st.DrawFn, field_id: str = "f") -> FieldSchema:
    """A field of any type, with options where its type has them."""
    field_type = draw(st.sampled_from(list(T)))
    options = None
    if field_type in (T.ONE_OF, T.MANY_OF) and draw(st.booleans()):
        options = tuple(Option(key, key.upper()) for key in draw(st.sets(st.sampled_from("abc"), min_size=1)))
    return FieldSchema(
        FieldId(field_id),
        field_id,
        field_type,
        is_required=draw(st.booleans()),
        is_read_only=draw(st.booleans()),
        options=options,
        is_open=draw(st.booleans()),
        max_length=draw(st.sampled_from([None, 0, 5])),
    )


@st.composite
def object_schemas(draw: st.DrawFn, title: str) -> ObjectSchema:
    """An object type with one to three fields."""
    count = draw(st.integers(1, 3))
    fields = tuple(draw(field_schemas(f"{title}{number}")) for number in range(count))
    return ObjectSchema(ObjectTypeId(title), title, fields)
