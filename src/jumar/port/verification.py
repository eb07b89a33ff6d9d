"""Whether a ported program does what the original did: both run, tensors and print compared, and a verdict with reasons.

PASS needs something that was compared; what could not be compared is UNVERIFIED, never taken for well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jumar.port import differences, porting, printed, trial, writing
from jumar.port.differences import Comparison
from jumar.port.repository import Repository
from jumar.port.trial import Kind, Setting, Trial

PASS, FAIL, UNVERIFIED = "PASS", "FAIL", "UNVERIFIED"
PRINTED_EXACT, PRINTED_ROUNDED = 1e-4, 5e-2  # where every bit was the same, and where rounding differed
SENSELESS = 0.5  # so far from float64 a tensor has nothing to do with it
Say = Callable[[str], None]


@dataclass
class Beside:
    """Two runs that were compared."""

    first: str
    second: str
    modules: Comparison
    line: printed.Line | None
    repeats: bool | None = None

    def alike(self) -> bool:
        return self.modules.alike() and self.line is None

    def nothing_to_see(self) -> bool:
        return self.modules.compared == 0


@dataclass
class Verdict:
    """The answer. `reasons`: why, most weighty first; `notes`: what one should know besides."""

    verdict: str = UNVERIFIED
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trials: dict[str, Trial] = field(default_factory=dict)
    pairs: list[Beside] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "verdict": self.verdict,
            "reasons": self.reasons,
            "notes": self.notes,
            "ported_files": self.changed,
            "left_to_do": self.left,
            "runs": {name: _plain_trial(one) for name, one in self.trials.items()},
            "comparisons": [
                {
                    **pair.modules.plain(),
                    "alike": pair.alike(),
                    "printed": asdict(pair.line) if pair.line else None,
                    "original_repeats_itself": pair.repeats,
                }
                for pair in self.pairs
            ],
        }


def _plain_trial(one: Trial) -> dict[str, Any]:
    losses = {name: process.losses() for name, process in one.processes.items() if process.losses()}
    counts = {name: len(process.events) for name, process in one.processes.items()}
    ended = {
        "exit_code": one.code,
        "seconds": round(one.seconds, 1),
        "tensors_recorded": counts,
        "losses": losses,
    }
    return ended if one.succeeded else {**ended, "failure": one.failure(), "stderr_tail": one.tail()}


class Verification:
    """Copies of a repository, as it is and ported, and the runs of both."""

    def __init__(self, sources: Path, setting: Setting, safety: str, ported: Path | None, say: Say) -> None:
        self.setting, self.say = setting, say
        self.verdict = Verdict()
        self.folders = {"original": sources, "ported": ported or setting.workplace / "ported"}
        if ported is None:
            trial.copy(sources, self.folders["ported"])
            self._port(safety)

    def _port(self, safety: str) -> None:
        repository = Repository.at(self.folders["ported"])
        made = porting.port(repository, safety)
        writing.write(repository, made.changes)
        self.verdict.changed = [change.path for change in made.changes]
        self.verdict.left = {"review": len(made.review), "report": len(made.report)}
        self.verdict.notes += [f"{one.path} was left alone: {one.reason}" for one in made.troubles]

    def trial(self, kind: Kind, again: bool = False) -> Trial:
        name = kind.name + (" once more" if again else "")
        known = self.verdict.trials.get(name)
        if known is None:
            self.say(f"{name} …")
            known = trial.run(self.setting, kind, self.folders[kind.program])
            self.verdict.trials[name] = known
            self.say(f"{name}: {'done' if known.succeeded else known.failure()} ({known.seconds:.0f} s)")
        return known

    def compare(self, first: Kind, second: Kind) -> Beside | None:
        """None where one of the two did not come to its end."""
        one, other = self.trial(first), self.trial(second)
        if not one.succeeded or not other.succeeded:
            return None
        same = first.device == second.device
        pair = self._beside(one, other, same)
        if not pair.alike() and same:
            pair = self._against_itself(first, pair, one, other)
        if pair.modules.difference is not None:
            pair = self._judged(pair, one, other, same)
        self.verdict.pairs.append(pair)
        return pair

    def _beside(
        self, one: Trial, other: Trial, same: bool, again: Trial | None = None, truth: Trial | None = None
    ) -> Beside:
        first, second = one.kind.name, other.kind.name
        referee = truth.processes if truth else None
        modules = differences.compare((first, one.processes), (second, other.processes), same, referee)
        tolerance = PRINTED_EXACT if same and modules.exact() else PRINTED_ROUNDED
        line = printed.compare(one.printed, other.printed, tolerance, again.printed if again else None)
        if not same and line is not None and line.by is None:
            line = None  # programs tell what they do on which device
        return Beside(first, second, modules, line)

    def _against_itself(self, kind: Kind, pair: Beside, one: Trial, other: Trial) -> Beside:
        """A program that differs between two runs of its own says nothing by differing."""
        again = self.trial(kind, again=True)
        if not again.succeeded:
            return pair
        own = differences.compare(
            (pair.first, one.processes), ("once more", again.processes), same_device=True
        )
        new = self._beside(one, other, True, again)
        new.repeats = own.alike()
        return new

    def _judged(self, pair: Beside, one: Trial, other: Trial, same: bool) -> Beside:
        """With a run in double precision as referee."""
        truth = self.trial(Kind("ported", "cpu", float64=True))
        if not truth.processes:
            self.verdict.notes.append(f"no referee: the run in float64 recorded nothing, {truth.failure()}")
            return pair
        again = self.verdict.trials.get(one.kind.name + " once more")
        judged = self._beside(one, other, same, again, truth)
        judged.repeats = pair.repeats
        return judged


def verify(
    sources: Path, setting: Setting, safety: str, ported: Path | None, has_cuda: bool, say: Say
) -> Verdict:
    """Runs everything and decides."""
    work = Verification(sources, setting, safety, ported, say)
    devices = ("chip", "cpu", "cuda") if has_cuda else ("chip", "cpu")
    for device in devices:
        work.trial(Kind("original", device))
        work.trial(Kind("ported", device))
    pairs = {device: work.compare(Kind("original", device), Kind("ported", device)) for device in devices}
    across = work.compare(Kind("ported", "cpu"), Kind("ported", "chip"))
    decide(work.verdict, pairs, across)
    return work.verdict


def decide(verdict: Verdict, pairs: dict[str, Beside | None], across: Beside | None) -> None:
    """Fills in verdict, reasons and notes."""
    failed = [*_failed(verdict, pairs), *_differs(pairs)]
    unsure = [*_across(across, failed), *_unsure(verdict, pairs, across)]
    verdict.notes += _notes(verdict, pairs, across)
    verdict.reasons = failed or unsure or _passed(pairs, across)
    verdict.notes = [note for note in dict.fromkeys(verdict.notes) if note not in verdict.reasons]
    verdict.verdict = FAIL if failed else UNVERIFIED if unsure else PASS


def _failed(verdict: Verdict, pairs: dict[str, Beside | None]) -> Iterator[str]:
    for device in pairs:
        original, ported = (verdict.trials[Kind(which, device).name] for which in ("original", "ported"))
        if original.succeeded and not ported.succeeded:
            yield f"the {ported.kind.name} fails where the original runs: {ported.failure()}"


def _differs(pairs: dict[str, Beside | None]) -> Iterator[str]:
    for pair in pairs.values():
        if pair is None or pair.alike() or pair.repeats is False:
            continue
        yield from _told(pair)


def _told(pair: Beside) -> Iterator[str]:
    difference = pair.modules.difference
    beside = f"{pair.second} against {pair.first}"
    if difference is not None:
        yield f"{beside}: the first to differ is the {difference.text()}{_referee(pair)}"
    elif pair.modules.missing:
        more = len(pair.modules.missing) - 1
        yield f"{beside}: {pair.modules.missing[0]}{f', and {more} more such' if more else ''}"
    if pair.line is not None:
        by = "" if pair.line.by is None else f" (by {pair.line.by:.2g})"
        yield f"{beside}: printed line {pair.line.number} differs{by}: {pair.line.second!r} was {pair.line.first!r}"


def _referee(pair: Beside) -> str:
    difference = pair.modules.difference
    if difference is None or difference.referee is None:
        return "; float64 has no say, it did not get so far"
    one, other, right = difference.referee.first, difference.referee.second, difference.referee.right
    said = {"both": "both sides are as near as their type allows", "unknown": "neither side is near"}
    verdict = said.get(right, f"{right} is right")
    return f"; from float64 the first is off by {one:.2g}, the second by {other:.2g}: {verdict}"


def _unsure(verdict: Verdict, pairs: dict[str, Beside | None], across: Beside | None) -> Iterator[str]:
    if not any(pairs.values()):
        tried = "; ".join(
            f"{one.kind.name}: {one.failure()}" for one in verdict.trials.values() if not one.succeeded
        )
        yield f"there is nothing to compare with: {tried or 'no run came to its end'}"
    elif pairs["chip"] is None and not (across is not None and across.alike()):
        chip = verdict.trials[Kind("ported", "chip").name]
        ending = "differs from the CPU there" if chip.succeeded else f"failed there: {chip.failure()}"
        yield f"nothing was compared on the virtual chip: the ported program {ending}"
    for pair in filter(None, pairs.values()):
        if pair.repeats is False and not pair.alike():
            yield f"{pair.first} differs between two runs of its own: seed it, or leave out what is not repeatable"
    compared = [pair for pair in pairs.values() if pair is not None]
    if compared and all(pair.nothing_to_see() for pair in compared):
        yield "no module ran and no loss was seen: only what was printed could be compared"


def _across(across: Beside | None, failed: list[str]) -> Iterator[str]:
    """Between devices rounding differs; it is a failure where float64 says that the chip is wrong."""
    if across is None or across.modules.difference is None or across.modules.is_rounding():
        return
    referee = across.modules.difference.referee
    if referee is None or (referee.right == "unknown" and not _no_farther(referee)):
        yield from _told(across)
    elif referee.right == across.first:
        failed.extend(_told(across))


def _no_farther(referee: differences.Referee) -> bool:
    """Whether the chip is no farther from double precision than the CPU, and both still say something."""
    return referee.second <= differences.CLEARLY * referee.first and referee.second < SENSELESS


def _passed(pairs: dict[str, Beside | None], across: Beside | None) -> list[str]:
    reasons = []
    for pair in (*pairs.values(), across):
        if pair is not None and pair.alike():
            seen = pair.modules
            reasons.append(
                f"{pair.second} against {pair.first}: {seen.compared} tensors of {seen.compared_modules} modules and"
                f" {seen.losses} losses, at most {seen.largest:.2g} apart{_rounding(pair)}; print alike"
            )
    return reasons


def _rounding(pair: Beside) -> str:
    return (
        f", then by rounding only from the {pair.modules.difference.text()}"
        if pair.modules.difference
        else ""
    )


def _notes(verdict: Verdict, pairs: dict[str, Beside | None], across: Beside | None) -> Iterator[str]:
    for device, pair in pairs.items():
        original = verdict.trials[Kind("original", device).name]
        ported = verdict.trials[Kind("ported", device).name]
        if not original.succeeded:
            ending = "runs" if ported.succeeded else f"does not run either: {ported.failure()}"
            yield f"{original.kind.name} does not run ({original.failure()}); ported it {ending}"
        if pair is not None and pair.modules.skipped:
            kinds = ", ".join(f"{count} {kind}" for kind, count in pair.modules.skipped.items())
            yield f"not compared, for they hold no plain data: {kinds}"
    if across is not None and not across.alike():
        yield from _told(across)
    yield "random numbers were drawn on the CPU in float32 in every run, so that devices can be compared"


def workplace() -> tempfile.TemporaryDirectory[str]:
    """Where copies and runs lie; removed afterwards."""
    return tempfile.TemporaryDirectory(prefix="jumar-verify-")
