"""Users, companies and job types (facts: activecollab-api.md 3.10, 3.11)."""

from __future__ import annotations

from syncline.sandbox.activecollab import written
from syncline.sandbox.activecollab.calls import Call, Routes, single
from syncline.sandbox.activecollab.refusals import invalid, missing
from syncline.sandbox.activecollab.shapes import Company, JobType, User
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.wire import Response

ROLES = frozenset({"Owner", "Member", "Client"})
_USER_TEXTS = ("first_name", "last_name", "title", "phone")
_COMPANY_TEXTS = (
    *("address", "address_line_1", "address_line_2", "city", "zip_code", "region", "country"),
    *("phone", "homepage_url", "tax_id", "tax_number"),
)


def create_user(account: Account, actor: Actor | None, fields: written.Fields) -> User:
    """A new user; the very first has no maker. Raises `RefusedError` when the values will not do."""
    quirks = account.quirks
    email = written.plain(fields.get("email"), "email", quirks).strip()
    if "@" not in email:
        raise invalid(quirks, {"email": "A valid email address is required."})
    if any(user.email.casefold() == email.casefold() for user in account.users.values()):
        raise invalid(quirks, {"email": "Email address is already used."})
    role = fields.get("type", "Member")
    if role not in ROLES:
        raise invalid(quirks, {"type": "Unknown user role."})
    user_id = account.next_id("User")
    user = User(
        id=user_id,
        class_=str(role),
        url_path=f"/users/{user_id}",
        email=email,
        first_name="",
        last_name="",
        display_name="",
        short_display_name="",
        avatar_url=f"/avatars/{user_id}/--SIZE--.png",
        created_on=account.now(),
        updated_on=account.now(),
    )
    if actor is not None:
        user.created_by_id, user.created_by_name = actor.user.id, actor.user.display_name
        user.created_by_email = actor.user.email
    _store_user(account, user, fields)
    account.users[user_id] = user
    account.companies[user.company_id].members.append(user_id)
    account.passwords[user_id] = written.plain(fields.get("password"), "password", quirks)
    return user


def _store_user(account: Account, user: User, fields: written.Fields) -> None:
    quirks = account.quirks
    for name in _USER_TEXTS:
        if name in fields:
            setattr(user, name, written.plain(fields[name], name, quirks))
    if "company_id" in fields:
        user.company_id = written.ident(fields["company_id"], "company_id", quirks)
        if user.company_id not in account.companies:
            raise invalid(quirks, {"company_id": "Client does not exist."})
    if "custom_permissions" in fields:
        user.custom_permissions = written.names(fields["custom_permissions"], "custom_permissions", quirks)
    user.display_name = f"{user.first_name} {user.last_name}".strip() or user.email
    user.short_display_name = f"{user.first_name} {user.last_name[:1]}.".strip(" .") or user.email


def update_user(account: Account, user: User, fields: written.Fields) -> None:
    """Change the fields that are given and known. Raises `RefusedError` when the values will not do."""
    _store_user(account, user, fields)
    user.updated_on = account.now()


def create_company(account: Account, actor: Actor | None, fields: written.Fields) -> Company:
    """A new client company. Raises `RefusedError` when the values will not do."""
    name = written.name(fields.get("name"), account.quirks)
    company_id = account.next_id("Company")
    company = Company(
        id=company_id,
        class_="Company",
        url_path=f"/companies/{company_id}",
        name=name,
        created_on=account.now(),
        updated_on=account.now(),
    )
    if actor is not None:
        company.created_by_id, company.created_by_name = actor.user.id, actor.user.display_name
        company.created_by_email = actor.user.email
    _store_company(account, company, fields)
    account.companies[company_id] = company
    return company


def update_company(account: Account, actor: Actor, company: Company, fields: written.Fields) -> None:
    """Change the fields that are given and known. Raises `RefusedError` when the values will not do."""
    _store_company(account, company, fields)
    account.touch(company, actor)


def _store_company(account: Account, company: Company, fields: written.Fields) -> None:
    if "name" in fields:
        company.name = written.name(fields["name"], account.quirks)
    for name in _COMPANY_TEXTS:
        if name in fields:
            setattr(company, name, written.plain(fields[name], name, account.quirks))


