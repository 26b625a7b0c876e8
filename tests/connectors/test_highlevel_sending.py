"""Documents and templates are sent once, however often it is asked for and whatever became of the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from syncline.connectors.highlevel.sending import (
    Medium,
    Outcome,
    TemplateIntent,
    TemplateWish,
    prepare_template,
    send_document,
    send_template,
)
from syncline.core.records import RecordKey
from syncline.errors import NotFoundError, RejectedError, TransientError, UnknownOutcomeError
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import Delivery, Request, Response, SandboxClock
from tests.clock import START
from tests.connectors.highlevel_world import World, world
from tests.sandbox.openapi import official_spec

RECIPIENT = {"id": "c-1", "email": "ada@example.test", "first_name": "Ada"}
SEND = "/proposals/document/send$"
SEND_TEMPLATE = "/proposals/templates/send$"


@pytest.fixture
async def w() -> AsyncIterator[World]:
    async with world(has_tickets=False) as made:
        yield made


def owner(w: World) -> str:
    return w.vendor.account.user_ids_by_email["owner@example.test"]


def mails(w: World) -> list[str]:
    return [each["to"] for each in w.act("document_mails")["mails"]]


def contract(w: World, **args: object) -> RecordKey:
    return RecordKey(
        w.act("create_document", **{"name": "Contract", "recipients": [RECIPIENT], **args})["_id"]
    )


def contact(w: World) -> RecordKey:
    values = {"email": "ada@example.test", "firstName": "Ada"}
    return RecordKey(w.act("make_crm", kind="contact", values=values)["id"])


async def wish(w: World, **changes: Any) -> TemplateIntent:
    template = RecordKey(w.act("create_template", name="Offer")["_id"])
    return await prepare_template(
        w.connector.client, TemplateWish(template, changes.pop("contact", contact(w)), owner(w), **changes)
    )


async def test_a_draft_is_sent_once_and_tells_where_to_sign(w: World) -> None:
    key = contract(w)

    first = await send_document(w.connector.client, key, by=owner(w), name="Contract 7")
    second = await send_document(w.connector.client, key, by=owner(w))

    assert (first.outcome, second.outcome) == (Outcome.SENT, Outcome.WAS_SENT)
    assert first.document == second.document == key
    assert first.links == second.links
    assert first.links["c-1"].startswith("https://")
    assert mails(w) == ["ada@example.test"]
    assert "already" in second.sentence


async def test_a_link_writes_to_nobody(w: World) -> None:
    sent = await send_document(w.connector.client, contract(w), by=owner(w), medium=Medium.LINK)

    assert (sent.outcome, mails(w)) == (Outcome.SENT, [])


@pytest.mark.parametrize(
    ("act", "word"), [("delete_document", "deleted"), ("expire_document", "expired"), ("", "recipient")]
)
async def test_what_nobody_could_sign_is_refused_before_anything_is_sent(
    w: World, act: str, word: str
) -> None:
    key = contract(w, **({} if act else {"recipients": []}))
    if act:
        w.act(act, id=key)

    with pytest.raises(RejectedError, match=word):
        await send_document(w.connector.client, key, by=owner(w))

    assert ("POST", "/proposals/document/send") not in w.requests()


async def test_a_document_that_is_not_listed_is_not_found(w: World) -> None:
    with pytest.raises(NotFoundError):
        await send_document(w.connector.client, RecordKey("nothing"), by=owner(w))


async def test_a_send_whose_answer_was_cut_is_looked_up(w: World) -> None:
    key = contract(w)
    w.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path=SEND, times=1))

    sent = await send_document(w.connector.client, key, by=owner(w))

    assert (sent.outcome, mails(w)) == (Outcome.SENT, ["ada@example.test"])


async def test_a_send_that_may_still_come_is_unclear_and_can_be_tried_again(w: World) -> None:
    key = contract(w)
    w.faults.add(Fault(FaultKind.STATUS, status=502, method="POST", path=SEND, times=1))

    with pytest.raises(UnknownOutcomeError):
        await send_document(w.connector.client, key, by=owner(w))

    assert mails(w) == []
    assert (await send_document(w.connector.client, key, by=owner(w))).outcome is Outcome.SENT


async def test_a_template_becomes_one_document_of_the_contact_however_often_its_intent_is_sent(
    w: World,
) -> None:
    intent = await wish(w)

    first = await send_template(w.connector.client, intent)
    second = await send_template(w.connector.client, intent)

    assert (first.outcome, second.outcome) == (Outcome.SENT, Outcome.WAS_SENT)
    assert first.document == second.document != ""
    assert first.document_id
    assert list(first.links) == [intent.wish.contact]
    assert mails(w) == ["ada@example.test"]


async def test_a_second_wish_makes_a_second_document(w: World) -> None:
    intent = await wish(w)
    first = await send_template(w.connector.client, intent)

    again = await prepare_template(w.connector.client, intent.wish)
    second = await send_template(w.connector.client, again)

    assert (second.outcome, first.document != second.document) == (Outcome.SENT, True)


async def test_a_template_whose_answer_was_cut_made_one_document(w: World) -> None:
    intent = await wish(w)
    w.faults.add(Fault(FaultKind.CUT_AFTER, method="POST", path=SEND_TEMPLATE, times=1))

    sent = await send_template(w.connector.client, intent)

    assert (sent.outcome, sent.document != "", mails(w)) == (Outcome.SENT, True, ["ada@example.test"])
    assert (await send_template(w.connector.client, intent)).outcome is Outcome.WAS_SENT


async def test_a_template_that_was_surely_not_used_is_unclear_at_first_and_used_later(w: World) -> None:
    intent = await wish(w)
    w.faults.add(Fault(FaultKind.STATUS, status=502, method="POST", path=SEND_TEMPLATE, times=1))

    with pytest.raises(UnknownOutcomeError):
        await send_template(w.connector.client, intent)

    assert (await send_template(w.connector.client, intent)).outcome is Outcome.SENT
    assert len(mails(w)) == 1


async def test_a_draft_is_made_without_a_mail_and_sent_by_a_later_wish_to_send(w: World) -> None:
    intent = await wish(w, is_sent=False)

    made = await send_template(w.connector.client, intent)
    again = await send_template(w.connector.client, intent)
    assert (made.outcome, again.outcome, mails(w)) == (Outcome.DRAFTED, Outcome.WAS_DRAFTED, [])

    sending = TemplateIntent(
        TemplateWish(intent.wish.template, intent.wish.contact, intent.wish.by), intent.name, intent.known
    )
    sent = await send_template(w.connector.client, sending)
    assert (sent.outcome, sent.document, len(mails(w))) == (Outcome.SENT, made.document, 1)


async def test_what_other_contacts_and_other_names_have_is_not_taken_for_it(w: World) -> None:
    intent = await wish(w)
    w.act("create_document", name="Offer", recipients=[RECIPIENT], is_sent=True)
    w.act("create_document", name="Letter", contacts=[intent.wish.contact], is_sent=True)

    assert (await send_template(w.connector.client, intent)).outcome is Outcome.SENT


async def test_a_template_that_is_not_there_is_not_found(w: World) -> None:
    template = w.act("create_template", name="Offer")["_id"]
    w.act("delete_template", id=template)

    for key in (template, "nothing"):
        with pytest.raises(NotFoundError, match="no template"):
            await prepare_template(w.connector.client, TemplateWish(RecordKey(key), RecordKey("c"), owner(w)))


async def test_nothing_is_sent_while_the_list_moves() -> None:
    async with world(options=Options(max_documents_limit=1), has_tickets=False) as w:
        intent = await wish(w)
        for number in range(3):
            contract(w, name=f"Other {number}")
        handle = w.vendor.handle

        class Moving:
            """Somebody makes a document each time the list is looked at."""

            def handle(self, request: Request) -> Response:
                if request.path == "/proposals/document":
                    contract(w, recipients=[])
                return handle(request)

            def outbox(self) -> list[Delivery]:
                return []

        async with SandboxServer(Moving(), SandboxClock(START)) as server:
            client = w.open(url=server.base_url).client
            with pytest.raises(TransientError, match="moved"):
                await send_template(client, intent)

        assert mails(w) == []


async def test_every_exchange_fits_the_official_specification(w: World) -> None:
    spec = official_spec()
    await send_document(w.connector.client, contract(w), by=owner(w), name="X", medium=Medium.LINK)
    await send_template(w.connector.client, await wish(w, opportunity=RecordKey("o-1")))

    exchanges = [each for each in w.witness.exchanges if each[0].path.startswith("/proposals")]
    assert {request.path for request, _ in exchanges} >= {
        "/proposals/document/send",
        "/proposals/templates/send",
    }
    for request, response in exchanges:
        spec.check_exchange(request, response)
