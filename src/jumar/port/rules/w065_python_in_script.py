"""Python in here-documents of scripts: the rules of Python, on what the script hands to the interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port import embedded
from jumar.port.document import Document, Unparsed
from jumar.port.finding import Finding
from jumar.port.reading.here_documents import KINDS, python_places
from jumar.port.rule import Example, Rule

RULE = Rule(
    code="W065",
    name="python-in-script",
    kinds=KINDS,
    triggers=("cuda", "nccl"),
    layer="workflow",
    severity="blocks",
    safety="review",
    runs_unchanged=True,
    why="the script runs the program; each finding carries the code of the rule that found it",
    replacement="what the rule for Python says",
    examples=(
        Example(
            "python - <<'PY'\nimport torch\nx = torch.zeros(2, device=\"cuda\")\nPY\n",
            after="python - <<'PY'\nimport torch\n\n"
            'device_type = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"\n\n'
            "x = torch.zeros(2, device=device_type)\nPY\n",
            path="a.sh",
        ),
    ),
    keep=(
        Example("python - <<'PY'\nimport torch\ntorch.zeros(2)\nPY\n", path="a.sh"),
        Example("cat <<'EOF'\ntorch.zeros(2).to_device\nEOF\n", path="a.sh"),
    ),
)


def check(document: Document) -> Iterator[Finding]:
    if "<<" not in document.text:
        return
    for start, end in python_places(document):
        if any(word in document.lowered[start:end] for word in RULE.triggers):
            try:
                yield from embedded.findings(
                    document, embedded.dedented(document, start, end), "python", None, embedded.as_it_is
                )
            except Unparsed:
                continue  # the shell puts words into it; W062 counts its lines
