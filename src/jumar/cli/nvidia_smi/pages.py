"""The pages of nvidia-smi: the table that it prints without options, -L, -q, topo -m, dmon, pmon, --help."""

from __future__ import annotations

import datetime
from typing import Any
from xml.sax.saxutils import escape

from jumar.cuda.driver import MIB, Gpu
from jumar.cudamap import personas

WIDTH = 89  # between the outer bars
CELLS = (41, 24, 22)
NAME_WIDTH = 37
UNKNOWN = "N/A"

HEADER = (
    "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |",
    "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |",
    "|                                         |                        |               MIG M. |",
)
PROCESS_HEADER = (
    "| Processes:                                                                              |",
    "|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |",
    "|        ID   ID                                                               Usage      |",
)
HELP = """\
NVIDIA System Management Interface -- v{driver}

Answered by jumar for the chips of this machine, in NVIDIA's format. What it takes:

nvidia-smi [OPTION1 [ARG1]] [OPTION2 [ARG2]] ...

    -h,   --help                Print usage information and exit.
          --version             Print version information and exit.

  LIST OPTIONS:
    -L,   --list-gpus           Display a list of GPUs connected to the system.

  SUMMARY OPTIONS:
    <no arguments>              Show a summary of GPUs connected to the system.
    -i,   --id=                 Target a specific GPU.
    -f,   --filename=           Log to a specified file, rather than to stdout.
    -l,   --loop=               Probe until Ctrl+C at specified second interval.
    -lms, --loop-ms=            Probe until Ctrl+C at specified millisecond interval.

  QUERY OPTIONS:
    -q,   --query               Display GPU info.
    -x,   --xml-format          Produce XML output.
    -d,   --display=            Display only selected information: MEMORY, UTILIZATION, ECC,
                                TEMPERATURE, POWER, CLOCK, COMPUTE, PIDS.

  SELECTIVE QUERY OPTIONS:
    --query-gpu=                Information about GPU, such as name,memory.total
    --query-compute-apps=       List of currently active compute processes.
    --format=                   csv, with noheader and nounits

    dmon                        Displays device stats in scrolling format.
    pmon                        Displays process stats in scrolling format.
    topo -m                     Displays topology information.
"""


def help_page() -> str:
    return HELP.format(driver=personas.toolkit().driver)


def version() -> str:
    kit = personas.toolkit()
    rows = (
        ("NVIDIA-SMI version", kit.driver),
        ("NVML version", kit.driver.split(".")[0]),
        ("DRIVER version", kit.driver),
        ("CUDA Version", kit.cuda),
    )
    return "".join(f"{name:<20}: {value}\n" for name, value in rows)


def excluded() -> str:
    return "No excluded devices found.\n"


def listing(gpus: list[Gpu]) -> str:
    return "".join(f"GPU {one.index}: {one.name} (UUID: {one.uuid})\n" for one in gpus)


def buses(gpus: list[Gpu]) -> str:
    return "".join(f"GPU {one.index}: {one.bus_id}\n" for one in gpus)


def _rule(sign: str = "-", left: str = "+", right: str = "+") -> str:
    return left + "+".join(sign * width for width in CELLS) + right


def _mib(count: int) -> str:
    return f"{count // MIB}MiB"


def summary(gpus: list[Gpu]) -> str:
    kit = personas.toolkit()
    title = f" NVIDIA-SMI {kit.driver:<22} Driver Version: {kit.driver:<14} CUDA Version: {kit.cuda:<8} "
    frame = f"+{'-' * WIDTH}+"
    lines = [f"{datetime.datetime.now():%a %b %e %H:%M:%S %Y}       ", frame, f"|{title:<{WIDTH}}|"]
    lines += [_rule(left="|"), *HEADER, _rule("=", "|", "|")]
    for one in gpus:
        lines += [*_gpu_lines(one), _rule()]
    lines += [" " * WIDTH, frame, *PROCESS_HEADER, f"|{'=' * WIDTH}|", *_process_lines(gpus), frame]
    return "\n".join(lines) + "\n"


def _gpu_lines(one: Gpu) -> list[str]:
    heat, power = f"{one.temperature_c}C", f"{one.power_w:.0f}W"
    memory = f"{_mib(one.chip.used_bytes):>11} / {_mib(one.chip.memory_bytes):>9} "
    load = f"{one.utilization_percent}%"
    rows = [
        (
            f" {one.index:>3}  {one.name[:27]:<28}{'On':>5}  ",
            f"{one.bus_id:>19} {'Off':>3} ",
            f"{one.ecc.double if one.ecc else UNKNOWN:>21} ",
        ),
        (
            f" {UNKNOWN:>3} {heat:>5}  {'P0':>4} {power:>15} / {one.persona.power_w:>4}W ",
            memory,
            f"{load:>8} {'Default':>12} ",
        ),
        (" " * CELLS[0], " " * CELLS[1], f"{'Disabled':>21} "),
    ]
    return ["|" + "|".join(cells) + "|" for cells in rows]


