"""The command `msprof` as the vendor's profiler calls it after a profile: it writes what the analysis in torch_npu reads."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from jumar import chips, environment

DESCRIPTION = "Writes the files of a profile of virtual chips that torch_npu's own analysis goes on with."
REFUSED = (
    "msprof: no profile that jumar made: {folder}; it is called by torch_npu.profiler, on its own folders"
)


def main(arguments: list[str]) -> int:
    chosen, unknown = _parser().parse_known_args(arguments)
    if chosen.export != "on" or chosen.type == "db":
        # An analysis of its own, or a database: neither is made, and whoever asked goes on without.
        said = " ".join(unknown) or f"--type={chosen.type}"
        print(f"msprof of jumar: nothing to do for {said}", file=sys.stderr)
        return 0 if chosen.export != "on" else 1
    return export(Path(chosen.output))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="msprof", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--export", metavar="on", default="off", help="write tables and the timeline")
    parser.add_argument("--output", metavar="DIR", default=".", help="the profile's folder, PROF_…")
    parser.add_argument("--type", metavar="text", default="text", help="only text")
    return parser


def export(folder: Path) -> int:
    from jumar.report import vendor_profile
    from jumar.runs import profiled

    try:
        ran = profiled.read(folder)
        vendor_profile.write(ran, folder, _blocks(), time.strftime("%Y%m%d%H%M%S"))
    except (profiled.BadProfile, OSError) as error:
        print(f"{REFUSED.format(folder=folder)} ({error})", file=sys.stderr)
        return 1
    return 0


def _blocks() -> int:
    """Over how many cores an operator is spread: all that the chip has."""
    from jumar.machine import server

    try:
        told = server.report(Path(os.environ.get(environment.SERVER, "")))
        return chips.find(str(told["soc_name"])).matrix_cores()
    except (server.ServerError, ImportError, KeyError, chips.UnknownChip):
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
