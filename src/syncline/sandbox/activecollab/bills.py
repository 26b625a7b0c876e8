"""Invoices and estimates: nobody published what they hold, so the stand-in holds what a test puts there, and nothing before.

Until then they answer as to somebody without the permission: 404 (facts: activecollab-api.md 3.12).
"""

from __future__ import annotations

from collections.abc import Mapping

from syncline.sandbox.activecollab.calls import Call, Handler, Routes, single
from syncline.sandbox.activecollab.refusals import missing
from syncline.sandbox.wire import Response

KINDS = ("invoices", "estimates")


def _rows(call: Call, kind: str) -> Mapping[int, object]:
    if kind not in call.account.bills or not call.user.is_owner:
        raise missing()
    return call.account.bills[kind]


def _listed(kind: str) -> Handler:
    def handle(call: Call) -> Response:
        rows = _rows(call, kind)
        return call.paged(list(rows), rows)

    return handle


def _get(kind: str) -> Handler:
    def handle(call: Call) -> Response:
        rows = _rows(call, kind)
        if call.ids[0] not in rows:
            raise missing()
        return single(rows[call.ids[0]])

    return handle


ROUTES: Routes = {
    **{("GET", kind): _listed(kind) for kind in KINDS},
    **{("GET", f"{kind}/#"): _get(kind) for kind in KINDS},
}
