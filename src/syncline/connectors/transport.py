"""Bytes to a host and back: the one place that opens sockets, and the seam where a simulated network plugs in.

Used by `connectors.http` alone. It tells apart what was surely never sent from what may have arrived.
"""

from __future__ import annotations

import datetime as dt
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import aiohttp
import msgspec
from yarl import URL

from syncline.core.addresses import Reach, fault_of, reach
from syncline.errors import ConnectorError, Detail, NotFoundError, TransientError, UnknownOutcomeError

T = TypeVar("T")

PIECE = 1 << 16
"""So many bytes of a file at a time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self, form: type[T]) -> T:
        """The body decoded. Raises `ConnectorError` when it is not JSON of this form."""
        try:
            return msgspec.json.decode(self.body, type=form)
        except msgspec.DecodeError as error:
            raise ConnectorError(
                f"the answer is not what the API promises ({_reason(error)}); is this the right URL?"
            ) from None


def _reason(error: msgspec.DecodeError) -> str:
    """Where the form is broken, without what the body holds."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"


class Transport(Protocol):
    """Something that carries one request to its host and the answer back."""

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send once, follow nothing. Raises `TransientError` when it was surely never sent, `UnknownOutcomeError`
        when it was (or may have been) and no whole answer came."""
        ...

    async def close(self) -> None:
        """Let go of sockets."""
        ...


@runtime_checkable
class Piecemeal(Protocol):
    """A transport that can hand over the body of an answer without holding all of it."""

    def pieces(self, url: str, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """GET an address, follow nothing. Raises `NotFoundError`, else as `Transport.send`."""
        ...


@runtime_checkable
class Pouring(Protocol):
    """A transport that can send a body without holding all of it."""

    async def pour(self, url: str, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Answer:
        """POST it, follow nothing. Raises as `Transport.send`."""
        ...


@runtime_checkable
class Twinned(Protocol):
    """A transport that can be had once more."""

    def twin(self) -> Transport:
        """Another one with the same settings and sockets of its own."""
        ...


class AiohttpTransport:
    """The real network. `timeout` bounds a whole exchange, `connect_timeout` the way to the host.

    Link-local addresses are never called, private ones only with `allow_private`, and public ones only over https. What
    counts is the address that is connected to, not what the name resolved to some time before.
    """

    def __init__(
        self,
        *,
        timeout: dt.timedelta = dt.timedelta(seconds=60),
        connect_timeout: dt.timedelta = dt.timedelta(seconds=10),
        connections: int = 20,
        allow_private: bool = True,
    ) -> None:
        self._allow_private = allow_private
        self._timeout = aiohttp.ClientTimeout(
            total=timeout.total_seconds(), connect=connect_timeout.total_seconds()
        )
        self._connections = connections
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send once. Certificates are checked, no cookie is kept, no proxy is taken from the surroundings."""
        if fault := fault_of(url, allow_private=self._allow_private):
            raise ConnectorError(f"the address {fault}", detail=Detail.WRONG_ADDRESS)
        with _told():
            target = URL(url, encoded=True)
            async with self._open(target.scheme).request(
                method,
                target,
                headers=headers,
                data=body,
                allow_redirects=False,
                middlewares=(_Once(),),
            ) as answer:
                content = await answer.read()
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, names, content)

    async def pieces(self, url: str, headers: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """A body in pieces. What bounds the whole exchange bounds the wait for each piece here."""
        if fault := fault_of(url, allow_private=self._allow_private):
            raise ConnectorError(f"the address {fault}", detail=Detail.WRONG_ADDRESS)
        patience = aiohttp.ClientTimeout(connect=self._timeout.connect, sock_read=self._timeout.total)
        with _told():
            target = URL(url, encoded=True)
            asked = self._open(target.scheme).get(
                target, headers=headers, allow_redirects=False, timeout=patience
            )
            async with asked as answer:
                _demand_bytes(answer.status)
                async for piece in answer.content.iter_chunked(PIECE):
                    yield piece

    async def pour(self, url: str, headers: Mapping[str, str], body: AsyncIterator[bytes]) -> Answer:
        """A body in pieces. What bounds the whole exchange bounds the wait for the answer here."""
        if fault := fault_of(url, allow_private=self._allow_private):
            raise ConnectorError(f"the address {fault}", detail=Detail.WRONG_ADDRESS)
        patience = aiohttp.ClientTimeout(connect=self._timeout.connect, sock_read=self._timeout.total)
        with _told():
            target = URL(url, encoded=True)
            async with self._open(target.scheme).post(
                target,
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=patience,
                middlewares=(_Once(),),
            ) as answer:
                content = await answer.read()
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, names, content)

    def twin(self) -> AiohttpTransport:
        """Another one with the same settings and sockets of its own."""
        twin = AiohttpTransport(connections=self._connections, allow_private=self._allow_private)
        twin._timeout = self._timeout
        return twin

    async def close(self) -> None:
        """Close all sockets; a later `send` opens new ones."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _open(self, scheme: str) -> aiohttp.ClientSession:
        """The session, made on first use because it needs a running loop; one for each scheme, because they may go to
        different places."""
        if scheme not in self._sessions:
            allowed = {Reach.PRIVATE} if self._allow_private else set[Reach]()
            if scheme == "https":
                allowed.add(Reach.PUBLIC)
            # Shorter than common servers keep idle connections: a write on one just closed has no clear outcome.
            connector = aiohttp.TCPConnector(
                limit=self._connections, keepalive_timeout=4, socket_factory=_guarded(frozenset(allowed))
            )
            self._sessions[scheme] = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._sessions[scheme]


@contextmanager
def _told() -> Generator[None]:
    """What aiohttp raises inside, told as what it means: surely never sent, or perhaps arrived."""
    try:
        yield
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        # One per address that was tried, in one text.
        if _FORBIDDEN in str(getattr(error, "os_error", "")):
            raise ConnectorError(
                "the address leads to where nothing may be called from here (see docs/connections.md)",
                detail=Detail.WRONG_ADDRESS,
            ) from error
        raise TransientError(f"cannot be reached ({_why(error)})", detail=Detail.UNREACHABLE) from error
    except aiohttp.InvalidURL as error:
        raise ConnectorError("the address cannot be read", detail=Detail.WRONG_ADDRESS) from error
    except TimeoutError as error:
        raise UnknownOutcomeError("no answer in time", detail=Detail.TIMEOUT) from error
    except (aiohttp.ClientError, OSError) as error:
        raise UnknownOutcomeError(
            f"the connection was cut ({type(error).__name__})", detail=Detail.CUT
        ) from error


def _demand_bytes(status: int) -> None:
    """Raises for an answer that holds no bytes of a file."""
    if 200 <= status < 300:
        return
    if status in (404, 410):
        raise NotFoundError("the file is not there any more")
    raise TransientError(f"the file cannot be fetched just now ({status})", detail=Detail.VENDOR_FAILED)


_Info = tuple[int, int, int, str, tuple[Any, ...]]
_FORBIDDEN = "an address that may not be called"


def _guarded(allowed: frozenset[Reach]) -> Callable[[_Info], socket.socket]:
    """Sockets to these kinds of places only. Asked for each address just before it is connected to."""

    def make(info: _Info) -> socket.socket:
        family, kind, protocol, _, address = info
        if reach(str(address[0])) not in allowed:
            raise OSError(_FORBIDDEN)
        return socket.socket(family, kind, protocol)

    return make


class _Once:
    """Keeps aiohttp from sending a PUT or DELETE again by itself when a kept connection turns out to be closed."""

    def __init__(self) -> None:
        self._sent = False

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        if self._sent:
            raise aiohttp.ClientConnectionError("cut after sending")
        self._sent = True
        return await handler(request)


def _why(error: aiohttp.ClientError) -> str:
    """Why nobody was reached, as far as a person can do something about it."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"no address is known for {error.host}; check its spelling"
        case aiohttp.ClientSSLError():
            return f"the certificate of {error.host} is not accepted"
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, ConnectionRefusedError):
            return f"nobody answers at {error.host}, port {error.port}; check the address"
        case _:
            return type(error).__name__
