"""Runs idioms in a process of its own: `python -m idioms.worker FILE NAME…` adds a line of JSON before and after each.

`IDIOMS_FACE=transfer` makes it begin as a program ported with the vendor's transfer_to_npu does.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

from idioms import Idiom, idioms

if os.environ.get("IDIOMS_FACE") == "transfer":  # also in children that the multiprocessing module spawns
    import torch  # noqa: F401
    import torch_npu  # noqa: F401
    from torch_npu.contrib import transfer_to_npu  # noqa: F401

LIMIT_S = float(os.environ.get("IDIOMS_LIMIT_S", 60))


def outcome(one: Idiom) -> dict[str, object]:
    """ok; wrong, with what came instead; or raised, with the first line of the error."""
    started = time.monotonic()
    try:
        answer = one.body()
    except BaseException as error:  # noqa: BLE001  an idiom that asks to exit has failed as well
        lines = str(error).strip().splitlines() or [""]
        frame = traceback.extract_tb(error.__traceback__)[-1]
        kind, text = "raised", f"{type(error).__name__}: {lines[0]}"
        where = f"{frame.filename}:{frame.lineno}"
    else:
        kind, text, where = ("ok", "", "") if answer == one.answers else ("wrong", repr(answer), "")
    return {
        "name": one.name,
        "kind": kind,
        "text": text,
        "where": where,
        "seconds": time.monotonic() - started,
    }


def main(file: str, names: list[str]) -> None:
    warnings.simplefilter("ignore")
    known = {one.name: one for one in idioms()}
    with Path(f"{file}.{os.environ.get('RANK', 0)}").open("a") as lines:
        for name in names:
            faulthandler.dump_traceback_later(LIMIT_S, exit=True)
            print(json.dumps({"begins": name}), file=lines, flush=True)
            print(json.dumps(outcome(known[name])), file=lines, flush=True)
        faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
    if "torch.distributed" in sys.modules and sys.modules["torch.distributed"].is_initialized():
        sys.modules["torch.distributed"].destroy_process_group()
