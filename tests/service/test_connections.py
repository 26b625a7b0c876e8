"""Connections made over the API: checked, tested, rotated and removed over real HTTP, and seen by every process."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from syncline.bootstrap import renewed
from syncline.core.audit import AuditKind
from syncline.errors import Refusal, RequestError, UsageError
from syncline.ports import ConnectionState
from syncline.service import connections
from tests.service.connection_desk import ConnectionDesk, open_connection_desk


async def _refused(desk: ConnectionDesk, raw: dict[str, object], name: str = "ac") -> list[tuple[str, str]]:
    with pytest.raises(RequestError) as caught:
        await connections.add(desk.runtime, 1, name, raw)
    return [(each.path, each.message) for each in caught.value.problems]


async def test_a_connection_is_added_tested_and_in_force() -> None:
    async with open_connection_desk() as desk:
        made = await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())

        assert (made.state, made.why, made.revision) == (ConnectionState.WORKING, "", 1)
        assert "ac" in desk.installation.config.connections
        assert await desk.installation.connector("ac").object_types()


async def test_no_secret_comes_out_again() -> None:
    async with open_connection_desk() as desk:
        made = await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        token = desk.activecollab.token()
        trail = desk.installation.store.audit_trail()

        shown = msgspec.json.encode([made, *connections.listed(desk.installation)]) + msgspec.json.encode(
            trail
        )
        assert token.encode() not in shown
        assert made.credentials == {"token": f"…{token[-4:]}"}


async def test_a_workspace_is_a_connection_like_any_other() -> None:
    async with open_connection_desk() as desk:
        made = await connections.add(desk.runtime, 1, "workspace", {"vendor": "workspace"})

        assert (made.vendor, made.state.value, made.credentials) == ("workspace", "working", {})
        assert await desk.installation.connector("workspace").object_types()
        assert await _refused(desk, {"vendor": "workspace", "token": "x"}) == [
            ("settings.token", "is not a setting.")
        ]


async def test_faults_are_told_by_field_all_at_once() -> None:
    async with open_connection_desk() as desk:
        faults = await _refused(desk, {"vendor": "activecollab", "colour": "red", "url": "https://a.test"})
        assert faults == [
            ("settings.token", "is missing."),
            ("settings.colour", "is not a setting."),
        ]
        assert await _refused(desk, {"vendor": "highlevel", "location": "x"}) == [
            ("settings.token", "is missing.")
        ]
        assert await _refused(desk, desk.for_activecollab(), "no name!") == [("name", "cannot be a name.")]


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://[::ffff:169.254.169.254]",
        "http://ac.example.test:x",
        "https://owner:hush@ac.example.test",
    ],
)
async def test_addresses_that_are_never_called_are_refused(url: str) -> None:
    async with open_connection_desk() as desk:
        faults = await _refused(desk, desk.for_activecollab(url=url))
        assert [path for path, _ in faults] == ["settings.url"]


@pytest.mark.parametrize("allow_private", [None, False])
async def test_loopback_has_to_be_allowed(allow_private: bool | None) -> None:
    async with open_connection_desk(allow_private=allow_private) as desk:
        faults = await _refused(desk, desk.for_activecollab())
        assert faults == [("settings.url", "names a private address, and those are not allowed here.")]


async def test_a_connection_that_does_not_work_says_why() -> None:
    async with open_connection_desk() as desk:
        made = await connections.add(desk.runtime, 1, "ac", desk.for_activecollab(token="1-wrong-token"))

        assert made.state is ConnectionState.BROKEN
        assert "token was refused" in made.why


async def test_new_credentials_of_the_same_user_take_the_old_ones_place() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "hl", desk.for_highlevel())
        old = desk.highlevel.account.private_tokens[desk.location]
        new = desk.highlevel.control("rotate_token", {"token": old, "overlap": True})["token"]

        async with desk.runtime.held() as under_way:
            await connections.rotate(desk.runtime, 1, "hl", {"token": new})
            assert await under_way.connector("hl").object_types()

        desk.highlevel.control("revoke_token", {"token": old})
        assert await desk.installation.connector("hl").object_types()
        kinds = [each.kind for each in desk.installation.store.audit_trail()]
        assert kinds[-1] == AuditKind.CONNECTION_ROTATED.value


async def test_credentials_of_somebody_else_are_refused_and_the_old_ones_stay() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        member = desk.activecollab.token("member@example.test")

        with pytest.raises(RequestError) as other:
            await connections.rotate(desk.runtime, 1, "ac", {"token": member})
        with pytest.raises(RequestError) as wrong:
            await connections.rotate(desk.runtime, 1, "ac", {"token": "1-wrong-token"})

        assert (other.value.refusal, wrong.value.refusal) == (Refusal.OTHER_ACCOUNT, Refusal.NOT_WORKING)
        assert await desk.installation.connector("ac").object_types()


async def test_credentials_do_not_follow_to_another_host() -> None:
    async with open_connection_desk() as desk:
        made = await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        moved = {"url": desk.highlevel_server.base_url}

        with pytest.raises(RequestError) as caught:
            await connections.change(desk.runtime, 1, "ac", moved, made.revision)

        assert caught.value.problems[0].path == "settings.url"
        assert len(desk.highlevel_server.journal.since(0)) == 0


async def test_a_change_is_made_on_the_revision_that_was_read() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())

        changed = await connections.change(desk.runtime, 1, "ac", {"job_type": "3"}, 1)
        with pytest.raises(RequestError) as caught:
            await connections.change(desk.runtime, 1, "ac", {"job_type": "4"}, 1)
        back = await connections.change(desk.runtime, 1, "ac", {"job_type": None}, 2)

        assert changed.settings["job_type"] == "3"
        assert "job_type" not in back.settings
        assert caught.value.refusal is Refusal.OLD_REVISION


async def test_removing_wipes_every_secret() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        store = desk.installation.store
        store.save_secret("hook:ac", "hush")
        store.save_secret("oauth:ac:0123", "hush")
        store.save_secret("connection:other", "hush")

        await connections.remove(desk.runtime, 1, "ac")

        assert list(store.secret_names()) == ["connection:other"]
        assert "ac" not in desk.installation.config.connections
        with pytest.raises(UsageError):
            connections.known(desk.installation, "ac")


async def test_a_connection_that_a_draft_needs_stays() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        draft = {"left": {"connection": "ac", "object": "task"}}
        desk.installation.store.save_draft("tickets", draft, "1", desk.clock.now())

        with pytest.raises(RequestError) as caught:
            await connections.remove(desk.runtime, 1, "ac")

        assert caught.value.refusal is Refusal.IN_USE
        assert connections.known(desk.installation, "ac").used_by == ("tickets",)


async def test_names_of_the_file_are_read_only() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        desk.installation.from_file = frozenset({"ac"})

        for act in (
            connections.add(desk.runtime, 1, "ac", desk.for_activecollab()),
            connections.change(desk.runtime, 1, "ac", {"job_type": "3"}, 1),
            connections.rotate(desk.runtime, 1, "ac", {"token": "x"}),
            connections.remove(desk.runtime, 1, "ac"),
        ):
            with pytest.raises(RequestError) as caught:
                await act
            assert caught.value.refusal in (Refusal.IN_FILE, Refusal.NAME_TAKEN)
        assert connections.known(desk.installation, "ac").is_from_file


async def test_another_process_notices_a_change() -> None:
    async with open_connection_desk() as desk:
        heard: list[list[str]] = []
        other = type(desk.runtime)(
            renewed(desk.installation), lambda new: heard.append(list(new.config.connections))
        )
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())

        assert await other.refresh()
        assert not await other.refresh()
        assert heard == [["ac"]]
        await other.current().release()


async def test_old_connectors_are_let_go_of_after_the_work_that_uses_them() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        async with desk.runtime.held() as old:
            await connections.change(desk.runtime, 1, "ac", {"job_type": "3"}, 1)
            assert desk.installation is not old
            before = old.connector("ac").calls
            assert await old.connector("ac").object_types() is not None
            assert old.connector("ac").calls >= before
        async with desk.runtime.held() as new:
            assert new is desk.installation


async def test_only_credentials_that_the_connection_has_are_taken() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())

        for new in ({}, {"oauth.refresh_token": "x"}):
            with pytest.raises(RequestError) as caught:
                await connections.rotate(desk.runtime, 1, "ac", new)
            assert caught.value.refusal is Refusal.INVALID


async def test_a_connection_that_is_removed_while_new_credentials_are_tested_leaves_nothing() -> None:
    async with open_connection_desk() as desk:
        await connections.add(desk.runtime, 1, "ac", desk.for_activecollab())
        token = {"token": desk.activecollab.token()}

        rotation = asyncio.create_task(connections.rotate(desk.runtime, 1, "ac", token))
        await asyncio.sleep(0)
        await connections.remove(desk.runtime, 1, "ac")
        with pytest.raises(UsageError):
            await rotation

        assert list(desk.installation.store.secret_names()) == []
