"""`jumar verify`: whether the ported program computes what the original does. Exit code 0 PASS, 1 FAIL, 3 UNVERIFIED."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from jumar.cli.refusal import Refusal
from jumar.port import verification, writing
from jumar.port.trial import Setting
from jumar.port.verification import Verdict

PROGRAM = "--program"
USAGE = "jumar verify [options] REPO -- COMMAND [ARGUMENT …]"
CODES = {verification.PASS: 0, verification.FAIL: 1, verification.UNVERIFIED: 3}
ASK_CUDA = "import sys, torch; sys.exit(not torch.cuda.is_available())"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = USAGE
    parser.add_argument(
        "--ported", metavar="DIR", type=Path, help="the ported repository; else REPO is ported"
    )
    parser.add_argument(
        "--safety",
        choices=("safe", "review"),
        default="review",
        help="which fixes are made (default: review)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of every run (default: 0)")
    parser.add_argument(
        "--calls",
        type=int,
        default=3,
        metavar="N",
        help="calls of each module that are compared (default: 3)",
    )
    parser.add_argument("--chip", default="910B2", help="the virtual chip (default: 910B2)")
    parser.add_argument("--devices", type=int, default=1, metavar="N", help="how many of them (default: 1)")
    parser.add_argument(
        "--timeout", type=float, default=3600, metavar="S", help="seconds for one run (default: 3600)"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--out", metavar="FILE.json", type=Path, help="write the report as JSON there too")
    parser.add_argument(
        "repository", metavar="REPO", type=Path, help="the original; it is copied, not touched"
    )
    parser.add_argument(PROGRAM, type=json.loads, default=[], help=argparse.SUPPRESS)
    parser.epilog = "COMMAND is run in the root of a copy of REPO; a Python script may stand there alone."


def spelled_out(words: list[str]) -> list[str]:
    """What stands behind `--` as one word, so that options may stand before and after REPO."""
    if "--" not in words:
        return words
    at = words.index("--")
    return [*words[:at], PROGRAM, json.dumps(words[at + 1 :])]


def execute(chosen: argparse.Namespace) -> int:
    command = chosen.program
    if not command:
        raise Refusal("no command given: jumar verify REPO -- python train.py --steps 3")
    for folder in filter(None, (chosen.repository, chosen.ported)):
        if not folder.is_dir():
            raise Refusal(f"{folder}: no such folder")
    with verification.workplace() as place:
        setting = Setting(
            tuple(command),
            Path(place),
            chosen.seed,
            chosen.calls,
            chosen.timeout,
            chosen.chip,
            chosen.devices,
        )
        sources = chosen.repository.resolve()
        try:
            verdict = verification.verify(sources, setting, chosen.safety, chosen.ported, has_cuda(), say)
        except writing.NotWritten as error:
            raise Refusal(str(error)) from error
    facts = json.dumps(verdict.plain(), indent=2, ensure_ascii=False)
    if chosen.out:
        chosen.out.write_text(facts + "\n", encoding="utf-8")
    print(facts if chosen.json else "\n".join(lines(verdict)))
    return CODES[verdict.verdict]


def has_cuda() -> bool:
    """Whether this machine has a GPU and a PyTorch that sees it."""
    if shutil.which("nvidia-smi") is None:
        return False
    return subprocess.run([sys.executable, "-c", ASK_CUDA], capture_output=True, check=False).returncode == 0


def say(text: str) -> None:
    print(f"jumar: {text}", file=sys.stderr, flush=True)


def lines(verdict: Verdict) -> list[str]:
    """The report for a terminal."""
    told = [f"{verdict.verdict}"]
    told += [f"  {reason}" for reason in verdict.reasons]
    if verdict.notes:
        told += ["", "Besides:", *(f"  {note}" for note in verdict.notes)]
    told += ["", "Runs:"]
    for name, one in verdict.trials.items():
        count = sum(len(process.events) for process in one.processes.values())
        ending = "ended well" if one.succeeded else one.failure()
        told.append(f"  {name:<38} {one.seconds:6.1f} s  {count:6} tensors  {ending}")
    if verdict.changed:
        more = len(verdict.changed) - 8
        told.append(f"\nported: {', '.join(verdict.changed[:8])}" + (f" and {more} more" if more > 0 else ""))
    return told
