"""HTML into what a reader can tell apart, into plain text, and plain text into HTML.

Used by `values` to compare documents, by `convert` and `transforms` to translate them. Vendors sanitise what they are
sent: attributes go, entities change, `<b>` becomes `<strong>`, plain text gets a paragraph, lists are indented. Two
documents that differ in nothing else have the same tokens.

A token is either text or a mark. Marks begin with a NUL, which no HTML text can hold: no text is mistaken for a tag.
"""

from __future__ import annotations

import html as html_module
import re
import unicodedata
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

_PLAIN_BLOCKS = frozenset(["body", "html", "div", "p", "section", "article", "main", "tbody"])
"""Blocks that a reader sees as a line of its own and nothing more."""
_BLOCKS = _PLAIN_BLOCKS | frozenset(
    [
        "address",
        "aside",
        "blockquote",
        "dd",
        "dl",
        "dt",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "nav",
        "ol",
        "pre",
        "table",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    ]
)
_INVISIBLE = frozenset({"span", "font"})
_NEVER_EMPTY = frozenset(["img", "hr", "td", "th", "iframe", "video", "audio", "embed"])
"""Tags that a reader sees though they hold nothing."""
_DROPPED = frozenset(["script", "style", "-comment", "_comment", "!--"])
_SAME_TAG = {"b": "strong", "i": "em", "strike": "s", "del": "s", "ins": "u"}
_KEPT_ATTRIBUTES = {
    "a": "href",
    "img": "src",
    "iframe": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
}
_SPACES = re.compile(r"[ \t\n\r\f\v\u00a0]+")
_BORDER = "\0\n"


def canonical_html(html: str) -> tuple[str, ...]:
    """HTML as the tokens that a reader can tell apart; none for a document that holds nothing.

    What is left is text with its white space folded (not in `<pre>`), block borders, and those tags that change how
    the text reads, with the address of a link or picture.
    """
    html = html.replace("\0", "")
    if "<" not in html and "&" not in html:
        folded = _SPACES.sub(" ", unicodedata.normalize("NFC", html)).strip(" ")
        return (folded,) if folded else ()
    parser = LexborHTMLParser(html)
    root = parser.body or parser.root
    return _fold(root) if root is not None else ()


def text_of_html(html: str) -> str:
    """HTML as plain text: blocks and list items on lines of their own, formatting dropped."""
    parts: list[str] = []
    for token in canonical_html(html):
        if not token.startswith("\0"):
            parts.append(token)
        elif token == _BORDER:
            parts.append("\n")
        else:
            parts.append(_white(token[2:-1]))
    lines = [line.rstrip() for line in "".join(parts).split("\n")]
    return "\n".join(line for line in lines if line.strip()).strip()


def html_of_text(text: str) -> str:
    """Plain text as HTML: one paragraph a line, special characters escaped."""
    lines = [line for line in text.replace("\r", "\n").split("\n") if line.strip()]
    return "".join(f"<p>{html_module.escape(line.strip(), quote=False)}</p>" for line in lines)


def _white(mark: str) -> str:
    """What a mark becomes in plain text."""
    tag = mark.removeprefix("/")
    if mark == "li":
        return "\n- "
    if tag in ("td", "th"):
        return " " if mark.startswith("/") else ""
    return "\n" if tag in _BLOCKS else ""


def _marks(tag: str, node: LexborNode) -> tuple[str, str]:
    """The tokens before and after an element's content."""
    if tag == "br" or tag in _PLAIN_BLOCKS:
        return _BORDER, _BORDER
    if tag in _INVISIBLE:
        return "", ""
    tag = _SAME_TAG.get(tag, tag)
    kept = _KEPT_ATTRIBUTES.get(tag)
    address = (node.attributes.get(kept) or "") if kept else ""
    return f"\0<{tag}{' ' + address if address else ''}>", f"\0</{tag}>"


def _tokens(root: LexborNode) -> Iterator[str]:
    """The tokens of a tree in reading order, not folded yet. A loop, not recursion: the depth is the author's."""
    stack: list[LexborNode | str] = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
            continue
        tag = node.tag
        if tag is None or tag in _DROPPED:
            continue
        text = node.text_content
        if text is not None:
            yield text
            continue
        opening, closing = _marks(tag, node)
        yield opening
        stack.append(closing)
        stack.extend(reversed(list(node.iter(include_text=True))))


def _fold(root: LexborNode) -> tuple[str, ...]:
    folder = _Folder()
    for token in _tokens(root):
        if token == _BORDER:
            folder.border()
        elif token.startswith("\0</"):
            folder.close(token)
        elif token.startswith("\0"):
            folder.open(token)
        elif token:
            folder.text(token)
    return folder.done()


class _Folder:
    """Joins neighbouring text, folds white space, and drops borders and marks that change nothing."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._is_line_start: bool = True
        self._is_gap: bool = False
        self._pre = 0

    def text(self, text: str) -> None:
        text = unicodedata.normalize("NFC", text)
        if self._pre:
            self._preformatted(text.replace("\u00a0", " "))
            return
        folded = _SPACES.sub(" ", text)
        words = folded.strip(" ")
        self._is_gap = not self._is_line_start and (self._is_gap or folded[0] == " ")
        if words:
            self._put((" " if self._is_gap else "") + words)
            self._is_gap = folded[-1] == " "

    def _preformatted(self, text: str) -> None:
        if text.strip() or not self._is_line_start:
            self._put(text)

    def _put(self, text: str) -> None:
        self._is_line_start = False
        if self._out and not self._out[-1].startswith("\0"):
            self._out[-1] = unicodedata.normalize("NFC", self._out[-1] + text)
        else:
            self._out.append(text)

    def border(self) -> None:
        self._is_gap = False
        if not self._is_line_start:
            self._out.append(_BORDER)
            self._is_line_start = True

    def open(self, mark: str) -> None:
        tag = mark[2:-1].partition(" ")[0]
        self._pre += tag == "pre"
        if tag in _BLOCKS:
            self._at_block()
        self._out.append(mark)
        # A picture is a thing in the line, like a word.
        self._is_line_start = self._is_line_start and not (tag in _NEVER_EMPTY and tag not in _BLOCKS)

    def close(self, mark: str) -> None:
        tag = mark[3:-1]
        self._pre -= tag == "pre"
        if tag in _BLOCKS:
            self._at_block()
        last = self._out[-1]
        if tag not in _NEVER_EMPTY and (last == f"\0<{tag}>" or last.startswith(f"\0<{tag} ")):
            self._out.pop()
        else:
            self._out.append(mark)

    def _at_block(self) -> None:
        """A block's own edge is a border: one beside it says nothing more."""
        if self._out and self._out[-1] == _BORDER:
            self._out.pop()
        self._is_line_start = True
        self._is_gap = False

    def done(self) -> tuple[str, ...]:
        if self._out and self._out[-1] == _BORDER:
            self._out.pop()
        return tuple(self._out)
