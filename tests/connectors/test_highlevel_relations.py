"""Associations are found or made whichever way round they are kept, and records related, listed and cut, however often."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from syncline.connectors.highlevel.associations import (
    Association,
    AssociationWish,
    End,
    associations,
    ensure_association,
)
from syncline.connectors.highlevel.relations import (
    Related,
    Tally,
    relate,
    relate_all,
    relations_of,
    room,
    unrelate,
    unrelate_records,
)
from syncline.core.records import ObjectTypeId
from syncline.core.values import Reference
from syncline.errors import NotFoundError, RejectedError, SetupError, UnknownOutcomeError
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from syncline.sandbox.highlevel.options import SideOrder
from tests.connectors.highlevel_world import TICKET, World, world
from tests.sandbox.openapi import official_spec

BUSINESS = ObjectTypeId("business")
WISH = AssociationWish("Ticket Company", End(TICKET, "Ticket"), End(BUSINESS, "Customer"))
CREATE = "/associations/$"
RELATE = "/associations/relations$"


@pytest.fixture(params=list(SideOrder), ids=lambda order: order.value)
async def w(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(options=Options(association_order=request.param)) as made:
        yield made


def ticket(w: World, title: str = "x") -> Reference:
    return Reference(TICKET, w.edit("create_record", properties={"title": title})["id"])


def company(w: World, name: str = "Company") -> Reference:
    made = w.act("create_record", object=BUSINESS, properties={"name": name})
    return Reference(BUSINESS, made["id"])


def writes(w: World) -> list[str]:
    return [path for method, path in w.requests() if method == "POST" and path.startswith("/associations")]


async def ensure(w: World, wish: AssociationWish = WISH) -> Association:
    return await ensure_association(w.connector.client, wish)


async def test_an_association_is_made_once_and_found_whichever_way_round(w: World) -> None:
    first = await ensure(w)
    again = await ensure(w)
    turned = await ensure(w, AssociationWish(WISH.key, WISH.second, WISH.first))

    assert first.key == "ticket_company"
    assert first == again
    assert (turned.id, turned.is_swapped) == (first.id, not first.is_swapped)
    assert writes(w) == ["/associations/"]


async def test_one_that_a_person_made_is_recognised_by_its_labels_and_a_relabelled_one_by_its_key(
    w: World,
) -> None:
    made = await ensure(w)

    by_labels = await ensure(
        w, AssociationWish("other_key", End(TICKET, "ticket "), End(BUSINESS, "CUSTOMER"))
    )
    by_key = await ensure(w, AssociationWish(WISH.key, End(TICKET, "Case"), End(BUSINESS, "Client")))

    assert by_labels.id == by_key.id == made.id


async def test_a_key_that_means_something_else_is_refused(w: World) -> None:
    await ensure(w)

    with pytest.raises(SetupError, match="choose another key"):
        await ensure(w, replace(WISH, second=End(ObjectTypeId("contact"), "Person")))


async def test_the_eleventh_label_is_explained_before_it_is_asked_for(w: World) -> None:
    for number in range(10):
        await ensure(w, AssociationWish(f"k{number}", End(TICKET, f"T{number}"), End(BUSINESS, f"C{number}")))

    with pytest.raises(SetupError, match=r"allows 10 associations .* k0, k1, .* delete one"):
        await ensure(w)

    assert len(writes(w)) == 10
    elsewhere = replace(WISH, second=End(ObjectTypeId("contact"), "Person"))
    assert (await ensure(w, elsewhere)).id


async def test_an_association_whose_answer_was_cut_is_there(w: World) -> None:
    w.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path=CREATE, times=1))

    made = await ensure(w)

    assert made.id in [each.id for each in await associations(w.connector.client)]


async def test_an_association_that_was_not_made_is_unclear_at_first(w: World) -> None:
    w.faults.add(Fault(FaultKind.STATUS, status=502, method="POST", path=CREATE, times=1))

    with pytest.raises(UnknownOutcomeError):
        await ensure(w)

    assert (await ensure(w)).key == "ticket_company"


async def test_two_records_are_related_in_any_order_and_a_second_time_is_a_success(w: World) -> None:
    made, one, other = await ensure(w), ticket(w), company(w)
    client = w.connector.client

    first = await relate(client, made, one, other)
    again = await relate(client, made, other, one)

    assert first.is_new
    assert again == Related("", is_new=False)
    (of_one,) = await relations_of(client, one.key)
    (of_other,) = await relations_of(client, other.key, made)
    assert of_one == of_other
    assert (of_one.id, of_one.other(one.key), of_one.other(other.key)) == (first.id, other, one)


async def test_a_relation_whose_answer_was_cut_is_made_by_trying_again(w: World) -> None:
    made, one, other = await ensure(w), ticket(w), company(w)
    w.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path=RELATE, times=1))

    with pytest.raises(UnknownOutcomeError):
        await relate(w.connector.client, made, one, other)

    assert not (await relate(w.connector.client, made, one, other)).is_new
    assert len(await relations_of(w.connector.client, one.key)) == 1


async def test_records_of_other_objects_are_refused_without_a_call(w: World) -> None:
    made = await ensure(w)
    before = w.connector.calls

    with pytest.raises(RejectedError, match="not between"):
        await relate(w.connector.client, made, ticket(w), Reference("contact", "c"))

    assert w.connector.calls == before


async def test_a_record_that_is_gone_is_a_refusal_and_a_gone_association_not_found(w: World) -> None:
    made, one = await ensure(w), ticket(w)

    with pytest.raises(RejectedError):
        await relate(w.connector.client, made, one, Reference(BUSINESS, "0" * 24))
    with pytest.raises(NotFoundError):
        await relate(w.connector.client, replace(made, id="0" * 24), one, company(w))


async def test_relating_to_many_goes_on_where_it_stopped(w: World) -> None:
    made, one = await ensure(w), ticket(w)
    others = [company(w, f"C{number}") for number in range(5)]
    client = w.connector.client
    w.faults.add(Fault(FaultKind.STATUS, status=502, method="POST", path=RELATE, times=1))
    with pytest.raises(UnknownOutcomeError):
        await relate_all(client, made, one, others)
    await relate(client, made, one, others[3])
    before = len(writes(w))

    assert await relate_all(client, made, one, others) == Tally(made=4, found=1)
    assert len(writes(w)) - before == 4
    assert await relate_all(client, made, one, [*others, others[0]]) == Tally(made=0, found=5)


async def test_too_many_for_one_record_are_refused_before_the_first(w: World) -> None:
    made, one = await ensure(w), ticket(w)
    others = [company(w, f"C{number}") for number in range(1002)]
    pairs = [made.order(one, other) for other in others[:999]]
    w.act("relate", association=made.id, pairs=pairs)
    w.clock.advance(11)
    before = len(writes(w))

    assert (await room(w.connector.client, made, one.key)).left == 1
    with pytest.raises(RejectedError, match=r"tied to 999 records .* allows 1000 .* 3 more are wished"):
        await relate_all(w.connector.client, made, one, others)
    assert len(writes(w)) == before

    await relate(w.connector.client, made, one, others[999])
    with pytest.raises(RejectedError, match=r"tied to 1000 records .* one more was refused"):
        await relate(w.connector.client, made, others[1000], one)


async def test_a_tie_is_cut_by_its_id_or_by_its_records_and_once_more_is_no_fault(w: World) -> None:
    made, one, others = await ensure(w), ticket(w), [company(w), company(w)]
    client = w.connector.client
    await relate_all(client, made, one, others)
    (first, _) = await relations_of(client, one.key)

    assert [await unrelate(client, first.id), await unrelate(client, first.id)] == [True, False]
    left = first.other(one.key) == others[0]
    assert await unrelate_records(client, made, others[left], one)
    assert not await unrelate_records(client, made, one, others[left])
    assert await relations_of(client, one.key) == []


async def test_a_tie_that_is_gone_may_be_refused_with_400() -> None:
    async with world(options=Options(missing_relation_status=400)) as w:
        assert not await unrelate(w.connector.client, "nothing")


async def test_lists_are_read_to_the_end_with_short_pages_and_without_a_total() -> None:
    async with world(options=Options(tie_totals=False, max_ties_limit=3)) as w:
        made, one = await ensure(w), ticket(w)
        others = [company(w, f"C{number}") for number in range(7)]
        await relate_all(w.connector.client, made, one, others)

        assert len(await relations_of(w.connector.client, one.key)) == 7
        assert len(await associations(w.connector.client)) == 2


async def test_a_tie_between_records_of_one_object_keeps_its_direction(w: World) -> None:
    wish = AssociationWish("blocks", End(TICKET, "Blocker"), End(TICKET, "Blocked"))
    made, blocker, blocked = await ensure(w, wish), ticket(w), ticket(w)

    await relate(w.connector.client, made, blocker, blocked)

    (tie,) = await relations_of(w.connector.client, blocker.key)
    labels = {made.first.label: tie.first.key, made.second.label: tie.second.key}
    assert labels == {"Blocker": blocker.key, "Blocked": blocked.key}


async def test_every_exchange_fits_the_official_specification(w: World) -> None:
    spec = official_spec()
    made, one, other = await ensure(w), ticket(w), company(w)
    await relate(w.connector.client, made, one, other)
    await relate(w.connector.client, made, one, other)
    await unrelate_records(w.connector.client, made, one, other)

    exchanges = [each for each in w.witness.exchanges if each[0].path.startswith("/associations")]
    assert {request.method for request, _ in exchanges} == {"GET", "POST", "DELETE"}
    for request, response in exchanges:
        spec.check_exchange(request, response)
