"""nvidia-smi about a made-up server: heat, clock and ECC are those of the chips below."""

from __future__ import annotations

from typing import Any

import pytest

from jumar.cli.nvidia_smi import command


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    command.run(command.parse(list(arguments)))
    return capsys.readouterr().out


def test_condition_of_a_hot_chip(shown: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    fields = ("temperature.gpu,temperature.memory,power.draw,clocks.sm,clocks.max.sm,ecc.errors.uncorrected.volatile.total,"
              "ecc.mode.current,clocks_throttle_reasons.active")  # fmt: skip
    query = (f"--query-gpu={fields}", "--format=csv,noheader,nounits", "-i")
    assert ask(capsys, *query, "0") == "96, 88, 287.25, 1058, 1410, 2, Enabled, 0x0000000000000020\n"
    assert ask(capsys, *query, "2").endswith(" 1410, 1410, [N/A], [N/A], 0x0000000000000000\n")
    page = ask(capsys, "-q", "-i", "0")
    assert "Memory Current Temp" in page and ": 88 C" in page and ": 1058 MHz" in page
    assert "  96C " in ask(capsys, "-i", "0") and "287W" in ask(capsys, "-i", "0")
    assert ask(capsys, "dmon", "-c", "1", "-i", "0").splitlines()[-1].split()[1:4] == ["287", "96", "88"]


def test_a_lost_chip_ends_the_command(shown: dict[str, Any]) -> None:
    with pytest.raises(command.Refused, match="GPU is lost") as caught:
        command.run(command.parse([]))
    assert caught.value.code == command.LOST
