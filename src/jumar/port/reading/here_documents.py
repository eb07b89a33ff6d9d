"""Here-documents of shell scripts that hand a program in Python to the interpreter."""

from __future__ import annotations

import re

from jumar.port.document import Document

KINDS = ("shell", "slurm")
OPENING = re.compile(
    r"(?<![\w.])python[\d.]*\b[^\n|;<]*<<(?P<dash>-?)[ \t]*[\"']?(?P<mark>\w+)[\"']?[^\n]*\n"
    r"|^[^\n#]*\"\$\{?\w*(?:PYTHON|python|_py)\w*\}?\"?[^\n|;<]*<<-?[ \t]*[\"']?(?P<mark_of_variable>\w+)[\"']?[^\n]*\n",
    re.MULTILINE,
)


def python_places(document: Document) -> tuple[tuple[int, int], ...]:
    """Start and end of each program in Python."""
    return document.once(_places)


def is_python(document: Document, place: int) -> bool:
    return any(start <= place < end for start, end in python_places(document))


def _places(document: Document) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for opening in OPENING.finditer(document.text):
        mark = opening["mark"] or opening["mark_of_variable"]
        closing = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*\r?$", re.MULTILINE).search(
            document.text, opening.end()
        )
        if closing:
            found.append((opening.end(), closing.start()))
    return tuple(found)
