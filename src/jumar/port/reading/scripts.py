"""Shell commands wherever they stand: scripts, Dockerfiles, CI and pods, Makefiles, fenced code of documentation."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.reading import dockerfile_steps, json_entries, yaml_entries
from jumar.port.reading.entries import Entry
from jumar.port.reading.shell_words import Command, Word, commands

KINDS = ("shell", "slurm", "dockerfile", "apptainer", "yaml", "make", "ci", "markdown", "json")
"""The kinds of document that can hold commands; notebooks give theirs to documents of their own."""
SCRIPT_KEYS_WORDS = """
    run script command commands cmd args before_script after_script install setup entrypoint bash shell
    inlinescript test_command pre_command post_command setup_commands initialization_commands steps runargs
    worker_setup_commands head_setup_commands run_command postcreatecommand raw win_shell
"""
SCRIPT_KEYS = frozenset(SCRIPT_KEYS_WORDS.split())
FENCE = re.compile(r"^[ \t]*(?P<mark>`{3,}|~{3,})[ \t]*\{?(?P<language>[\w+.\-]*)[^\n]*$", re.MULTILINE)
SHELL_FENCES = frozenset(
    ("", "bash", "sh", "shell", "console", "zsh", "shell-session", "text", "bash+", "cmd")
)
DIRECTIVE = re.compile(
    r"^(?P<indent>[ \t]*)(?:\.\.[ ](?:code-block|code|prompt|sourcecode|parsed-literal)::[ ]*(?P<language>\w*)|.*::)"
    r"[ \t]*$",
    re.MULTILINE,
)
INLINE = re.compile(r"`([^`\n]{3,300})`")
COMMAND_LIKE = re.compile(
    r"^(?:sudo |[A-Z_]+=\S+ )*(?:pip3?|python3?|conda|docker|nvidia-smi|srun|sbatch|nvcc|torchrun)\b"
)
PROMPT = re.compile(r"^([ \t]*)(\$|>|#(?= (?:pip|docker|apt|nvidia)))(?= )", re.MULTILINE)
CI_CALL = re.compile(
    r"\b(?:sh|bat|command)\b[ \t]*\(?[ \t]*(?:script:[ \t]*)?('''|\"\"\"|'|\")(.*?)\1", re.DOTALL
)
TOLD = re.compile(
    r"[ \t]*(?:(?:It|Describe|Context|Specify|Example)[ \t]+['\"]|@test[ \t]|The[ \t]+(?:output|error|stdout)[ \t])"
    r"|[ \t]*(?:-[ \t]+)?(?:run:[ \t]*)?"
    r"(?:echo|printf|die|fail|fatal|say|(?:sub)?step|(?:log|print|warn|err|info|msg)\w*"
    r"|\w*(?:_|:)(?:error|warn(?:ing)?|info|log|msg|message|note|fail|fatal|die|usage|help|step|success))[ \t]"
)
HANDED_ON = re.compile(r"(?<![&\d])>(?!&)|\|(?!\|)")
QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
LABEL = re.compile(
    r"[ \t]*(?:-[ \t]+)?(?:name|description|title|summary|displayName|help|note):[ \t]*[\"']?[\w()]+[ \t]+\S"
)
LONGEST_ESCAPED = 500
BARE_QUOTE = re.compile(r'(?<!\\)"')
FOLDED = re.compile(r"[ \t]*\r?\n[ \t]*\\?")
"""Where YAML breaks a quoted text without an end of line."""
RECIPE = re.compile(r"^\t[@\-+]*(?P<text>(?:[^\n\\]|\\.)*)$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^%(?P<name>\w+)", re.MULTILINE)


def script_commands(document: Document) -> tuple[Command, ...]:
    """Every command of the document, in order."""
    return document.once(_commands)


def _commands(document: Document) -> tuple[Command, ...]:
    read = READERS.get(document.kind)
    return tuple(sorted(read(document), key=lambda one: one.start)) if read else ()


def _whole(document: Document) -> Iterator[Command]:
    yield from commands(document.text)


def _of_dockerfile(document: Document) -> Iterator[Command]:
    for step in dockerfile_steps.steps(document):
        if step.word not in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
            continue
        body = re.sub(r"^--\w+=\S+", lambda match: " " * len(match[0]), step.body)
        if body.lstrip().startswith("["):
            yield from _listed(body, step.body_start)
        else:
            yield from commands(_without_inner_comments(body), step.body_start)


def _without_inner_comments(body: str) -> str:
    """Comment lines between continued ones become blank and keep their length."""
    return re.sub(r"(?m)^[ \t]*#[^\n]*$", lambda match: " " * (len(match[0]) - 1) + "\\", body)


def _listed(body: str, base: int) -> Iterator[Command]:
    """The exec form: a list of texts is one command."""
    words = tuple(
        Word(match[1], base + match.start(1), base + match.end(1))
        for match in re.finditer(r"\"((?:[^\"\\]|\\.)*)\"", body)
    )
    if words:
        yield Command((), words)
    for word in words:
        if " " in word.text:
            yield from commands(word.text, word.start, 1)


def _of_yaml(document: Document) -> Iterator[Command]:
    yield from _of_entries(document, yaml_entries.entries(document))


def _of_json(document: Document) -> Iterator[Command]:
    yield from _of_entries(document, json_entries.entries(document))


def _of_entries(document: Document, entries: tuple[Entry, ...]) -> Iterator[Command]:
    items = defaultdict(list)  # by the place of their sequence
    for entry in entries:
        if entry.is_item:
            items[entry.part, entry.path[:-1]].append(entry)
    for entry in entries:
        if entry.named.lower().removeprefix("ansible.builtin.") in SCRIPT_KEYS or (
            entry.value and entry.named.endswith(".sh")
        ):
            if entry.value:
                start, end = script_place(document.text, entry)
                yield from commands(document.text[start:end], start)
            else:
                yield from _sequence(document, entry, items[entry.part, entry.path])


def _sequence(document: Document, entry: Entry, items: list[Entry]) -> Iterator[Command]:
    """`command: [a, b]` as one command, beside each of its items as one."""
    items = [one for one in items if entry.start <= one.start < entry.end]
    if len(items) > 1 and all(one.value is not None and " " not in one.value for one in items):
        words = (one.inner(document.text) for one in items)
        yield Command((), tuple(Word(document.text[start:end], start, end) for start, end in words))


def is_told(document: Document, place: int) -> bool:
    """Whether the line of a place is told to people: printed by a script, or the text of a label."""
    line, _ = document.position(place)
    text = _escaped_line(document, place) or document.lines[line - 1]
    return bool(TOLD.match(text) and not HANDED_ON.search(QUOTED.sub("", text))) or bool(LABEL.match(text))


CONTAINER = re.compile(r"\b(?:docker|podman|nerdctl)[ \t]+(?:container[ \t]+)?(?:run|create)\b")


def is_of_container(document: Document, place: int) -> bool:
    """Whether its line goes on from `docker run`, also where a substitution stands between."""
    line = document.position(place)[0]
    while line > 1 and document.lines[line - 2].rstrip().endswith("\\"):
        line -= 1
    return bool(CONTAINER.search(document.text, document.starts[line - 1], place))


def _escaped_line(document: Document, place: int) -> str | None:
    """The line of a script that stands in a quoted text of YAML or JSON, where `\\n` ends lines. None elsewhere."""
    if document.kind not in ("yaml", "json"):
        return None
    text = document.text
    start = text.rfind("\\n", max(0, place - LONGEST_ESCAPED), place)
    if start < 0 or BARE_QUOTE.search(text, start, place):
        return None
    end = text.find("\\n", place, place + LONGEST_ESCAPED)
    whole = text[start + 2 : end if end >= 0 else place + LONGEST_ESCAPED]
    return BARE_QUOTE.split(FOLDED.sub(" ", whole), maxsplit=1)[0].replace('\\"', '"')


def script_place(text: str, entry: Entry) -> tuple[int, int]:
    """Where the script of a value stands: without quotes, or without the head of a block."""
    if text[entry.start : entry.start + 1] in ("|", ">"):
        return min(text.find("\n", entry.start) + 1 or entry.end, entry.end), entry.end
    return entry.inner(text)


def _of_makefile(document: Document) -> Iterator[Command]:
    for match in RECIPE.finditer(document.text):
        yield from commands(match["text"], match.start("text"))


def _of_ci(document: Document) -> Iterator[Command]:
    for match in CI_CALL.finditer(document.text):
        yield from commands(match[2], match.start(2))


def _of_apptainer(document: Document) -> Iterator[Command]:
    marks = [*SECTION.finditer(document.text)]
    for number, mark in enumerate(marks):
        if mark["name"] in ("post", "runscript", "test", "environment", "startscript"):
            end = marks[number + 1].start() if number + 1 < len(marks) else len(document.text)
            yield from commands(document.text[mark.end() : end], mark.end())


def _of_markdown(document: Document) -> Iterator[Command]:
    blocks = [*code_blocks(document)]
    for start, end, language in blocks:
        if language in SHELL_FENCES:
            body = PROMPT.sub(lambda match: match[1] + " " * len(match[2]), document.text[start:end])
            yield from commands(body, start)
    for match in INLINE.finditer(document.text):
        if COMMAND_LIKE.match(match[1]) and not in_code(document, match.start()):
            yield from commands(match[1], match.start(1))


def code_blocks(document: Document) -> Iterator[tuple[int, int, str]]:
    """Start, end and language of each block of code."""
    text, at = document.text, 0
    if document.path.lower().endswith(".rst"):
        yield from _directives(document)
        return
    while opening := FENCE.search(text, at):
        closing = re.compile(rf"^[ \t]*{opening['mark'][0]}{{{len(opening['mark'])},}}[ \t]*$", re.MULTILINE)
        end = closing.search(text, opening.end())
        yield opening.end(), end.start() if end else len(text), opening["language"].lower()
        at = end.end() if end else len(text)


def in_code(document: Document, place: int) -> bool:
    """Whether a place of documentation stands in a block of code."""
    starts, ends = document.once(_code_places)
    number = bisect_right(starts, place) - 1
    return number >= 0 and place < ends[number]


def _code_places(document: Document) -> tuple[list[int], list[int]]:
    blocks = sorted(code_blocks(document))
    return [start for start, _, _ in blocks], [end for _, end, _ in blocks]


def _directives(document: Document) -> Iterator[tuple[int, int, str]]:
    for match in DIRECTIVE.finditer(document.text):
        line, _ = document.position(match.start())
        indent = len(match["indent"])
        last = line
        while last < len(document.lines):
            following = document.lines[last]
            if following.strip() and len(following) - len(following.lstrip()) <= indent:
                break
            last += 1
        if last > line:
            end = document.starts[last] if last < len(document.starts) else len(document.text)
            yield document.starts[line], end, (match["language"] or "").lower()


READERS = {
    "shell": _whole,
    "slurm": _whole,
    "dockerfile": _of_dockerfile,
    "apptainer": _of_apptainer,
    "yaml": _of_yaml,
    "json": _of_json,
    "make": _of_makefile,
    "ci": _of_ci,
    "markdown": _of_markdown,
}
