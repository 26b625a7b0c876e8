"""The settings of alerts as they are in force: what `syncline.yaml` says, then what was kept over the API, then the usual.

Read by `service.observers` at each look, so that a change holds at once and in every process; changed by `web.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import structlog
from pydantic import ValidationError

from syncline.bootstrap import Installation
from syncline.config import AlertSettings
from syncline.config.loading import faults_of
from syncline.core.audit import AuditKind
from syncline.errors import Problem, ProblemKind, Refusal, RequestError

_NAME = "alerts"
_log = structlog.get_logger(__name__)


class Wished(NamedTuple):
    """What is in force, the names of what the file says and of what was kept, and the revision of that (0: nothing)."""

    settings: AlertSettings
    of_file: frozenset[str]
    kept: frozenset[str]
    revision: int


def wished(installation: Installation) -> Wished:
    """What is in force now. What was kept by another version and is not understood is left out."""
    file = installation.config.alerts
    found = installation.store.setting(_NAME)
    revision = found.revision if found is not None else 0
    kept = msgspec.json.decode(found.value, type=dict[str, Any]) if found is not None else {}
    try:
        settings, names = _over(kept, file), frozenset(kept)
    except ValidationError:
        _log.warning("kept settings of alerts are not understood", names=sorted(kept))
        settings, names = file, frozenset[str]()
    return Wished(settings, frozenset(file.model_fields_set), names, revision)


def keep(installation: Installation, raw: Mapping[str, Any], revision: int) -> Wished:
    """Keep these, and nothing of what was kept before. Raises `RequestError` with every fault, for a setting of which the
    file has its say, and when somebody else was faster."""
    file, store, now = installation.config.alerts, installation.store, installation.clock.now()
    taken = sorted(raw.keys() & file.model_fields_set)
    problems = [
        Problem(f"settings.{name}", "is said in syncline.yaml.", "Change it there.", ProblemKind.BAD_VALUE)
        for name in taken
    ]
    try:
        found = AlertSettings.model_validate(dict(raw))
    except ValidationError as error:
        problems += [
            Problem(f"settings.{each.path}", each.message, each.remedy, each.kind)
            for each in faults_of(error)
        ]
        found = None
    if problems or found is None:
        raise RequestError("The settings have faults.", Refusal.INVALID, problems=tuple(problems))
    plain = found.model_dump(mode="json", include=set(raw))
    with store.transaction():
        if store.save_setting(_NAME, plain, now, revision) is None:
            raise RequestError("Somebody changed this meanwhile.", Refusal.OLD_REVISION)
        store.audit(AuditKind.SETTINGS_CHANGED, {"settings": plain}, now=now, subject=_NAME)
    return wished(installation)


def _over(kept: Mapping[str, Any], file: AlertSettings) -> AlertSettings:
    said = {name: getattr(file, name) for name in file.model_fields_set}
    return AlertSettings.model_validate({**kept, **said})
