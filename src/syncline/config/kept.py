"""Connections made over the API into settings, beside those of `syncline.yaml`, with their credentials apart.

Called by `bootstrap` (what is in force) and by `service.connections` (what somebody sends). The very models of the file
check both, so there is one set of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from pydantic import TypeAdapter, ValidationError

from syncline.config.connections import ConnectionSettings
from syncline.config.loading import faults_of
from syncline.errors import ConfigError, Problem, ProblemKind

CREDENTIALS = ("token", "oauth.client_secret", "oauth.refresh_token")
"""Where in a connection's settings its secrets are."""
REFRESH_TOKEN = "oauth.refresh_token"  # noqa: S105 - a place, no secret
_TO_COME = "to come"
_ADAPTER: TypeAdapter[ConnectionSettings] = TypeAdapter(ConnectionSettings)


class Parts(NamedTuple):
    """Settings that may be seen, and credentials by their place."""

    settings: dict[str, Any]
    credentials: dict[str, str]


class Stored(NamedTuple):
    """A connection as it is stored."""

    name: str
    settings: Mapping[str, Any]
    credentials: Mapping[str, str]


def parted(raw: Mapping[str, Any]) -> Parts:
    """The settings without their credentials, and those by themselves. A credential that is no text stays where it is, for
    the model to refuse."""
    settings, credentials = dict(raw), dict[str, str]()
    oauth = settings.get("oauth")
    if isinstance(oauth, dict):
        settings["oauth"] = dict(cast("dict[str, Any]", oauth))
    for place in CREDENTIALS:
        holder, name = _holder(settings, place)
        if holder is not None and isinstance(holder.get(name), str):
            credentials[place] = holder.pop(name)
    return Parts(settings, credentials)


def whole(settings: Mapping[str, Any], credentials: Mapping[str, str]) -> dict[str, Any]:
    """The settings with their credentials back in their places; one without a place is left out."""
    out = dict(settings)
    if isinstance(out.get("oauth"), dict):
        out["oauth"] = dict(out["oauth"])
    for place, secret in credentials.items():
        holder, name = _holder(out, place)
        if holder is not None:
            holder[name] = secret
    return out


def checked(raw: Mapping[str, Any], path: str = "", *, is_waiting: bool = False) -> ConnectionSettings:
    """The settings of one connection. `is_waiting`: what an authorisation will bring (the refresh token, and maybe the
    location) may still be missing. Raises `ConfigError` with every fault, below `path`."""
    given = whole(raw, {REFRESH_TOKEN: _TO_COME}) if is_waiting else dict(raw)
    if is_waiting and given.get("vendor") == "highlevel":
        given.setdefault("location", "")
    problems = list(_unfit(given))
    try:
        found = _ADAPTER.validate_python(given)
    except ValidationError as error:
        raise _fault([*faults_of(error), *problems], path) from None
    if problems:
        raise _fault(problems, path)
    return found


def plain(settings: ConnectionSettings) -> dict[str, Any]:
    """The settings as JSON, without credentials and without what is as by default."""
    raw = settings.model_dump(mode="json", exclude_defaults=True)
    return parted({**raw, "vendor": settings.vendor}).settings


def is_waiting(settings: Mapping[str, Any], credentials: Mapping[str, str]) -> bool:
    """Whether somebody has to authorise it before it can be used."""
    return isinstance(settings.get("oauth"), dict) and REFRESH_TOKEN not in credentials


def merged(file: Mapping[str, ConnectionSettings], stored: Iterable[Stored]) -> dict[str, ConnectionSettings]:
    """All connections that can be used: those of the file, and those made over the API under other names. Raises
    `ConfigError` for one that this Syncline does not understand."""
    made = {
        each.name: checked(whole(each.settings, each.credentials), f"connections.{each.name}")
        for each in stored
        if each.name not in file and not is_waiting(each.settings, each.credentials)
    }
    return {**made, **file}


def _holder(settings: Mapping[str, Any], place: str) -> tuple[dict[str, Any] | None, str]:
    """What holds the credential of this place, and its name there."""
    outer, _, name = place.rpartition(".")
    holder: object = settings.get(outer) if outer else settings
    return (cast("dict[str, Any]", holder) if isinstance(holder, dict) else None), name


def _unfit(raw: Mapping[str, Any]) -> Iterable[Problem]:
    if raw.get("vendor") == "highlevel" and ("token" in raw) == ("oauth" in raw):
        text = "is missing." if "token" not in raw else "and oauth are both there."
        yield Problem("token", text, "Give either token or oauth.", ProblemKind.CREDENTIALS)


def _fault(problems: Iterable[Problem], path: str) -> ConfigError:
    placed = tuple(
        Problem(".".join(part for part in (path, each.path) if part), each.message, each.remedy, each.kind)
        for each in problems
    )
    return ConfigError("The connection has faults:", placed)
