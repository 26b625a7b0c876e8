"""Failed tries into delays that grow: by the address that tries, and by what it tries to open.

Called by `sessions`, the set-up and `login` before anything is compared. A try counts before its outcome is known, so that many at
once do not slip through together; success forgets it. While a delay runs, tries are refused unseen and count for nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from dataclasses import dataclass

from syncline.core.people import Tries
from syncline.errors import AccessError, Refusal
from syncline.service.people import People


@dataclass(frozen=True, slots=True)
class Delays:
    """So many tries are free; then each doubles the delay, from a second up to `longest`. After `forgotten` without a try it
    begins anew."""

    free: int
    longest: dt.timedelta
    forgotten: dt.timedelta = dt.timedelta(hours=1)

    def after(self, count: int) -> dt.timedelta:
        """How long to wait after so many failed tries."""
        if count < self.free:
            return dt.timedelta()
        doublings = min(count - self.free, 30)
        return min(self.longest, dt.timedelta(seconds=2**doublings))


BY_ADDRESS = Delays(20, dt.timedelta(minutes=15))
"""Generous at first: a whole office may have one address."""
BY_ACCOUNT = Delays(5, dt.timedelta(minutes=1))
"""Never long: whoever knows an e-mail could keep its owner out. A try a minute finds no password of twelve characters."""


def address_name(address: str) -> str:
    """What the tries of an address are counted under: for IPv6 its network, since a host has many addresses there."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address[:64]}"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return f"address:{parsed.ipv4_mapped}"
        return f"address:{ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"address:{parsed}"


def account_name(email: str) -> str:
    """What the tries at an account are counted under: a digest, since people type passwords into the wrong field."""
    return f"account:{hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]}"


def vendor_account_name(where: str, email: str) -> str:
    """The same for tries at an account of a vendor, whose login is asked for at an address."""
    told = f"{where.strip().lower()} {email.strip().lower()}"
    return f"vendor:{hashlib.sha256(told.encode('utf-8', 'replace')).hexdigest()[:32]}"


def count_try(people: People, names: dict[str, Delays]) -> None:
    """Count a try under each name. Raises `AccessError`, with how long to wait, when one of them has to wait; nothing is
    counted then."""
    now = people.now()
    with people.store.transaction():
        known = {name: _known(people, name, delays, now) for name, delays in names.items()}
        wait = max((tries.until - now for tries in known.values()), default=dt.timedelta())
        if wait > dt.timedelta():
            raise AccessError(
                f"Too many tries; the next one is looked at in {_seconds(wait)} s.",
                Refusal.TOO_MANY_TRIES,
                after=wait,
            )
        for name, tries in known.items():
            count = tries.count + 1
            until = now + names[name].after(count)
            people.store.save_tries(name, Tries(count, now, until))


def succeeded(people: People, account: str, address: str = "") -> None:
    """A try went well: what was tried at the account is forgotten. The address only gets this one try back, else somebody with
    an account of their own could wipe out what they tried at others."""
    people.store.forget_tries(account)
    tries = people.store.tries(address) if address else None
    if tries is not None:
        now = people.now()
        people.store.save_tries(address, Tries(max(0, tries.count - 1), now, now))


def sweep(people: People) -> None:
    """Forget what is so old that it counts no more."""
    people.store.forget_old_tries(people.now() - max(BY_ADDRESS.forgotten, BY_ACCOUNT.forgotten))


def _known(people: People, name: str, delays: Delays, now: dt.datetime) -> Tries:
    tries = people.store.tries(name)
    if tries is None or now - max(tries.since, tries.until) > delays.forgotten:
        return Tries(0, now, now)
    return tries


def _seconds(wait: dt.timedelta) -> int:
    """Whole seconds, never too few."""
    return -(-wait // dt.timedelta(seconds=1))
