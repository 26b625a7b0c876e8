"""Whatever is logged, by us or by a library, into one JSON object a line on standard error, without secrets.

Set up once by whoever serves. Both ways to log end here: structlog's own loggers and the standard library's.
"""

from __future__ import annotations

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from syncline.service.redaction import Redactor

# They tell addresses and bodies, and nothing that we do not tell ourselves.
_QUIET = {"apprise": logging.CRITICAL + 1, "asyncio": logging.WARNING, "aiohttp.access": logging.WARNING}


def set_up(redactor: Redactor, *, stream: TextIO | None = None, level: int = logging.INFO) -> logging.Handler:
    """Log to a stream (standard error unless given). Answers the handler; `take_down` ends it."""
    before = _before()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )  # fmt: skip
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Redacting(redactor, before))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    return handler


def take_down(handler: logging.Handler) -> None:
    """Log nothing any more to what `set_up` answered."""
    logging.getLogger().removeHandler(handler)
    structlog.reset_defaults()


class _Redacting(structlog.stdlib.ProcessorFormatter):
    """Masks twice: values by their keys before they are one text, and the whole line after."""

    def __init__(self, redactor: Redactor, before: list[Processor]) -> None:
        def redact(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
            return redactor.masked(event)

        super().__init__(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return self._redactor.mask(super().format(record))


def _before() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
