"""Whole numbers of a command line: what is none gets one line, and no traceback from what it is passed to."""

from __future__ import annotations

import pytest

from jumar.cli.main import main


@pytest.mark.parametrize("command", ["plan", "simulate"])
@pytest.mark.parametrize("given", ["-1", "1.5", "x", "", str(2**63), "٣"])
def test_a_seed_is_a_whole_number(capsys: pytest.CaptureFixture[str], command: str, given: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "file.toml", f"--seed={given}"])
    assert ended.value.code == 2
    assert "write a whole number, 0 or more" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["plan --samples", "simulate --replicas", "simulate --study-replicas"])
@pytest.mark.parametrize("given", ["0", "-3", "2.0"])
def test_a_count_is_at_least_one(capsys: pytest.CaptureFixture[str], option: str, given: str) -> None:
    command, name = option.split()
    with pytest.raises(SystemExit) as ended:
        main([command, "file.toml", f"{name}={given}"])
    assert ended.value.code == 2
    assert "write a whole number, 1 or more" in capsys.readouterr().err
