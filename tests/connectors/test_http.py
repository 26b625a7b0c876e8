"""The connectors' HTTP: what is retried and what never is, what an answer means, and where requests may go.

Most tests script a transport; those on how a connection breaks use real sockets on loopback.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from syncline.connectors.http import (
    AiohttpTransport,
    Answer,
    Dialect,
    Environment,
    Http,
    SlidingWindow,
    base_url,
)
from syncline.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    NotFoundError,
    RejectedError,
    StaleError,
    TransientError,
    UnknownOutcomeError,
)
from tests.clock import VirtualClock

Script = list[Answer | Exception]
OK = Answer(200, {"content-type": "application/json"}, b'{"id":1}')


def failed(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"{}") -> Answer:
    return Answer(status, {"content-type": "application/json", **(headers or {})}, body)


class ScriptedTransport:
    """Answers in order, and remembers what was asked."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.sent: list[tuple[str, str, Mapping[str, str], bytes | None]] = []

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        self.sent.append((method, url, headers, body))
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    async def close(self) -> None:
        pass


class Token(Dialect):
    """A secret in a header."""

    async def headers(self) -> Mapping[str, str]:
        return {"authorization": "Bearer top-secret"}


def http_with(
    *script: Answer | Exception, base: str = "https://vendor.example/api", dialect: Dialect | None = None
) -> tuple[Http, ScriptedTransport, VirtualClock]:
    clock, transport = VirtualClock(), ScriptedTransport(list(script))
    environment = Environment(transport, clock, lambda: 0.5)
    http = Http(
        base,
        connection="ac",
        environment=environment,
        limiter=SlidingWindow(clock),
        dialect=dialect or Token(),
    )
    return http, transport, clock


# --- reads and writes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [failed(500), failed(503), failed(408), TransientError("refused"), UnknownOutcomeError("cut")],
    ids=["500", "503", "408", "never sent", "cut"],
)
async def test_a_read_is_repeated_with_growing_waits(trouble: Answer | Exception) -> None:
    http, transport, clock = http_with(trouble, trouble, OK)

    assert await http.read("GET", "things") == OK
    assert (http.calls, len(transport.sent), clock.slept) == (3, 3, [0.5, 1.0])


async def test_a_read_gives_up_as_transient_after_a_few_tries() -> None:
    http, _, _ = http_with(*[failed(503)] * 9)

    with pytest.raises(TransientError) as caught:
        await http.read("GET", "things")

    assert http.calls == 5
    assert caught.value.connection == "ac"


async def test_a_post_declared_a_read_is_repeated() -> None:
    http, transport, _ = http_with(failed(502), OK)

    await http.read("POST", "search", json={"page": 1})

    assert [(sent[0], sent[3]) for sent in transport.sent] == [("POST", b'{"page":1}')] * 2


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (failed(500), UnknownOutcomeError),
        (failed(503, {"retry-after": "1"}), UnknownOutcomeError),
        (UnknownOutcomeError("cut"), UnknownOutcomeError),
        (TransientError("refused"), TransientError),
        (Answer(200, {"content-type": "text/html"}, b"<html>"), UnknownOutcomeError),
    ],
    ids=["500", "503", "cut", "never sent", "web page"],
)
async def test_a_write_is_never_repeated(trouble: Answer | Exception, error: type[ConnectorError]) -> None:
    http, transport, _ = http_with(trouble, OK)

    with pytest.raises(error):
        await http.write("POST", "things", json={})

    assert len(transport.sent) == 1


async def test_a_write_refused_for_its_rate_is_sent_again_after_the_wait() -> None:
    http, _, clock = http_with(failed(429, {"retry-after": "7"}), OK)

    assert await http.write("POST", "things", json={}) == OK
    assert sum(clock.slept) == 7


async def test_a_date_may_say_when_to_come_back() -> None:
    http, _, clock = http_with(failed(503, {"retry-after": "Mon, 02 Mar 2026 09:00:20 GMT"}), OK)

    await http.read("GET", "things")

    assert clock.slept == [20]


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Mon, 02 Mar 2026 09:00:20 GMT", dt.timedelta(seconds=20.5)),
        ("Mon, 02 Mar 2026 08:59:50 GMT", dt.timedelta(seconds=-9.5)),
        ("some day", None),
    ],
)
async def test_an_answers_date_tells_how_far_the_vendors_clock_is_ahead(
    date: str, skew: dt.timedelta | None
) -> None:
    http, _, clock = http_with(Answer(200, {"date": date}, b"{}"), OK)
    before = http.skew

    await http.read("GET", "things")
    clock.advance(3600)
    await http.read("GET", "things")

    assert (before, http.skew) == (None, skew)


@pytest.mark.parametrize("verb", ["read", "write"])
async def test_a_very_long_wait_is_left_to_the_engine(verb: str) -> None:
    http, transport, clock = http_with(failed(429, {"retry-after": "3600"}), OK)

    with pytest.raises(TransientError) as caught:
        await getattr(http, verb)("GET", "things")

    assert caught.value.after == dt.timedelta(hours=1)
    assert (len(transport.sent), clock.slept) == (1, [])


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ConnectorError),
        (302, ConnectorError),
        (400, RejectedError),
        (401, AuthError),
        (403, AuthError),
        (404, NotFoundError),
        (409, StaleError),
        (410, NotFoundError),
        (422, RejectedError),
    ],
)
async def test_each_status_has_its_error(status: int, error: type[ConnectorError]) -> None:
    http, transport, _ = http_with(failed(status, {"location": "https://elsewhere.example/"}), OK)

    with pytest.raises(error) as caught:
        await http.read("GET", "things")

    assert type(caught.value) is error
    assert len(transport.sent) == 1


