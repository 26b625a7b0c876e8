"""The text of an expression into nodes, or the first fault that keeps it from being read.

Called by `expressions`. The grammar and the parser are cel-python's, loaded when the first expression is read (half a
second). Their lexer backtracks without end over a text that lacks its closing quote, and the trees that they make know
no limit: so the text is gone through once before, and the tree is bounded when it becomes nodes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from syncline.core.expression_nodes import Call, Fault, ListOf, Literal, Name, Node, Select, Spot

if TYPE_CHECKING:
    from lark import Token, Tree

MAX_LENGTH = 4000
"""Characters of an expression."""
MAX_NODES = 500
"""Names, values and operators of an expression."""
MAX_WORDS = 1500
"""Words, signs and texts of an expression: more are not even parsed."""
MAX_DEPTH = 80
"""How deep operators and calls may lie in each other."""
MAX_BRACKETS = 40
"""How deep brackets may lie in each other."""


@functools.lru_cache(maxsize=256)
def parse(text: str) -> Node | Fault:
    """Read an expression. Never raises for what a person wrote."""
    if not text.strip():
        return Fault(1, 1, "there is no expression.", "Write one, or leave the setting out.")
    if len(text) > MAX_LENGTH:
        told = f"the expression has {len(text):,} characters; {MAX_LENGTH:,} are allowed."
        return Fault(1, 1, told, "Make it shorter.")
    found = _quotes_and_brackets(text)
    if found is not None:
        return found
    tree = _parsed(text)
    if isinstance(tree, Fault):
        return tree
    try:
        return _Reader().node(tree, 0)
    except _RefusedError as refused:
        return refused.fault


# --- before the parser ----------------------------------------------------------------------------------------------


def _quotes_and_brackets(text: str) -> Fault | None:
    """A quote that is not closed, brackets that lie too deep, and more of everything than anybody writes."""
    at, depth, words = 0, 0, 0
    while at < len(text):
        if text.startswith("//", at):
            at += len(text[at:].partition("\n")[0])
        elif text[at] in "\"'":
            end = _end_of_text(text, at)
            if isinstance(end, Fault):
                return end
            at, words = end, words + 1
        else:
            words += not (text[at].isspace() or _GOES_ON.match(text, at))
            depth += (text[at] in "([{") - (text[at] in ")]}")
            if depth > MAX_BRACKETS:
                told = f"more than {MAX_BRACKETS} brackets lie in each other."
                return _spot(text, at).fault(told, "Make it flatter.")
            at += 1
        if words > MAX_WORDS:
            return _spot(text, at - 1).fault("the expression is too large.", "Split it up, or write less.")
    return None


_GOES_ON = re.compile(r"(?<=\w)\w")
"""Where a word goes on."""


def _end_of_text(text: str, at: int) -> int | Fault:
    """Behind the closing quote of the text that begins here."""
    prefix = _PREFIX.search(text, 0, at)
    letter = prefix.group(1).lower() if prefix else None
    if letter == "b":
        return _spot(text, at - 1).fault("bytes are not offered.", "Leave the b out.")
    quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
    here = at + len(quote)
    while here < len(text) and not text.startswith(quote, here):
        if text[here] == "\n" and len(quote) == 1:
            break
        is_escape = text[here] == "\\"
        if is_escape and letter == "r" and text[here + 1 : here + 2] == text[at]:
            return _spot(text, here).fault("a raw text cannot hold its own quote.", "Use the other quote.")
        here += 1 + is_escape
    if not text.startswith(quote, here):
        return _spot(text, at).fault("this text has no closing quote.", f"End it with {quote}.")
    return here + len(quote)


_PREFIX = re.compile(r"(?:^|(?<![A-Za-z0-9_]))([rRbB])$")


def _spot(text: str, at: int) -> Spot:
    before = text[:at]
    return Spot(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)


# --- the parser -----------------------------------------------------------------------------------------------------


@functools.cache
def _parser() -> Callable[[str], Tree[Token]]:
    """The library's parser, with the place of `true` and `false` kept."""
    from celpy.celparser import CELParser  # noqa: PLC0415 - 0.3 s, and only where there is an expression
    from lark import Token  # noqa: PLC0415 - as above

    class Parser(CELParser):
        @staticmethod
        def ambiguous_literals(t: Token) -> Token:
            made = CELParser.ambiguous_literals(t)
            return Token.new_borrow_pos(made.type, str(made), t)

    return cast("Callable[[str], Tree[Token]]", Parser().parse)  # pyright: ignore[reportUnknownMemberType] - lark


