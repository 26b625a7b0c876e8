"""A file of the media library: plain data, kept in `state.Location.media`; the operations live in `medias`."""

from __future__ import annotations

import msgspec


class Media(msgspec.Struct, frozen=True):
    """One file; one that is hosted elsewhere has an address and no bytes."""

    id: str
    name: str
    url: str
    content: bytes
    kind: str
    added_ms: int
    parent_id: str = ""
