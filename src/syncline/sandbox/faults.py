"""Turns a plan of faults into what goes wrong with one request or one webhook.

Used by `sandbox.server` on real sockets and by the simulation without any: `Faults.decide` names the fault, `answer`
carries out those that need no socket. Everything random comes from the plan's own seed.
"""

from __future__ import annotations

import datetime as dt
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import cast

import msgspec

from syncline.sandbox.wire import Delivery, Request, Response, Vendor


class FaultKind(Enum):
    """What goes wrong."""

    STATUS = "status"
    SLOW = "slow"
    CUT_BEFORE = "cut_before"
    CUT_AFTER = "cut_after"
    PARTIAL = "partial"
    LOST = "lost"
    DUPLICATE = "duplicate"
    LATE = "late"


WEBHOOK_KINDS = frozenset({FaultKind.LOST, FaultKind.DUPLICATE, FaultKind.LATE})


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule of the plan: where it strikes, what it does, how often.

    `method` and `path` are regular expressions that must match the whole method and part of the path (for webhooks:
    of the target URL). `status`: answers `status`, `headers` and `body` before the vendor works. `slow`: waits
    `seconds`. `cut_before`/`cut_after`: closes the connection without an answer, before or after the vendor has
    committed. `partial`: keeps the share `keep` of every listed object. `lost`, `duplicate`, `late` (by `seconds`)
    befall webhooks. `times`: how often in all (None: for ever); `probability`: of striking where it matches.
    """

    kind: FaultKind
    method: str = ""
    path: str = ""
    status: int = 503
    seconds: float = 0.0
    keep: float = 0.5
    headers: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    body: dict[str, object] | None = None
    times: int | None = None
    probability: float = 1.0

    def matches(self, method: str, path: str) -> bool:
        """Whether the rule is meant for this request."""
        if self.method and not re.fullmatch(self.method, method, re.IGNORECASE):
            return False
        return not self.path or re.search(self.path, path) is not None


class Rule(msgspec.Struct, frozen=True):
    """A fault in the plan and how often it has struck."""

    id: int
    fault: Fault
    struck: int


class Faults:
    """A seeded plan of faults; the first rule that strikes wins."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chooses faults, guards nothing
        self._rules: dict[int, Fault] = {}
        self._struck: dict[int, int] = {}
        self._last_id = 0

    def add(self, fault: Fault) -> int:
        """Put a rule at the end of the plan; answers its id. Raises `ValueError` on a bad regular expression."""
        for pattern in (fault.method, fault.path):
            try:
                re.compile(pattern)
            except re.error as exc:
                raise ValueError(f"{pattern!r} is not a regular expression: {exc}.") from exc
        self._last_id += 1
        self._rules[self._last_id] = fault
        self._struck[self._last_id] = 0
        return self._last_id

    def remove(self, rule_id: int | None = None) -> None:
        """Take one rule out, or all."""
        for each in list(self._rules) if rule_id is None else [rule_id]:
            self._rules.pop(each, None)

    def rules(self) -> list[Rule]:
        """The plan, used-up rules included."""
        return [Rule(id_, fault, self._struck[id_]) for id_, fault in self._rules.items()]

    def decide(self, request: Request) -> Fault | None:
        """What goes wrong with this request, if anything. Counts as a strike."""
        if not self._rules:
            return None
        return self._strike(request.method, request.path, of_webhook=False)

    def deliveries(self, delivery: Delivery) -> list[Delivery]:
        """What becomes of one webhook: nothing (lost), itself, itself twice, or itself later."""
        fault = self._strike("POST", delivery.url, of_webhook=True) if self._rules else None
        if fault is None:
            return [delivery]
        if fault.kind is FaultKind.LOST:
            return []
        late = replace(delivery, due=delivery.due + dt.timedelta(seconds=fault.seconds))
        return [delivery, late] if fault.kind is FaultKind.DUPLICATE else [late]

    def _strike(self, method: str, path: str, *, of_webhook: bool) -> Fault | None:
        for rule_id, fault in self._rules.items():
            if (fault.kind in WEBHOOK_KINDS) is not of_webhook or not fault.matches(method, path):
                continue
            if fault.times is not None and self._struck[rule_id] >= fault.times:
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            self._struck[rule_id] += 1
            return fault
        return None


def answer(vendor: Vendor, request: Request, fault: Fault | None) -> Response | None:
    """The vendor's answer under this fault; None when the connection closes without one.

    Waiting (`slow`) is the caller's: it alone knows how time passes.
    """
    if fault is None or fault.kind is FaultKind.SLOW:
        return vendor.handle(request)
    if fault.kind is FaultKind.CUT_BEFORE:
        return None
    if fault.kind is FaultKind.STATUS:
        return _refusal(fault)
    response = vendor.handle(request)
    return _partial(response, fault.keep) if fault.kind is FaultKind.PARTIAL else None


def _refusal(fault: Fault) -> Response:
    body = fault.body if fault.body is not None else {"message": "Injected by the sandbox."}
    return Response.json(body, fault.status, fault.headers)


def _partial(response: Response, keep: float) -> Response:
    """Drop the last objects of each list in a JSON answer; numbers in lists and all headers stay."""
    if response.status >= 300 or not response.body:
        return response
    data: object = msgspec.json.decode(response.body)
    return replace(response, body=msgspec.json.encode(_shorten(data, keep)))


def _shorten(data: object, keep: float) -> object:
    if isinstance(data, list):
        return _shorten_list(cast("list[object]", data), keep)
    if isinstance(data, Mapping):
        members = cast("Mapping[str, object]", data)
        return {
            name: _shorten_list(cast("list[object]", value), keep) if isinstance(value, list) else value
            for name, value in members.items()
        }
    return data


def _shorten_list(items: list[object], keep: float) -> list[object]:
    return items[: int(len(items) * keep)] if items and isinstance(items[0], Mapping) else items
