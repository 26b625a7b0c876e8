"""Bytes to a host and back: the one place that opens sockets, and the seam where a simulated network plugs in.

Used by `connectors.http` alone. It tells apart what was surely never sent from what may have arrived.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import aiohttp
import msgspec
from yarl import URL

from syncline.errors import ConnectorError, Detail, TransientError, UnknownOutcomeError

T = TypeVar("T")


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


class AiohttpTransport:
    """The real network. `timeout` bounds a whole exchange, `connect_timeout` the way to the host."""

    def __init__(
        self,
        *,
        timeout: dt.timedelta = dt.timedelta(seconds=60),
        connect_timeout: dt.timedelta = dt.timedelta(seconds=10),
        connections: int = 20,
    ) -> None:
        self._timeout = aiohttp.ClientTimeout(
            total=timeout.total_seconds(), connect=connect_timeout.total_seconds()
        )
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send once. Certificates are checked, no cookie is kept, no proxy is taken from the surroundings."""
        try:
            async with self._open().request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                middlewares=(_Once(),),
            ) as answer:
                content = await answer.read()
                names = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, names, content)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise TransientError(
                f"cannot be reached ({type(error).__name__})", detail=Detail.UNREACHABLE
            ) from error
        except aiohttp.InvalidURL as error:
            raise ConnectorError("the address cannot be read", detail=Detail.WRONG_ADDRESS) from error
        except TimeoutError as error:
            raise UnknownOutcomeError("no answer in time", detail=Detail.TIMEOUT) from error
        except (aiohttp.ClientError, OSError) as error:
            raise UnknownOutcomeError(
                f"the connection was cut ({type(error).__name__})", detail=Detail.CUT
            ) from error

    async def close(self) -> None:
        """Close all sockets; a later `send` opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session, made on first use because it needs a running loop."""
        if self._session is None:
            # Shorter than common servers keep idle connections: a write on one just closed has no clear outcome.
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=4)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


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
