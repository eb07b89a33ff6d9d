"""Lines of a document that rules other than the asking one say something about."""

from __future__ import annotations

from jumar.port.document import Document, Unparsed


def lines(document: Document, code: str) -> set[int]:
    from jumar.port import rules  # the rule that asks is one of them

    found: set[int] = set()
    for loaded in rules.possible(document):
        if loaded.rule.code == code:
            continue
        try:
            for one in loaded.check(document):
                found.update(range(one.line, one.end_line + 1))
        except Unparsed:
            continue
    return found
