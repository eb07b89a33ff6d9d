"""How a program of the shelf says what a step of it handles, so that nothing has to be guessed from shapes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from jumar import environment


def handles(per_step: int, word: str, bubble: float = 0.0) -> None:
    """Tokens or samples of a step, all ranks together. `bubble`: the share of a pipeline stage's work for which it waits for
    the other stages, which are not there to be waited for."""
    folder = os.environ.get(environment.RECORDS)
    if not folder:
        return
    facts = {"per_step": per_step, "word": word, "source": "as the program says", "bubble": bubble}
    path = Path(folder) / f"items-{os.getpid()}.json"
    path.with_suffix(".part").write_text(json.dumps(facts), encoding="utf-8")
    path.with_suffix(".part").replace(path)
