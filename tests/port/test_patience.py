"""One file has a limit of time; what stood before it is as it was afterwards."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from jumar.port import patience, scanning
from jumar.port.document import Document
from jumar.port.finding import Finding, Trouble
from jumar.port.repository import Repository


def test_a_block_in_time_is_left_alone() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with patience.within(5):
        pass
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_a_block_that_goes_on_is_ended() -> None:
    begun = time.monotonic()
    with pytest.raises(patience.TooLong), patience.within(1):
        while time.monotonic() - begun < 30:
            pass
    assert time.monotonic() - begun < 20


def test_beside_other_threads_it_waits() -> None:
    done: list[bool] = []

    def work() -> None:
        with patience.within(1):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


def test_the_file_is_named_and_the_others_are_read(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("import torch\ntorch.cuda.synchronize()\n", encoding="utf-8")
    check = scanning.check

    def slow(document: Document, codes: frozenset[str] | None = None) -> tuple[list[Finding], list[Trouble]]:
        if document.path == "a.py":
            raise patience.TooLong
        return check(document, codes)

    monkeypatch.setattr(scanning, "check", slow)
    found = scanning.scan(Repository.at(tmp_path), jobs=1)
    assert {one.path for one in found.findings} == {"b.py"}
    assert [(one.path, "longer than" in one.reason) for one in found.troubles] == [("a.py", True)]
