"""The doors of an installation: opened from its configuration and its secrets, each with its own vendor's listener."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from syncline.bootstrap import Installation
from syncline.config import Config
from syncline.connectors.activecollab import WebhookListener as ActiveCollabListener
from syncline.connectors.highlevel import WebhookListener
from syncline.errors import SetupError, UsageError
from syncline.service.hooks import PREFIX, hook_of, open_doors, open_hook
from syncline.service.routes import routes_of
from syncline.store import open_store
from tests.clock import VirtualClock
from tests.service.hall import LOCATION, PUBLIC_KEY, Hall, event, signed, task_event

KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXM="
CONFIG = {
    "connections": {
        "ac": {"vendor": "activecollab", "url": "https://ac.example.test", "token": "x"},
        "hl": {
            "vendor": "highlevel",
            "token": "x",
            "location": LOCATION,
            "webhooks": {"keys": [PUBLIC_KEY]},
        },
        "quiet": {"vendor": "highlevel", "token": "x", "location": "other"},
    },
    "syncs": {
        "tickets": {
            "left": {"connection": "ac", "object": "task"},
            "right": {"connection": "hl", "object": "custom_objects.ticket"},
            "fields": [{"left": "name", "right": "title"}],
        }
    },
}


def _installation(folder: Path, key: str | None = KEY) -> Installation:
    store = open_store(f"sqlite:///{folder}/syncline.db", secret_key=key)
    return Installation(Config.model_validate(CONFIG), store, VirtualClock(), lambda: 0.5)


async def test_every_connection_with_an_address_is_listened_to(tmp_path: Path) -> None:
    home = _installation(tmp_path)
    tokens = map("token-{}".format, itertools.count())
    ac, hl = (open_hook(home.store, name, lambda: next(tokens)) for name in ("ac", "hl"))
    hall = Hall(routes=routes_of(home.config.syncs))
    for name in ("ac", "hl"):
        hall.intake.close(name)

    open_doors(hall.intake, home)

    assert (await hall.send(event(1), signed(event(1)), hl.path.removeprefix(PREFIX))).status == 200
    in_ac = {"x-angie-webhooksecret": ac.secret}
    assert (await hall.send(task_event(34), in_ac, ac.path.removeprefix(PREFIX))).status == 200
    assert hall.keys() == ["r1", "34"]
    assert hall.intake.listener("quiet") is None
    await home.close()


async def test_nobody_listens_any_more_for_a_connection_that_was_removed(tmp_path: Path) -> None:
    home = _installation(tmp_path)
    tokens = map("token-{}".format, itertools.count())
    ac, hl = (open_hook(home.store, name, lambda: next(tokens)) for name in ("ac", "hl"))
    hall = Hall(routes=routes_of(home.config.syncs))
    open_doors(hall.intake, home)
    del home.config.connections["hl"]

    open_doors(hall.intake, home)

    assert (await hall.send(event(1), signed(event(1)), hl.path.removeprefix(PREFIX))).status == 404
    in_ac = {"x-angie-webhooksecret": ac.secret}
    assert (await hall.send(task_event(34), in_ac, ac.path.removeprefix(PREFIX))).status == 200
    await home.close()


async def test_an_address_stays_until_a_new_one_is_asked_for(tmp_path: Path) -> None:
    home = _installation(tmp_path)
    tokens = map("token-{}".format, itertools.count())

    first = open_hook(home.store, "hl", lambda: next(tokens))
    assert open_hook(home.store, "hl", lambda: next(tokens)) == first
    new = open_hook(home.store, "hl", lambda: next(tokens), is_new=True)

    assert new != first
    assert hook_of(home.store, "hl") == new
    assert hook_of(home.store, "ac") is None
    await home.close()


async def test_without_a_key_no_address_can_be_kept(tmp_path: Path) -> None:
    home = _installation(tmp_path, key=None)

    with pytest.raises(SetupError):
        open_hook(home.store, "hl", lambda: "token")
    await home.close()


async def test_listeners_are_made_from_the_configuration(tmp_path: Path) -> None:
    home = _installation(tmp_path)

    assert isinstance(home.listener("ac"), ActiveCollabListener)
    listener = home.listener("hl")
    assert isinstance(listener, WebhookListener)
    assert listener.account == LOCATION
    with pytest.raises(UsageError):
        home.listener("nobody")
    await home.close()