def _process_lines(gpus: list[Gpu]) -> list[str]:
    lines = []
    for gpu in gpus:
        for one in gpu.chip.processes:
            name = one.name if len(one.name) < NAME_WIDTH else "..." + one.name[-(NAME_WIDTH - 4) :]
            text = f"{gpu.index:>5}   {UNKNOWN:>3}  {UNKNOWN:>3}{one.pid:>16}{'C':>7}   {name:<{NAME_WIDTH}}"
            lines.append(f"|{text}{_mib(one.used_bytes):>9} |")
    return lines or [f"|{'  No running processes found':<{WIDTH}}|"]


Facts = dict[str, Any]


def query(gpus: list[Gpu], sections: list[str], xml: bool) -> str:
    """-q: every GPU with its facts, as text or XML; `sections` are those of -d, none for all."""
    kit = personas.toolkit()
    head: Facts = {"Timestamp": f"{datetime.datetime.now():%a %b %e %H:%M:%S %Y}", "Driver Version": kit.driver,
                   "CUDA Version": kit.cuda, "Attached GPUs": str(len(gpus))}  # fmt: skip
    each = [(one, _facts(one, sections)) for one in gpus]
    if xml:
        return _xml(head, each)
    lines = ["", "==============NVSMI LOG==============", "", *_lines(head, 0)]
    for one, facts in each:
        lines += ["", f"GPU {one.bus_id}", *_lines(facts, 4)]
    return "\n".join(lines) + "\n\n"


def _facts(one: Gpu, sections: list[str]) -> Facts:
    chip, own = one.chip, one.persona
    clocks, full = (
        {"Graphics": f"{mhz} MHz", "SM": f"{mhz} MHz", "Memory": f"{own.memory_clock_mhz} MHz"}
        for mhz in (one.clock_mhz, own.clock_mhz)
    )
    stack = one.memory_temperature_c
    by_section: dict[str, Facts] = {
        "MEMORY": {
            "FB Memory Usage": {
                "Total": f"{chip.memory_bytes // MIB} MiB",
                "Reserved": "0 MiB",
                "Used": f"{chip.used_bytes // MIB} MiB",
                "Free": f"{one.free_bytes // MIB} MiB",
            }
        },
        "COMPUTE": {"Compute Mode": "Default"},
        "UTILIZATION": {
            "Utilization": {
                "GPU": f"{one.utilization_percent} %",
                "Memory": "0 %",
                "Encoder": UNKNOWN,
                "Decoder": UNKNOWN,
            }
        },
        "TEMPERATURE": {
            "Temperature": {
                "GPU Current Temp": f"{one.temperature_c} C",
                "Memory Current Temp": UNKNOWN if stack is None else f"{stack} C",
            }
        },
        "POWER": {
            "GPU Power Readings": {
                "Power Draw": f"{one.power_w:.2f} W",
                "Current Power Limit": f"{own.power_w:.2f} W",
                "Default Power Limit": f"{own.power_w:.2f} W",
            }
        },
        "CLOCK": {
            "Clocks": clocks,
            "Max Clocks": full,
        },
        "ECC": _ecc(one),
        "PIDS": {"Processes": _processes(one)},
    }
    if sections:
        return {key: value for name in sections for key, value in by_section.get(name, {}).items()}
    everything: Facts = {
        "Product Name": one.name,
        "Display Mode": "Disabled",
        "Persistence Mode": "Enabled",
        "MIG Mode": {"Current": "Disabled", "Pending": "Disabled"},
        "Serial Number": one.serial,
        "GPU UUID": one.uuid,
        "Minor Number": str(one.index),
        "PCI": {"Bus Id": one.bus_id},
        "Fan Speed": UNKNOWN,
        "Performance State": "P0",
    }
    for facts in by_section.values():
        everything |= facts
    return everything


def _ecc(one: Gpu) -> Facts:
    if one.ecc is None:
        return {"ECC Mode": {"Current": UNKNOWN, "Pending": UNKNOWN}}
    counts = {"Correctable": str(one.ecc.single), "Uncorrectable": str(one.ecc.double)}
    return {
        "ECC Mode": {"Current": "Enabled", "Pending": "Enabled"},
        "ECC Errors": {"Volatile": counts, "Aggregate": counts},
    }


