"""Options of nvidia-smi, its exit codes, and which page answers them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from jumar import attachment
from jumar.cli.nvidia_smi import pages, queries
from jumar.cuda import driver
from jumar.cuda.driver import Gpu

INVALID, NO_PERMISSION, NOT_FOUND, NO_DRIVER, LOST = 2, 4, 6, 9, 15
NO_DRIVER_TEXT = (
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. "
    "Make sure that the latest NVIDIA driver is installed and running.\n"
)
COMBINATION = "Invalid combination of input arguments. Please run 'nvidia-smi -h' for help.\n"
# Options with a value, and what they set.
VALUES = {
    "-i": "id", "--id": "id", "-f": "file", "--filename": "file", "-l": "loop_s", "--loop": "loop_s",
    "-lms": "loop_ms", "--loop-ms": "loop_ms", "-d": "display", "--display": "display", "--format": "format",
    "-c": "count", "--count": "count",
    "--query-gpu": "gpu_fields", "--query-compute-apps": "app_fields",
}  # fmt: skip
# Options without one, and the page that they choose. -l may stand without its value: every 5 seconds.
PAGES = {"-L": "list", "--list-gpus": "list", "-q": "query", "--query": "query", "-h": "help", "--help": "help",
         "--version": "version", "-B": "bus", "--list-excluded-gpus": "excluded"}  # fmt: skip
# Settings of a GPU, which only its owner may change.
SETTINGS = {
    "-pm": "persistence mode", "--persistence-mode": "persistence mode", "-e": "ECC mode", "--ecc-config": "ECC mode",
    "-pl": "power management limit", "--power-limit": "power management limit",
    "-lgc": "GPU clocks", "--lock-gpu-clocks": "GPU clocks", "-rgc": "GPU clocks", "-ac": "applications clocks",
    "-mig": "MIG mode", "--multi-instance-gpu": "MIG mode", "-r": "reset", "--gpu-reset": "reset",
    "--compute-mode": "compute mode",
}  # fmt: skip


class Refused(Exception):
    """Ends the command: a text on standard output, as nvidia-smi does it, and an exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


@dataclass
class Wanted:
    """What the command line asks for."""

    page: str = ""
    format: str = ""
    id: str = ""
    file: str = ""
    loop_s: str = ""
    loop_ms: str = ""
    count: str = ""
    display: str = ""
    gpu_fields: str = ""
    app_fields: str = ""
    xml: bool = False
    rest: list[str] = field(default_factory=list)

    @property
    def pause_s(self) -> float | None:
        try:
            return float(self.loop_s) if self.loop_s else float(self.loop_ms) / 1000 if self.loop_ms else None
        except ValueError:
            raise Refused(
                f"Invalid value {self.loop_s or self.loop_ms} for the loop interval\n", INVALID
            ) from None


def main(arguments: list[str]) -> int:
    attachment.introduce_chips()
    try:
        return run(parse(arguments))
    except Refused as refused:
        print(refused, end="")
        return refused.code
    except driver.NoChips as error:
        print(NO_DRIVER_TEXT)
        print(f"jumar: {error}", file=sys.stderr)
        return NO_DRIVER
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def parse(arguments: list[str]) -> Wanted:
    wanted = Wanted()
    left = list(arguments)
    if left and left[0] in ("topo", "dmon", "pmon", "nvlink"):
        wanted.page, wanted.rest = (
            left.pop(0),
            [one for one in arguments[1:] if one in ("-m", "--matrix", "-s", "--status")],
        )
        left = [one for one in left if one not in wanted.rest]
    while left:
        option, equals, value = left.pop(0).partition("=")
        if option in SETTINGS and wanted.page != "dmon":
            raise Refused(_not_permitted(SETTINGS[option]), NO_PERMISSION)
        if option in VALUES:
            if not equals:
                value = left.pop(0) if left and not left[0].startswith("-") else ""
            if not value and VALUES[option] == "loop_s":
                value = "5"
            if not value:
                raise Refused(f"Option {option} requires an argument.\n{COMBINATION}", INVALID)
            setattr(wanted, VALUES[option], value)
        elif option in PAGES and not equals:
            wanted.page = PAGES[option]
        elif option in ("-x", "--xml-format", "-u", "--unit"):
            wanted.xml = wanted.xml or option in ("-x", "--xml-format")
        else:
            raise Refused(f"Invalid combination of input arguments. Option {option} is not recognized. "
                          "Please run 'nvidia-smi -h' for help.\n", INVALID)  # fmt: skip
    return wanted


