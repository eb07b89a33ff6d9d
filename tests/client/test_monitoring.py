"""What an operator's tools show while programs run: npu-smi, the exporter and events, over all processes of a server."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

MIB = 1 << 20
HOLDER = """
held = torch.ones({mib} << 18, device="npu:{chip}")
for _ in range(20):
    held.mul_(1.0)
print(held.sum().item() > 0, torch.npu.memory_reserved({chip}), flush=True)
input()
"""

pytestmark = pytest.mark.virtual_only


@pytest.fixture
def holders(machine: Callable[..., Any]) -> Iterator[tuple[Path, dict[int, tuple[int, int]]]]:
    """A server with a program on each of its chips, and chip → process and bytes that it holds."""
    server = machine(devices=2, traced=True)
    programs = [server.start(HOLDER.format(mib=32 * (chip + 1), chip=chip)) for chip in range(2)]
    try:
        held = {}
        for chip, program in enumerate(programs):
            worked, reserved = program.stdout.readline().split()
            assert worked == "True"
            held[chip] = program.pid, int(reserved)
        yield server.directory, held
    finally:
        for program in programs:
            end(program)


def end(program: subprocess.Popen[str]) -> None:
    try:
        program.communicate("\n", timeout=60)
    except subprocess.TimeoutExpired:
        program.kill()
        program.communicate()


def smi(*arguments: str) -> str:
    from jumar.cli.npu_smi import command

    return command.answer(["info", *arguments])


def rows(text: str) -> dict[str, str]:
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def scraped(directory: Path) -> dict[tuple[str, str], float]:
    """Metric and chip → value."""
    from jumar.cli import exporter

    parser = argparse.ArgumentParser()
    exporter.arguments(parser)
    text = exporter.metrics(parser.parse_args(["--server", str(directory), "--names", "npu"])).decode()
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return {(sample.name, sample.labels.get("id", "")): sample.value for sample in samples}


def test_tools_show_all_programs_and_what_befalls_a_chip(
    holders: tuple[Path, dict[int, tuple[int, int]]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from jumar import attachment, inventory
    from jumar.cli.main import main

    directory, held = holders
    attachment.introduce_chips()
    monkeypatch.setenv("JUMAR_SERVER", str(directory))
    chips = inventory.of_npu_smi(smi())
    assert [[one.pid for one in chip.processes] for chip in chips] == [[held[chip][0]] for chip in range(2)]
    assert all(chip.used_bytes >= held[at][1] // MIB * MIB for at, chip in enumerate(chips))
    assert all(chip.temperature_c is not None and chip.power_w is not None for chip in chips)
    healthy = scraped(directory)
    assert healthy["machine_healthy_npu_nums", ""] == 2
    assert healthy["npu_chip_info_hbm_used_memory", "1"] == chips[1].used_bytes // MIB

    assert main(["inject", "lost", "--chip", "1", "--server", str(directory)]) == 0
    assert main(["inject", "hbm_ecc_single", "--chip", "0", "--server", str(directory)]) == 0
    assert [one.condition.health for one in inventory.of_npu_smi(smi())] == ["OK", "Critical"]
    assert rows(smi("-t", "health", "-i", "1"))["Error Code"] != "NA"
    assert int(rows(smi("-t", "ecc", "-i", "0"))["HBM Single Bit Error Count"]) >= 1
    ill = scraped(directory)
    assert (ill["npu_chip_info_health_status", "0"], ill["npu_chip_info_health_status", "1"]) == (1, 0)
    assert ill["npu_chip_info_error_code", "1"] > 0
    assert ("npu_chip_info_temperature", "1") not in ill
    capsys.readouterr()
    assert main(["events", "--server", str(directory)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {(one["kind"], one["chip"]) for one in told if one["event"] == "fault"} >= {
        ("lost", 1),
        ("hbm_ecc_single", 0),
    }

    assert main(["inject", "--clear", "--chip", "1", "--server", str(directory)]) == 0
    assert [one.condition.health for one in inventory.of_npu_smi(smi())] == ["OK", "OK"]
    assert scraped(directory)["machine_unhealthy_npu_nums", ""] == 0
