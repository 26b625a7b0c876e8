"""Records of one listing onto the disk, to be found again by number: what must not fill the memory waits here.

Used by `certify`, where one listing waits for the other, and by `pull`, which lays aside what a recheck will most likely
find nothing to do about: a million records take eight megabytes of memory. The file has no name, is made with the first
record, and is gone when it is closed.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import IO

from syncline.core.records import Side

_LENGTH = 4


class Spool:
    """Bytes by number (small whole numbers), read any number of times. What is put again under a number replaces what
    was there."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._spots = array("Q")
        self._end = 0

    def __enter__(self) -> Spool:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()

    def put(self, number: int, content: bytes) -> None:
        """Keep these bytes under a number."""
        if number >= len(self._spots):
            self._spots.frombytes(bytes(8 * max(number + 1 - len(self._spots), len(self._spots))))
        file = self._opened()
        file.seek(self._end)
        file.write(len(content).to_bytes(_LENGTH, "big") + content)
        self._spots[number] = self._end + 1
        self._end += _LENGTH + len(content)

    def get(self, number: int) -> bytes | None:
        """What was put under a number; None for nothing."""
        spot = self._spots[number] if number < len(self._spots) else 0
        if not spot:
            return None
        file = self._opened()
        file.seek(spot - 1)
        return file.read(int.from_bytes(file.read(_LENGTH), "big"))

    def _opened(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="syncline-")  # noqa: SIM115 - closed by `__exit__`
        return self._file

    def __contains__(self, number: object) -> bool:
        """Whether something was put under a number."""
        return isinstance(number, int) and number < len(self._spots) and self._spots[number] > 0

    def numbers(self) -> Iterator[int]:
        """Every number under which something was put, in order."""
        return (number for number, spot in enumerate(self._spots) if spot)


Spools = Mapping[Side, Spool]


@contextmanager
def spools() -> Generator[Spools]:
    """One for each side."""
    with Spool() as left, Spool() as right:
        yield {Side.LEFT: left, Side.RIGHT: right}
