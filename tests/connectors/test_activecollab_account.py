"""What is particular to an ActiveCollab account: its options, its tokens, and the check of the connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from syncline.connectors.activecollab import Settings
from syncline.core.records import (
    FieldId,
    ObjectTypeId,
)
from syncline.errors import (
    ConnectorError,
)
from syncline.ports import Health
from tests.connectors.activecollab_world import ActiveCollabWorld, open_world

NAME, DONE = FieldId("name"), FieldId("is_completed")
TASK = ObjectTypeId("task")


@pytest.fixture
async def world() -> AsyncGenerator[ActiveCollabWorld, None]:
    async with open_world() as world:
        yield world


async def test_options_are_those_of_the_account(world: ActiveCollabWorld) -> None:
    schema = await world.connector.schema(TASK)

    def labels(name: str) -> list[str]:
        field = schema.field(FieldId(name))
        assert field is not None
        return [option.email or option.label for option in field.options or ()]

    assert labels("task_list") == ["To do (First)", "Doing (First)"]
    assert {"owner@example.test", "member@example.test"} <= set(labels("assignee"))
    assert labels("job_type") == ["General", "Development"]
    assert labels("project") == ["First", "Second"]


async def test_a_token_may_be_sent_as_bearer(world: ActiveCollabWorld) -> None:
    world.connector = world.connect(replace(world.settings, header="Authorization", prefix="Bearer"))

    assert (await world.connector.check()).problems == ()


async def test_the_check_names_company_user_and_role(world: ActiveCollabWorld) -> None:
    health = await world.connector.check()

    assert health.account.startswith("Own Company (127.0.0.1:")
    assert (health.user, health.scopes) == ("Owner One <owner@example.test>", ("Owner",))
    assert health.version


async def test_the_check_warns_of_a_member_and_refuses_a_client(world: ActiveCollabWorld) -> None:
    found: dict[str, Health] = {}
    for email in ("member@example.test", "client@example.test"):
        world.connector = world.connect(replace(world.settings, token=world.vendor.token(email)))
        found[email.split("@")[0]] = await world.connector.check()

    assert found["member"].problems == ()
    assert "Owner" in found["member"].warnings[0]
    assert "Owner" in found["client"].problems[0]


async def test_a_wrong_address_says_so(world: ActiveCollabWorld) -> None:
    world.connector = world.connect(replace(world.settings, url=f"{world.settings.url}/not-here"))

    health = await world.connector.check()

    assert "right URL" in health.problems[0]
    with pytest.raises(ConnectorError, match="right URL"):
        await world.connector.schema(TASK)


async def test_an_address_where_nobody_answers_is_a_problem_of_the_check(world: ActiveCollabWorld) -> None:
    await world.server.stop()

    assert len((await world.connector.check()).problems) == 1


def test_settings_do_not_show_their_token() -> None:
    assert "secret" not in repr(Settings("https://projects.example.test", "1-secret"))
