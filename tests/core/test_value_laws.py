"""When two values are equal: the laws of `same`, and what vendors may do to a value without changing it."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal

import msgspec
import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.markup import canonical_html, html_of_text, text_of_html
from syncline.core.values import (
    BLANK,
    Day,
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
    canonical,
    canonical_phone,
    canonical_text,
    is_blank,
    same,
)
from tests.core.strategies import BY_TYPE, htmls, texts, values, wild_numbers

# --- an equivalence -------------------------------------------------------------------------------------------------


@given(values)
def test_a_value_is_the_same_as_itself(value: Value) -> None:
    assert same(value, value)


@given(values, values)
def test_same_is_symmetric_and_means_equal_normal_forms(a: Value, b: Value) -> None:
    assert same(a, b) == same(b, a) == (canonical(a) == canonical(b))


@given(st.sampled_from(list(BY_TYPE)).flatmap(lambda t: st.tuples(BY_TYPE[t], BY_TYPE[t], BY_TYPE[t])))
def test_same_is_transitive(three: tuple[Value, Value, Value]) -> None:
    a, b, c = three

    assert not (same(a, b) and same(b, c)) or same(a, c)


@given(values)
def test_the_normal_form_can_be_a_key(value: Value) -> None:
    assert hash(canonical(value)) == hash(canonical(value))


@given(values)
def test_blank_is_what_has_no_normal_form(value: Value) -> None:
    assert is_blank(value) == same(value, BLANK) == (canonical(value) is None)


@given(values)
def test_a_value_survives_json(value: Value) -> None:
    decoded = msgspec.json.decode(msgspec.json.encode(value), type=Value)

    assert decoded == value


@given(wild_numbers, wild_numbers)
def test_no_number_breaks_comparing(a: Decimal, b: Decimal) -> None:
    assert same(Number(a), Number(a))
    assert same(Money(a), Money(a))
    assert same(Number(a), Number(b)) == same(Number(b), Number(a))
    assert same(Money(a), Money(b)) == same(Money(b), Money(a))


# --- text, numbers, times, phones, people ---------------------------------------------------------------------------


@given(texts)
def test_text_is_the_same_in_any_normal_form_and_with_any_line_ends(text: str) -> None:
    for form in ("NFC", "NFD"):
        other = unicodedata.normalize(form, text)
        assert same(Text(other), Text(f"  {unicodedata.normalize('NFC', text)}\n"))
    assert same(Text(text.replace("\n", "\r\n")), Text(text)) or "\r" in text


@given(texts)
def test_canonical_text_is_its_own_normal_form(text: str) -> None:
    assert canonical_text(canonical_text(text)) == canonical_text(text)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (Number(Decimal("1.0")), Number(Decimal(1)), True),
        (Number(Decimal("-0")), Number(Decimal("0.00")), True),
        (Number(Decimal("1e3")), Number(Decimal(1000)), True),
        (Number(Decimal("0." + "1" * 40)), Number(Decimal("0." + "1" * 39 + "2")), False),
        (Money(Decimal("1.004")), Money(Decimal(1)), True),
        (Money(Decimal("1.01")), Money(Decimal(1)), False),
        (Money(Decimal(1), "usd"), Money(Decimal(1), "USD"), True),
        (Money(Decimal(1), "EUR"), Money(Decimal(1), "USD"), False),
        (Money(Decimal("-0.001")), Money(Decimal(0)), True),
        (Number(Decimal(1)), Money(Decimal(1)), False),
        (Text("1"), Number(Decimal(1)), False),
        (YesNo(False), BLANK, False),
        (Number(Decimal(0)), BLANK, False),
        (Text("\u00a0\n"), BLANK, True),
        (OneOf(""), BLANK, True),
        (ManyOf(("",)), BLANK, True),
        (ManyOf(("a", "b", "a")), ManyOf(("b", "a")), True),
        (Files(()), BLANK, True),
        (Reference("list", ""), BLANK, True),
        (Reference("list", "1"), Reference("project", "1"), False),
        (Files((File(sha256="AB"),)), Files((File(sha256="ab", name="x"),)), True),
        (Person(email="A@example.test"), Person(email=" a@example.test", id="7"), True),
        (Person(id="7"), Person(id="7", name="Owner"), True),
        (Person(id="7"), Person(email="a@example.test", id="7"), False),
        (Person(name="Owner"), BLANK, False),
        (Person(email=" "), BLANK, True),
        (Phone("+1 415-555-0100"), Phone("+14155550100"), True),
        (Phone("+1 415-555-0100 ext 7"), Phone("+14155550100"), False),
        (Phone("(0)100"), Phone("0100"), True),
        (Phone("none"), BLANK, True),
    ],
)
def test_what_is_the_same(a: Value, b: Value, expected: bool) -> None:
    assert same(a, b) is expected


NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HUGE = "1" + "0" * 50


@pytest.mark.parametrize(
    ("value", "normal"),
    [
        (BLANK, None),
        (Text(" a\r\nb\rc "), ("text", "a\nb\nc")),
        (Text(" \r\n"), None),
        (RichText("<p>a</p>"), ("rich_text", canonical_html("a"))),
        (RichText("<p></p>"), None),
        (Number(Decimal("1.50")), ("number", Decimal("1.5"))),
        (Number(Decimal("NaN")), ("number", "NaN")),
        (Money(Decimal("1.005"), " usd "), ("money", Decimal("1.00"), "USD")),
        (Money(Decimal("1.015")), ("money", Decimal("1.02"), "DEFAULT")),
        (Money(Decimal("Infinity")), ("money", "Infinity", "DEFAULT")),
        (Money(Decimal(HUGE + ".001")), ("money", Decimal(HUGE), "DEFAULT")),
        (Money(Decimal(HUGE + "0.001")), ("money", Decimal(HUGE + "0.001"), "DEFAULT")),
        (Money(Decimal("1e9999")), ("money", Decimal("1e9999"), "DEFAULT")),
        (YesNo(yes=False), ("yes_no", False)),
        (Day(NOON.date()), ("day", NOON.date())),
        (Moment(NOON), ("moment", NOON)),
        (Moment(NOON.astimezone(dt.timezone(dt.timedelta(hours=2)))), ("moment", NOON)),
        (Moment(NOON.replace(tzinfo=None)), ("moment", NOON)),
        (Phone("+1 415-555-0100 ext 7"), ("phone", "+14155550100", "7")),
        (Phone("415-555-0100"), ("phone", "4155550100", None)),
        (Phone("ask"), None),
        (OneOf("a"), ("one_of", "a")),
        (OneOf(""), None),
        (ManyOf(("b", "", "a", "b")), ("many_of", frozenset({"a", "b"}))),
        (ManyOf(("",)), None),
        (Person(" A@Example.test ", "7", "Owner"), ("person", "email", "a@example.test")),
        (Person(" ", "7", "Owner"), ("person", "id", "7")),
        (Person(name=" Owner "), ("person", "name", "Owner")),
        (Person(name=" "), None),
        (Reference("list", "1"), ("reference", "list", "1")),
        (Reference("list", ""), None),
        (
            Files((File("a", 3), File("b", 3, "AB", "u"), File("c", 3, url="U"), File("a", 3))),
            ("files", frozenset({("name", "a", 3), ("sha256", "ab"), ("url", "U")})),
        ),
        (Files(()), None),
    ],
)
def test_every_value_has_a_normal_form_of_its_own(value: Value, normal: object) -> None:
    """It goes into fingerprints that are kept, so that it stays as it is."""
    assert canonical(value) == normal
    assert is_blank(value) is (normal is None)


@given(st.timedeltas(dt.timedelta(0), dt.timedelta(days=3_000_000)), st.integers(-12, 14))
def test_a_moment_is_the_same_in_every_zone(since: dt.timedelta, hours: int) -> None:
    utc = dt.datetime(2, 1, 1, tzinfo=dt.UTC) + since
    at = utc.replace(tzinfo=None)
    there = utc.astimezone(dt.timezone(dt.timedelta(hours=hours)))

    assert same(Moment(utc), Moment(there))
    assert same(Moment(utc), Moment(at)), "without a zone it is UTC"


def test_a_moment_at_the_edge_of_time_can_be_compared() -> None:
    first = dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14)))

    assert same(Moment(first), Moment(first))


@given(st.integers(2_000_000_000, 9_999_999_999), st.sampled_from(["", " ", "-", ".", "("]))
def test_a_phone_number_is_the_same_however_it_is_typed(number: int, gap: str) -> None:
    digits = str(number)
    typed = f"+1{gap}{digits[:3]}{gap}{digits[3:6]}{gap}{digits[6:]}"

    assert canonical_phone(typed) == f"+1{digits}"


# --- HTML -----------------------------------------------------------------------------------------------------------


@given(htmls)
def test_a_sanitised_document_is_the_same(html: str) -> None:
    kept = nh3.clean(html, link_rel=None)

    assert canonical_html(nh3.clean(kept)) == canonical_html(kept)
    if "script" not in html:
        assert canonical_html(kept) == canonical_html(html)


@given(htmls)
def test_attributes_wrappers_and_white_space_between_blocks_are_noise(html: str) -> None:
    kept = nh3.clean(html)
    noisy = (
        kept.replace("<p>", '<p class="x" style="color: red">')
        .replace("<b>", "<strong>")
        .replace("</b>", "</strong>")
    )
    noisy = noisy.replace("</p>", "</p>\n  ").replace("<li>", "\n<li>")

    assert "<pre>" in kept or canonical_html(f"<div>{noisy}</div>") == canonical_html(kept)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("plain", "<p>plain</p>"),
        ("a &amp; b", "a &#38; b"),
        ("a & b", "<p>a &amp; b</p>"),
        ("a&nbsp;b", "a b"),
        ("<b>x</b>", "<strong>x</strong>"),
        ("<p>a</p><p>b</p>", "<div>a</div>\n<div>b</div>"),
        ("a<br>b", "<p>a</p><p>b</p>"),
        ("a<br/>b<br>", "a<br>b"),
        ("a<b></b>b", "ab"),
        ("<ul><li>a</li><li>b</li></ul>", "<ul>\n  <li>a</li>\n  <li><p>b</p></li>\n</ul>"),
        ("<table><tr><td>1</td></tr></table>", "<table><tbody>\n<tr><td>1</td></tr></tbody></table>"),
        ("<p>a <b>b</b></p>", "<p>a<b> b</b></p>"),
        ('<a href="u" rel="nofollow" target="_blank">x</a>', '<a href="u">x</a>'),
        ("<p>a<!-- note -->b</p>", "ab"),
        ("<p></p><p>&nbsp;</p>", ""),
        ("<script>x()</script>a", "a"),
        ("e\u0301<i></i>", "é"),
        ("e<i></i>\u0301", "é"),
    ],
)
def test_what_reads_the_same_is_the_same(a: str, b: str) -> None:
    assert canonical_html(a) == canonical_html(b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("a", "b"),
        ("ab", "a b"),
        ("a<br>b", "a b"),
        ("<b>a</b>", "a"),
        ("<b>a</b> b", "<b>a b</b>"),
        ('<a href="u">x</a>', '<a href="v">x</a>'),
        ('<img src="a.png">', '<img src="b.png">'),
        ('<img src="a.png">', ""),
        ("a<hr>b", "ab"),
        ("a<hr>b", "a<br>b"),
        ("&lt;b&gt;a&lt;/b&gt;", "<b>a</b>"),
        ("&lt;li&gt;", "<ul><li></li></ul>"),
        ("<strong>&lt;strongman</strong>", "<strong></strong>"),
        ("<table><tr><td></td><td>x</td></tr></table>", "<table><tr><td>x</td><td></td></tr></table>"),
        ("<pre>a\n  b</pre>", "<pre>a b</pre>"),
        ("<ol><li>a</li></ol>", "<ul><li>a</li></ul>"),
    ],
)
def test_what_reads_differently_is_not_the_same(a: str, b: str) -> None:
    assert canonical_html(a) != canonical_html(b)


@given(htmls, htmls)
def test_documents_with_other_words_are_told_apart(a: str, b: str) -> None:
    words = [text_of_html(html) for html in (a, b)]

    assert words[0] == words[1] or not same(RichText(a), RichText(b))


@given(texts)
def test_plain_text_survives_as_html(text: str) -> None:
    once = text_of_html(html_of_text(text))

    assert text_of_html(html_of_text(once)) == once
    visible = "".join(text.replace("\0", "").replace("\u00a0", " ").split())
    assert "".join(once.split()) == unicodedata.normalize("NFC", visible) or not visible.isprintable()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>1 &lt; 2 &amp; &lt;b&gt;</p>", "1 < 2 & <b>"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<h1>T</h1>x<hr>y", "T\nx\ny"),
        ('see <a href="https://example.test/">this</a>', "see this"),
    ],
)
def test_html_as_plain_text(html: str, text: str) -> None:
    assert text_of_html(html) == text


def test_deep_documents_are_read_without_recursion() -> None:
    assert canonical_html("<b>" * 5000 + "x")[5000] == "x"
