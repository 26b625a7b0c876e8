"""What a reader can tell apart in HTML, token by token, and what becomes of it as plain text."""

from __future__ import annotations

import pytest

from syncline.core.markup import canonical_html, html_of_text, text_of_html


def told(html: str) -> str:
    """The tokens on one line: `¶` is a border, `‹b›` a mark, `|` stands between tokens."""
    return "|".join(_token(token) for token in canonical_html(html))


def _token(token: str) -> str:
    if token == "\0\n":
        return "¶"
    return f"‹{token[2:-1]}›" if token.startswith("\0") else token


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a  b", "a b"),
        ("\0a\u00a0 \tb\n", "a b"),
        (" \n", ""),
        ("X a X", "X a X"),
        ("X & XX", "X & XX"),
        ("a &lt; b", "a < b"),
        ("\u2003a ", "\u2003a"),
        ("<p>\u2003a </p>", "\u2003a"),
        ("<title>t</title>a", "a"),
        ("a<script>x</script>b<!-- c -->c", "abc"),
        ("<p>&lt;b&gt; &amp; \0X</p>", "<b> & X"),
        ("X&nbsp;X<i></i>", "X X"),
        (" <p> a <b> b</b> </p> c", "a|‹strong›| b|‹/strong›|¶|c"),
        ("<p>a</p> b", "a|¶|b"),
        ("<p>a</p><p></p><p>b</p>", "a|¶|b"),
        ("<p>a <br> b</p>", "a|¶|b"),
        ("<b>a <br></b>b", "‹strong›|a|¶|‹/strong›|b"),
        ("<b>a</b> <i>b</i>", "‹strong›|a|‹/strong›|‹em›| b|‹/em›"),
        ("a <span> b</span><font>c</font>", "a bc"),
        ("a <b> </b> b", "a b"),
        ("a<b> </b>b", "a b"),
        ("a <b></b>b", "a b"),
        ("<b><i></i></b>", ""),
        ('<p>a<a href="x"></a></p>', "a"),
        ("a<b>\u0301</b>e<i></i>\u0301", "a|‹strong›|\u0301|‹/strong›|é"),
        ("<strike>a</strike><del>b</del><ins>c</ins>", "‹s›|a|‹/s›|‹s›|b|‹/s›|‹u›|c|‹/u›"),
        ("<script>x</script><style>y</style><!-- c -->a", "a"),
        ("<input value=x>y", "y"),
    ],
)  # fmt: skip
def test_white_space_wrappers_and_empty_marks_are_folded(html: str, expected: str) -> None:
    assert told(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="u v">x</a>', "‹a u v›|x|‹/a›"),
        ("<a>x</a>", "‹a›|x|‹/a›"),
        ('<a href="">x</a>', "‹a›|x|‹/a›"),
        ('<img src="a.png"> b', "‹img a.png›|‹/img›| b"),
        (
            'a <h1><img src="u v">b <br><img src="i"> c</h1>',
            "a|‹h1›|‹img u v›|‹/img›|b|¶|‹img i›|‹/img›| c|‹/h1›",
        ),
        ('<img src="u v"> b', "‹img u v›|‹/img›| b"),
        ('<img src="i">b <br><img src="i">c', "‹img i›|‹/img›|b|¶|‹img i›|‹/img›|c"),
        ("<img> b", "‹img›|‹/img›| b"),
        ("<video src=v></video><audio src=s></audio>", "‹video v›|‹/video›|‹audio s›|‹/audio›"),
        ("<iframe src=i></iframe><embed src=e>", "‹iframe i›|‹/iframe›|‹embed e›|‹/embed›"),
        ("a<unknown x=1>b</unknown>", "a|‹unknown›|b|‹/unknown›"),
    ],
)
def test_links_and_pictures_keep_their_address(html: str, expected: str) -> None:
    assert told(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>x</p><ul><li>a</li> <li>b<br></li></ul>y", "x|‹ul›|‹li›|a|‹/li›|‹li›|b|‹/li›|‹/ul›|y"),
        ("x <ul><li>a</li></ul> y", "x|‹ul›|‹li›|a|‹/li›|‹/ul›|y"),
        ("<p>a</p>\n<hr>\n<p>b</p>", "a|‹hr›|‹/hr›|b"),
        ("<p>a</p><h2>b</h2> c", "a|‹h2›|b|‹/h2›|c"),
        ("<table><tr><td></td><td> x</td></tr></table>", "‹table›|‹tr›|‹td›|‹/td›|‹td›|x|‹/td›|‹/tr›|‹/table›"),
        ("<table><tfoot></tfoot></table>a", "a"),
        ("<pre>a\n  b\u00a0c</pre>d  e", "‹pre›|a\n  b c|‹/pre›|d e"),
        ("x<pre> a</pre> b", "x|‹pre›| a|‹/pre›|b"),
        ("<pre> \n</pre>", ""),
        ("<pre><b>x</b> \n</pre>", "‹pre›|‹strong›|x|‹/strong›| \n|‹/pre›"),
        ("<pre><div>a<pre>b</pre>c  d</div></pre>e  f", "‹pre›|a|‹pre›|b|‹/pre›|c  d|‹/pre›|e f"),
        ("<pre>X<br>\n X</pre>", "‹pre›|X|¶|\n X|‹/pre›"),
    ],
)  # fmt: skip
def test_a_block_is_its_own_border(html: str, expected: str) -> None:
    assert told(html) == expected


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("<p>a</p>\n<div><p>b</p></div>c", "a\nb\nc"),
        ("a<br>b", "a\nb"),
        ("x<ul><li>a</li><li><b>b</b></li></ul>y", "x\n- a\n- b\ny"),
        ("<ol><li>a<ul><li>b</li></ul></li></ol>", "- a\n- b"),
        ("<table><tr><th>a</th><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<pre>a\n \nX </pre>b", "a\nX\nb"),
        ("<h1>T</h1><blockquote>q</blockquote>r", "T\nq\nr"),
        ('<h1>see <a href="u">this</a> <img src="i">X</h1>', "see this X"),
        ('a<img src="li"> <video src="p/li">', "a"),
    ],
)
def test_plain_text_keeps_lines_and_items_and_drops_the_rest(html: str, text: str) -> None:
    assert text_of_html(html) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("\n\n", ""),
        (" a \r\n\r\n b\rc\n", "<p>a</p><p>b</p><p>c</p>"),
        ("<&\"'>", "<p>&lt;&amp;\"'&gt;</p>"),
    ],
)
def test_text_becomes_one_paragraph_a_line(text: str, html: str) -> None:
    assert html_of_text(text) == html


@pytest.mark.parametrize("html", ["", " \n", "<p> </p>", "<!-- a -->", "\0"])
def test_a_document_that_holds_nothing_has_no_tokens(html: str) -> None:
    assert canonical_html(html) == ()
