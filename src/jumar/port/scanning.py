"""Reads the files of a repository with every rule, on all cores, in an order that is the same on every run."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace

from jumar.port import patience, rules, served, suppression
from jumar.port.document import Document, Unparsed
from jumar.port.finding import Finding, Trouble
from jumar.port.repository import Repository

Progress = Callable[[int, int], None]
"""Called with the files done and the files there are."""
Known = tuple[frozenset[str], frozenset[str]]
"""The codes that count, and the packages that the repository has itself."""
PIECE_BYTES = 1 << 20  # a process gets so much at a time
ALONE_BELOW_BYTES = 1 << 20  # less than this is not worth another process


@dataclass
class Part:
    """What was found in some of the files."""

    findings: list[Finding] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)

    def add(self, other: Part) -> None:
        self.findings += other.findings
        self.troubles += other.troubles
        self.warnings += other.warnings
        for mine, its in ((self.lines, other.lines), (self.files, other.files)):
            for kind, count in its.items():
                mine[kind] = mine.get(kind, 0) + count


@dataclass(frozen=True)
class Scan:
    """What a repository has. `lines` and `files`: how many were read, by kind of document. `warnings`: comments that
    ask for something that is not there."""

    findings: tuple[Finding, ...]
    troubles: tuple[Trouble, ...]
    lines: dict[str, int]
    files: dict[str, int]
    warnings: tuple[Trouble, ...] = ()

    def only(self, counts: Callable[[Finding], bool]) -> Scan:
        """Without the findings that do not count."""
        return replace(self, findings=tuple(one for one in self.findings if counts(one)))


def scan(
    repository: Repository,
    names: Sequence[str] | None = None,
    wanted: Callable[[str], bool] = lambda code: True,
    jobs: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Scan:
    """Everything in `names`, by default all files. `wanted` says whether a rule's code counts."""
    everything = repository.files()
    names = everything if names is None else names
    own = repository.own_packages(everything)
    codes = frozenset(one.rule.code for one in rules.all_rules() if wanted(one.rule.code))
    pieces, size = _pieces(repository, names)
    jobs = jobs or len(os.sched_getaffinity(0))
    whole = Part()
    done = 0
    progress(0, len(names))
    for count, part in _parts(repository, pieces, (codes, own), 1 if size < ALONE_BELOW_BYTES else jobs):
        whole.add(part)
        done += count
        progress(done, len(names))
    return Scan(
        tuple(sorted(whole.findings, key=Finding.place)),
        tuple(sorted(whole.troubles)),
        dict(sorted(whole.lines.items())),
        dict(sorted(whole.files.items())),
        tuple(sorted(whole.warnings)),
    )


def check(document: Document, codes: frozenset[str] | None = None) -> tuple[list[Finding], list[Trouble]]:
    """What one document has, after its own comments left some out."""
    found: list[Finding] = []
    troubles: set[Trouble] = set()
    for loaded in rules.possible(document):
        rule = loaded.rule
        if codes is not None and rule.code not in codes:
            continue
        try:
            found += loaded.check(document)
        except Unparsed as error:
            troubles.add(Trouble(document.path, error.line, error.reason))
        except RecursionError:
            troubles.add(Trouble(document.path, 1, "nested too deeply to be read"))
        except Exception as error:  # noqa: BLE001  a file of a stranger's must not end the scan of all others
            troubles.add(Trouble(document.path, 1, f"{rule.code} failed on it: {error!r}"))
    weighed = served.weighed(document, list(dict.fromkeys(found)))
    return suppression.kept(document, weighed), sorted(troubles)


def _pieces(repository: Repository, names: Sequence[str]) -> tuple[list[list[str]], int]:
    """The files in pieces of about one size, and the size of all."""
    pieces: list[list[str]] = []
    piece: list[str] = []
    total = held = 0
    for name in names:
        try:
            size = (repository.root / name).stat().st_size
        except OSError:
            size = 0
        total += size
        held += size
        piece.append(name)
        if held >= PIECE_BYTES:
            pieces.append(piece)
            piece, held = [], 0
    return ([*pieces, piece] if piece else pieces), total


def _parts(
    repository: Repository, pieces: Sequence[list[str]], known: Known, jobs: int
) -> Iterable[tuple[int, Part]]:
    if jobs == 1:
        for piece in pieces:
            yield len(piece), _read(repository, piece, known)
        return
    context = multiprocessing.get_context("fork")  # the rules are loaded already, and no thread runs yet
    with ProcessPoolExecutor(max_workers=jobs, mp_context=context) as pool:
        counts: dict[Future[Part], int] = {
            pool.submit(_read, repository, piece, known): len(piece) for piece in pieces
        }
        for future in as_completed(counts):
            yield counts[future], future.result()


def _read(repository: Repository, names: Sequence[str], known: Known) -> Part:
    codes, own = known
    part = Part()
    gc.disable()  # trees are given up one by one; looking for circles in each costs a third of the time
    for name in names:
        document = repository.read(name)
        if isinstance(document, Trouble):
            part.troubles.append(document)
        elif document is not None:
            document.own = own
            part.warnings += suppression.unknown(document, (one.rule.code for one in rules.all_rules()))
            part.files[document.kind] = part.files.get(document.kind, 0) + 1
            part.lines[document.kind] = part.lines.get(document.kind, 0) + document.text.count("\n")
            try:
                with patience.within(patience.FILE_S):
                    findings, troubles = check(document, codes)
            except patience.TooLong:
                reason = f"took longer than {patience.FILE_S} s, left alone"
                findings, troubles = [], [Trouble(name, 1, reason)]
            document.forget()
            part.findings += [one for one in findings if one.code in codes]  # cells carry other rules' codes
            part.troubles += troubles
    gc.enable()
    return part
