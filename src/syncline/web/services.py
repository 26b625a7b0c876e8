"""What the handlers may reach: one frozen thing, made by whoever serves, and handed to every request.

`make_app` keeps it in the application's state; a handler asks for it as `Services` (a dependency). Nothing in `web` is global.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from yarl import URL

from syncline.bootstrap import Installation
from syncline.service.people import People

MIB = 1_048_576


@dataclass(frozen=True, slots=True)
class Part:
    """How one part of the service is: whether it is ready, and a sentence when it is not. No internals: anybody may read it."""

    is_ready: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the service is reached, and how much it takes.

    `public_url` is the address that people type: cookies are `Secure` where it begins with https, and requests that change
    something have to come from there. `hosts` are further names that the `Host` header may carry; `*` is any. A request carries
    `most_bytes` at most; one with a file, `most_attached`.
    """

    public_url: str = "http://127.0.0.1:8420"
    hosts: tuple[str, ...] = ()
    most_bytes: int = MIB
    most_attached: int = 512 * MIB
    answers_kept: dt.timedelta = dt.timedelta(hours=24)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the service encrypted."""
        return URL(self.public_url).scheme == "https"

    @property
    def origin(self) -> str:
        """Scheme, host and port, as browsers write them."""
        return str(URL(self.public_url).origin())

    def most_of(self, method: str, path: str) -> int:
        """How many bytes a request may carry: more where files are attached."""
        is_file = method == "POST" and path.startswith("/api/v1/") and path.endswith("/attachments")
        return self.most_attached if is_file else self.most_bytes

    def trusts(self, host: str) -> bool:
        """Whether the service may be called by this name (a `Host` header, with or without a port)."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        known = {URL(self.public_url).raw_host or "", *self.hosts}
        return "*" in known or name.strip("[]").lower() in known


@dataclass(frozen=True, slots=True)
class WebServices:
    """Everything that requests are answered with. `parts` say whether they are ready (`/readyz`); `beside` are entered when
    the application starts and left when it ends; `routers` come after those of `web` itself."""

    installation: Installation
    people: People
    settings: WebSettings = field(default_factory=WebSettings)
    parts: Mapping[str, Callable[[], Part]] = field(default_factory=dict[str, Callable[[], Part]])
    beside: Sequence[Callable[[], AbstractAsyncContextManager[object]]] = ()
    routers: Sequence[APIRouter] = ()


def services_of(request: Request) -> WebServices:
    """The services of the application that a request came to."""
    found = request.app.state.services
    if not isinstance(found, WebServices):
        raise TypeError("the application was not made by make_app")
    return found


Services = Annotated[WebServices, Depends(services_of)]
