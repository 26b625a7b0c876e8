"""A connection test into a sentence per problem, for a person.

Called by `activecollab.connector.check`: three calls, and none of its findings is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from syncline.connectors.activecollab.client import Client, Json
from syncline.errors import AuthError, ConnectorError, NotFoundError
from syncline.ports import Health


async def examine(client: Client, site: str, user_id: str) -> Health:
    """Who answers, which account it is, whose token it is and what that user may do."""
    try:
        info = await client.info()
    except NotFoundError:
        return Health(
            site, "", problems=("No ActiveCollab answers here; is this the address of the install?",)
        )
    except ConnectorError as error:
        return Health(site, "", problems=(str(error.args[0]),))
    version = str(info.get("version") or "")
    if info.get("application") != "ActiveCollab":
        return Health(site, "", version, problems=("Something other than ActiveCollab answers here.",))
    try:
        user = await client.get(f"users/{user_id}") if user_id else None
        account = _account(await client.array("companies"), site)
    except AuthError as error:
        return Health(site, "", version, problems=(f"{str(error.args[0]).capitalize()}. Issue a new one.",))
    except ConnectorError as error:
        return Health(site, "", version, problems=(str(error.args[0]),))
    if user is None:
        return Health(account, "unknown (the token does not tell)", version)
    return _health(account, user, version, (site, user_id))


def _health(account: str, user: Json, version: str, ids: tuple[str, str]) -> Health:
    role = str(user.get("class") or "")
    permissions = user.get("custom_permissions")
    granted = cast("list[object]", permissions) if isinstance(permissions, list) else []
    problems = (_narrow(role),) if role == "Client" else ()
    warnings = (_narrow(role),) if role not in ("Owner", "Client") else ()
    return Health(
        account,
        f"{user.get('display_name') or ''} <{user.get('email') or ''}>".strip(),
        version,
        scopes=(role, *(str(each) for each in granted)),
        problems=problems,
        warnings=warnings,
        account_id=ids[0],
        user_id=ids[1],
    )


def _narrow(role: str) -> str:
    """Why a role is too small (facts: activecollab-api.md 1.5)."""
    if role == "Client":
        return "The token's user is a Client, who may not create tasks; use one with the role Owner."
    return f"The token's user is a {role}, who sees only the projects it is on; use one with the role Owner."


def _account(companies: Sequence[Json], site: str) -> str:
    """The account's own company and its address."""
    name = next((str(each.get("name")) for each in companies if each.get("is_owner")), "")
    return f"{name} ({site})" if name else site
