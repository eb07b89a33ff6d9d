"""Every rule finds its examples, makes of them what it says, and leaves its keep-examples alone."""

from __future__ import annotations

import pytest

from jumar.port import finding, kinds, rewriting, rules, scanning
from jumar.port.document import Document
from jumar.port.rule import Example, Rule

PATHS = {
    "python": "example.py",
    "dockerfile": "Dockerfile",
    "requirements": "requirements.txt",
    "ci": "Jenkinsfile",
}
LOADED = rules.all_rules()
EXAMPLES = [
    pytest.param(one.rule, example, id=f"{one.rule.code}-{number}")
    for one in LOADED
    for number, example in enumerate(one.rule.examples, 1)
]
KEPT = [
    pytest.param(
        one.rule, kept if isinstance(kept, Example) else Example(kept), id=f"{one.rule.code}-{number}"
    )
    for one in LOADED
    for number, kept in enumerate(one.rule.keep, 1)
]


def _document(rule: Rule, example: Example) -> Document:
    kind = rule.kinds[0]
    if example.path:
        return Document(example.path, example.before)
    return Document(PATHS.get(kind, f"example.{kind}"), example.before, kind)


def _findings(rule: Rule, example: Example) -> list[finding.Finding]:
    found, troubles = scanning.check(_document(rule, example), frozenset({rule.code}))
    assert not troubles
    return found


@pytest.mark.parametrize("loaded", LOADED, ids=lambda loaded: loaded.rule.code)
def test_data_is_whole(loaded: rules.Loaded) -> None:
    rule = loaded.rule
    assert rule.layer in finding.LAYERS
    assert rule.severity in finding.SEVERITIES
    assert rule.safety in finding.SAFETIES
    assert rule.kinds and set(rule.kinds) <= set(kinds.ALL)
    assert rule.triggers and all(word == word.lower() for word in rule.triggers)
    assert rule.why and rule.replacement and rule.examples


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_example_is_found(rule: Rule, example: Example) -> None:
    assert _findings(rule, example)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_example_becomes_what_it_says(rule: Rule, example: Example) -> None:
    edits = [edit for one in _findings(rule, example) for edit in one.edit or ()]
    if example.after is None:
        assert not edits, "the rule has edits for it: say in `after` what they make of it"
        return
    assert rewriting.apply(example.before, edits) == example.after
    again = _findings(rule, Example(example.after, path=example.path))
    assert not [edit for one in again for edit in one.edit or ()], "a second run changes it again"


@pytest.mark.parametrize(("rule", "kept"), KEPT)
def test_what_is_kept_is_not_found(rule: Rule, kept: Example) -> None:
    assert [one.what for one in _findings(rule, kept)] == []
