"""Records of one listing onto the disk, to be found again by number: what a comparison of two listings waits with.

Used by `certify`: a million records take eight megabytes of memory. The file has no name and is gone when it is closed.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from types import TracebackType

_LENGTH = 4


class Spool:
    """Bytes by number (small whole numbers), each put once and read any number of times."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="syncline-")  # noqa: SIM115 - closed by `__exit__`
        self._spots = array("Q")
        self._end = 0

    def __enter__(self) -> Spool:
        """Use it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Forget everything."""
        self._file.close()

    def put(self, number: int, content: bytes) -> None:
        """Keep these bytes under a number."""
        if number >= len(self._spots):
            self._spots.frombytes(bytes(8 * max(number + 1 - len(self._spots), len(self._spots))))
        self._file.seek(self._end)
        self._file.write(len(content).to_bytes(_LENGTH, "big") + content)
        self._spots[number] = self._end + 1
        self._end += _LENGTH + len(content)

    def get(self, number: int) -> bytes | None:
        """What was put under a number; None for nothing."""
        spot = self._spots[number] if number < len(self._spots) else 0
        if not spot:
            return None
        self._file.seek(spot - 1)
        return self._file.read(int.from_bytes(self._file.read(_LENGTH), "big"))

    def __contains__(self, number: object) -> bool:
        """Whether something was put under a number."""
        return isinstance(number, int) and number < len(self._spots) and self._spots[number] > 0

    def numbers(self) -> Iterator[int]:
        """Every number under which something was put, in order."""
        return (number for number, spot in enumerate(self._spots) if spot)
