"""Options of npu-smi, its messages, and which page answers them."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jumar import attachment, environment, inventory
from jumar.cli import servers
from jumar.cli.npu_smi import details, summary, watch
from jumar.cli.refusal import Refusal
from jumar.report.monitoring import boards, readings
from jumar.report.monitoring.readings import Reading

WRONG, NO_DRIVER = 1, 1  # exit codes; no document gives the vendor's
NO_DRIVER_TEXT = "dcmi module initialize failed. ret is -8005"
VALUES = {"-i": "card", "-c": "chip", "-p": "physical", "-t": "type", "-s": "letters", "-d": "pause"}
# Types that the vendor's tool has and nothing here follows.
NOT_FOLLOWED = ("flash", "sensors", "volt", "mac-addr", "ip", "sys-time", "work-mode", "p2p-enable", "license",
                "device-share", "nve-level", "aicpu-config", "pcie-err", "mcu-monitor", "err-count", "boot-area",
                "vnpu-mode", "info-vnpu", "vnpu-svm", "cpu-num-cfg", "template-info", "pwm-mode")  # fmt: skip
OTHER_COMMANDS = ("set", "upgrade", "clear", "run")
HELP = """\
Usage: npu-smi {info|-h|-v} [Options...]

Answered by jumar for the chips of its virtual server, in the vendor's layout.

Commands:
       info           Show the chips: `npu-smi info -h` says more
       -v             Show the version
       -h, --help     Show this text
"""
TYPES = textwrap.fill(", ".join(sorted([*details.PAGES, "topo", "phyid-remap"])), 70).replace(
    "\n", "\n" + " " * 30
)
INFO_HELP = f"""\
Usage: npu-smi info <watch|-h|-m|-l|-t type> [Options...]

Commands:
       watch          Print a line for each chip, again and again: `npu-smi info watch -h`
       -h, --help     Show this text
       -m             Which chip of which card has which number
       -l             The cards
       -t type        One of: {TYPES}

Options:
       -i %d          Card ID
       -c %d          Chip ID
       -p %d          Chip Physical ID
"""
WATCH_HELP = f"""\
Usage: npu-smi info watch [Options...]

Options:
       -i %d          Card ID
       -c %d          Chip ID
       -d %d          Seconds between lines (default 1)
       -s %s          What to show, of {watch.LETTERS}: p - power, t - temperature, a - AI Core Usage, i - AI Cpu Usage,
                      c - Ctrl Cpu Usage, m - Memory Usage, b - Memory Bandwidth Usage, u - AI Cube Usage
