"""`npu-smi` about a made-up server: the vendor's layout, read back by what reads the vendor's own."""

from __future__ import annotations

import os
from typing import Any

import pytest

from jumar import inventory
from jumar.cli.npu_smi import command, watch

# Lines of the vendor's outputs, as published with issues and documents.
PUBLISHED = (
    "| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|",
    "| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |",
    "+===========================+===============+====================================================+",
    "+---------------------------+---------------+----------------------------------------------------+",
    "| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |",
    "| No running processes found in NPU 2                                                            |",
)


def rows(text: str) -> dict[str, str]:
    """Names and values of a page about one chip."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def ask(*arguments: str) -> str:
    return command.answer(list(arguments))


def test_table_is_laid_out_as_the_vendors(shown: dict[str, Any]) -> None:
    lines = ask("info").splitlines()
    assert {len(line) for line in lines} == {98}
    assert set(PUBLISHED) <= set(lines)
    assert lines[6] == (
        "| 0     910B2               | Alarm         | 287.2       96                0    / 0             |"
    )
    assert lines[7] == (
        "| 0                         | 0000:C1:00.0  | 61          0    / 0          3072 / 65536         |"
    )


def test_what_reads_the_vendors_table_reads_this_one(shown: dict[str, Any]) -> None:
    hot, lost, resting = inventory.of_npu_smi(ask("info"))
    assert (hot.name, hot.temperature_c, hot.power_w, hot.utilization_percent) == (
        "Ascend910B2",
        96,
        287.2,
        61,
    )
    assert (hot.used_bytes, hot.memory_bytes, hot.condition.health) == (3 << 30, 64 << 30, "Alarm")
    assert [(one.pid, one.used_bytes) for one in hot.processes] == [(os.getpid(), 3 << 30)]
    assert (lost.condition.health, lost.temperature_c, lost.power_w) == ("Critical", None, None)
    assert (resting.condition.health, resting.temperature_c, resting.processes) == ("OK", None, ())


def test_two_dies_of_a_package_are_one_card(shown: dict[str, Any]) -> None:
    shown["soc_name"] = "Ascend910_9382"
    chips = inventory.of_npu_smi(ask("info"))
    assert [one.name for one in chips] == ["Ascend910"] * 3
    lines = ask("info").splitlines()
    assert lines[6:12] == [
        "| 0     Ascend910           | Alarm         | 287.2       96                0    / 0             |",
        "| 0     0                   | 0000:9D:00.0  | 61          0    / 0          3072 / 65536         |",
        "+------------------------------------------------------------------------------------------------+",
        "| 0     Ascend910           | Critical      | -           NA                0    / 0             |",
        "| 1     1                   | 0000:9F:00.0  | NA          0    / 0          0    / 65536         |",
        "+===========================+===============+====================================================+",
    ]
    assert rows(ask("info", "-l"))["Total Count"] == "2"
    mapped = [line.split() for line in ask("info", "-m").splitlines()]
    assert [line[:4] for line in mapped[1:4]] == [
        ["0", "0", "0", "0"],
        ["0", "1", "1", "1"],
        ["0", "2", "-", "-"],
    ]
    assert rows(ask("info", "-t", "phyid-remap", "-p", "2")) == {
        "Chip Physical ID": "2", "Chip Logic ID": "2", "NPU ID": "1", "Chip ID": "0"}  # fmt: skip
    ways = ask("info", "-t", "topo").splitlines()[1].split()
    assert ways[:4] == ["NPU0", "X", "SIO", "HCCS_SW"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("common", {"Aicore Freq(MHZ)": "1800", "Aicore curFreq(MHZ)": "1350", "Temperature(C)": "96",
                    "NPU Real-time Power(W)": "287.2", "Aicore Usage Rate(%)": "61", "HBM Usage Rate(%)": "5"}),
        ("temp", {"NPU Temperature (C)": "96"}),
        ("power", {"NPU Real-time Power(W)": "287.2"}),
        ("health", {"Health Status": "Alarm", "Error Code": "80E01801", "Error Information": "hbm_multi_bit_ecc"}),
        ("memory", {"HBM Capacity(MB)": "65536", "HBM Temperature(C)": "88", "HBM Clock Speed(MHz)": "1600"}),
        ("usages", {"HBM Usage Rate(%)": "5", "NPU Utilization(%)": "61", "Aivector Usage Rate(%)": "NA"}),
        ("ecc", {"HBM Single Bit Error Count": "7", "HBM Double Bit Error Count": "2",
                 "HBM Single Bit Isolated Pages Count": "1", "HBM Double Bit Isolated Pages Count": "2"}),
        ("board", {"Chip Name": "910B2", "PCIe Bus Info": "0000:C1:00.0"}),
    ],
)  # fmt: skip
def test_pages_of_one_chip(shown: dict[str, Any], kind: str, expected: dict[str, str]) -> None:
    found = rows(ask("info", "-t", kind, "-i", "0", "-c", "0"))
    assert {name: found.get(name) for name in expected} == expected


def test_a_lost_chip_answers_nothing(shown: dict[str, Any]) -> None:
    common = rows(ask("info", "-t", "common", "-i", "1"))
    assert common["Temperature(C)"] == common["Aicore curFreq(MHZ)"] == common["Aicore Usage Rate(%)"] == "NA"
    assert rows(ask("info", "-t", "health", "-i", "1"))["Error Code"] == "40F84E00"
    assert "No process in device." in ask("info", "-t", "proc-mem", "-i", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["info", "-t", "cpu", "-i", "0"], "Error parameter of -t"),
        (["info", "-t", "temp", "-i", "7"], "Error parameter of -i"),
        (["info", "-t", "temp", "-i", "0", "-c", "3"], "Error parameter of -c"),
        (["info", "-t", "temp"], "Error parameter of -i"),
        (["info", "--all"], "Error parameter of --all"),
        (["info", "watch", "-s", "pz"], "Error parameter of -s"),
        (["info", "-t", "work-mode", "-i", "0"], "does not support querying work-mode"),
        (["set", "-t", "power-limit"], "jumar inject"),
    ],
)
def test_wrong_options(shown: dict[str, Any], arguments: list[str], message: str) -> None:
    with pytest.raises(command.Refused, match=message):
        command.answer(arguments)


def test_watch_prints_a_line_for_each_chip(
    shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(pause_s: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watch.time, "sleep", end)
    with pytest.raises(KeyboardInterrupt):
        ask("info", "watch", "-s", "pta", "-i", "0")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["NpuID(Idx)", "ChipId(Idx)", "Pwr(W)", "Temp(C)", "AI", "Core(%)"],
        ["0", "0", "287.2", "96", "61"],
    ]


def test_without_a_server_there_is_no_driver(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("JUMAR_SERVER", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert command.main(["info"]) == command.NO_DRIVER
    assert capsys.readouterr().out == f"{command.NO_DRIVER_TEXT}\n"