def _parsed(text: str) -> Tree[Token] | Fault:
    parser = _parser()
    from celpy.celparser import CELParseError  # noqa: PLC0415 - as above

    try:
        return parser(text)
    except CELParseError as error:
        token = getattr(error.__context__, "token", None)
        is_end = getattr(token, "type", None) == "$END"
        if is_end or error.line is None or error.column is None:
            return _spot(text, len(text.rstrip())).fault("the expression ends too early.", "Complete it.")
        found = _word(text, error.line, error.column)
        return Fault(
            error.column, error.line, f"{found} is not expected here.", "Check what stands before it."
        )


def _word(text: str, line: int, column: int) -> str:
    rest = text.split("\n")[line - 1][column - 1 :]
    first = _FIRST.sub(r"\1", rest)
    return f"'{first}'"


_FIRST = re.compile(r"(\w{1,30}|.).*")


# --- the library's tree into nodes ----------------------------------------------------------------------------------


class _RefusedError(Exception):
    """Something that is well-formed and not offered."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


_BINARY = {
    "relation_lt": "_<_",
    "relation_le": "_<=_",
    "relation_gt": "_>_",
    "relation_ge": "_>=_",
    "relation_eq": "_==_",
    "relation_ne": "_!=_",
    "relation_in": "_in_",
    "addition_add": "_+_",
    "addition_sub": "_-_",
    "multiplication_mul": "_*_",
    "multiplication_div": "_/_",
    "multiplication_mod": "_%_",
}
_NOT_OFFERED = {
    "member_object": "Messages are",
    "map_lit": "Maps are",
    "dot_ident": "A leading dot is",
    "dot_ident_arg": "A leading dot is",
}


_START = Spot(1, 1)


class _Reader:
    """Counts what it makes, so that an expression stays as small as it is allowed to be."""

    def __init__(self) -> None:
        self._count = 0
        self._at: Spot = _START

    def node(self, tree: Tree[Token], depth: int) -> Node:
        """One subtree; the grammar's levels that only hand on their single child are skipped."""
        while len(tree.children) == 1 and tree.data in _LEVELS:
            tree = _tree(tree.children[0])
        self._at = _begin(tree, self._at)
        self._count += 1
        if self._count > MAX_NODES or depth > MAX_DEPTH:
            raise _RefusedError(self._at.fault("the expression is too large.", "Split it up, or write less."))
        return self._made(tree, depth + 1)

    def _made(self, tree: Tree[Token], depth: int) -> Node:
        at, children = self._at, tree.children
        match str(tree.data):
            case "literal":
                return _literal(at, _token(children[0]))
            case "ident":
                return _name(at, _token(children[0]))
            case "expr":
                return Call(at, "_?_:_", tuple(self.node(_tree(child), depth) for child in children))
            case "conditionalor" | "conditionaland" as level:
                pair = tuple(self.node(_tree(child), depth) for child in children)
                return Call(at, "_||_" if level == "conditionalor" else "_&&_", pair)
            case "relation" | "addition" | "multiplication":
                operator = _tree(children[0])
                left = self.node(_tree(operator.children[0]), depth)
                return Call(at, _BINARY[operator.data], (left, self.node(_tree(children[1]), depth)))
            case "unary":
                name = "!_" if _tree(children[0]).data == "unary_not" else "-_"
                return Call(at, name, (self.node(_tree(children[1]), depth),))
            case "list_lit":
                return ListOf(at, self._list(children, depth))
            case "ident_arg":
                return Call(at, str(children[0]), self._list(children[1:], depth))
            case kind:
                return self._member(kind, tree, depth)

    def _member(self, kind: str, tree: Tree[Token], depth: int) -> Node:
        if kind in _NOT_OFFERED:
            raise _RefusedError(
                self._at.fault(f"{_NOT_OFFERED[kind]} not offered.".lower(), "Write it another way.")
            )
        children = tree.children
        of = self.node(_tree(children[0]), depth)
        if kind == "member_index":
            index = self.node(_tree(children[1]), depth)
            return Call(index.at, "_[_]", (of, index))
        token = _token(children[1])
        at = _spot_of(token, of.at)
        if kind == "member_dot":
            return Select(at, of, str(token))
        return Call(at, str(token), self._list(children[2:], depth), of)

    def _list(self, children: list[Tree[Token] | Token], depth: int) -> tuple[Node, ...]:
        listed = _tree(children[0]).children if children else []
        return tuple(self.node(_tree(child), depth) for child in listed)


