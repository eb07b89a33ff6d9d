"""What `jumar run` and `jumar env` share: checks before a server is made, and its directory."""

from __future__ import annotations

import argparse
import importlib.metadata
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jumar import attachment, chips, environment
from jumar.cli import commands, servers
from jumar.cli.refusal import Refusal
from jumar.cudamap import personas
from jumar.machine import faults, libraries, server

TORCH = "torch"
ADAPTER = "torch-npu"
PAIR = "2.13.0"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What a server is asked for, on the command line."""
    parser.add_argument(
        "--chip",
        type=_presentable,
        default="910B2",
        help="which chip, or the file of one; see `jumar chips` (default: 910B2)",
    )
    parser.add_argument(
        "--devices", type=int, default=1, metavar="N", help="how many of them, 1 to 64 (default: 1)"
    )
    parser.add_argument(
        "--dry",
        action="store_true",
        help="compute small tensors only; large ones take neither time nor memory",
    )
    parser.add_argument(
        "--ranks", type=int, default=0, metavar="N", help="dry runs: one rank of N, the others imagined"
    )
    parser.add_argument("--rank", type=int, default=0, metavar="R", help="which of them (default: 0)")
    parser.add_argument(
        "--name", help="what other commands call the server by (default: letters drawn at random)"
    )
    parser.add_argument("--seed", type=int, metavar="S", help="seed random, numpy and torch with it")
    parser.add_argument(
        "--face",
        choices=environment.FACES,
        default="cuda",
        help="what a CUDA program sees: CUDA devices (default), the vendor's transfer_to_npu, or nothing",
    )
    parser.add_argument("--as", dest="persona", metavar="GPU", help="the GPU it believes in (default: A100)")
    parser.add_argument(
        "--float64",
        choices=environment.FLOAT64_POLICIES,
        help="double precision: as on the chip (default), an error, on the CPU, or as float32",
    )


def _presentable(name: str) -> str:
    """The name as it is, if a program can see that chip."""
    try:
        chips.presented(chips.find(name))
        return name
    except (chips.UnknownChip, chips.BadProfile) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@dataclass(frozen=True)
class Plan:
    """The server that was asked for, checked."""

    chip: chips.Chip | None  # None: this machine's own
    devices: int
    dry: bool
    wishes: environment.Wishes
    profile: str = ""  # name or file of the chip whose numbers hold
    name: str = ""  # of the server; empty: any
    more: tuple[str, ...] = ()  # options that others than the server ask for, as they make the same run again

    def environment(self, directory: Path) -> dict[str, str | None]:
        """What to change in a program's environment."""
        change = environment.for_server if self.chip else environment.for_real
        return change(directory, self.wishes)

    def title(self) -> str:
        if self.chip is None:
            return "this machine's own chips"
        size = self.chip.number("memory.size", "B") / 2**30
        work = "dry: only small tensors are computed" if self.dry else "full arithmetic"
        rank = f", rank {self.wishes.rank} of {self.wishes.ranks}" if self.wishes.ranks else ""
        return f"{self.devices} × {self.chip.name} with {size:.0f} GiB ({work}{rank})"


def plan(chosen: argparse.Namespace) -> Plan:
    """Refuses what cannot be: each refusal says what to do instead."""
    devices, seed = chosen.devices, chosen.seed
    _check_ranks(chosen)
    wishes = environment.Wishes(chosen.face, seed, chosen.persona, chosen.float64, chosen.ranks, chosen.rank)
    if chosen.persona is not None:
        try:
            personas.find(chosen.persona)
        except personas.UnknownPersona as error:
            raise Refusal(f"--as: {error}") from error
    if getattr(chosen, "real", False):
        return _real_plan(chosen, wishes)
    try:
        found = chips.presented(chips.find(chosen.chip))
    except chips.UnknownChip as error:
        raise Refusal(str(error)) from error
    if not 1 <= devices <= server.MOST_CHIPS:
        raise Refusal(
            f"--devices {devices}: a server has 1 to {server.MOST_CHIPS} chips; give a number in that range"
        )
    if seed is not None and not 0 <= seed < 2**63:
        raise Refusal(f"--seed {seed}: give a whole number from 0 to 2^63 - 1")
    check_packages()
    if libraries.directory() is None:
        raise Refusal(f"the native core is not installed: {libraries.REMEDY}")
    return Plan(found, devices, chosen.dry, wishes, _profile(chosen.chip), _name(chosen.name))


