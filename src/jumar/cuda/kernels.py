"""Finds the kernels of CUDA C++ sources: the definitions that begin with `__global__`. Pure Python, no torch.

It reads as a compiler would as far as that is needed: comments, strings and what `#if 0` leaves out are no code,
templates and attributes are walked over, and a declaration is not a definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".cu", ".cuh")
# Comments, raw strings, strings and characters, in the order in which they must be tried at each place.
_NO_CODE = re.compile(
    r"""//(?:\\\r?\n|[^\n])*                            # to the end of the line, which a backslash may continue
      | /\*.*?(?:\*/|\Z)
      | (?<!\w)(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?(?:\)(?P=mark)"|\Z)
      | "(?:\\.|[^"\\\n])*(?:"|$)
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*(?:'|$)       # not the ' that groups digits
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_CONDITION = re.compile(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|else|elif|endif)\b[ \t]*(\S*)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_$][\w$]*(?:\s*\#\#\s*[\w$]+|\s*::\s*[A-Za-z_$][\w$]*)*")
# Words that take an argument in parentheses and are no kernel's name.
_ATTRIBUTES = {"__launch_bounds__", "__attribute__", "__cluster_dims__", "__block_size__", "__maxnreg__",
               "__declspec", "__align__", "alignas", "decltype", "typename", "noexcept", "requires"}  # fmt: skip
_CLOSING = {"(": ")", "<": ">", "{": "}", "[": "]"}


@dataclass(frozen=True)
class Kernel:
    """One kernel: its name as written, where it is defined, and its parameters as written, on one line."""

    name: str
    file: str
    line: int
    parameters: str

    def place(self) -> str:
        return f"{self.file}:{self.line}"


def in_files(paths: Iterable[Path | str]) -> list[Kernel]:
    """The kernels of these files, in order; a file that cannot be read has none."""
    found: list[Kernel] = []
    for path in paths:
        try:
            text = Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found += in_text(text, str(path))
    return found


def in_text(text: str, file: str = "<source>") -> list[Kernel]:
    """The kernels that this source defines."""
    code = _without_dead_branches(_NO_CODE.sub(_blank, text))
    return list(_kernels(code, file))


def _blank(match: re.Match[str]) -> str:
    """Spaces instead, so that places and lines stay what they were."""
    return re.sub(r"[^\n]", " ", match.group())


def _without_dead_branches(code: str) -> str:
    """Without what stands between `#if 0` and its `#else` or `#endif`."""
    dead_from, depth, parts, position = None, 0, [], 0
    for match in _CONDITION.finditer(code):
        word, condition = match.groups()
        if dead_from is None:
            if word == "if" and condition in ("0", "false"):
                dead_from, depth = match.start(), 0
        elif word in ("if", "ifdef", "ifndef"):
            depth += 1
        elif depth and word == "endif":
            depth -= 1
        elif not depth and word in ("else", "elif", "endif"):
            parts += [code[position:dead_from], re.sub(r"[^\n]", " ", code[dead_from : match.end()])]
            position, dead_from = match.end(), None
    return "".join([*parts, code[position : len(code) if dead_from is None else dead_from]])


def _kernels(code: str, file: str) -> Iterator[Kernel]:
    for match in re.finditer(r"\b__global__\b", code):
        if (found := _head(code, match.end())) is not None:
            name, at, parameters = found
            yield Kernel(name, file, code.count("\n", 0, at) + 1, " ".join(parameters.split()))


def _head(code: str, at: int) -> tuple[str, int, str] | None:
    """Name, its place and the parameters of the function whose head goes on here; None if it is not defined here."""
    while (word := _WORD.search(code, at)) is not None:
        between = code[at : word.start()]
        if any(sign in between for sign in ";{}#"):
            return None
        name = re.sub(r"\s+", "", word.group())
        after = _skip_spaces(code, word.end())
        if code[after : after + 1] == "<":  # a specialisation: its arguments belong to the name
            end = _balanced(code, after)
            if code[_skip_spaces(code, end) :][:1] == "(":
                name, after = name + " ".join(code[after:end].split()), _skip_spaces(code, end)
        if code[after : after + 1] == "(":
            end = _balanced(code, after)
            if name not in _ATTRIBUTES:
                defined = re.match(r"[^;{}]*\{", code[end:])
                return (name, word.start(), code[after + 1 : end - 1]) if defined else None
            at = end
        else:
            at = word.end()
    return None


def _skip_spaces(code: str, at: int) -> int:
    while at < len(code) and (code[at].isspace() or code[at] == "\\"):
        at += 1
    return at


def _balanced(code: str, at: int) -> int:
    """The place behind the bracket that closes the one here; angle brackets count only within angle brackets."""
    opening, depth = code[at], 0
    for place in range(at, len(code)):
        if code[place] == opening:
            depth += 1
        elif code[place] == _CLOSING[opening]:
            depth -= 1
            if depth == 0:
                return place + 1
    return len(code)