_LEVELS = frozenset(
    {
        "expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member",
        "primary", "paren_expr",
    }
)  # fmt: skip


def _tree(child: Tree[Token] | Token) -> Tree[Token]:
    return cast("Tree[Token]", child)


def _token(child: Tree[Token] | Token) -> Token:
    return cast("Token", child)


def _spot_of(token: Token, otherwise: Spot) -> Spot:
    return Spot(token.line or otherwise.line, token.column or otherwise.column)


def _begin(tree: Tree[Token], otherwise: Spot) -> Spot:
    if tree.meta.empty:
        return otherwise
    return Spot(tree.meta.line, tree.meta.column)


def _name(at: Spot, token: Token) -> Name:
    if str(token) in _RESERVED:
        raise _RefusedError(
            at.fault(f"'{token}' is a word of the language.", 'Write record["…"] for a field of that name.')
        )
    return Name(at, str(token))


_RESERVED = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
        "in",
    ]
)


def _literal(at: Spot, token: Token) -> Literal:
    text = str(token)
    match token.type:
        case "BOOL_LIT":
            return Literal(at, text == "true")
        case "NULL_LIT":
            return Literal(at, None)
        case "INT_LIT":
            return Literal(at, Decimal(int(text, 16)) if "x" in text else Decimal(text))
        case "FLOAT_LIT":
            return Literal(at, Decimal(text))
        case "UINT_LIT":
            raise _RefusedError(at.fault("numbers have no u here.", "Leave the u out."))
        case _:
            return Literal(at, _unquoted(at, text))


def _unquoted(at: Spot, text: str) -> str:
    is_raw = text[0].isalpha()
    body = text[1:] if is_raw else text
    width = 3 if body.startswith(('"""', "'''")) else 1
    inner = body[width:-width]
    if is_raw:
        return inner

    def plain(found: re.Match[str]) -> str:
        simple, code, octal, rest = found.groups()
        if simple is not None:
            return _SIMPLE[simple]
        number = int(code[1:], 16) if code else int(octal or "0", 8)
        if rest is not None or number > _LAST or _SURROGATES[0] <= number <= _SURROGATES[1]:
            told = f"'{found.group()}' is not a way to write a character."
            raise _RefusedError(at.fault(told, r"Write \\ for a backslash, or r before the text."))
        return chr(number)

    return _ESCAPE.sub(plain, inner)


_LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'",
    "`": "`", "?": "?",
}  # fmt: skip
_ESCAPE = re.compile(
    r"""\\(?:([abfnrtv\\"'`?])|([xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})|([0-3][0-7]{2})|(.?))""",
    re.DOTALL,
)
