"""`jumar top` and `jumar events` about a made-up server: text, keys in a terminal of their own, and following a file."""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jumar.cli import events, top
from jumar.cli.refusal import Refusal

EVENT = {"time": "2026-01-02T03:04:05", "virtual_s": 1.25, "chip": 0, "event": "fault", "code": "80E01801",
         "kind": "hbm_ecc", "level": "RestartBusiness", "health": "Alarm", "text": "two bits at once"}  # fmt: skip
# A process that shows the report of the test, whose path is its first argument.
PROGRAM = textwrap.dedent(
    """
    import json, sys
    from jumar import attachment, inventory
    from jumar.cli import top
    attachment.introduce_chips = lambda: inventory.introduce(lambda where: json.load(open(sys.argv[1])))
    import argparse
    parser = argparse.ArgumentParser()
    top.arguments(parser)
    top.command = lambda *words: "ran " + " ".join(words[:4])
    sys.exit(top.execute(parser.parse_args(sys.argv[2:])))
    """
)


def show(told: dict[str, Any], directory: Path) -> list[str]:
    (directory / "report.json").write_text(json.dumps(told))
    (directory / "state").touch()
    return [sys.executable, "-c", PROGRAM, str(directory / "report.json"), "--server", str(directory)]


def test_once_is_text_without_colours(told: dict[str, Any], tmp_path: Path) -> None:
    command = show(told, tmp_path)
    (tmp_path / events.FILE).write_text(json.dumps(EVENT) + "\nno JSON\n")
    done = subprocess.run([*command, "--once"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    title, _, hot, lost, resting = done.stdout.splitlines()[:5]
    assert "3 × 910B2" in title and "2 not well" in title and "287 W" in title
    for word in ("Alarm", "96 °C", "88 °C", "287 W", "1350 MHz ↓", "61 %", "3.0 of 64 GiB", "80E01801"):
        assert word in hot
    assert "Critical" in lost and "lost, link down" in lost and "°C" not in lost
    assert "OK" in resting and "1800 MHz" in resting
    assert "two bits at once" in done.stdout and "no JSON" not in done.stdout


def test_keys_choose_a_chip_and_make_faults(told: dict[str, Any], tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*show(told, tmp_path), "--every", "0.2"], stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"})  # fmt: skip
    os.close(theirs)
    try:
        seen = until(ours, "[q] quit")
        assert ">0" in seen
        os.write(ours, b"j")
        until(ours, ">1")
        os.write(ours, b"l")
        assert "ran inject lost --chip 1" in until(ours, "--chip 1")
        os.write(ours, b"q")
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def until(terminal: int, wanted: str) -> str:
    """What the screen was sent, up to those letters."""
    seen, end = "", time.monotonic() + 60
    while wanted not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    assert wanted in seen, seen
    return seen


def test_keys_are_kinds_of_faults() -> None:
    from jumar.machine import faults

    assert set(top.KINDS.values()) <= set(faults.kinds())


def test_without_a_terminal_there_is_text(told: dict[str, Any], tmp_path: Path) -> None:
    done = subprocess.run(show(told, tmp_path), capture_output=True, stdin=subprocess.DEVNULL, text=True, timeout=60,
                          check=False)  # fmt: skip
    assert done.returncode != 0 and "--once" in done.stderr


def chosen(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    events.arguments(parser)
    return parser.parse_args(words)


def test_events_of_a_server_and_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "state").touch()
    assert events.execute(chosen("--server", str(tmp_path))) == 0
    assert capsys.readouterr().out == ""
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(Refusal, match="nothing befell"):
        events.execute(chosen("--server", str(run)))
    (run / events.FILE).write_text(json.dumps(EVENT) + "\n")
    assert events.execute(chosen("--server", str(run))) == 0
    assert json.loads(capsys.readouterr().out) == EVENT


def test_following_prints_whole_lines_until_the_server_ends(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.mkdir()
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(events.lines(server / events.FILE, follow=True)))
    thread.start()
    with (server / events.FILE).open("w") as file:
        for part in ('{"a": 1}\n{"b"', ": 2}\n"):
            file.write(part)
            file.flush()
            time.sleep(2 * events.PAUSE_S)
    (server / events.FILE).unlink()
    server.rmdir()
    thread.join(timeout=20)
    assert not thread.is_alive() and found == ['{"a": 1}\n', '{"b": 2}\n']


def test_a_server_that_ends_ends_the_view(told: dict[str, Any], tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*show(told, tmp_path), "--every", "0.2"], stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"})  # fmt: skip
    os.close(theirs)
    try:
        until(ours, "[q] quit")
        (tmp_path / "state").unlink()
        until(ours, "it has ended")
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
