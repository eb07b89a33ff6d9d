"""What the scanner finds of what people changed, how often it is right, how fast: `python benchmarks/ports/run.py WHAT`.

`recall MIRRORS` replays commits.tsv and writes recall.tsv; with --peers it asks the other tools too, which is slow.
`effort MIRRORS` counts days on branches (evidence.tsv). `speed MIRRORS` scans the repositories of repositories.tsv and
writes speed.tsv. `page` writes the figures into docs/porting.md. MIRRORS is a folder of git mirrors.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent.parent / "src")]

import evidence  # noqa: E402
import page  # noqa: E402
import recall  # noqa: E402
import speed  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("recall", "effort", "speed", "page"))
    parser.add_argument("mirrors", nargs="?", type=Path, default=Path("mirrors"))
    parser.add_argument("--peers", action="store_true", help="ask the other tools too, minutes")
    chosen = parser.parse_args()
    if chosen.what == "recall":
        recall.write(chosen.mirrors, HERE / "recall.tsv", chosen.peers)
    elif chosen.what == "effort":
        evidence.write(chosen.mirrors, HERE / "evidence.tsv")
    elif chosen.what == "speed":
        speed.write(chosen.mirrors, HERE / "speed.tsv")
    page.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
