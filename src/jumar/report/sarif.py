"""A scan in SARIF 2.1.0, which code-review tools read: rules, results with their place, fixes, what could not be read."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any
from urllib.parse import quote

from jumar import __version__
from jumar.port import rules
from jumar.port.document import Document
from jumar.port.finding import Finding, Trouble
from jumar.port.scanning import Scan

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"blocks": "error", "silent": "warning", "degrades": "warning", "cosmetic": "note"}
ROOT = "REPOSITORY"


def log(scan: Scan, documents: dict[str, Document] | None = None) -> dict[str, Any]:
    """The log. `documents`: the files by path, of which fixes are written out; without them there are none."""
    codes = sorted({one.code for one in scan.findings})
    described = {one.rule.code: one.rule for one in rules.all_rules()}
    seen: Counter[str] = Counter()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "jumar",
                        "semanticVersion": __version__,
                        "rules": [
                            {
                                "id": code,
                                "name": described[code].name,
                                "shortDescription": {"text": _sentence(described[code].why)},
                                "help": {"text": f"Instead: {described[code].replacement}"},
                                "defaultConfiguration": {"level": LEVELS[described[code].severity]},
                                "properties": {"tags": [described[code].layer]},
                            }
                            for code in codes
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {ROOT: {"description": {"text": "The folder that was scanned."}}},
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [_notification(one) for one in scan.troubles],
                    }
                ],
                "results": [
                    _result(one, codes.index(one.code), (documents or {}).get(one.path), seen)
                    for one in scan.findings
                ],
            }
        ],
    }


def _result(one: Finding, index: int, document: Document | None, seen: Counter[str]) -> dict[str, Any]:
    result = {
        "ruleId": one.code,
        "ruleIndex": index,
        "level": LEVELS[one.severity],
        "message": {
            "text": f"{_sentence(one.what)} {_sentence(one.why)} Instead: {_sentence(one.replacement)}"
        },
        "locations": [
            {"physicalLocation": {"artifactLocation": _artifact(one.path), "region": _region(one)}}
        ],
        "partialFingerprints": {"jumar/v1": _fingerprint(one, seen)},
        "properties": {
            "layer": one.layer,
            "severity": one.severity,
            "safety": one.safety,
            "effortDays": list(one.effort_days),
            "runsUnchanged": one.runs_unchanged,
        },
    }
    if one.edit and document is not None:
        result["fixes"] = [_fix(one, document)]
    return result


def _fingerprint(one: Finding, seen: Counter[str]) -> str:
    """The same when lines above come or go: of code, path and what, and the how manieth of its kind."""
    kind = f"{one.code}\0{one.path}\0{one.what}"
    seen[kind] += 1
    return hashlib.sha256(f"{kind}\0{seen[kind]}".encode(errors="surrogateescape")).hexdigest()[:32]


def _region(one: Finding) -> dict[str, int]:
    return {
        "startLine": one.line,
        "startColumn": one.column,
        "endLine": one.end_line,
        "endColumn": one.end_column,
    }


def _artifact(path: str) -> dict[str, str]:
    return {"uri": quote(path.encode(errors="surrogateescape")), "uriBaseId": ROOT}


def _fix(one: Finding, document: Document) -> dict[str, Any]:
    replacements = []
    for edit in one.edit or ():
        start, end = document.position(edit.start), document.position(edit.end)
        replacements.append(
            {
                "deletedRegion": {
                    "startLine": start[0],
                    "startColumn": start[1],
                    "endLine": end[0],
                    "endColumn": end[1],
                },
                "insertedContent": {"text": edit.text},
            }
        )
    return {
        "description": {"text": f"Port it ({one.safety})"},
        "artifactChanges": [{"artifactLocation": _artifact(one.path), "replacements": replacements}],
    }


def _notification(one: Trouble) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(one.path)}
    if one.line > 0:
        place["region"] = {"startLine": one.line}
    return {
        "level": "warning",
        "message": {"text": f"not read: {one.reason}"},
        "locations": [{"physicalLocation": place}],
    }


def _sentence(text: str) -> str:
    words = text[:1].upper() + text[1:] if text[:1].islower() and not text.startswith("torch") else text
    return words if words.endswith((".", "!", "?")) else f"{words}."
