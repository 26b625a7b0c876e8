"""Commands that go on until they are stopped: the service, and further workers for it."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated

import typer
import uvicorn

from syncline.bootstrap import Installation, install
from syncline.cli.context import Context, given, wait
from syncline.cli.output import say
from syncline.config import Config, load, start_file
from syncline.errors import ProblemKind, UsageError
from syncline.ports import JobEngine
from syncline.service.dispatch import Happened, Tell
from syncline.service.engines import is_shared, job_engine
from syncline.service.following import Following
from syncline.service.guard import guarded_transport
from syncline.service.hub import Hub
from syncline.service.logs import set_up, take_down
from syncline.service.observers import observers
from syncline.service.people import People, begin_setup
from syncline.service.runtime import Runtime
from syncline.service.serving import Service
from syncline.service.traces import configured_tracing
from syncline.web.app import make_app
from syncline.web.hooks import add_hooks
from syncline.web.routers import Parts, routers_over
from syncline.web.services import WebServices, WebSettings
from syncline.web.stream import StreamServer

_GRACE = 20
"""Seconds that requests under way are given at the end."""


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel="Service")(serve)
    app.command(rich_help_panel="Service")(worker)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen at; 0: any free one.")] = 8420,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", help="The address that people type, where it is another one."),
    ] = None,
    works: Annotated[
        bool, typer.Option("--work/--no-work", help="Run syncs here too, or leave it to `syncline worker`.")
    ] = True,
) -> None:
    """Serve: the API, webhooks, the schedule and a worker, in one process, until it is stopped (Ctrl+C)."""
    chosen = given(context)
    if start_file(chosen.config):
        say(f"Made {chosen.config}, with nothing configured yet.")
    with suppress(KeyboardInterrupt):
        wait(_serve(chosen, host, port, public_url, works=works))


def worker(context: typer.Context) -> None:
    """Run syncs for a service on PostgreSQL, beside it or on another machine, until it is stopped (Ctrl+C)."""
    wait(_work(given(context)))


@asynccontextmanager
async def _opened(context: Context) -> AsyncGenerator[tuple[Installation, JobEngine, Config]]:
    config, folder = load(context.config), context.config.resolve().parent
    context.ensure_key()
    installation = install(config, folder)
    jobs = job_engine(config.database_url(folder), installation.clock)
    try:
        yield installation, jobs, config
    finally:
        await jobs.close()
        await installation.close()


async def _serve(context: Context, host: str, port: int, public_url: str | None, *, works: bool) -> None:
    async with _opened(context) as (installation, jobs, _):
        await serve_installation(installation, jobs, listening(host, port), public_url, works=works)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 is any free one. Raises `UsageError` when it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, so that asyncio sends each answer at once: without it, one that is written in two parts waits for 40 ms.
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        text = f"{host}, port {port} cannot be listened at: {error.strerror}."
        remedy = "Stop what is listening there, or name another one with --port (0: any free one)."
        raise UsageError("--port", text, remedy, ProblemKind.BAD_VALUE, str(port)) from error
    return found


async def serve_installation(
    installation: Installation,
    jobs: JobEngine,
    listener: socket.socket,
    public_url: str | None = None,
    *,
    works: bool = True,
    ready: Callable[[str, Service], Awaitable[None]] | None = None,
) -> None:
    """Serve an installation until the process is told to stop; `ready` is called with the address once it answers. What is
    configured may change meanwhile."""
    host, port = listener.getsockname()[:2]
    traces = configured_tracing(installation)
    runtime = Runtime(installation)
    hub = Hub(installation.clock, secrets.token_hex(4))
    transport = guarded_transport(installation)
    watching = observers(runtime.current, jobs, transport, traces=traces)
    service = Service(runtime, jobs, _both(watching.tell, hub.tell), hub.watch, traces.around)
    following = Following(hub, jobs, lambda: runtime.current().store)
    people = People(installation.store, installation.clock)
    settings = WebSettings(public_url or f"http://{host}:{port}", ("127.0.0.1", "localhost"))
    handler = set_up(watching.redactor)

    @asynccontextmanager
    async def beside() -> AsyncGenerator[None]:
        async with traces.running(), watching.running(), following.running(), service.running(works=works):
            _greet(settings.public_url, begin_setup(people))
            if ready is not None:
                await ready(settings.public_url, service)
            yield
            hub.close()

    app = make_app(
        WebServices(
            installation,
            people,
            settings,
            beside=[beside],
            routers=routers_over(
                Parts(runtime, jobs, service.intake, watching, hub, overhear=service.overhear)
            ),
        )
    )
    add_hooks(app, service.intake)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE, server_header=False
    )
    try:
        await StreamServer(config, hub).serve(sockets=[listener])
    finally:
        await transport.close()
        await runtime.close()
        take_down(handler)


def _both(first: Tell, second: Tell) -> Tell:
    def tell(happened: Happened) -> None:
        first(happened)
        second(happened)

    return tell


def _greet(url: str, code: str | None) -> None:
    say(f"Serving on {url}; stop with Ctrl+C.")
    if code is not None:
        say(f"First run: make the first user with the code {code} (see docs/first-steps-api.md).")


async def _work(context: Context) -> None:
    async with _opened(context) as (installation, jobs, config):
        if not is_shared(config.database_url(context.config.resolve().parent)):
            text = "A worker of its own needs PostgreSQL; beside SQLite, `syncline serve` does the work."
            remedy = "Set SYNCLINE_DATABASE_URL to a PostgreSQL database, or run `syncline serve` alone."
            raise UsageError("database", text, remedy, ProblemKind.BAD_VALUE)
        traces = configured_tracing(installation)
        runtime = Runtime(installation)
        watching = observers(runtime.current, jobs, installation.guarded, traces=traces)
        hub = Hub(installation.clock, secrets.token_hex(4))
        following = Following(hub, jobs, lambda: installation.store)
        service = Service(runtime, jobs, _both(watching.tell, hub.tell), hub.watch, traces.around)
        handler = set_up(watching.redactor)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, stop.set)
        say("Working; stop with Ctrl+C.")
        try:
            async with traces.running(), following.running(listens=False), service.running():
                await stop.wait()
        finally:
            await runtime.close()
            take_down(handler)
