"""A regular expression into a test of texts whose time grows with the text alone.

Called by `expression_check`. RE2 has no look-around and no back references, and never tries anything twice: a pattern
that would keep other engines busy for years is as quick as any.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from syncline.core.expression_cost import StopError

MAX_PATTERN = 500
"""Characters of a pattern."""
_SETTINGS = {"log_errors": False, "max_mem": 1 << 20}
_decoded = functools.partial(str, encoding="utf-8", errors="replace")


def pattern(text: str) -> Callable[[str], bool] | str:
    """The test whether a text holds the pattern, or why it is none."""
    if len(text) > MAX_PATTERN:
        return f"it has {len(text)} characters; {MAX_PATTERN} are allowed"
    import re2  # noqa: PLC0415 - only where there is a pattern  # pyright: ignore[reportMissingTypeStubs] - has none

    engine: Any = re2
    settings = engine.Options()
    for name, setting in _SETTINGS.items():
        setattr(settings, name, setting)
    try:
        compiled = engine.compile(text, settings)
    except engine.error as error:
        return _decoded(error.args[0])
    except UnicodeEncodeError:
        return "it holds half a character"

    def holds(whole: str) -> bool:
        try:
            return compiled.search(whole) is not None
        except UnicodeEncodeError as error:
            raise StopError("the text holds half a character") from error

    return holds
