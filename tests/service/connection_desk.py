"""A runtime over sandbox accounts on loopback, without a configuration file, for the tests of connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from syncline.bootstrap import Installation
from syncline.config import Config
from syncline.sandbox.activecollab import ActiveCollabVendor, Flavour
from syncline.sandbox.highlevel import HighLevelVendor
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import SandboxClock
from syncline.service.runtime import Runtime
from syncline.store import open_store
from tests.clock import START, VirtualClock
from tests.store.samples import SECRET_KEY

REDIRECT = "https://syncline.example.test/api/v1/authorisations/callback"


@dataclass
class ConnectionDesk:
    """Two accounts, and the runtime that connects them."""

    clock: VirtualClock
    vendors_clock: SandboxClock
    highlevel: HighLevelVendor
    highlevel_server: SandboxServer
    activecollab: ActiveCollabVendor
    activecollab_server: SandboxServer
    runtime: Runtime

    @property
    def installation(self) -> Installation:
        """The one in force."""
        return self.runtime.current()

    @property
    def location(self) -> str:
        """A location of the HighLevel account."""
        return self.highlevel.account.location_ids[0]

    def for_activecollab(self, **more: object) -> dict[str, Any]:
        """Settings that work."""
        url = self.activecollab_server.base_url + self.activecollab.root_path
        return {"vendor": "activecollab", "url": url, "token": self.activecollab.token(), **more}

    def for_highlevel(self, **more: object) -> dict[str, Any]:
        """Settings that work, with a private token."""
        return {
            "vendor": "highlevel",
            "url": self.highlevel_server.base_url,
            "location": self.location,
            "token": self.highlevel.account.private_tokens[self.location],
            **more,
        }

    def for_app(self, **more: object) -> dict[str, Any]:
        """Settings with an app that nobody has authorised yet."""
        app = self.highlevel.account.app
        oauth = {"client_id": app.client_id, "client_secret": app.client_secret, **more}
        return {"vendor": "highlevel", "url": self.highlevel_server.base_url, "oauth": oauth}

    def agree(self, redirect_uri: str = REDIRECT, *, is_agency: bool = False) -> str:
        """A person authorises the app, for the location or for the whole agency; answers the code they come back with."""
        self.highlevel.control("set_redirect", {"redirect_uri": redirect_uri})
        wish = {} if is_agency else {"location": self.location}
        answer: Any = self.highlevel.control("authorize", dict(wish))
        return str(answer["code"])


@asynccontextmanager
async def open_connection_desk(
    *, flavour: Flavour = Flavour.SELF_HOSTED, url: str = "sqlite://", allow_private: bool | None = True
) -> AsyncGenerator[ConnectionDesk]:
    """Both accounts on free ports, and no connection yet."""
    sandbox_clock = SandboxClock(START)
    clock = VirtualClock(START, sandbox_clock.advance)
    highlevel = HighLevelVendor(sandbox_clock, 7)
    activecollab = ActiveCollabVendor(sandbox_clock, flavour=flavour)
    config = Config.model_construct(database=url, connections={}, syncs={}, allow_private=allow_private)
    async with (
        SandboxServer(highlevel, sandbox_clock) as first,
        SandboxServer(activecollab, sandbox_clock) as second,
    ):
        store = open_store(url, secret_key=SECRET_KEY)
        runtime = Runtime(Installation(config, store, clock, lambda: 0.5))
        try:
            yield ConnectionDesk(clock, sandbox_clock, highlevel, first, activecollab, second, runtime)
        finally:
            await runtime.close()
            runtime.current().store.close()
