"""Some texts and one file into the body of a multipart form, in pieces, so that no file is held whole.

Used by the connectors that upload files; `Http.pour` sends it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

from syncline.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file to be sent. `open` gives its bytes anew each time; `size` is how many there are."""

    name: str
    mime: str
    size: int
    open: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Form:
    """A form with one file, called `slot` there. `boundary` must not stand in the file: let it be random."""

    slot: str
    file: Outgoing
    boundary: str
    texts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def headers(self) -> Mapping[str, str]:
        """Type and length of the body."""
        length = len(self._head) + self.file.size + len(self._tail)
        return {
            "content-type": f"multipart/form-data; boundary={self.boundary}",
            "content-length": str(length),
        }

    async def body(self) -> AsyncGenerator[bytes, None]:
        """The body in pieces. Raises `ConnectorError` when the file is not as long as it was said to be."""
        yield self._head
        sent = 0
        async for piece in self.file.open():
            sent += len(piece)
            if sent > self.file.size:
                break
            yield piece
        if sent != self.file.size:
            raise ConnectorError(
                f"the file {self.file.name!r} has not the {self.file.size} bytes that it should have"
            )
        yield self._tail

    @property
    def _head(self) -> bytes:
        parts = [self._part(f'name="{name}"') + f"\r\n{text}\r\n" for name, text in self.texts.items()]
        file = self._part(f'name="{self.slot}"; filename="{_quoted(self.file.name)}"')
        return "".join([*parts, file, f"Content-Type: {self.file.mime}\r\n\r\n"]).encode()

    @property
    def _tail(self) -> bytes:
        return f"\r\n--{self.boundary}--\r\n".encode()

    def _part(self, disposition: str) -> str:
        return f"--{self.boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"


def _quoted(name: str) -> str:
    """A file name in a header, as browsers write it: as UTF-8, without what would end it."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
