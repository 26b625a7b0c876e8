"""Text into the same text without secrets: those the installation knows, and whatever looks like one.

Used by `service.logs` on every line that leaves the process. What is masked: every known secret in any of the forms that
it is written in, the values of keys that sound like a secret, and tokens by their well-known shapes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
from pydantic import BaseModel, SecretStr

from syncline.bootstrap import Installation
from syncline.errors import SchemaError, SetupError

MASK = "[secret]"
_SHORTEST = 6
_KEY = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|authori[sz]ation$|cookie|credential|api.?key|private.?key|csrf|signature",
    re.IGNORECASE,
)
# Names with a secret's word in them that hold none.
_HARMLESS = frozenset({"token_id", "last_four", "tokens", "missing_scopes"})
_SHAPES = (
    re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE),
    re.compile(r"\b(whsec_|syn_|pit-)[\w+/=-]{6,}"),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"),
    re.compile(
        r"([?&](?:code|state|token|access_token|refresh_token|key|api_key|secret|client_secret|password|signature)=)"
        r"[^&\s\"'<>\\]+",
        re.IGNORECASE,
    ),
    re.compile(r"(://[^\s/:@\"']*:)[^\s/@\"']+(?=@)"),
)


class Redactor:
    """Knows secrets, and masks them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.learn(known)

    def learn(self, found: Iterable[str]) -> None:
        """Know more secrets. What is shorter than six characters is no secret: masking it would only garble."""
        new = {form for each in found for part in _parts(each) for form in _forms(part)} - self._known
        if new:
            self._known |= new
            ordered = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(each) for each in ordered))

    def mask(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        for shape in _SHAPES:
            text = shape.sub(_masked, text)
        return text

    def masked(self, value: Any, key: str = "") -> Any:
        """A structure of plain values without secrets."""
        if (
            key
            and key not in _HARMLESS
            and _KEY.search(key)
            and not isinstance(value, bool | int | float | None)
        ):
            return MASK
        match value:
            case str():
                return self.mask(value)
            case bool() | int() | float() | None:
                return value
            case Mapping():
                return {str(name): self.masked(each, str(name)) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - whatever is logged
            case list() | tuple() | set() | frozenset():
                return [self.masked(each) for each in value]  # pyright: ignore[reportUnknownVariableType] - whatever is logged
            case _:
                return self.mask(str(value))


def _masked(found: re.Match[str]) -> str:
    """The beginning that tells what it was, and the mask."""
    start = found[1] if found.re.groups else ""
    return f"{start}{' ' if start.isalpha() else ''}{MASK}"


def _parts(secret: str) -> Iterator[str]:
    """The secret, and the texts in it where it is JSON (a pair of tokens)."""
    yield secret
    if secret[:1] in ("{", "["):
        try:
            yield from _leaves(json.loads(secret))
        except ValueError:
            return


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType] - any JSON
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:  # pyright: ignore[reportUnknownVariableType] - any JSON
            yield from _leaves(each)


def _forms(secret: str) -> Iterator[str]:
    """How a secret is written: as it is, in a URL, in JSON."""
    if len(secret) >= _SHORTEST:
        yield from {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        yield msgspec.json.encode(secret).decode()[1:-1]


def secrets_of(installation: Installation) -> Iterator[str]:
    """Every secret that an installation knows: of its configuration, and of its store."""
    yield from _configured(installation.config)
    if installation.config.secret_key is not None:
        # Several keys may be there, separated by commas.
        yield from installation.config.secret_key.get_secret_value().split(",")
    try:
        yield from installation.store.every_secret().values()
    except (SchemaError, SetupError):
        # Encrypted with a key that we do not have: then nobody here can tell it either.
        return


def _configured(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _configured(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType] - any setting
            yield from _configured(each)  # pyright: ignore[reportUnknownArgumentType] - any setting
    elif isinstance(value, list | tuple):
        for each in value:  # pyright: ignore[reportUnknownVariableType] - any setting
            yield from _configured(each)  # pyright: ignore[reportUnknownArgumentType] - any setting
