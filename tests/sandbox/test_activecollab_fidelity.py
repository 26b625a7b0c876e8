"""An independent client, unmodified, against the ActiveCollab stand-in over real HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from syncline.sandbox.activecollab import OWNER_EMAIL, PASSWORD, ActiveCollabVendor, Flavour, Quirks
from syncline.sandbox.server import SandboxServer
from syncline.sandbox.wire import RealTicker, SandboxClock
from tests.sandbox.accounts import START

STORY = Path(__file__).with_name("mcp_story.py")


async def tell(home: Path, flavour: Flavour, header: str, quirks: Quirks) -> dict[str, Any]:
    clock = SandboxClock(START)
    clock.run(RealTicker(itertools.count().__next__))
    vendor = ActiveCollabVendor(clock, flavour=flavour, quirks=quirks)
    vendor.control("create_project", {"name": "Project"})
    vendor.control("create_task_list", {"project": 1, "name": "List"})
    token = vendor.token() if flavour is Flavour.CLOUD or header == "bearer" else ""
    async with SandboxServer(vendor, clock) as server:
        # The client adds /api/v1/ by itself only where the address has no path.
        base_url = server.base_url + (f"{vendor.root_path}/api/v1" if flavour is Flavour.CLOUD else "")
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, str(STORY), base_url, token, header, OWNER_EMAIL, PASSWORD),
            env={"HOME": str(home), "NO_PROXY": "*"},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await program.communicate()
    assert program.returncode == 0, err.decode()
    return json.loads(out)


@pytest.mark.parametrize(
    ("flavour", "header", "route_status"),
    [
        (Flavour.SELF_HOSTED, "angie", 500),
        (Flavour.SELF_HOSTED, "bearer", 404),
        (Flavour.CLOUD, "angie", 500),
        (Flavour.CLOUD, "bearer", 500),
    ],
)
async def test_an_independent_client_is_served(
    tmp_path: Path, flavour: Flavour, header: str, route_status: int
) -> None:
    got = await tell(tmp_path, flavour, header, Quirks(unknown_route_status=route_status))

    assert got["info"]["application"] == "ActiveCollab"
    assert (len(got["users"]), got["user"]["single"]["email"]) == (3, OWNER_EMAIL)
    assert ([each["id"] for each in got["projects"]], got["beyond"]) == ([1], [])
    assert got["paging"] == {"currentPage": 1, "itemsPerPage": 100, "totalItems": 1}
    assert got["project"]["single"]["name"] == "Project"
    assert [each["name"] for each in got["task_lists"]] == ["List"]
    assert_task_story(got)
    assert got["comments"] == ["<p>first</p>", "<p>second, edited</p>"]
    assert (got["comment"], got["comment_deleted"]) == ("<p>second</p>", True)
    assert_file_and_time_story(got)
    assert [each["status"] for each in got["errors"]] == [404, 404]
    assert (got["no_route"]["status"], "Failed to match" in got["no_route"]["body"]["message"]) == (
        route_status,
        True,
    )


def assert_file_and_time_story(got: dict[str, Any]) -> None:
    assert (got["uploaded"]["name"], got["uploaded"]["size"]) == ("Pläne.txt", 10)
    assert (got["attached"]["parent_type"], got["attached"]["name"]) == ("Task", "Pläne.txt")
    assert got["content"] == "some bytes"
    assert (got["time"]["class"], got["time"]["value"], got["tracked"]) == ("TimeRecord", 1.5, 1.5)
    assert [each["id"] for each in got["times"]["time_records"]] == [got["time"]["id"]]
    assert list(got["times"]["related"]["Task"]) == [str(got["made"]["id"])]
    assert [each["id"] for each in got["my_times"]["time_records"]] == [got["time"]["id"]]


def assert_task_story(got: dict[str, Any]) -> None:
    task_id = got["made"]["id"]
    assert (got["made"]["name"], got["made"]["labels"][0]["name"]) == ("From outside", "NEW")
    assert (got["updated"]["name"], got["updated"]["assignee_id"]) == ("Renamed", 1)
    assert [task["id"] for task in got["mine"]["tasks"]] == [task_id]
    assert [task["id"] for task in got["listed"]["tasks"]] == [task_id]
    assert (got["completed"]["is_completed"], got["reopened"]["is_completed"]) == (True, False)
    assert [task["id"] for task in got["archived"]] == [task_id]
    assert [label["name"] for label in got["labels"]] == ["NEW"]
    assert (got["batch"]["succeeded"], got["batch"]["failed"]) == (1, 1)
    assert got["deleted"]["is_trashed"] is True
