"""A row's file into the row, and what came of it under each policy back into the file.

The part above `then:` is written by hand, the part below by `python -m tests.scenarios.bisync --accept`. Policies with the
same outcome stand together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from syncline.core.decisions import DeletedEdit, DeletePolicy
from syncline.core.mapping import ConflictPolicy

FOLDER = Path(__file__).parent
SECTIONS = ("one side", "both sides", "crosswise", "first meeting", "filters", "brakes")
ASKED_FOR = (
    ConflictPolicy.ASK,
    ConflictPolicy.NEWEST,
    ConflictPolicy.LEFT,
    ConflictPolicy.RIGHT,
    ConflictPolicy.LEFT_UNLESS_BLANK,
    ConflictPolicy.RIGHT_UNLESS_BLANK,
)
_THEN = "\nthen:\n"
_ALL = "all"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Outcome = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that one play is about; whatever it does not name asks (and an edit beats a deletion)."""

    conflicts: ConflictPolicy = ConflictPolicy.ASK
    deletes: DeletePolicy = DeletePolicy.ASK
    deleted_edit: DeletedEdit = DeletedEdit.EDIT
    is_of_deletes: bool = False

    @property
    def kind(self) -> str:
        """What it is about: `conflicts`, `deletes` or `deleted_edit`."""
        if not self.is_of_deletes:
            return "conflicts"
        return "deletes" if self.deleted_edit is DeletedEdit.EDIT else "deleted_edit"

    @property
    def name(self) -> str:
        """As in the tests' names: `conflicts-newest`, `deletes-propagate-edit`."""
        if self.is_of_deletes:
            return f"deletes-{self.deletes.value}-{self.deleted_edit.value}"
        return f"conflicts-{self.conflicts.value}"


POLICIES = (
    *(Policy(conflicts) for conflicts in ASKED_FOR),
    *(
        Policy(deletes=deletes, deleted_edit=edited, is_of_deletes=True)
        for deletes in (DeletePolicy.ASK, DeletePolicy.PROPAGATE, DeletePolicy.ARCHIVE, DeletePolicy.IGNORE)
        for edited in DeletedEdit
    ),
)


@dataclass(frozen=True)
class Row:
    """One row of the matrix. `given` is the hand-written part, `before` what a certificate says before the run, `golden`
    what must come of the run."""

    path: Path
    given: Mapping[str, Any]
    before: Sequence[str]
    golden: Sequence[Mapping[str, Any]]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.stem

    @property
    def policies(self) -> Sequence[Policy]:
        """The policies that may matter for this row: every other one has the outcome of its `stand_in`."""
        return [each for each in POLICIES if each.kind in self.given["under"]] or [Policy()]

    @property
    def doubts(self) -> Mapping[str, str]:
        """Policies under which the engine does what nobody has blessed, and why; they have no golden outcome."""
        return self.given.get("doubts", {})

    def stand_in(self, policy: Policy) -> Policy:
        """The policy that is played in place of one that does not matter."""
        if policy.kind in self.given["under"]:
            return policy
        is_alike = policy.kind == "deleted_edit" and "deletes" in self.given["under"]
        return replace(policy, deleted_edit=DeletedEdit.EDIT) if is_alike else Policy()

    @cached_property
    def expected(self) -> Mapping[str, Outcome]:
        """The golden outcome of each policy, by the policy's name. Raises `ValueError` where one stands twice."""
        out: dict[str, Outcome] = {}
        for group in self.golden:
            outcome = {part: lines for part, lines in group.items() if part != "policies"}
            for policy in _named(group["policies"]):
                if policy in out:
                    raise ValueError(f"{self.path.name}: {policy} has two outcomes")
                out[policy] = outcome
        return out


def rows() -> Sequence[Row]:
    """All rows, by section."""
    found = [row(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return sorted(found, key=lambda each: (SECTIONS.index(each.given["section"]), each.given.get("place", 0)))


def row(path: Path) -> Row:
    """One row."""
    told = yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - a safe loader, the quick one
    golden = told.pop("then", {})
    return Row(path, told, golden.get("certificate before the run", []), golden.get("outcomes", []))


def accept(row: Row, before: Sequence[str], outcomes: Mapping[str, Outcome]) -> None:
    """Write down what came of a row under each policy, below what is written by hand."""
    head = row.path.read_text(encoding="utf-8").split(_THEN)[0].rstrip("\n")
    told = {"certificate before the run": list(before), "outcomes": list(_grouped(outcomes))}
    text = yaml.dump(told, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    row.path.write_text(f"{head}\n{_THEN}{_indented(text)}", encoding="utf-8")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


class _Short(list[str]):
    """A list that stands in one line."""


class _Dumper(yaml.SafeDumper):
    """Writes short lists in one line, and nothing as a reference to what stood before."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never refer."""
        del data
        return True


_Dumper.add_representer(
    _Short, lambda dumper, data: dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=True)
)


def _grouped(outcomes: Mapping[str, Outcome]) -> Iterator[dict[str, Any]]:
    """Equal outcomes as one, with the policies that lead to it."""
    groups: list[tuple[Outcome, list[Policy]]] = []
    for policy in (each for each in POLICIES if each.name in outcomes):
        outcome = outcomes[policy.name]
        same = next((policies for other, policies in groups if other == outcome), None)
        if same is None:
            groups.append((outcome, [policy]))
        else:
            same.append(policy)
    for outcome, policies in groups:
        yield {"policies": _label(policies), **outcome}


def _label(policies: Sequence[Policy]) -> str | dict[str, Any]:
    if len(policies) == len(POLICIES):
        return _ALL
    out: dict[str, Any] = {}
    conflicts = [each.conflicts.value for each in policies if not each.is_of_deletes]
    if conflicts:
        out["conflicts"] = _ALL if len(conflicts) == len(ASKED_FOR) else _Short(conflicts)
    deletes = [each for each in policies if each.is_of_deletes]
    if len(deletes) == len(POLICIES) - len(ASKED_FOR):
        out["deletes"] = _ALL
    elif deletes:
        out["deletes"] = {
            name: _ALL if len(edited) == len(DeletedEdit) else _Short(edited)
            for name, edited in _by_deletes(deletes).items()
        }
    return out


def _by_deletes(policies: Sequence[Policy]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for each in policies:
        out.setdefault(each.deletes.value, []).append(each.deleted_edit.value)
    return out


def _named(label: Any) -> Iterator[str]:
    """The policies' names that a label stands for."""
    for policy in POLICIES:
        if label == _ALL:
            yield policy.name
            continue
        wanted = label.get("deletes" if policy.is_of_deletes else "conflicts", [])
        if policy.is_of_deletes and isinstance(wanted, dict):
            wanted = wanted.get(policy.deletes.value, [])
        own = policy.deleted_edit if policy.is_of_deletes else policy.conflicts
        if wanted == _ALL or own.value in wanted:
            yield policy.name
