"""Writes docs/faces.md: what becomes of each idiom of tests/cuda/idioms with the vendor's transfer_to_npu and with jumar.

python tools/compare_faces.py                 runs them all on a virtual server, each theme in a process of its own
python tools/compare_faces.py --check         says whether the page is what a run gives (exit code 1 if not)
python tools/compare_faces.py --theme amp     prints the rows of one theme, writes nothing
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "faces.md"
FACES = {"transfer": "transfer_to_npu", "cuda": "jumar"}
WIDTH = 120  # characters of one cell
sys.path.insert(0, str(ROOT / "tests" / "cuda"))

from idioms import Idiom, idioms, themes  # noqa: E402
from idioms.starting import run  # noqa: E402

# What differs from run to run: each pattern with what stands for it.
VARYING = (
    (r"\[ERROR\].*", ""),
    (r"0x[0-9a-f]+", "0x…"),
    (r"/tmp/[\w./-]+", "/tmp/…"),
    (r"/[\w./-]+/site-packages/", "…/"),
    (r"\b\d{7,}\b", "…"),
    (r"\b(PID|pid):? ?\d+", r"\1 …"),
)


def outcomes(face: str, theme: str | None) -> dict[str, dict[str, str]]:
    """By name of the idiom, run inside a `jumar run` of two chips."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "outcomes.json"
        inside = [
            sys.executable,
            __file__,
            "--inside",
            face,
            "--into",
            str(file),
            *(["--theme", theme] if theme else []),
        ]
        wanted = "none" if face == "transfer" else face
        command = [
            "jumar",
            "run",
            "--devices",
            "2",
            "--face",
            wanted,
            "--out",
            f"{directory}/report",
            "--",
            *inside,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if not file.is_file():
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        found: dict[str, dict[str, str]] = json.loads(file.read_text())
        return found


def inside(face: str, into: Path, theme: str | None) -> None:
    chosen = [one for one in idioms() if theme in (None, one.theme)]
    into.write_text(json.dumps(run(chosen, face, together=face == "cuda")))


def said(found: dict[str, str], answers: object) -> str:
    """One cell: ok, or what came instead."""
    if found["kind"] == "ok":
        return "ok"
    text = found["text"]
    for pattern, stand_in in VARYING:
        text = re.sub(pattern, stand_in, text)
    if found["kind"] == "wrong" and by_name(found, answers):
        return f"named npu: {code(text)}"
    if found["kind"] == "wrong":
        return f"**wrong:** {code(text)} instead of {code(repr(answers))}"
    return f"**{'exception' if found['kind'] == 'raised' else 'died'}:** {code(text)}"


def by_name(found: dict[str, str], answers: object) -> bool:
    """Whether the answer would be right if the device were called cuda."""
    if found["kind"] != "wrong":
        return False
    if answers == []:  # a list of what was made elsewhere, with the place
        return re.fullmatch(r"\[('\w+: npu:\d'(, )?)+\]", found["text"]) is not None
    return re.sub("npu", "cuda", found["text"], flags=re.IGNORECASE) == repr(answers)


def code(text: str) -> str:
    text = " ".join(text.split())
    text = text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`"


def page(theme: str | None) -> str:
    chosen = [one for one in idioms() if theme in (None, one.theme)]
    found = {face: outcomes(face, theme) for face in FACES}
    shown = [name for name in themes() if theme in (None, name)]
    parts = [head(len(chosen)), *totals(chosen, shown, found)]
    for name in shown:
        parts += [f"\n## {name}\n", "| construct | with transfer_to_npu | with jumar |\n|---|---|---|"]
        parts += [
            f"| {one.title.replace('|', '/')} | "
            + " | ".join(said(found[face][one.name], one.answers) for face in FACES) + " |"
            for one in chosen if one.theme == name
        ]  # fmt: skip
    return "\n".join(parts) + "\n"


def totals(chosen: list[Idiom], shown: list[str], found: dict[str, dict[str, dict[str, str]]]) -> list[str]:
    """How many are right, by theme."""
    columns = {
        "idioms": Counter(one.theme for one in chosen),
        "right with transfer_to_npu": right(chosen, found["transfer"]),
        "… but for the device's name": Counter(
            one.theme for one in chosen if by_name(found["transfer"][one.name], one.answers)
        ),
        "right with jumar": right(chosen, found["cuda"]),
    }
    lines = [f"| theme | {' | '.join(columns)} |", f"|---{'|---:' * len(columns)}|"]
    for name in shown:
        lines.append(
            f"| [{name}](#{name}) | {' | '.join(str(column[name]) for column in columns.values())} |"
        )
    return [*lines, f"| all | {' | '.join(str(column.total()) for column in columns.values())} |"]


def right(chosen: list[Idiom], found: dict[str, dict[str, str]]) -> Counter[str]:
    return Counter(one.theme for one in chosen if found[one.name]["kind"] == "ok")


HEAD = """\
<!-- Generated by tools/compare_faces.py from tests/cuda/idioms. Do not edit. -->
# Side by side: transfer_to_npu and jumar

{count} small things that CUDA programs do, each run twice on a virtual server of two 910B2: in a program that begins
with `import torch_npu; from torch_npu.contrib import transfer_to_npu`, and in the same program, not edited, under
`jumar run`. Where each is done in real programs stands beside it in `tests/cuda/idioms`.

“ok” is the answer that an A100 gives with torch 2.13+cu128; “named npu” is that answer but for the name of the device.
With transfer_to_npu each theme has a process of its own, with jumar they share one, but for those that ask for a
process; after a crash, or 120 s for one idiom, the rest goes on in another.

Written by `python tools/compare_faces.py` with torch {torch} and torch_npu {torch_npu} on Python {python}. It takes some
minutes, so CI does not repeat it; `--check` does.
"""


def head(count: int) -> str:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    torch = version("torch").partition("+")[0]
    return HEAD.format(count=count, torch=torch, torch_npu=version("torch_npu"), python=python)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--theme")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.inside:
        inside(chosen.inside, chosen.into, chosen.theme)
        return
    text = page(chosen.theme)
    if chosen.theme:
        print(text)
    elif not chosen.check:
        PAGE.write_text(text)
    elif not PAGE.is_file() or PAGE.read_text() != text:
        sys.exit(f"{PAGE.name} is out of date: run `python tools/{Path(__file__).name}` and commit the file")


if __name__ == "__main__":
    main()