"""


class Refused(Exception):
    """Ends the command with a text on standard output, as npu-smi does it."""


@dataclass
class Wanted:
    """What stands after `info`."""

    page: str = ""  # "-l", "-m", "-t", "watch", "help", "" for the table
    card: str = ""
    chip: str = ""
    physical: str = ""
    type: str = ""
    letters: str = watch.USUAL
    pause: str = "1"


def main(arguments: list[str]) -> int:
    attachment.introduce_chips()
    try:
        print(answer(arguments), end="")
        return 0
    except Refused as refused:
        print(refused)
        return WRONG
    except (inventory.NoChips, Refusal) as error:
        print(NO_DRIVER_TEXT)
        print(f"jumar: {error}", file=sys.stderr)
        return NO_DRIVER
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def answer(arguments: list[str]) -> str:
    """The text to a command line; that of `watch` is printed as it comes."""
    if not arguments or arguments[0] in ("-h", "--help"):
        return HELP
    if arguments[0] == "-v":
        return f"npu-smi version: {boards.driver().version}\n"
    if arguments[0] in OTHER_COMMANDS:
        raise Refused(
            f"npu-smi {arguments[0]}: jumar's chips have no such settings; `jumar inject` changes their state"
        )
    if arguments[0] != "info":
        raise Refused(f"Error parameter of {arguments[0]}\n{HELP.rstrip()}")
    wanted = parse(arguments[1:])
    if wanted.page == "help":
        return INFO_HELP
    if wanted.page == "watch help":
        return WATCH_HELP
    chips = read()
    pages: dict[str, Callable[[], str]] = {
        "": lambda: summary.info(chips),
        "-l": lambda: summary.listing(chips),
        "-m": lambda: summary.mapping(chips),
        "-t": lambda: of_type(wanted, chips),
        "watch": lambda: follow(wanted, chips),
    }
    return pages[wanted.page]()


def parse(arguments: list[str]) -> Wanted:
    wanted = Wanted()
    left = list(arguments)
    while left:
        option = left.pop(0)
        if option in VALUES:
            if not left:
                raise _wrong(option, wanted)
            setattr(wanted, VALUES[option], left.pop(0))
            wanted.page = "-t" if option == "-t" else wanted.page
        elif option in ("-l", "-m", "watch") and not wanted.page:
            wanted.page = option
        elif option == "proc" and not wanted.page:
            raise Refused("This device does not support querying proc.")
        elif option in ("-h", "--help"):
            wanted.page = "watch help" if wanted.page == "watch" else "help"
        else:
            raise _wrong(option, wanted)
    if not wanted.page and (wanted.card or wanted.chip or wanted.physical):
        raise _wrong("-i", wanted)  # a card alone is no question
    return wanted


def _wrong(option: str, wanted: Wanted) -> Refused:
    usage = WATCH_HELP if wanted.page == "watch" else INFO_HELP
    return Refused(f"Error parameter of {option}\n{usage.rstrip()}")


def read() -> list[Reading]:
    """The chips of the server of this shell or the only one that lives; without one those of the host's driver."""
    if os.environ.get(environment.SERVER):
        return readings.of_chips(inventory.chips())
    return readings.of_chips(inventory.of_server(Path(servers.find(None))))


def of_type(wanted: Wanted, chips: list[Reading]) -> str:
    kind = wanted.type
    if kind == "topo":
        return details.topology(chips)
    if kind == "phyid-remap":
        return _remapped(wanted, chips)
    if kind in NOT_FOLLOWED:
        raise Refused(f"This device does not support querying {kind}.")
    if kind not in details.PAGES:
        raise _wrong("-t", wanted)
    if not wanted.card:
        raise _wrong("-i", wanted)
    found = chosen(wanted, chips)
    return details.text(kind, found, alone=bool(wanted.chip))


def chosen(wanted: Wanted, chips: list[Reading]) -> list[Reading]:
    """The chips of the card, or the one, that the options name."""
    found = [one for one in chips if not wanted.card or str(one.card) == wanted.card]
    if not found:
        raise _wrong("-i", wanted)
    found = [one for one in found if not wanted.chip or str(one.on_card) == wanted.chip]
    if not found:
        raise _wrong("-c", wanted)
    return found


def _remapped(wanted: Wanted, chips: list[Reading]) -> str:
    """Which card and chip the one with that number is."""
    found = next((one for one in chips if str(one.index) == wanted.physical), None)
    if found is None:
        raise _wrong("-p", wanted)
    numbers = (found.index, found.index, found.card, found.on_card)
    names = ("Chip Physical ID", "Chip Logic ID", "NPU ID", "Chip ID")
    return "".join(f"\t{name:<30} : {number}\n" for name, number in zip(names, numbers, strict=True))


def follow(wanted: Wanted, chips: list[Reading]) -> str:
    if not re.fullmatch(r"\d+(\.\d+)?", wanted.pause):
        raise _wrong("-d", wanted)
    if not wanted.letters or set(wanted.letters) - set(watch.LETTERS):
        raise _wrong("-s", wanted)
    chosen(wanted, chips)
    watch.watch(lambda: chosen(wanted, read()), wanted.letters, float(wanted.pause))
    return ""
