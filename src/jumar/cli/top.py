"""`jumar top`: the chips of a server in the terminal, again and again; keys make faults and take them back."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import select
import sys
import termios
import tty
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jumar import attachment, inventory
from jumar.cli import events, servers
from jumar.cli.refusal import Refusal

if TYPE_CHECKING:
    from jumar.report.monitoring.screen import State

PAUSE_S = 1.0
LATEST = 6  # events on the screen
PIPE_WIDTH = 160  # where there is no terminal to ask
# Keys and the kinds of `jumar inject` that they stand for.
KINDS = {
    "o": "overheat",
    "l": "lost",
    "e": "hbm_ecc",
    "u": "uce",
    "s": "slow",
    "d": "link_down",
    "x": "corrupt",
}
CLEAR, QUIT, UP, DOWN = "c", "q", ("k", "\x1b[A"), ("j", "\x1b[B")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server", metavar="NAME", help="name or directory of the server (default: the only one)"
    )
    parser.add_argument("--once", action="store_true", help="print the chips once, as text, and end")
    parser.add_argument(
        "--every",
        type=float,
        default=PAUSE_S,
        metavar="S",
        help=f"seconds between looks (default: {PAUSE_S:g})",
    )


def execute(chosen: argparse.Namespace) -> int:
    from rich.console import Console

    from jumar.report.monitoring import screen

    if chosen.every <= 0:
        raise Refusal(f"--every {chosen.every:g}: give seconds above 0")
    attachment.introduce_chips()
    directory = servers.find(chosen.server)
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    if chosen.once:
        try:
            console.print(screen.draw(look(directory)))
        except inventory.NoChips as error:
            raise Refusal(str(error)) from error
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal("there is no terminal to draw on; --once prints the chips as text")
    return follow(directory, chosen.every, console)


def look(directory: Path, chosen: int | None = None, note: str = "") -> State:
    """One moment of that server."""
    from jumar.report.monitoring import readings, screen

    chips = readings.of_chips(inventory.of_server(directory))
    keys = (
        [*KINDS.items(), (CLEAR, "well again"), ("↑ ↓", "chip"), (QUIT, "quit")] if chosen is not None else []
    )
    return screen.State(servers.name(directory), chips, latest(directory), chosen, note, keys)


def latest(directory: Path) -> list[dict[str, Any]]:
    """The newest health events, as they were written; a line that is no JSON is left out."""
    found: deque[dict[str, Any]] = deque(maxlen=LATEST)
    for line in events.lines(directory / events.FILE, follow=False):
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return list(found)


def follow(directory: Path, pause_s: float, console: Any) -> int:
    """Until `q`, or until the server is gone."""
    from rich.live import Live

    from jumar.report.monitoring import screen

    chosen, note, why = 0, "", "it has ended"
    with keys() as pressed, Live(console=console, screen=True, auto_refresh=False) as live:
        while servers.lives(directory):
            try:
                state = look(directory, chosen, note)
            except inventory.NoChips as error:  # it has just ended, or is another version's
                why = str(error)
                break
            live.update(screen.draw(state), refresh=True)
            key = pressed(pause_s)
            if key == QUIT:
                return 0
            chosen, note = press(key, chosen, len(state.chips), directory, note)
    console.print(f"jumar: nothing more to see of the server {servers.name(directory)}: {why}")
    return 0


def press(key: str, chosen: int, chips: int, directory: Path, note: str) -> tuple[int, str]:
    """The chip that is chosen then, and what to say of the key."""
    if key in UP or key in DOWN:
        return (chosen + (1 if key in DOWN else -1)) % chips, note
    if key == CLEAR:
        return chosen, command("inject", "--clear", "--chip", str(chosen), "--server", str(directory))
    if key in KINDS:
        return chosen, command("inject", KINDS[key], "--chip", str(chosen), "--server", str(directory))
    return chosen, note


def command(*words: str) -> str:
    """What `jumar` with these words says, in one line."""
    from jumar.cli.main import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = main(words)
    return " ".join(said.getvalue().split()) or ("done" if code == 0 else f"ended with {code}")


@contextlib.contextmanager
def keys() -> Iterator[Any]:
    """Gives a function that waits so many seconds for a key and returns it, "" if none came; no Enter is needed."""
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def pressed(within_s: float) -> str:
        ready, _, _ = select.select([terminal], [], [], within_s)
        return os.read(terminal, 8).decode(errors="replace") if ready else ""

    try:
        tty.setcbreak(terminal)
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
