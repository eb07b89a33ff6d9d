"""What a rule is: data about one tie to CUDA. The function that looks for it, `check`, stands in the same file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from jumar.port import cost
from jumar.port.document import Document
from jumar.port.finding import Edit, Finding
from jumar.port.reading import recorded, roles, shell_guards

NESTED = re.compile(r"[^/].*/\.github/workflows/[^/]+\.ya?ml$")
NEVER_RUNS = "; a workflow below the root, where GitHub does not look, never runs"
Check = Callable[[Document], Iterator[Finding]]

PROSE = frozenset(("markdown",))
"""Kinds that nothing runs: what stands there is only read by people."""


@dataclass(frozen=True)
class Example:
    """What the rule finds. `after`: what its edits make of it, None if it has none. `path`: where it would stand,
    which decides the kind; without it the rule's first kind."""

    before: str
    after: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class Rule:
    """`kinds`: the documents it reads. `triggers`: lower-case words; a document with none of them is not looked at.

    `why`: why it ties, one sentence. `replacement`: what stands there on Ascend, or what to do. `layer`, `severity` and
    `safety` as in `finding`, the usual ones; a finding may differ. `runs_unchanged`: `jumar run` makes the change
    unnecessary. `examples` must be found and become what they say; nothing is found in `keep`, a text or
    an Example whose `before` is one.
    """

    code: str
    name: str
    kinds: tuple[str, ...]
    triggers: tuple[str, ...]
    layer: str
    severity: str
    safety: str
    runs_unchanged: bool
    why: str
    replacement: str
    examples: tuple[Example, ...]
    keep: tuple[str | Example, ...] = ()
    sign: re.Pattern[str] | None = None
    possible: Callable[[Document], bool] | None = None

    def shows_in(self, document: Document) -> bool:
        """Whether a document that has a trigger has the sign too, and is possible."""
        if self.sign is not None and not self.sign.search(document.text):
            return False
        return self.possible is None or self.possible(document)

    def found(
        self,
        document: Document,
        start: int,
        end: int,
        what: str,
        *,
        why: str | None = None,
        replacement: str | None = None,
        layer: str | None = None,
        severity: str | None = None,
        safety: str | None = None,
        runs_unchanged: bool | None = None,
        edit: Iterable[Edit] | None = None,
    ) -> Finding:
        """A finding at characters `start` to `end`; what is not given is as the rule says."""
        if recorded.is_recorded(document, start):
            severity, edit, why, replacement = "cosmetic", None, recorded.WHY, recorded.INSTEAD
        nested = NESTED.match(document.path) is not None
        if nested and (severity or self.severity) != "cosmetic":
            severity, edit, why = "cosmetic", None, (why or self.why) + NEVER_RUNS
        edits = tuple(edit) if edit is not None else None
        read_only = document.kind in PROSE or (self.code[0] in "DW" and roles.is_test_data(document))
        heavy = "cosmetic" if read_only else severity or self.severity
        if heavy == "blocks" and self.code[0] == "D" and shell_guards.asks(document, start):
            heavy = "degrades"
        line, column = document.position(start)
        end_line, end_column = document.position(end)
        return Finding(
            code=self.code,
            path=document.path,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            what=what,
            why=why or self.why,
            layer=layer or self.layer,
            severity=heavy,
            replacement=replacement if replacement is not None else self.replacement,
            safety=safety or (self.safety if edits else "report"),
            effort_days=cost.days(self.code, heavy),
            runs_unchanged=self.runs_unchanged if runs_unchanged is None else runs_unchanged,
            edit=edits,
        )