def _processes(one: Gpu) -> Facts | str:
    found: Facts = {
        f"Process ID {process.pid}": {
            "Type": "C",
            "Name": process.name,
            "Used GPU Memory": f"{process.used_bytes // MIB} MiB",
        }
        for process in one.chip.processes
    }
    return found or "None"


def _lines(facts: Facts, indent: int) -> list[str]:
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict):
            lines += [" " * indent + name, *_lines(value, indent + 4)]
        else:
            lines.append(f"{' ' * indent + name:<42}: {value}")
    return lines


XML_NAMES = {"FB Memory Usage": "fb_memory_usage", "GPU UUID": "uuid", "Serial Number": "serial", "GPU": "gpu_util",
             "Memory": "memory_util", "GPU Current Temp": "gpu_temp", "Bus Id": "pci_bus_id",
             "Graphics": "graphics_clock", "SM": "sm_clock"}  # fmt: skip


def _xml(head: Facts, each: list[tuple[Gpu, Facts]]) -> str:
    lines = [
        '<?xml version="1.0" ?>',
        '<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">',
        "<nvidia_smi_log>",
    ]
    lines += _elements(head, 1)
    for one, facts in each:
        processes = facts.pop("Processes", None)
        lines += [f'\t<gpu id="{one.bus_id}">', *_elements(facts, 2)]
        if processes is not None:
            lines.append("\t\t<processes>")
            for process in one.chip.processes:
                info = {"pid": str(process.pid), "type": "C", "process_name": process.name,
                        "used_memory": f"{process.used_bytes // MIB} MiB"}  # fmt: skip
                lines += ["\t\t\t<process_info>", *_elements(info, 4), "\t\t\t</process_info>"]
            lines.append("\t\t</processes>")
        lines.append("\t</gpu>")
    return "\n".join([*lines, "</nvidia_smi_log>"]) + "\n"


def _elements(facts: Facts, depth: int) -> list[str]:
    lines = []
    for name, value in facts.items():
        tag = XML_NAMES.get(name, name.lower().replace(" ", "_"))
        if isinstance(value, dict):
            lines += ["\t" * depth + f"<{tag}>", *_elements(value, depth + 1), "\t" * depth + f"</{tag}>"]
        else:
            lines.append("\t" * depth + f"<{tag}>{escape(str(value))}</{tag}>")
    return lines


def topology(gpus: list[Gpu]) -> str:
    """Chips reach each other over links that are none of NVIDIA's, which SYS claims least about."""
    names = [f"GPU{one.index}" for one in gpus]
    lines = ["\t".join(["", *names, "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"])]
    for at, name in enumerate(names):
        cells = [" X " if at == other else "SYS" for other in range(len(names))]
        lines.append("\t".join([name, *cells, UNKNOWN, UNKNOWN, UNKNOWN]))
    legend = ["", "Legend:", "", "  X    = Self",
              "  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes"]  # fmt: skip
    return "\n".join(lines + legend) + "\n"


def device_monitor(gpus: list[Gpu], first: bool) -> str:
    head = "# gpu    pwr  gtemp  mtemp     sm    mem    enc    dec    jpg    ofa   mclk   pclk \n"
    head += "# Idx      W      C      C      %      %      %      %      %      %    MHz    MHz \n"
    lines = []
    for one in gpus:
        clocks = (one.persona.memory_clock_mhz, one.clock_mhz)
        known = (
            one.power_w,
            one.temperature_c,
            one.memory_temperature_c,
            one.utilization_percent,
            0,
            0,
            0,
            0,
            0,
            *clocks,
        )
        lines.append(f"{one.index:>5} " + " ".join(f"{_or_dash(value):>6}" for value in known) + " \n")
    return (head if first else "") + "".join(lines)


def _or_dash(value: Any) -> str:
    return "-" if value is None else f"{value:.0f}"


def process_monitor(gpus: list[Gpu], first: bool) -> str:
    head = "# gpu         pid   type     sm    mem    enc    dec    jpg    ofa    command \n"
    head += "# Idx           #    C/G      %      %      %      %      %      %    name \n"
    lines = []
    for gpu in gpus:
        rows = [(str(one.pid), "C", one.name.rpartition("/")[2][:15]) for one in gpu.chip.processes]
        for pid, kind, name in rows or [("-", "-", "-")]:
            lines.append(
                f"{gpu.index:>5} {pid:>11} {kind:>6} " + " ".join(["     -"] * 6) + f"    {name:<15}\n"
            )
    return (head if first else "") + "".join(lines)
