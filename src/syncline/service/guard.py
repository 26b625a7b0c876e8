"""A URL that somebody configures into leave to call it, or into what is wrong with it.

Called wherever a URL comes in over the API: connections, subscriptions to events, downloads. This looks at the text; the
address that is really connected to is looked at by the transport (`core.addresses` has the rules for both).
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from syncline.bootstrap import Installation
from syncline.connectors.transport import AiohttpTransport
from syncline.core.addresses import fault_of
from syncline.errors import Problem, ProblemKind, Refusal, RequestError

_REMEDY = (
    "Begin it with https:// and name a host that everybody can reach; for one in a private network see "
    "docs/connections.md."
)
_PRIVATE = (
    "To allow what comes in over the API to call this machine and private networks, start Syncline with "
    "SYNCLINE_ALLOW_PRIVATE=1, or write allow_private: true into syncline.yaml. See docs/connections.md."
)


def check_url(url: str, path: str, *, allow_private: bool, hosts: Sequence[str] = ()) -> None:
    """Raises `RequestError` for a URL that may not be called. `hosts` are the only ones, with those below them, where it is
    not empty."""
    fault = fault_of(url, allow_private=allow_private)
    if not fault and hosts and not is_below(url, hosts):
        fault = "names a host that is not on the list"
    if fault:
        encrypted = url.strip().replace("http://", "https://", 1)
        is_private = fault_of(encrypted, allow_private=False) and not fault_of(url, allow_private=True)
        remedy = _PRIVATE if is_private else _REMEDY
        problem = Problem(path, f"{fault}.", remedy, ProblemKind.ADDRESS)
        raise RequestError("The address may not be called.", Refusal.INVALID, problems=(problem,))


def is_below(url: str, hosts: Sequence[str]) -> bool:
    """Whether a URL's host is one of these, or lies below one."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    return any(host == each.lower() or host.endswith(f".{each.lower()}") for each in hosts)


def origin_of(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: what a secret must not leave."""
    parts = urlsplit(url.strip())
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").rstrip(".").lower(), parts.port or default


def allows_private(installation: Installation) -> bool:
    """Whether what comes in over the API may lie in private networks: only where the settings say so."""
    return bool(installation.config.allow_private)


def guarded_transport(installation: Installation) -> AiohttpTransport:
    """Sockets for what comes in over the API, such as subscriptions; whoever asked closes it."""
    return AiohttpTransport(allow_private=allows_private(installation))
