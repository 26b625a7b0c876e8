"""Whatever a person or a program does over the API is in the audit trail, with who did it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.web.furniture import furnished
from tests.web.office import Visitor, open_office
from tests.web.workshop import left_is_activecollab, open_workshop

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SYNC = "/api/v1/syncs/tickets"
ADDRESS = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"


async def _trail(admin: Visitor, **wanted: str) -> list[dict[str, Any]]:
    """Entries, oldest first."""
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return (await admin.get(f"/api/v1/audit?limit=200&{query}")).json["items"][::-1]


async def test_what_is_done_to_a_sync_names_the_user_or_the_token(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply()
        await shop.run(is_full=True)
        admin = shop.admin
        program = shop.office.program(await admin.make_token("admin"))
        [link] = (await program.get(f"{SYNC}/links")).json["items"]

        await program.post(f"{SYNC}/brakes/changes/release")
        await admin.post(f"{SYNC}/brakes/changes/arm")
        await program.post(f"{SYNC}/links/{link['link']}/unlink", {"keep_apart": False})
        await admin.post(f"{SYNC}/links", {"left": link["left"]["key"], "right": link["right"]["key"]})
        await program.post(f"{SYNC}/pause")
        await admin.post(f"{SYNC}/resume")
        certified = (await program.post(f"{SYNC}/certificates")).json
        await admin.post(f"{SYNC}/run", {"release": ["deletes"]})
        rolled = await program.post("/api/v1/versions/1/rollback")
        assert rolled.status == 201

        token = {"user": 1, "name": "owner@example.test", "token": 1, "token_name": "for tests"}
        user = {**token, "token": None, "token_name": ""}
        entries = await _trail(admin)
        found = {(each["kind"], each["subject"]): each["by"] for each in entries}
        assert found["configuration_applied", "1"] == user
        assert found["brakes_released", "changes"] == token
        assert found["brake_armed", "changes"] == user
        assert found["unlinked", link["left"]["key"]] == token
        assert found["linked", link["left"]["key"]] == user
        assert (found["paused", ""], found["resumed", ""]) == (token, user)
        assert found["brakes_released", "deletes"] == user
        assert next(each["by"] for each in entries if each["kind"] == "certificate") == token
        assert (await admin.get(f"{SYNC}/certificates/{certified['number']}")).status == 200
        assert (await admin.get("/api/v1/audit/verify")).json["holds"]


async def test_what_the_service_does_by_itself_names_nobody(tmp_path: Path) -> None:
    async with open_workshop(tmp_path) as shop:
        await shop.connect()
        await shop.apply({**left_is_activecollab(shop.accounts.project), "brakes": {"at_least": 1}})
        await shop.run(is_full=True)
        [task] = shop.accounts.tasks().values()
        shop.accounts.in_activecollab("update_task", task=task["id"], name="Paint anew")
        # The run was started by a person, and uses the release up by itself.
        await shop.run(is_full=True, release=["all_changed"])

        released, used = await _trail(shop.admin, kind="brakes_released")
        assert (released["by"]["user"], released["body"]["for_good"]) == (1, False)
        assert (used["by"], used["body"]["used"]) == (None, True)


async def test_channels_and_subscriptions_leave_entries_without_their_addresses(tmp_path: Path) -> None:
    async with open_office(tmp_path, change=furnished) as office:
        office.services.installation.config = office.services.installation.config.model_copy(
            update={"allow_private": True}
        )
        admin = await office.set_up()
        program = office.program(await admin.make_token("admin"))
        path = "/api/v1/channels/chat"
        made = await program.ask("PUT", path, {"address": ADDRESS, "kinds": ["brake.pulled"]})
        assert made.status == 200, made.raw
        await admin.ask("DELETE", path, headers={"If-Match": made.headers["ETag"]})
        url = "http://127.0.0.1:9/hooks/hidden-key"
        subscribed = await admin.post("/api/v1/subscriptions", {"url": url})
        assert subscribed.status == 201, subscribed.raw
        one = subscribed.headers["Location"]
        tag = {"If-Match": subscribed.headers["ETag"]}
        await program.ask("PATCH", one, {"is_on": False}, tag)
        await admin.post(f"{one}/secret")
        await program.ask("DELETE", one)

        entries = [
            (each["kind"], each["by"]["token"])
            for each in await _trail(admin)
            if each["kind"].startswith(("channel", "subscri", "unsubscri"))
        ]
        assert entries == [
            ("channel_saved", 1),
            ("channel_removed", None),
            ("subscribed", None),
            ("subscription_changed", 1),
            ("subscription_changed", None),
            ("unsubscribed", 1),
        ]
        told = (await admin.get("/api/v1/audit?limit=200")).raw
        assert b"hidden-key" not in told
        assert b"TIiajkdnlazkcOXrIdevi7FQ" not in told
