"""The plan of faults: seeded, without sockets."""

from __future__ import annotations

import pytest

from syncline.sandbox.faults import Fault, FaultKind, Faults, answer
from syncline.sandbox.wire import Delivery, Request, Response


class CountingVendor:
    def __init__(self, response: Response) -> None:
        self.response = response
        self.handled = 0

    def handle(self, request: Request) -> Response:
        self.handled += 1
        return self.response

    def outbox(self) -> list[Delivery]:
        return []

    def control(self, action: str, args: dict[str, object]) -> object:
        raise ValueError("There are no actions.")


def test_a_plan_without_rules_decides_nothing() -> None:
    assert Faults().decide(Request("GET", "/x")) is None


def test_the_same_seed_gives_the_same_faults() -> None:
    def story(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault(FaultKind.STATUS, probability=0.3))
        return [faults.decide(Request("GET", "/x")) is not None for _ in range(200)]

    assert story(7) == story(7)
    assert story(7) != story(8)
    assert 30 < sum(story(7)) < 90


def test_rules_match_method_and_path() -> None:
    faults = Faults()
    faults.add(Fault(FaultKind.STATUS, method="POST|PUT", path=r"/tasks/\d+$"))

    assert faults.decide(Request("GET", "/tasks/1")) is None
    assert faults.decide(Request("POST", "/tasks")) is None
    assert faults.decide(Request("PUT", "/tasks/1")) is not None


def test_a_used_up_rule_makes_room_for_the_next() -> None:
    faults = Faults()
    faults.add(Fault(FaultKind.CUT_BEFORE, times=2))
    faults.add(Fault(FaultKind.STATUS, times=1))

    kinds = [fault.kind if (fault := faults.decide(Request("GET", "/"))) else None for _ in range(4)]

    assert kinds == [FaultKind.CUT_BEFORE, FaultKind.CUT_BEFORE, FaultKind.STATUS, None]
    assert [rule.struck for rule in faults.rules()] == [2, 1]


def test_webhook_rules_never_strike_requests() -> None:
    faults = Faults()
    faults.add(Fault(FaultKind.LOST))

    assert faults.decide(Request("POST", "/x")) is None


@pytest.mark.parametrize(
    ("kind", "handled", "status"),
    [
        (FaultKind.STATUS, 0, 503),
        (FaultKind.CUT_BEFORE, 0, None),
        (FaultKind.CUT_AFTER, 1, None),
        (FaultKind.SLOW, 1, 200),
        (FaultKind.PARTIAL, 1, 200),
    ],
)
def test_what_the_vendor_has_done_under_each_fault(kind: FaultKind, handled: int, status: int | None) -> None:
    vendor = CountingVendor(Response.json([{"id": 1}, {"id": 2}]))

    response = answer(vendor, Request("GET", "/x"), Fault(kind))

    assert (handled, status) == (vendor.handled, response.status if response else None)


def test_partial_leaves_errors_and_numbers_alone() -> None:
    refusal = Response.json({"errors": [{"a": 1}]}, 400)
    numbers = Response.json([1, 2, 3])
    rule = Fault(FaultKind.PARTIAL, keep=0.0)

    assert refusal == answer(CountingVendor(refusal), Request("GET", "/x"), rule)
    assert numbers == answer(CountingVendor(numbers), Request("GET", "/x"), rule)
