"""What the service does into OpenTelemetry spans: a look at a sync, a call to a vendor, a webhook.

Off unless an endpoint is configured: then spans go there by OTLP over HTTP, from a thread of the exporter. There is no
provider of the process. A span holds names, counts and codes; of a call its method, host and path, never what comes
after a question mark, a header or a body. Texts go through `mask` all the same, which knows the secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Status, StatusCode, Tracer
from yarl import URL

from syncline import __version__
from syncline.bootstrap import Installation
from syncline.connectors.transport import Answer, Transport, Twinned
from syncline.errors import SynclineError
from syncline.ports import Handler
from syncline.service.dispatch import Happened

Attributes = Mapping[str, str | int | float | bool]


class Tracing:
    """Makes spans. Without a processor it makes none, at next to no cost."""

    def __init__(self, processor: SpanProcessor | None = None) -> None:
        self.mask: Callable[[str], str] = str
        self._provider: TracerProvider | None = None
        self._tracer: Tracer = NoOpTracer()
        if processor is not None:
            resource = Resource({"service.name": "syncline", "service.version": __version__})
            self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            self._provider.add_span_processor(processor)
            self._tracer = self._provider.get_tracer("syncline", __version__)

    @property
    def is_on(self) -> bool:
        """Whether spans go anywhere."""
        return self._provider is not None

    @contextmanager
    def span(
        self, name: str, attributes: Attributes | None = None, kind: SpanKind = SpanKind.INTERNAL
    ) -> Generator[Span]:
        """Something that takes its time. An error is noted by its code or class: its message may show values."""
        with self._tracer.start_as_current_span(
            name,
            attributes=self._masked(attributes or {}),
            kind=kind,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span
            except BaseException as error:
                code = error.full_code if isinstance(error, SynclineError) else type(error).__name__
                span.set_attribute("error.type", code)
                span.set_status(Status(StatusCode.ERROR))
                raise

    def _masked(self, attributes: Attributes) -> dict[str, str | int | float | bool]:
        return {
            name: self.mask(value) if self.is_on and isinstance(value, str) else value
            for name, value in attributes.items()
        }

    def around(self, name: str, handle: Handler) -> Handler:
        """A handler of wakes with a span around it."""

        async def traced(key: str) -> None:
            with self.span(name, {"syncline.sync": key}):
                await handle(key)

        return traced

    def heard(self, happened: Happened) -> None:
        """Note on the span that is open what became of a look at a sync."""
        span = trace.get_current_span()
        span.set_attribute("syncline.cause", happened.cause.value)
        if happened.error is not None:
            span.set_attribute("error.type", happened.error.full_code)
            span.set_status(Status(StatusCode.ERROR))
        if happened.report is not None:
            span.set_attribute("syncline.run", happened.report.run)
            span.set_attribute("syncline.writes", happened.report.writes)
            span.set_attribute("syncline.brakes", len(happened.report.plan.brakes))

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """At the end of the block, send what is left."""
        try:
            yield
        finally:
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Send what is left, and end. Blocks for some seconds at most."""
        if self._provider is not None:
            self._provider.shutdown()


def tracing(endpoint: str | None, headers: Mapping[str, str] | None = None) -> Tracing:
    """To an OTLP endpoint (`http://collector:4318/v1/traces`), with these headers, or nowhere."""
    if endpoint is None:
        return Tracing()
    return Tracing(BatchSpanProcessor(OTLPSpanExporter(endpoint, headers=dict(headers or {}))))


def configured_tracing(installation: Installation) -> Tracing:
    """As the settings say; every call of the installation is then a span. Whoever asked for it runs it."""
    settings = installation.config.traces
    headers = {name: each.get_secret_value() for name, each in settings.headers.items()}
    made = tracing(settings.endpoint, headers)
    if made.is_on:
        installation.go_through(lambda transport: TracedTransport(transport, made))
    return made


class TracedTransport:
    """A transport with a span around each call."""

    def __init__(self, transport: Transport, tracing: Tracing) -> None:
        self._transport = transport
        self._tracing = tracing

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Send once, follow nothing."""
        with self._tracing.span(f"vendor call {method}", _told(method, url), SpanKind.CLIENT) as span:
            answer = await self._transport.send(method, url, headers, body)
            span.set_attribute("http.response.status_code", answer.status)
            return answer

    async def close(self) -> None:
        """Let go of sockets."""
        await self._transport.close()

    def twin(self) -> Transport:
        """Another one with the same settings and sockets of its own, where there can be one."""
        twin = self._transport.twin() if isinstance(self._transport, Twinned) else self._transport
        return TracedTransport(twin, self._tracing)


def _told(method: str, url: str) -> Attributes:
    try:
        address = URL(url)
        return {"http.request.method": method, "server.address": address.host or "", "url.path": address.path}
    except ValueError:
        return {"http.request.method": method}
