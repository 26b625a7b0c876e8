"""A method, a path and JSON into an answer: the HTTP that every vendor's connector stands on.

The connectors' clients call `Http.read` (retried) and `Http.write` (never repeated unless the vendor surely refused it).
What a vendor's errors and headers mean is told by its `Dialect`. Sockets live behind `Transport`, so that a simulated
network can take their place.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import urlencode, urlsplit

import msgspec

from syncline.connectors.day import Meter
from syncline.connectors.limiter import SlidingWindow
from syncline.connectors.multipart import Form
from syncline.connectors.transport import AiohttpTransport, Answer, Piecemeal, Pouring, Transport
from syncline.core.quota import Terms
from syncline.core.retry import delay
from syncline.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    Detail,
    NotFoundError,
    Problem,
    ProblemKind,
    RejectedError,
    StaleError,
    TransientError,
    UnknownOutcomeError,
)
from syncline.ports import Clock, ask_before_write

__all__ = [
    "AiohttpTransport",
    "Answer",
    "Dialect",
    "Environment",
    "Http",
    "SlidingWindow",
    "Transport",
    "base_url",
]

Query = Mapping[str, str | int] | Sequence[tuple[str, str | int]]

TRIES = 5
"""How often a read, or a write that was surely refused for its rate, is sent at most."""
FIRST_WAIT = dt.timedelta(seconds=1)
LONGEST_WAIT = dt.timedelta(seconds=30)
PATIENCE = dt.timedelta(seconds=90)
"""The longest wait asked by a vendor that is sat out here; a longer one is left to the engine."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a connector needs from outside. `jitter` gives numbers in [0, 1), like `random.Random.random`.

    `terms` are the limits configured for the connection, `meter` keeps its calls; without one they are forgotten.
    `limiters` are those already made, by connection.
    """

    transport: Transport
    clock: Clock
    jitter: Callable[[], float]
    terms: Terms = field(default_factory=Terms)
    meter: Meter | None = None
    limiters: dict[str, SlidingWindow] = field(default_factory=dict[str, SlidingWindow])

    def limiter(
        self,
        connection: str,
        *,
        concurrency: int,
        limit: int | None = None,
        interval: dt.timedelta = dt.timedelta(seconds=10),
        daily_limit: int | None = None,
    ) -> SlidingWindow:
        """The connection's one budget, beginning with what the vendor publishes (None: nothing). Every connector made for
        it here shares it."""
        if connection not in self.limiters:
            self.limiters[connection] = SlidingWindow(
                self.clock,
                limit=limit,
                interval=interval,
                concurrency=concurrency,
                daily_limit=daily_limit,
                terms=self.terms,
                meter=self.meter,
            )
        return self.limiters[connection]


class Dialect:
    """What is particular to one vendor's HTTP. Override what differs."""

    async def headers(self) -> Mapping[str, str]:
        """Headers of every request; the credentials among them."""
        return {}

    def classify(self, answer: Answer, *, is_write: bool) -> ConnectorError | None:
        """The error that an answer outside 2xx means, or None to judge by its status alone."""
        del answer, is_write
        return None

    def observe(self, answer: Answer, limiter: SlidingWindow) -> None:
        """Learn the quota from an answer's headers."""
        del answer, limiter


