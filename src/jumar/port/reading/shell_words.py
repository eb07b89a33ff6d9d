"""Commands of a shell, as words with places. Knows quotes, comments, continuations and substitutions; runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=")
TOKEN = re.compile(
    r"(?P<space>[ \t\r\f\v]+|\\\r?\n)"
    r"|(?P<comment>(?<![^\s;|&(])#[^\n]*)"
    r"|(?P<end>\$\(|\(\(|[\n;|&()`]+)"
    r"|(?P<word>(?:[^\s;|&()`\"'\\$]|\$(?!\()|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"|[\"'\\])+)",
    re.DOTALL,
)
DEEPEST = 3
SPEAKING = re.compile(r"echo|printf|die|fail|fatal|say|note|banner|(?:log|print|warn|err|info|msg|debug)\w*")
SUBSTITUTED = re.compile(r"\$\(((?:[^()]|\([^()]*\))*)\)|`([^`]*)`")
PREFIXES_WORDS = """
    sudo exec time nohup env command then do else eval srun mpirun poetry uv xargs !
"""
PREFIXES = frozenset(PREFIXES_WORDS.split())


@dataclass(frozen=True, slots=True)
class Word:
    """`text` as it stands, quotes and all."""

    text: str
    start: int
    end: int

    @property
    def plain(self) -> str:
        return self.text.replace('"', "").replace("'", "")


@dataclass(frozen=True, slots=True)
class Command:
    """`words` without the assignments in front, which are in `settings`: name, value, place."""

    settings: tuple[Word, ...]
    words: tuple[Word, ...]

    @property
    def name(self) -> str:
        """What is run, without folder, sudo and the like."""
        for word in self.words:
            if word.plain not in PREFIXES and not word.text.startswith("-"):
                return word.plain.rsplit("/", 1)[-1]
        return ""

    @property
    def name_word(self) -> Word | None:
        return next(
            (word for word in self.words if word.plain not in PREFIXES and not word.text.startswith("-")),
            None,
        )

    @property
    def start(self) -> int:
        return (self.settings or self.words)[0].start

    @property
    def end(self) -> int:
        return (self.words or self.settings)[-1].end


def commands(text: str, base: int = 0, depth: int = 0) -> Iterator[Command]:
    """Each simple command of the text; those inside quotes with blanks or substitutions too."""
    words: list[Word] = []
    nested: list[Word] = []
    asides: list[Word] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            at += 1
            continue
        at = match.end()
        if match.lastgroup == "word":
            word = Word(match[0], base + match.start(), base + match.end())
            words.append(word)
            if depth < DEEPEST and any(mark in word.text for mark in ('"', "'")) and " " in word.text:
                (asides if _is_spoken(words) else nested).append(word)
        elif match.lastgroup == "end" and words:
            yield _command(words)
            words = []
    if words:
        yield _command(words)
    for word in nested:
        for quoted in re.finditer(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'", word.text, re.DOTALL):
            group = 1 if quoted[1] is not None else 2
            yield from commands(quoted[group], word.start + quoted.start(group), depth + 1)
    for word in asides:
        for run in SUBSTITUTED.finditer(word.text):
            group = 1 if run[1] is not None else 2
            yield from commands(run[group], word.start + run.start(group), depth + 1)


def _is_spoken(words: list[Word]) -> bool:
    """What the command says to people, in which only substitutions are run."""
    name = next((word.plain for word in words if word.plain not in PREFIXES), "")
    return bool(SPEAKING.fullmatch(name))


def _command(words: list[Word]) -> Command:
    count = 0
    for word in words:
        if not ASSIGNMENT.match(word.text):
            break
        count += 1
    return Command(tuple(words[:count]), tuple(words[count:]))
