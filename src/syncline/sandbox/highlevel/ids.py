"""Ids, keys and tokens in the vendor's shapes, all from one seed: the same calls make the same ids.

Record ids are ObjectIds as in the vendor's examples: eight hex digits of creation time, ten of this account, six of a
counter. So they sort by creation.
"""

from __future__ import annotations

import hashlib
import itertools
import string
import unicodedata

_ALPHABET = string.ascii_letters + string.digits
_KEY_LETTERS = frozenset(string.ascii_lowercase + string.digits + "_")


class Ids:
    """A source of ids."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn = itertools.count()
        self._object_count = itertools.count(1)
        self._trace_count = itertools.count(1)
        digest = hashlib.sha256(f"account {seed}".encode()).hexdigest()
        self._account = digest[:10]
        self._trace = f"{digest[10:18]}-{digest[18:22]}-4{digest[22:25]}-a{digest[25:28]}-"

    def object_id(self, now_ms: int) -> str:
        """24 hex digits."""
        return f"{now_ms // 1000 & 0xFFFFFFFF:08x}{self._account}{next(self._object_count):06x}"

    def short(self) -> str:
        """20 letters and digits, as the ids of locations, users, fields and folders."""
        return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._digest()[:20])

    def uuid(self) -> str:
        """A UUID."""
        text = self._digest().hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"

    def secret(self) -> str:
        """64 hex digits, for secrets and refresh tokens."""
        return self._digest().hex()

    def trace(self) -> str:
        """The `traceId` of one answer."""
        return f"{self._trace}{next(self._trace_count):012x}"

    def _digest(self) -> bytes:
        return hashlib.sha256(f"{self._seed} {next(self._drawn)}".encode()).digest()


def key_of(name: str) -> str:
    """The key the vendor makes of a name: lower case, blanks as `_`, other letters than ASCII dropped (facts 1.5:
    `Referência` becomes `referncia`). May be empty."""
    composed = unicodedata.normalize("NFC", name).strip().lower()
    return "".join(letter for letter in "_".join(composed.split()) if letter in _KEY_LETTERS)
