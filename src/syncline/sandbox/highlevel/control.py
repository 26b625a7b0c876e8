"""What tests and demos may do behind the API: act as a person in the web app, change tokens, quotas and options.

Called through `HighLevelVendor.control` with an action and its arguments. An unknown action, a bad argument and a write
that the vendor would refuse all raise `ValueError`. A person's writes carry the channel WEB_USER and fire webhooks.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from syncline.sandbox.highlevel import (
    crm_control,
    document_control,
    people_control,
    tie_control,
    token_control,
)
from syncline.sandbox.highlevel.persona import Account
from syncline.sandbox.highlevel.quota import Limits
from syncline.sandbox.highlevel.refusals import RefusalError
from syncline.sandbox.highlevel.state import World

Action = Callable[[World, dict[str, object]], object]


class Controls:
    """All actions of one stand-in, by name."""

    def __init__(self, world: World, account: Account) -> None:
        self._world = world
        self._account = account
        self._actions: dict[str, Action] = {
            "account": lambda _world, _args: self._account,
            "options": _set_options,
            "quota": _set_quota,
            "search_lag": _set_search_lag,
            "stats": _stats,
            **people_control.ACTIONS,
            **token_control.ACTIONS,
            **crm_control.ACTIONS,
            **document_control.ACTIONS,
            **tie_control.ACTIONS,
        }

    def run(self, action: str, args: dict[str, object]) -> object:
        """Do it; answers JSON-ready data."""
        chosen = self._actions.get(action)
        if chosen is None:
            raise ValueError(f"There is no action {action!r}; there are {', '.join(sorted(self._actions))}.")
        try:
            return msgspec.to_builtins(chosen(self._world, args))
        except (RefusalError, msgspec.ValidationError) as exc:
            raise ValueError(str(exc)) from exc


class _Lag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seconds: float


def _set_options(world: World, args: dict[str, object]) -> object:
    """Change some options, keep the others."""
    world.options = msgspec.convert({**msgspec.to_builtins(world.options), **args}, type(world.options))
    world.webhooks.signs_legacy = world.options.legacy_signature
    return world.options


def _set_quota(world: World, args: dict[str, object]) -> object:
    world.quota.limits = msgspec.convert({**msgspec.to_builtins(world.quota.limits), **args}, Limits)
    return world.quota.limits


def _set_search_lag(world: World, args: dict[str, object]) -> object:
    world.search_lag_ms = int(msgspec.convert(args, _Lag).seconds * 1000)
    return {"seconds": world.search_lag_ms / 1000}


def _stats(world: World, args: dict[str, object]) -> object:
    """`refused_429` counts the vendor's own, not injected ones."""
    records = {f"{item.location_id}/{item.key}": len(item.table.rows) for item in world.all_objects()}
    return {"requests": world.served, "refused_429": world.quota.refused, "records": records}