def _not_permitted(setting: str) -> str:
    lines = [
        f"Unable to set {setting} for GPU {one.bus_id}: Insufficient Permissions" for one in driver.gpus()[:1]
    ]
    return "\n".join([*lines, "Terminating early due to previous errors.", ""])


def run(wanted: Wanted) -> int:
    if wanted.page in ("help", "version", "excluded"):
        texts = {"help": pages.help_page, "version": pages.version, "excluded": pages.excluded}
        print(texts[wanted.page](), end="")
        return 0
    page = _page(wanted)
    with ExitStack() as stack:
        out = stack.enter_context(Path(wanted.file).open("w")) if wanted.file else sys.stdout
        rounds = 0
        while True:
            print(page(_chosen(wanted.id), rounds == 0), end="", file=out, flush=True)
            rounds += 1
            pause = 1.0 if wanted.page in ("dmon", "pmon") else wanted.pause_s
            if pause is None or (wanted.count and rounds >= int(wanted.count)):
                return 0
            time.sleep(pause)


Page = Callable[[list[Gpu], bool], str]


def _page(wanted: Wanted) -> Page:
    """What prints one round; the flag is true for the first."""
    if wanted.gpu_fields or wanted.app_fields:
        kinds = [part.strip() for part in wanted.format.split(",")]
        if "csv" not in kinds or set(kinds) - {"csv", "noheader", "nounits"}:
            raise Refused('"--format=" switch is missing or invalid. Use --format=csv.\n', INVALID)
        header, units = "noheader" not in kinds, "nounits" not in kinds
        table = queries.GPU if wanted.gpu_fields else queries.APPS
        try:
            columns = queries.columns(table, wanted.gpu_fields or wanted.app_fields)
        except queries.UnknownField as error:
            raise Refused(f'Field "{error}" is not a valid field to query.\n\n', INVALID) from error
        rows = queries.gpu_rows if wanted.gpu_fields else queries.app_rows
        return lambda gpus, first: queries.csv(columns, rows(gpus), header and first, units)
    if wanted.page == "query":
        sections = [part.strip().upper() for part in wanted.display.split(",") if part.strip()]
        return lambda gpus, first: pages.query(gpus, sections, wanted.xml)
    return {
        "list": lambda gpus, first: pages.listing(gpus),
        "bus": lambda gpus, first: pages.buses(gpus),
        "topo": lambda gpus, first: pages.topology(gpus),
        "dmon": pages.device_monitor,
        "pmon": pages.process_monitor,
        "nvlink": lambda gpus, first: "",
        "": lambda gpus, first: pages.summary(gpus),
    }[wanted.page]


def _chosen(names: str) -> list[Gpu]:
    """Those that were named, or all. One that is lost ends the command, as it does there."""
    found = _named(names)
    if lost := [one for one in found if one.is_lost]:
        raise Refused(f"Unable to determine the device handle for GPU {lost[0].bus_id}: GPU is lost. "
                      "Reboot the system to recover this GPU\n", LOST)  # fmt: skip
    return found


def _named(names: str) -> list[Gpu]:
    gpus = driver.gpus()
    if not names:
        return gpus
    found = []
    for name in names.split(","):
        one = next((gpu for gpu in gpus if gpu.is_named(name.strip())), None)
        if one is None:
            raise Refused("No devices were found\n", NOT_FOUND)
        found.append(one)
    return found
