"""What an independent ActiveCollab client does to a sandbox; prints what it got. Run as a program by its test.

In a process of its own, because the client writes to the home folder as soon as it is imported.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from activecollab_mcp.auth import issue_token, normalize_base_url
from activecollab_mcp.client import ActiveCollabApiError, ActiveCollabClient, is_routing_miss
from activecollab_mcp.config import Settings


def settings(base_url: str, token: str, header: str) -> Settings:
    options = {"ACTIVECOLLAB_AUTH_HEADER": "Authorization", "ACTIVECOLLAB_AUTH_PREFIX": "Bearer"}
    return Settings(
        _env_file=None,
        ACTIVECOLLAB_BASE_URL=base_url,
        ACTIVECOLLAB_API_KEY=token,
        **(options if header == "bearer" else {}),
    )


async def tell(client: ActiveCollabClient) -> dict[str, Any]:
    got: dict[str, Any] = {"info": await client.info(), "users": await client.list_users(limit=1)}
    meta: dict[str, Any] = {}
    got["projects"] = await client.list_projects(meta_out=meta, page=1)
    got["paging"] = meta
    got["beyond"] = await client.list_projects(page=7)
    got["project"] = await client.get_project(1)
    got["user"] = await client.get_user(1)
    made = await client.create_task(1, {"name": "From outside", "labels": ["NEW"], "due_on": "2026-03-05"})
    task_id = made["single"]["id"]
    got["made"] = made["single"]
    got["updated"] = (await client.update_task(1, task_id, {"name": "Renamed", "assignee_id": 1}))["single"]
    got["mine"] = await client.list_user_tasks(1)
    got["listed"] = await client.list_tasks(1)
    got["task_lists"] = await client.list_task_lists(1)
    got["completed"] = (await client.complete_task(1, task_id))["single"]
    got["archived"] = await client.list_archived_tasks(1)
    got["reopened"] = (await client.reopen_task(1, task_id))["single"]
    got["labels"] = await client.list_labels()
    got |= await tell_comments(client, task_id)
    got |= await tell_files(client, task_id)
    got |= await tell_time(client, task_id)
    got["batch"] = (await client.batch_get_tasks(1, [task_id, 999]))["counts"]
    got["deleted"] = (await client.delete_task(1, task_id))["single"]
    got["errors"] = [await error(client.get_task(1, 999)), await error(client.complete_task(2, task_id))]
    got["no_route"] = await error(client.list_task_attachments(1, task_id))
    return got


async def tell_comments(client: ActiveCollabClient, task_id: int) -> dict[str, Any]:
    for body in ("<p>first</p>", "<p>second</p>"):
        posted = await client.post_task_comment(1, task_id, body)
    comment_id = posted["single"]["id"]
    comment = await client.comment_on_task(1, task_id, comment_id)
    edited = await client.update_comment(comment_id, "<p>second, edited</p>")
    listed = await client.list_task_comments(1, task_id)
    deleted = await client.delete_comment(comment_id)
    return {
        "comment": comment["body"],
        "edited": edited["single"]["body"],
        "comments": [each["body"] for each in listed],
        "comment_deleted": deleted["single"]["is_trashed"],
    }


async def tell_files(client: ActiveCollabClient, task_id: int) -> dict[str, Any]:
    path = Path(os.environ["HOME"]) / "Pläne.txt"
    path.write_bytes(b"some bytes")
    uploaded = await client.upload_file(path)
    await client.update_task(1, task_id, {"attach_uploaded_files": [uploaded["code"]]})
    (attached,) = (await client.get_task(1, task_id))["single"]["attachments"]
    found = await client.get_attachment(attached["id"])
    fetched = await client.download_attachment(attached["id"])
    return {"uploaded": uploaded, "attached": found, "content": fetched.data.decode()}


async def tell_time(client: ActiveCollabClient, task_id: int) -> dict[str, Any]:
    spent = {"value": 1.5, "user_id": 1, "job_type_id": 1, "record_date": "2026-03-02", "billable_status": 1}
    record = await client.create_time_record(1, {**spent, "task_id": task_id})
    listed = await client.list_project_time_records(1)
    mine = await client.list_user_time_records(1)
    whole = await client.get_task(1, task_id)
    return {"time": record["single"], "times": listed, "my_times": mine, "tracked": whole["tracked_time"]}


async def error(call: Any) -> dict[str, Any]:
    try:
        await call
    except ActiveCollabApiError as exc:
        return {"status": exc.status, "body": exc.response, "is_routing_miss": is_routing_miss(exc)}
    return {"status": 200}


async def main(base_url: str, token: str, header: str, email: str, password: str) -> None:
    if not token:
        token = await asyncio.to_thread(issue_token, normalize_base_url(base_url), email, password)
    async with ActiveCollabClient(settings(base_url, token, header)) as client:
        print(json.dumps(await tell(client)))  # noqa: T201 - its output is what the test reads


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
