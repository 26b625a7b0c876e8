"""The ActiveCollab stand-in: one account that answers requests from its memory.

Served by `sandbox.server` and by the simulation. Facts: activecollab-api.md; each unconfirmed one is a `Quirks`
setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from syncline.sandbox.activecollab import acts, auth, files, people, routes
from syncline.sandbox.activecollab.calls import Call
from syncline.sandbox.activecollab.quota import Quota
from syncline.sandbox.activecollab.refusals import Flavour, Quirks, RefusedError, unknown_route
from syncline.sandbox.activecollab.state import Account, Actor
from syncline.sandbox.wire import Delivery, Request, Response, SandboxClock

OWNER_EMAIL = "owner@example.test"
MEMBER_EMAIL = "member@example.test"
CLIENT_EMAIL = "client@example.test"
PASSWORD = "sandbox-password"  # noqa: S105 - opens a stand-in on loopback only

_PEOPLE = (
    {"type": "Owner", "email": OWNER_EMAIL, "first_name": "Owner", "last_name": "One"},
    {"type": "Member", "email": MEMBER_EMAIL, "first_name": "Member", "last_name": "Two"},
    {"type": "Client", "email": CLIENT_EMAIL, "first_name": "Client", "last_name": "Three", "company_id": 2},
)
_WAREHOUSE = "/warehouse/"
_WRONG_PATH = Response(
    200, b"<!DOCTYPE html><html><body>ActiveCollab</body></html>", {"content-type": "text/html"}
)


class ActiveCollabVendor:
    """One account. It begins with an owner, a member and a client (one password), two companies and two job types.

    Self-hosted, the API is below `/api/v1`; on the cloud below `/{account_id}/api/v1`, with the login host's
    `/api/v1/external/login` beside it.
    """

    def __init__(
        self,
        clock: SandboxClock,
        seed: int = 0,
        *,
        flavour: Flavour = Flavour.SELF_HOSTED,
        account_id: int = 123456,
        quirks: Quirks | None = None,
    ) -> None:
        self.account = Account(clock, seed, flavour, account_id, quirks or Quirks())
        self._quota = Quota(clock)
        root = f"/{account_id}" if flavour is Flavour.CLOUD else ""
        self._prefix = f"{root}/api/v1/"
        self._first_people()

    def _first_people(self) -> None:
        own = people.create_company(self.account, None, {"name": "Own Company"})
        own.is_owner = True
        people.create_company(self.account, None, {"name": "Client Company"})
        for person in _PEOPLE:
            people.create_user(self.account, None, {**person, "password": PASSWORD})
        people.create_job_type(self.account, "General", is_default=True)
        people.create_job_type(self.account, "Development")

    def serve_files_at(self, base_url: str) -> None:
        """Tell the address that this stand-in is served at, so that `download_url`s lead to it."""
        self.account.warehouse = f"{base_url}{_WAREHOUSE.rstrip('/')}"

    @property
    def root_path(self) -> str:
        """What comes before `/api/v1` in every address: nothing, or `/{account_id}` on the cloud."""
        return self._prefix.removesuffix("/api/v1/")

    def token(self, email: str = OWNER_EMAIL) -> str:
        """A token of this user, as issued to a client named `sandbox`."""
        user = next(user for user in self.account.users.values() if user.email == email)
        return auth.issue(self.account, user, "sandbox", "sandbox")

    def load(self, tasks: Iterable[Mapping[str, object]], *, as_user: int = 1) -> list[int]:
        """Put many tasks in at once, silently: no history, no webhooks. Answers their ids.

        Each is what `POST /projects/{p}/tasks` takes, with these more: `project` and `task_list` (names, made when
        unknown; without a project the first is taken), `assignee` (e-mail), `is_completed`. Raises `RefusedError` or
        `ValueError` when the values will not do.
        """
        return acts.load(self.account, Actor(self.account.users[as_user]), tasks)

    def handle(self, request: Request) -> Response:
        """Answer one request of the API."""
        try:
            return self._answer(request)
        except RefusedError as refused:
            return refused.response

    def outbox(self) -> list[Delivery]:
        """The webhooks made since the last call."""
        if not self.account.outbox:
            return []
        made, self.account.outbox = self.account.outbox, []
        return made

    def control(self, action: str, args: dict[str, object]) -> object:
        """Act as a person in the web UI (see `acts`), or `quota`: {"requests": N or null, "seconds": S}.

        Raises `ValueError` on an unknown action or arguments that will not do.
        """
        if action == "quota":
            return self._quota.set(args)
        try:
            return acts.perform(self.account, action, args)
        except RefusedError as refused:
            raise ValueError(
                f"{action}: {refused.response.body.decode() or 'there is no such record.'}"
            ) from refused

    def _answer(self, request: Request) -> Response:
        account = self.account
        if account.flavour is Flavour.CLOUD and request.path.rstrip("/") == "/api/v1/external/login":
            return auth.external_login(account, request)
        if request.path.startswith(_WAREHOUSE):
            return files.download(account, request)
        if not request.path.startswith(self._prefix):
            return _WRONG_PATH
        path = request.path.removeprefix(self._prefix).strip("/")
        if (refusal := self._quota.refusal()) is not None:
            return refusal
        if (request.method, path) == ("POST", "issue-token"):
            return auth.issue_token(account, request)
        if (request.method, path) == ("POST", "issue-token-intent"):
            return auth.issue_token_intent(account, request)
        user = auth.authenticate(account, request)
        handler, ids = routes.find(request.method, path)
        if handler is None:
            raise unknown_route(account.quirks, path)
        return handler(Call(account, user, request, ids))
