"""From findings to new texts: which edits are made, what each file becomes, and what is left to a person.

Nothing is written here. A file whose result could not be read again, or would be changed by a second run, is left alone.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from jumar.port import rewriting, scanning
from jumar.port.document import Document
from jumar.port.finding import Edit, Finding, Trouble
from jumar.port.repository import Repository
from jumar.port.twins import Twin, twins_of

ORDER = ("safe", "review", "report")
MOST_ROUNDS = 6


@dataclass(frozen=True)
class Change:
    """A file before and after. `before` is None for a new file. `applied`: the findings whose edits were made."""

    path: str
    before: bytes | None
    after: bytes
    encoding: str
    applied: tuple[Finding, ...]
    why: str = ""


@dataclass
class Port:
    """What porting a repository comes to. `review`: edits that were not asked for; `report`: nothing can do it."""

    changes: list[Change] = field(default_factory=list)
    review: list[Finding] = field(default_factory=list)
    report: list[Finding] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def applied(self) -> list[Finding]:
        return [finding for change in self.changes for finding in change.applied]


def port(
    repository: Repository,
    safety: str = "safe",
    wanted: Callable[[str], bool] = lambda code: True,
    names: Sequence[str] | None = None,
    jobs: int | None = None,
    progress: scanning.Progress = lambda done, total: None,
) -> Port:
    """Edits of that safety and safer, of the rules that are wanted."""
    found = scanning.scan(repository, names, wanted, jobs, progress)
    whole = Port(troubles=list(found.troubles))
    unread = {trouble.path for trouble in found.troubles}
    by_path: dict[str, list[Finding]] = {}
    for finding in found.findings:
        by_path.setdefault(finding.path, []).append(finding)
    taken = set(repository.files())
    for path, findings in by_path.items():
        document = repository.read(path)
        if not isinstance(document, Document) or path in unread:
            whole.report += findings
            continue
        _one(whole, document, findings, safety, wanted)
        for twin in twins_of(document, findings):
            _beside(whole, repository, document, twin, taken)
    return whole


def _one(
    whole: Port, document: Document, findings: list[Finding], safety: str, wanted: Callable[[str], bool]
) -> None:
    try:
        text, applied = rewritten(document, findings, safety, wanted)
    except rewriting.Unstable as error:
        whole.troubles.append(Trouble(document.path, 1, str(error)))
        text, applied = document.text, []
    done = {finding.place() for finding in applied}
    for finding in findings:
        if finding.place() not in done:
            (whole.review if finding.edit else whole.report).append(finding)
    if text == document.text:
        return
    try:
        after = document.encoded(text)
    except UnicodeEncodeError as error:
        whole.troubles.append(Trouble(document.path, 1, f"{error.reason} in {document.encoding}"))
        return
    whole.changes.append(
        Change(document.path, document.encoded(document.text), after, document.encoding, tuple(applied))
    )


def rewritten(
    document: Document,
    findings: Sequence[Finding],
    safety: str,
    wanted: Callable[[str], bool] = lambda code: True,
) -> tuple[str, list[Finding]]:
    """The text after as many rounds as it takes until nothing changes, and the findings that the first one settled.
    Unstable if it does not come to rest or is no longer in its language."""
    text = document.text
    applied: list[Finding] = []
    current, left = document, list(findings)
    for number in range(MOST_ROUNDS):
        edits, used = chosen(left, safety)
        if not edits:
            return text, applied
        text = rewriting.apply(text, edits)
        if number == 0:
            applied = used
        current = Document(document.path, text, document.kind, document.encoding)
        _check_language(current)
        left, troubles = scanning.check(current)
        left = [one for one in left if wanted(one.code)]
        if troubles:
            raise rewriting.Unstable(f"the result could not be read: {troubles[0].reason}")
    raise rewriting.Unstable("each run would change it again")


def chosen(findings: Sequence[Finding], safety: str) -> tuple[list[Edit], list[Finding]]:
    """Edits of that safety and safer that do not touch each other; a finding is taken whole or not at all."""
    edits: set[Edit] = set()
    used = []
    for finding in sorted(findings, key=lambda one: (ORDER.index(one.safety), one.place())):
        if not finding.edit or ORDER.index(finding.safety) > ORDER.index(safety):
            continue
        if rewriting.fit_together(edits | set(finding.edit)):
            edits |= set(finding.edit)
            used.append(finding)
    return sorted(edits), used


def _check_language(document: Document) -> None:
    if document.kind != "python":
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(document.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise rewriting.Unstable(f"the result would be no Python: {error}") from error


def _beside(whole: Port, repository: Repository, document: Document, twin: Twin, taken: set[str]) -> None:
    """A new file, unless there is one of that name."""
    place = repository.root / twin.path
    if twin.path in taken or place.exists() or place.is_symlink():
        return
    taken.add(twin.path)
    whole.changes.append(Change(twin.path, None, twin.text.encode(), "utf-8", (), twin.why))