class Http:
    """One connection's HTTP: base URL, credentials, quota, retries, errors.

    `calls` counts every request sent. Requests go to the base URL's origin only, and no redirect is followed.
    """

    def __init__(
        self,
        base: str,
        *,
        connection: str,
        environment: Environment,
        limiter: SlidingWindow,
        dialect: Dialect,
    ) -> None:
        self.base = base_url(base)
        self.limiter = limiter
        self.calls = 0
        self._told: tuple[str, dt.datetime] | None = None
        self._connection = connection
        self._environment = environment
        self._dialect = dialect

    @property
    def skew(self) -> dt.timedelta | None:
        """How far the vendor's clock is ahead of ours, to a second, by the `Date` of its last answer; None without one."""
        if self._told is None:
            return None
        text, heard = self._told
        at = _date(text)
        return None if at is None else at + _HALF_A_SECOND - heard

    async def read(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask something that changes nothing; answers 2xx only.

        Transient trouble (also 429 and 5xx) is sat out for a few tries, with back-off, full jitter and the vendor's
        own `Retry-After`. Raises `TransientError`, `AuthError`, `NotFoundError`, `RejectedError`, `ConnectorError`.
        """
        return await self._tried(
            TransientError, lambda: self._once(method, path, query, json, headers, is_write=False)
        )

    async def write(
        self,
        method: str,
        path: str,
        *,
        query: Query = (),
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Change something, once; answers 2xx only.

        Sent again only after a 429, which is surely not applied. Raises as `read` does, and `UnknownOutcomeError` when
        no clear answer came.
        """
        return await self._tried(
            _RateError, lambda: self._once(method, path, query, json, headers, is_write=True)
        )

    async def pour(self, path: str, form: Form, headers: Mapping[str, str]) -> Answer:
        """POST a form with a file, in pieces, once; answers 2xx only. Raises as `write` does, and what its file raises."""
        return await self._tried(_RateError, lambda: self._poured(path, form, headers))

    async def pieces(self, url: str) -> AsyncGenerator[bytes, None]:
        """The bytes behind an address that carries its own permission, on whatever host: no credentials go along.

        Raises `NotFoundError`, `TransientError`, `ConnectorError`; half-way, too.
        """
        transport = self._environment.transport
        if not isinstance(transport, Piecemeal):
            raise ConnectorError("files cannot be fetched here", connection=self._connection)
        async with self.limiter.slot():
            self.calls += 1
            try:
                async for piece in transport.pieces(url, {"user-agent": _HEADERS["user-agent"]}):
                    yield piece
            except UnknownOutcomeError as error:
                raise TransientError(
                    str(error.args[0]), connection=self._connection, detail=Detail.UNREACHABLE
                ) from error
            except ConnectorError as error:
                error.connection = self._connection
                raise

    async def close(self) -> None:
        """Let go of sockets, and write down what was counted."""
        self.limiter.close()
        await self._environment.transport.close()

    async def _tried(self, bearable: type[TransientError], send: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send until it works, an error other than a bearable one comes, or the tries are used up."""
        for attempt in range(1, TRIES):
            try:
                return await send()
            except bearable as error:
                if not _is_bearable(error.after):
                    raise
                wait = delay(attempt, self._environment.jitter(), first=FIRST_WAIT, longest=LONGEST_WAIT)
                await self._environment.clock.sleep(max(wait, error.after or wait).total_seconds())
        return await send()

    async def _once(
        self,
        method: str,
        path: str,
        query: Query,
        json: object,
        headers: Mapping[str, str] | None,
        *,
        is_write: bool,
    ) -> Answer:
        """Send one request and turn everything but 2xx into an error."""
        url = self._url(path, query)
        body = None if json is None else msgspec.json.encode(json)
        try:
            sent = {**_HEADERS, **await self._dialect.headers(), **(headers or {})}
            if body is not None:
                sent["content-type"] = "application/json"
            answer = await self._exchange(method, url, sent, body, is_write=is_write)
            self._judge(answer, is_write=is_write)
        except UnknownOutcomeError as error:
            if not is_write:
                raise TransientError(
                    str(error.args[0]), connection=self._connection, detail=Detail.UNREACHABLE
                ) from error
            error.connection = self._connection
            raise
        except ConnectorError as error:
            error.connection = self._connection
            raise
        return answer

    async def _poured(self, path: str, form: Form, headers: Mapping[str, str]) -> Answer:
        """Send a form, and turn everything but 2xx into an error. A body that broke off is one that nobody takes for a
        whole one: then its own error is what happened."""
        transport = self._environment.transport
        if not isinstance(transport, Pouring):
            raise ConnectorError("files cannot be sent here", connection=self._connection)
        broken: list[ConnectorError] = []

        async def body() -> AsyncGenerator[bytes, None]:
            try:
                async for piece in form.body():
                    yield piece
            except ConnectorError as error:
                broken.append(error)
                raise

        try:
            sent = {**_HEADERS, **await self._dialect.headers(), **headers, **form.headers}
            url = self._url(path, ())
            async with self.limiter.slot():
                ask_before_write()
                self.calls += 1
                answer = await transport.pour(url, sent, body())
                self._dialect.observe(answer, self.limiter)
            self._judge(answer, is_write=True)
        except ConnectorError as error:
            if broken:
                raise broken[0] from error
            error.connection = self._connection
            raise
        return answer

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, is_write: bool
    ) -> Answer:
        """One request within the quota."""
        async with self.limiter.slot():
            if is_write:
                ask_before_write()
            self.calls += 1
            answer = await self._environment.transport.send(method, url, headers, body)
            self._dialect.observe(answer, self.limiter)
            if text := answer.headers.get("date", ""):
                self._told = text, self._environment.clock.now()
        return answer

    def _judge(self, answer: Answer, *, is_write: bool) -> None:
        """Return for a good answer; raise what a bad one means."""
        if answer.is_ok:
            if _is_page(answer):
                fault = "answered a web page instead of JSON; is this the right URL?"
                if is_write:
                    raise UnknownOutcomeError(fault, detail=Detail.UNREADABLE)
                raise ConnectorError(fault, detail=Detail.WRONG_ADDRESS)
            return
        if answer.status == 429:
            pause = _retry_after(answer, self._environment.clock.now())
            if pause is not None and _is_bearable(pause):
                self.limiter.hold(pause)
            raise self._dialect.classify(answer, is_write=is_write) or _RateError(
                "the vendor asks to slow down (429)", after=pause, detail=Detail.RATE_LIMITED
            )
        error = self._dialect.classify(answer, is_write=is_write)
        if error is not None:
            raise error
        _raise_by_status(answer, self._environment.clock.now(), is_write=is_write)

    def _url(self, path: str, query: Query) -> str:
        """The full address. Raises `ConnectorError` for one that is not below the base URL's origin."""
        if "://" in path or path.startswith("//"):
            if _origin(path) != _origin(self.base):
                raise ConnectorError(
                    "refused to call another host",
                    connection=self._connection,
                    detail=Detail.WRONG_ADDRESS,
                )
            url = path
        else:
            url = f"{self.base}/{path.lstrip('/')}"
        encoded = urlencode(query, doseq=True)
        return f"{url}{'&' if '?' in url else '?'}{encoded}" if encoded else url


_HALF_A_SECOND = dt.timedelta(seconds=0.5)
"""A `Date` has whole seconds: in the middle it is nearest to the moment that was meant."""
_HEADERS = {"accept": "application/json", "user-agent": "syncline"}


class _RateError(TransientError):
    """A 429: surely not applied, so that even a write may be sent again."""


def _is_bearable(asked: dt.timedelta | None) -> bool:
    return asked is None or asked <= PATIENCE


def _is_page(answer: Answer) -> bool:
    """A web page where JSON is promised: the usual sign of a wrong base URL (facts: activecollab-api.md 1.1)."""
    return bool(answer.body) and "text/html" in answer.headers.get("content-type", "")


def _raise_by_status(answer: Answer, now: dt.datetime, *, is_write: bool) -> NoReturn:
    """What a status means when the vendor's dialect has nothing to say about the answer."""
    status = answer.status
    if 300 <= status < 400:
        raise ConnectorError(
            f"redirects elsewhere ({status}), which is not followed; is this the right URL?",
            detail=Detail.WRONG_ADDRESS,
        )
    if status == 401:
        raise AuthError("the credentials were refused (401)", detail=Detail.TOKEN_REFUSED)
    if status == 403:
        raise AuthError("the credentials lack a right for this (403)", detail=Detail.NO_ACCESS)
    if status in (404, 410):
        raise NotFoundError(f"not there ({status})")
    if status in (409, 412):
        raise StaleError(f"the record moved meanwhile ({status})", detail=Detail.EDITED_MEANWHILE)
    if status >= 500 and is_write:
        raise UnknownOutcomeError(
            f"the vendor failed ({status}); the write may have happened", detail=Detail.FAILED_WHILE_WRITING
        )
    if status >= 500 or status == 408:
        raise TransientError(
            f"the vendor failed ({status})", after=_retry_after(answer, now), detail=Detail.VENDOR_FAILED
        )
    raise RejectedError(f"the vendor refuses this request ({status})", detail=Detail.VALIDATION)


def _retry_after(answer: Answer, now: dt.datetime) -> dt.timedelta | None:
    """The wait that a `Retry-After` header asks for (seconds or a date), None without a readable one."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdigit():
        return dt.timedelta(seconds=min(int(text), 10**7))
    at = _date(text)
    return None if at is None else max(dt.timedelta(), at - now)


def _date(text: str) -> dt.datetime | None:
    """A date as HTTP writes it; None for any other text."""
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def base_url(text: str) -> str:
    """A checked base URL without a trailing slash. Raises `ConfigError` when it is no plain http(s) address."""
    parts = urlsplit(text.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad_url("is not an http(s) address", "Write it as https://host/path.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _bad_url("carries more than a host and a path", "Leave out user, password, ? and #.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _bad_url(fault: str, remedy: str) -> ConfigError:
    return ConfigError(
        "The connection's address cannot be used.", (Problem("url", fault, remedy, ProblemKind.ADDRESS),)
    )


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}.get(parts.scheme)
