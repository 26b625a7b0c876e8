"""Documents and templates of the HighLevel stand-in: what is listed, what sending does, and what people do with them."""

from __future__ import annotations

from typing import Any

import pytest

from syncline.sandbox.highlevel import Options
from tests.sandbox.highlevel_desk import Desk, Reply


def contact(desk: Desk, email: str = "ada@example.test") -> str:
    body = {"locationId": desk.location, "firstName": "Ada", "lastName": "Example", "email": email}
    return desk.call("POST", "/contacts/", body).data["contact"]["id"]


def documents(desk: Desk, **query: str) -> dict[str, Any]:
    return desk.call("GET", "/proposals/document", query={"locationId": desk.location} | query).data


def owner(desk: Desk) -> str:
    return desk.account.user_ids_by_email["owner@example.test"]


def send(desk: Desk, document: dict[str, Any], **changes: object) -> Reply:
    body = {
        "locationId": desk.location,
        "documentId": document["documentId"],
        "sentBy": owner(desk),
        "medium": "email",
    }
    return desk.call("POST", "/proposals/document/send", body | changes)


def use(desk: Desk, template: str, who: str, **changes: object) -> Reply:
    body = {
        "locationId": desk.location,
        "templateId": template,
        "userId": owner(desk),
        "contactId": who,
    }
    return desk.call("POST", "/proposals/templates/send", body | changes)


def test_a_document_goes_from_draft_to_sent_viewed_and_completed_once_all_have_signed() -> None:
    desk = Desk()
    people = [contact(desk, "ada@example.test"), contact(desk, "bob@example.test")]
    made = desk.control("create_document", name="Contract", contacts=people, amount=1200.5)
    path = [made["status"]]
    path.append(documents(desk)["documents"][0]["status"])
    send(desk, made)
    path.append(documents(desk)["documents"][0]["status"])
    path.append(desk.control("view_document", id=made["_id"])["status"])
    path.append(desk.control("sign_document", id=made["_id"])["status"])
    done = desk.control("sign_document", id=made["_id"], email="bob@example.test")

    assert path == [["draft"], ["draft"], ["sent"], ["viewed"], ["viewed"]]
    assert done["status"] == ["completed"]
    assert all(each["hasCompleted"] and each["signedDate"] for each in done["recipients"])
    assert [each["id"] for each in done["recipients"]] == people
    assert (done["grandTotal"]["amount"], done["paymentStatus"]) == (1200.5, ["waiting_for_payment"])
    assert desk.control("pay_document", id=made["_id"])["paymentStatus"] == ["paid"]
    assert desk.control("view_document", id=made["_id"])["status"] == ["completed"]


def test_a_declined_document_shows_no_word_of_it_unless_the_vendor_has_one() -> None:
    plain, spoken = Desk(), Desk(Options(declined_document_status="declined"))
    for desk, status in ((plain, "viewed"), (spoken, "declined")):
        made = desk.control("create_document", name="C", contacts=[contact(desk)], is_sent=True)

        assert desk.control("decline_document", id=made["_id"])["status"] == [status]


def test_who_asks_twice_sends_twice_unless_the_vendor_refuses() -> None:
    lenient, strict = Desk(), Desk(Options(documents_sent_again=False))
    for desk, statuses, mails in ((lenient, [200, 200], 2), (strict, [200, 400], 1)):
        made = desk.control("create_document", name="C", contacts=[contact(desk)])

        assert [send(desk, made).status, send(desk, made).status] == statuses
        assert len(desk.control("document_mails")["mails"]) == mails


def test_a_link_is_made_without_a_mail_and_names_document_and_recipient() -> None:
    desk = Desk()
    who = contact(desk)
    made = desk.control("create_document", name="C", contacts=[who])

    links = send(desk, made, medium="link", documentName="Contract 7").data["links"]

    assert [(each["documentId"], each["recipientId"]) for each in links] == [(made["documentId"], who)]
    assert desk.control("document_mails")["mails"] == []
    assert documents(desk)["documents"][0]["name"] == "Contract 7"
    assert made["documentId"] != made["_id"]