def create_job_type(account: Account, name: str, *, is_default: bool = False) -> JobType:
    """A new job type."""
    job_type = JobType(
        id=account.next_id("JobType"), name=name, is_default=is_default, updated_on=account.now()
    )
    account.job_types[job_type.id] = job_type
    return job_type


def _users(call: Call) -> Response:
    """Active users: not paged, whatever `page` says."""
    users = call.account.users.values()
    return Response.json([user for user in users if not user.is_archived and not user.is_trashed])


def _all_users(call: Call) -> Response:
    return Response.json([user for user in call.account.users.values() if not user.is_trashed])


def _archived_users(call: Call) -> Response:
    return Response.json(
        [user for user in call.account.users.values() if user.is_archived and not user.is_trashed]
    )


def user_of(call: Call, user_id: int) -> User:
    """A user. Raises `RefusedError` (404)."""
    user = call.account.users.get(user_id)
    if user is None:
        raise missing()
    return user


def _get_user(call: Call) -> Response:
    return single(user_of(call, call.ids[0]))


def _post_user(call: Call) -> Response:
    call.demand_owner()
    return single(create_user(call.account, call.actor, call.fields()))


def _put_user(call: Call) -> Response:
    user = user_of(call, call.ids[0])
    if user is not call.user:
        call.demand_owner()
    update_user(call.account, user, call.fields())
    return single(user)


def _delete_user(call: Call) -> Response:
    call.demand_owner()
    user = user_of(call, call.ids[0])
    trash_user(call.account, call.actor, user)
    return single(user)


def trash_user(account: Account, actor: Actor, user: User) -> None:
    """Into the trash."""
    user.is_trashed, user.trashed_on, user.trashed_by_id = True, account.now(), actor.user.id
    user.updated_on = account.now()


def restore_user(account: Account, actor: Actor, user: User) -> None:
    """Out of the trash."""
    user.is_trashed, user.trashed_on, user.trashed_by_id = False, None, 0
    user.updated_on = account.now()


def _companies(call: Call) -> Response:
    companies = call.account.companies.values()
    return Response.json([each for each in companies if not each.is_archived and not each.is_trashed])


def _all_companies(call: Call) -> Response:
    return Response.json([each for each in call.account.companies.values() if not each.is_trashed])


def company_of(call: Call, company_id: int) -> Company:
    """A company. Raises `RefusedError` (404)."""
    company = call.account.companies.get(company_id)
    if company is None:
        raise missing()
    return company


def _wrapped_company(call: Call, company: Company) -> Response:
    active = [
        project
        for project in call.account.projects.values()
        if project.company_id == company.id and not project.is_completed and not project.is_trashed
    ]
    return single(company, hourly_rates={"1": 100}, active_projects_count=len(active))


def _get_company(call: Call) -> Response:
    return _wrapped_company(call, company_of(call, call.ids[0]))


def _post_company(call: Call) -> Response:
    call.demand_owner()
    company = create_company(call.account, call.actor, call.fields())
    call.account.notify("CompanyCreated", company, call.actor)
    return _wrapped_company(call, company)


def _put_company(call: Call) -> Response:
    call.demand_owner()
    company = company_of(call, call.ids[0])
    update_company(call.account, call.actor, company, call.fields())
    return _wrapped_company(call, company)


def _job_types(call: Call) -> Response:
    return Response.json(list(call.account.job_types.values()))


ROUTES: Routes = {
    ("GET", "users"): _users,
    ("GET", "users/all"): _all_users,
    ("GET", "users/archive"): _archived_users,
    ("GET", "users/#"): _get_user,
    ("POST", "users"): _post_user,
    ("PUT", "users/#"): _put_user,
    ("DELETE", "users/#"): _delete_user,
    ("GET", "companies"): _companies,
    ("GET", "companies/all"): _all_companies,
    ("GET", "companies/#"): _get_company,
    ("POST", "companies"): _post_company,
    ("PUT", "companies/#"): _put_company,
    ("GET", "job-types"): _job_types,
}