def _name(name: str | None) -> str:
    if name is not None and not NAME.fullmatch(name):
        raise Refusal(f"--name {name!r}: give up to 40 letters, digits, dots, dashes and underscores")
    return name or ""


def _check_ranks(chosen: argparse.Namespace) -> None:
    """Of a job of many ranks one can be tried, if nothing is computed of what the others would have sent."""
    if chosen.ranks == 0 and chosen.rank == 0:
        return
    if not 2 <= chosen.ranks <= server.MOST_CHIPS:
        raise Refusal(f"--ranks {chosen.ranks}: give a number from 2 to {server.MOST_CHIPS}")
    if not 0 <= chosen.rank < chosen.ranks:
        raise Refusal(f"--rank {chosen.rank}: give one of 0 to {chosen.ranks - 1}")
    if not chosen.dry or getattr(chosen, "real", False):
        raise Refusal("--ranks: ranks can be imagined in a dry run only; add --dry")
    if chosen.devices != 1:
        raise Refusal(
            f"--ranks {chosen.ranks} --devices {chosen.devices}: one rank has one chip; leave out --devices"
        )


def _profile(name: str) -> str:
    """As another process, with another current directory, finds it."""
    return str(Path(name).resolve()) if name.endswith(".toml") else chips.find(name).name


def _real_plan(chosen: argparse.Namespace, wishes: environment.Wishes) -> Plan:
    if not attachment.cann_present():
        raise Refusal("--real: no CANN found on this machine; source its set_env.sh, or run without --real")
    if chosen.dry:
        raise Refusal("--real --dry: a real chip always computes; leave one of them out")
    check_packages()
    return Plan(None, 0, False, wishes)


def version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_packages() -> None:
    """torch and torch_npu are there and fit each other."""
    torch, adapter = version(TORCH), version(ADAPTER)
    install = f"`pip install torch=={PAIR} torch-npu=={PAIR}`"
    for name, found in ((TORCH, torch), (ADAPTER, adapter)):
        if found is None:
            raise Refusal(f"{name} is not installed: {install}")
    if not fits(torch, adapter):
        raise Refusal(
            f"torch {torch} and torch_npu {adapter} do not fit, jumar needs {PAIR} of both: {install}"
        )


def fits(torch: str | None, adapter: str | None) -> bool:
    """Whether both are the version that jumar serves; a build tag ("+cpu") or post-release may follow it."""
    return all(found is not None and base(found) == PAIR for found in (torch, adapter))


def base(found: str) -> str:
    return found.split("+")[0].split(".post")[0]


def make_server(
    plan: Plan, tracing: server.Tracing | None = None, armed: Sequence[faults.Injection] = ()
) -> Path:
    """Makes the server, with those faults waiting, in a fresh directory under the runtime directory, and returns that."""
    directory = _make_directory(plan.name)
    commands.install(directory)
    if plan.chip is None:
        return directory  # for what the program's processes leave
    try:
        imagined = plan.wishes.ranks > 0
        wanted = server.settings(plan.chip, plan.devices, plan.dry, plan.wishes.seed, tracing, imagined)
        server.create(directory, wanted)
        faults.inject(directory, armed)
    except (server.ServerError, faults.InjectionError, ImportError) as error:
        remove_server(directory)
        raise Refusal(f"the server cannot be made: {error}") from error
    return directory


def _make_directory(name: str) -> Path:
    if not name:
        return Path(tempfile.mkdtemp(prefix=servers.PREFIX, dir=servers.parent()))
    directory = servers.parent() / f"{servers.PREFIX}{name}"
    if servers.abandoned(directory):
        remove_server(directory)
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError as error:
        raise Refusal(f"--name {name}: a server of that name lives at {directory}; choose another") from error
    return directory


def remove_server(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
