"""The rules' own examples, broken at random: whatever comes out, places lie in the file and edits apply.

`--fuzz N` breaks N of them (default 300); each is known by its number, so a failure can be had again.
"""

from __future__ import annotations

import random

import pytest

from jumar.port import kinds, patience, rewriting, rules, scanning
from jumar.port.document import Document

PATHS = {
    "dockerfile": "Dockerfile",
    "requirements": "requirements.txt",
    "python": "a.py",
    "ci": "Jenkinsfile",
}
SUFFIXES = {kind: suffix for suffix, kind in reversed(kinds.BY_SUFFIX.items())}
NASTY = (
    b"\0", b"\xff", b"\xed\xa0\x80", b"\r", b"\x0c", b"'", b'"', b'"""', b"{", b"}", b"[" * 50, b"(", b")", b"<<<", b">>>",
    b"\\", b"\n", b"\t", b"#", b"{{", b"}}", b"%}", b"&a ", b"*a ", b"<<: *a\n", b"- ", b": ", b"${", b"$(", b"`", b"cuda",
    b"\xef\xbb\xbf", b"nvidia.com/gpu", b"\xe2\x80\xa8", "é".encode(), b"f'{", b"%(x)s", b"/*", b"*/", b"R\"(", b"EOF\n",
)  # fmt: skip
FILE_S = 20


def _seeds() -> list[tuple[str, bytes]]:
    found = []
    for loaded in rules.all_rules():
        kind = loaded.rule.kinds[0]
        usual = PATHS.get(kind, f"a{SUFFIXES.get(kind, '.txt')}")
        found += [(one.path or usual, one.before.encode()) for one in loaded.rule.examples]
    return found


SEEDS = _seeds()


def _broken(number: int) -> tuple[str, bytes]:
    """One or two examples, cut, doubled, mixed and sprinkled with what parsers dislike."""
    dice = random.Random(number)
    path, raw = dice.choice(SEEDS)
    for _ in range(dice.randint(1, 8)):
        at, end = sorted((dice.randint(0, len(raw)), dice.randint(0, len(raw))))
        raw = dice.choice(
            (
                raw[:at] + raw[end:],
                raw[:at] + dice.choice(NASTY) + raw[at:],
                raw[:at] + raw[at:end] * dice.randint(2, 30) + raw[end:],
                raw[:at] + dice.choice(SEEDS)[1] + raw[end:],
                raw[:at] + dice.randbytes(4) + raw[at + 4 :],
                raw[:at] + dice.choice(NASTY) * dice.randint(1, 200) + raw[at:],
            )
        )[:200_000]
    return path, raw


def test_examples_broken_at_random(request: pytest.FixtureRequest) -> None:
    failed = [number for number in range(request.config.getoption("--fuzz")) if not _holds(number)]
    assert failed == []


def _holds(number: int) -> bool:
    path, raw = _broken(number)
    document = Document.of_bytes(path, raw)
    if document is None:
        return True
    with patience.within(FILE_S):
        findings, troubles = scanning.check(document)
    for one in findings:
        start, end = document.offset(one.line, one.column), document.offset(one.end_line, one.end_column)
        if not 0 <= start <= end <= len(document.text):
            return False
        if one.edit and not all(0 <= edit.start <= edit.end <= len(document.text) for edit in one.edit):
            return False
    document.encoded(
        rewriting.apply(document.text, [edit for one in findings[:1] for edit in one.edit or ()])
    )
    return not any(" failed on it" in one.reason for one in troubles)
