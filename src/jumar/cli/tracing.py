"""The trace of `jumar run`: what is asked for on the command line, and the stored run that is made of it in the end."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jumar.cli import heating
from jumar.cli.refusal import Refusal
from jumar.machine import server

RAW = "trace"  # in the run's folder, until it is collected
MEASURED = "measured"


@dataclass(frozen=True)
class Wish:
    """What the command line says about the trace."""

    events: int
    host: server.Host
    heat: server.Heat = field(default_factory=server.Heat)

    def facts(self) -> dict[str, Any]:
        """How the host's time is counted, for run.json."""
        mode = MEASURED if self.host.measured else "default" if self.host.call_s is None else "given"
        return {"mode": mode, "call_s": self.host.call_s, "factor": self.host.factor}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-trace", action="store_true", help="keep no trace: no times are predicted")
    parser.add_argument(
        "--trace-events",
        type=int,
        default=server.MOST_EVENTS,
        metavar="N",
        help="events that each process may keep (default: %(default)s, 64 bytes each)",
    )
    parser.add_argument(
        "--host",
        metavar="US|measured",
        help="host's time for a call in µs, or `measured`: as long as it takes here, `measured*0.5`: half as long "
        "(default: as known of the chip's hosts)",
    )
    heating.arguments(parser, default="air")


def wish(chosen: argparse.Namespace) -> Wish | None:
    """What is asked for; None: no trace. Refuses what cannot be."""
    if chosen.no_trace:
        if chosen.host:
            raise Refusal("--host: without a trace there is no clock for it; leave out --no-trace")
        if heating.asked(chosen):
            raise Refusal(
                "--inlet, --cooling: without a trace nothing is known of heat; leave out --no-trace"
            )
        return None
    if not 1 <= chosen.trace_events <= 2**32:
        raise Refusal(f"--trace-events {chosen.trace_events}: give a number from 1 to 2^32")
    heat = server.Heat(chosen.inlet, chosen.cooling or "")
    return Wish(chosen.trace_events, _host(chosen.host), heat)


def _host(text: str | None) -> server.Host:
    if text is None:
        return server.Host()
    mode, _, factor = text.partition("*")
    try:
        if mode == MEASURED:
            host = server.Host(measured=True, factor=float(factor or 1))
        else:
            host = server.Host(call_s=float(text) * 1e-6)
    except ValueError:
        host = server.Host(call_s=-1.0)
    if not (0 <= (host.call_s or 0) < 1 and 0 < host.factor < 1000):
        raise Refusal(f"--host {text}: give µs for a call, `measured`, or `measured*FACTOR`")
    return host


def begin(wanted: Wish | None, folder: Path, profile: str) -> server.Tracing | None:
    """Makes the place for the raw trace; None, with a line that says so, if it cannot be made."""
    if wanted is None:
        return None
    raw = folder / RAW
    try:
        shutil.rmtree(raw, ignore_errors=True)
        raw.mkdir(parents=True)
    except OSError as error:
        print(f"jumar: no trace is kept: {raw}: {error.strerror}", file=sys.stderr, flush=True)
        return None
    return server.Tracing(raw, profile, wanted.events, wanted.host, wanted.heat)


def forget(kept: server.Tracing | None, folder: Path) -> None:
    """Takes back what `begin` made: the program was never started."""
    if kept is not None:
        shutil.rmtree(kept.folder, ignore_errors=True)
        with suppress(OSError):  # there is something else in it
            folder.rmdir()


def keep(raw: Path, folder: Path, facts: Mapping[str, Any]) -> bool:
    """Makes the stored run in the folder and drops the raw trace; whether any process left one."""
    try:
        if not any(raw.glob("events-*.bin")):
            return False
        from jumar.runs import collecting, directory

        directory.write(folder, collecting.collect(raw, facts))
    except OSError as error:
        print(f"jumar: the trace is not kept: {error.strerror}: {folder}", file=sys.stderr, flush=True)
        return False
    finally:
        shutil.rmtree(raw, ignore_errors=True)
    return True


def run_facts(facts: Mapping[str, Any], folder: Path, profile: str, wanted: Wish) -> dict[str, Any]:
    """What run.json says, of the facts of the summary."""
    same = ("jumar", "when", "command", "exit_code", "signal", "wall_s", "devices", "steps", "losses")
    return {
        "id": folder.name,
        **{name: facts[name] for name in same},
        "chip": facts["chip"]["name"],
        "profile": profile,
        "dry": facts["mode"] == "dry",
        "host": wanted.facts(),
        "heat": heating.said(wanted.heat.cooling, wanted.heat.inlet_c),
        "compiled": any(
            name == "torch.compile" for _, name, _, _ in (facts.get("cuda") or {}).get("rows", ())
        ),
    }
