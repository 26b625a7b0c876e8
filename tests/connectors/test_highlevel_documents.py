"""HighLevel's documents and templates as object types: they keep the promises of reading, and say that they cannot be
written."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from syncline.connectors.highlevel import HighLevelConnector, PrivateToken, scopes_for
from syncline.connectors.highlevel.paper_forms import to_document
from syncline.core.records import FieldId, Gone, ObjectTypeId, Proof, RecordKey, Scope, Sighting, Unseen
from syncline.core.values import (
    BLANK,
    ManyOf,
    Moment,
    Money,
    OneOf,
    Person,
    Reference,
    Text,
    Value,
    YesNo,
)
from syncline.errors import AuthError, ConfigError, ConnectorError
from syncline.ports import Ending
from syncline.sandbox.faults import Fault, FaultKind
from syncline.sandbox.highlevel import Options
from tests.clock import START
from tests.connectors import highlevel_world
from tests.connectors.highlevel_world import listing
from tests.connectors.reading import ReadOnlyConformance, World, present

DOCUMENTS, TEMPLATES = Scope(ObjectTypeId("documents")), Scope(ObjectTypeId("templates"))
RECIPIENT = {"id": "c-1", "email": "ada@example.test", "first_name": "Ada"}


class PaperWorld(World):
    """Documents or templates of a sandbox: whatever happens to them is done by a person there."""

    title = FieldId("name")
    unknown_key = RecordKey("67a235b49b289431bcf657f8")
    quiet_calls = 1

    def __init__(self, world: highlevel_world.World, word: str) -> None:
        self.world, self.word = world, word
        self.scope = Scope(ObjectTypeId(f"{word}s"))
        self.connector = world.connector
        self.clock = world.clock

    def sample(self, number: int) -> dict[FieldId, Value]:
        return {}

    def refused(self) -> tuple[FieldId, Value]:
        raise NotImplementedError

    async def create(self, title: str) -> RecordKey:
        return RecordKey(self.world.act(f"create_{self.word}", name=title)["_id"])

    async def rename(self, key: RecordKey, title: str) -> None:
        self.world.act(f"rename_{self.word}", id=key, name=title)

    async def delete(self, key: RecordKey) -> None:
        self.world.act(f"delete_{self.word}", id=key)

    async def purge(self, key: RecordKey) -> None:
        self.world.act(f"purge_{self.word}", id=key)

    def is_absence(self, sighting: Sighting) -> bool:
        """There is no read by id: that a list lacks it proves nothing."""
        return isinstance(sighting, Unseen)

    def stranger(self) -> HighLevelConnector:
        return self.world.open(access=PrivateToken("wrong-token"))

    def fail_next_read(self) -> None:
        self.world.faults.add(Fault(FaultKind.STATUS, status=503, times=1))


class TestDocuments(ReadOnlyConformance):
    @pytest.fixture(params=[False, True], ids=["by creation", "by change"])
    async def world(self, request: pytest.FixtureRequest) -> AsyncIterator[World]:
        options = Options(documents_by_update=request.param)
        async with highlevel_world.world(options=options, has_tickets=False) as made:
            yield PaperWorld(made, "document")


class TestTemplates(ReadOnlyConformance):
    @pytest.fixture
    async def world(self) -> AsyncIterator[World]:
        async with highlevel_world.world(has_tickets=False) as made:
            yield PaperWorld(made, "template")


@pytest.fixture
async def w() -> AsyncIterator[highlevel_world.World]:
    async with highlevel_world.world(has_tickets=False) as made:
        yield made


async def fields(w: highlevel_world.World, made: dict[str, Any]) -> dict[str, Value]:
    found = await w.connector.fetch(DOCUMENTS, RecordKey(made["_id"]))
    assert not isinstance(found, Gone | Unseen)
    return {str(name): value for name, value in found.record.fields.items()}


async def test_a_document_tells_who_has_seen_and_signed_it_and_what_it_is_worth(
    w: highlevel_world.World,
) -> None:
    other = {"id": "c-2", "email": "bob@example.test"}
    made = w.act(
        "create_document", name="Contract", recipients=[RECIPIENT, other], amount=1200.5, is_sent=True
    )
    before = await fields(w, made)
    w.clock.advance(60)
    w.act("sign_document", id=made["_id"])
    between = await fields(w, made)
    w.clock.advance(60)
    w.act("sign_document", id=made["_id"], email="bob@example.test")
    w.act("pay_document", id=made["_id"])
    after = await fields(w, made)

    assert [each["status"] for each in (before, between, after)] == [
        OneOf("sent"),
        OneOf("viewed"),
        OneOf("completed"),
    ]
    assert (before["signed_by"], before["signed_at"], before["viewed_at"]) == (BLANK, BLANK, BLANK)
    assert (between["signed_by"], between["signed_at"]) == (ManyOf(("ada@example.test",)), BLANK)
    assert between["viewed_at"] == Moment(START + dt.timedelta(seconds=60))
    assert after["signed_at"] == Moment(START + dt.timedelta(seconds=120))
    assert after["recipients"] == ManyOf(("ada@example.test", "bob@example.test"))
    assert after["contact"] == Reference("contact", "c-1")
    assert after["total"] == Money(Decimal("1200.5"), "USD")
    assert after["payment_status"] == OneOf("paid")
    assert after["is_expired"] == YesNo(yes=False)
    assert after["document_id"] == Text(made["documentId"])
    assert isinstance(after["link"], Text)


async def test_a_status_that_nobody_knows_is_shown_as_it_is() -> None:
    options = Options(declined_document_status="declined")
    async with highlevel_world.world(options=options, has_tickets=False) as w:
        made = w.act("create_document", name="C", recipients=[RECIPIENT], is_sent=True)
        w.act("decline_document", id=made["_id"])

        assert (await fields(w, made))["status"] == OneOf("declined")
        status = (await w.connector.schema(DOCUMENTS.object_type)).field(FieldId("status"))
    assert status is not None
    assert status.is_open


async def test_what_is_marked_as_deleted_is_in_the_trash_and_in_no_listing(w: highlevel_world.World) -> None:
    kept, gone = (w.act("create_document", name=name, recipients=[]) for name in ("Kept", "Gone"))
    w.act("delete_document", id=gone["_id"])

    digests, _, ending = await listing(w.connector, None, DOCUMENTS)

    assert (set(digests), ending.is_complete) == ({kept["_id"]}, True)
    assert await w.connector.fetch(DOCUMENTS, RecordKey(gone["_id"])) == Gone(Proof.TRASHED)


async def test_a_listing_goes_on_where_a_page_was_shorter_than_asked_for() -> None:
    async with highlevel_world.world(options=Options(max_documents_limit=7), has_tickets=False) as w:
        keys = {w.act("create_document", name=f"D{number}")["_id"] for number in range(20)}

        digests, pages, ending = await listing(w.connector, None, DOCUMENTS)

        assert (set(digests), len(pages), ending.is_complete) == (keys, 3, True)


async def test_a_listing_during_which_something_moved_says_so_and_the_next_one_has_it_all() -> None:
    options = Options(max_documents_limit=2, documents_by_update=True)
    async with highlevel_world.world(options=options, has_tickets=False) as w:
        keys = [w.act("create_document", name=f"D{number}")["_id"] for number in range(5)]
        endings: list[Ending] = []
        count = 0
        async for part in w.connector.pages(DOCUMENTS, '"whole"'):
            count += 1
            w.clock.advance(1)
            if isinstance(part, Ending):
                endings.append(part)
            elif count == 1:
                w.act("rename_document", id=keys[0], name="Moved to the front, past what was listed")

        (ending,) = endings
        assert (ending.is_complete, ending.is_gapless) == (False, False)
        assert "HighLevel counts 5" in ending.reason
        digests, _, ending = await listing(w.connector, ending.cursor, DOCUMENTS)
        assert (len(digests), ending.is_complete, ending.is_gapless) == (5, True, True)


async def test_a_template_names_who_changed_it(w: highlevel_world.World) -> None:
    made = w.act("create_template", name="Offer", is_public=True)

    record = await present(PaperWorld(w, "template"), RecordKey(made["_id"]))

    assert record.updated_by == "owner@example.test"
    author = record.fields[FieldId("updated_by")]
    assert isinstance(author, Person)
    assert author.email == "owner@example.test"
    assert record.fields[FieldId("type")] == OneOf("proposal")
    assert record.fields[FieldId("form_url")] == Text(made["docFormUrl"])


async def test_a_missing_scope_is_named_before_anything_is_synced(w: highlevel_world.World) -> None:
    token = w.vendor.account.private_tokens[w.location]
    w.act("set_scopes", token=token, scopes=["users.readonly"])

    for scope, name in ((DOCUMENTS, "documents_contracts"), (TEMPLATES, "documents_contracts_templates")):
        with pytest.raises(AuthError) as caught:
            await w.connector.schema(scope.object_type)

        assert caught.value.missing_scopes == (f"{name}/list.readonly",)
        assert scopes_for(scope.object_type, is_written=False) == (f"{name}/list.readonly",)


async def test_a_filter_is_refused(w: highlevel_world.World) -> None:
    with pytest.raises(ConfigError, match="filter"):
        await listing(w.connector, None, Scope(DOCUMENTS.object_type, {"status": ("sent",)}))


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"status": "sent"}, "status", OneOf("sent")),
        ({"status": ["viewed", "sent"]}, "status", OneOf("viewed")),
        ({"status": []}, "status", BLANK),
        ({"grandTotal": None}, "total", BLANK),
        ({"grandTotal": {"amount": 3}}, "total", Money(Decimal(3))),
        ({"recipients": None}, "recipients", BLANK),
        ({"recipients": [{"id": "u", "email": "u@example.test"}]}, "contact", Reference("contact", "u")),
        (
            {"recipients": [{"id": "u"}], "links": [{"recipientId": "u", "entityName": "users"}]},
            "contact",
            BLANK,
        ),
        ({"recipients": [{"hasCompleted": True, "signedDate": "soon"}]}, "signed_at", BLANK),
    ],
)
def test_a_document_is_read_leniently(changes: dict[str, object], name: str, value: Value) -> None:
    assert to_document(msgspec.json.encode({"_id": "d", **changes})).fields[FieldId(name)] == value


def test_a_document_without_a_key_is_none() -> None:
    with pytest.raises(ConnectorError, match="document is not of the expected form"):
        to_document(b'{"name": "x"}')