async def test_a_dialect_judges_the_body_before_the_status_counts() -> None:
    class Picky(Token):
        def classify(self, answer: Answer, *, is_write: bool) -> ConnectorError | None:
            return RejectedError("no", field="name") if b"field_errors" in answer.body else None

    http, _, _ = http_with(failed(500, body=b'{"field_errors":{}}'), OK, dialect=Picky())

    with pytest.raises(RejectedError):
        await http.write("PUT", "things/1", json={})


# --- where requests go ----------------------------------------------------------------------------------------------


async def test_the_base_url_may_carry_a_path_and_queries_are_quoted() -> None:
    http, transport, _ = http_with(OK, OK, base="https://vendor.example:8443/install/api/v1/")

    await http.read("GET", "/things", query={"q": "a b&c", "page": 2})
    await http.read("GET", "things", query=[("id", 1), ("id", 2)])

    assert [sent[1] for sent in transport.sent] == [
        "https://vendor.example:8443/install/api/v1/things?q=a+b%26c&page=2",
        "https://vendor.example:8443/install/api/v1/things?id=1&id=2",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example/api/things",
        "http://vendor.example/api/things",
        "https://vendor.example:444/api/things",
        "//elsewhere.example/things",
        "https://vendor.example@elsewhere.example/things",
    ],
)
async def test_no_request_leaves_the_configured_host(address: str) -> None:
    http, transport, _ = http_with(OK)

    with pytest.raises(ConnectorError, match="another host"):
        await http.read("GET", address)

    assert transport.sent == []


async def test_an_absolute_address_of_the_same_origin_is_fine() -> None:
    http, transport, _ = http_with(OK)

    await http.read("GET", "https://vendor.example:443/files/1")

    assert transport.sent[0][1] == "https://vendor.example:443/files/1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vendor.example",
        "ftp://vendor.example",
        "https://user:pw@vendor.example",
        "https://v.example/?a=1",
    ],
)
def test_a_bad_address_is_a_configuration_fault(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        base_url(text)

    assert "pw" not in str(caught.value)


async def test_no_error_holds_a_secret() -> None:
    http, _, _ = http_with(failed(401, body=b'{"echo":"top-secret"}'))

    with pytest.raises(AuthError) as caught:
        await http.read("GET", "things", query={"token": "top-secret"})

    assert "top-secret" not in f"{caught.value} {caught.value!r}"


# --- bodies ---------------------------------------------------------------------------------------------------------


async def test_a_web_page_is_no_answer() -> None:
    http, transport, _ = http_with(
        Answer(200, {"content-type": "text/html; charset=utf-8"}, b"<html></html>"), OK
    )

    with pytest.raises(ConnectorError, match="right URL"):
        await http.read("GET", "info")

    assert len(transport.sent) == 1


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'{"secret":'])
def test_json_of_another_form_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(ConnectorError, match="right URL") as caught:
        Answer(200, {}, body).json(dict[str, int])

    assert "secret" not in str(caught.value)


# --- real sockets ---------------------------------------------------------------------------------------------------

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncGenerator[str, None]:
    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def transport_of(**settings: Any) -> AsyncGenerator[AiohttpTransport, None]:
    transport = AiohttpTransport(**settings)
    try:
        yield transport
    finally:
        await transport.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)


async def test_a_refused_connection_was_surely_not_sent() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    async with transport_of() as transport:
        with pytest.raises(TransientError):
            await transport.send("POST", f"http://127.0.0.1:{port}/", {}, b"{}")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_cut_connection_has_an_unknown_outcome_and_is_not_sent_twice(method: str) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _request(reader))

    async with listening(serve) as url, transport_of() as transport:
        with pytest.raises(UnknownOutcomeError):
            await transport.send(method, url, {}, b"{}" if method != "DELETE" else None)

    assert len(seen) == 1


async def test_half_an_answer_has_an_unknown_outcome() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")

    async with listening(serve) as url, transport_of() as transport:
        with pytest.raises(UnknownOutcomeError):
            await transport.send("POST", url, {}, b"{}")


async def test_a_timeout_after_sending_has_an_unknown_outcome() -> None:
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _request(reader)
        await done.wait()

    timeout = dt.timedelta(seconds=0.05)
    async with listening(serve) as url, transport_of(timeout=timeout) as transport:
        with pytest.raises(UnknownOutcomeError):
            await transport.send("PUT", url, {}, b"{}")
        done.set()


async def test_a_redirect_is_not_followed() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _request(reader))
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")

    async with listening(serve) as url, transport_of() as transport:
        answer = await transport.send("GET", url, {"x-token": "secret"}, None)

    assert (answer.status, len(seen)) == (302, 1)


async def test_header_names_come_in_lower_case_and_addresses_stay_as_they_are() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nX-Angie-Total: 3\r\ncontent-length: 2\r\n\r\n{}")

    async with listening(serve) as url, transport_of() as transport:
        answer = await transport.send("GET", f"{url}/a%2Fb?q=a+b%26c", {}, None)

    assert (answer.headers["x-angie-total"], answer.body) == ("3", b"{}")
    assert seen[0].startswith(b"GET /a%2Fb?q=a+b%26c HTTP/1.1\r\n")