@pytest.mark.parametrize("changes", [{"documentId": "x"}, {"sentBy": "x"}, {"medium": "pigeon"}, {"x": 1}])
def test_what_is_not_known_is_not_sent(changes: dict[str, object]) -> None:
    desk = Desk()
    made = desk.control("create_document", name="C", contacts=[contact(desk)])

    assert send(desk, made, **changes).status in (400, 422)
    assert documents(desk)["documents"][0]["status"] == ["draft"]


def test_a_template_becomes_a_document_of_its_name_each_time() -> None:
    desk = Desk()
    who = contact(desk)
    template = desk.control("create_template", name="Offer", is_public=True)["id"]

    assert [use(desk, template, who).status for _ in range(2)] == [200, 200]
    draft = use(desk, template, who, sendDocument=False)

    found = documents(desk)
    assert (found["total"], draft.data["links"]) == (3, [])
    assert {each["name"] for each in found["documents"]} == {"Offer"}
    assert sorted(each["status"][0] for each in found["documents"]) == ["draft", "sent", "sent"]
    assert len(desk.control("document_mails")["mails"]) == 2
    listed = desk.call("GET", "/proposals/templates", query={"locationId": desk.location}).data
    assert (listed["total"], listed["data"][0]["documentCount"]) == (1, 3)
    assert use(desk, template, "nobody").refusal == (400, "Contact not found")


def test_lists_are_paged_filtered_and_capped() -> None:
    desk = Desk(Options(max_documents_limit=5))
    for number in range(12):
        desk.clock.advance(60)
        desk.control("create_document", name=f"Contract {number}", contacts=[])

    pages = [documents(desk, limit="50", skip=str(skip)) for skip in (0, 5, 10)]

    assert [len(page["documents"]) for page in pages] == [5, 5, 2]
    assert [page["total"] for page in pages] == [12] * 3
    names = [each["name"] for page in pages for each in page["documents"]]
    assert names == [f"Contract {number}" for number in reversed(range(12))]
    assert len(documents(desk, query="contract 1", status="draft")["documents"]) == 3
    assert documents(desk, status="sent")["total"] == 0
    after = documents(desk, dateFrom="2026-03-02T09:11:30.000Z")
    assert [each["name"] for each in after["documents"]] == ["Contract 11"]
    assert (
        desk.call("GET", "/proposals/document", query={"locationId": desk.location, "status": "x"}).status
        == 422
    )


def test_dates_may_look_at_the_creation_or_at_the_change() -> None:
    for by_update, total in ((False, 0), (True, 1)):
        desk = Desk(Options(document_dates_by_update=by_update))
        made = desk.control("create_document", name="C", contacts=[contact(desk)], is_sent=True)
        desk.clock.advance(3600)
        desk.control("sign_document", id=made["_id"])

        assert documents(desk, dateFrom="2026-03-02T09:30:00.000Z")["total"] == total


def test_a_deleted_document_is_marked_or_hidden_and_may_go_for_good() -> None:
    for is_listed, total in ((True, 1), (False, 0)):
        desk = Desk(Options(deleted_documents_listed=is_listed))
        made = desk.control("create_document", name="C", contacts=[contact(desk)])
        desk.control("delete_document", id=made["_id"])

        assert documents(desk)["total"] == total
        assert all(each["deleted"] for each in documents(desk)["documents"])
        desk.control("purge_document", id=made["_id"])
        assert documents(desk)["total"] == 0


def test_a_revised_document_is_a_draft_again() -> None:
    desk = Desk()
    made = desk.control("create_document", name="C", contacts=[contact(desk)], is_sent=True)
    desk.control("sign_document", id=made["_id"])

    revised = desk.control("revise_document", id=made["_id"])

    assert (revised["status"], revised["documentRevision"], revised["links"]) == (["draft"], 2, [])
    assert not revised["recipients"][0]["hasCompleted"]
    with pytest.raises(ValueError, match="has not been sent"):
        desk.control("sign_document", id=made["_id"])


def test_nothing_of_a_document_is_told_by_webhook() -> None:
    desk = Desk()
    who = contact(desk)
    desk.control("subscribe", url="https://hooks.example.test")
    made = desk.control("create_document", name="C", contacts=[who])
    send(desk, made)
    desk.control("sign_document", id=made["_id"])

    assert desk.vendor.outbox() == []
