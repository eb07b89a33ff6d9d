"""`jumar run` as a wrapper: exit code, signals, summary, report and clean-up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., "CompletedProcess[str]"]

TRAINS = """
import torch
weight = torch.nn.Parameter(torch.ones(4, device="cuda"))
optimizer = torch.optim.SGD([weight], lr=0.1)
scaler = torch.amp.GradScaler("cuda", init_scale=256.0)
for step in range(5):
    loss = (weight * weight).sum()
    scaler.scale(loss).backward()
    scaler.step(optimizer); scaler.update(); optimizer.zero_grad()
    print(loss.item())
"""


def facts(folder: Path) -> dict[str, object]:
    return json.loads((folder / "summary.json").read_text())


def test_the_program_s_exit_code_and_output_are_handed_on(jumar: Command, tmp_path: Path) -> None:
    ended = jumar("run", "--out", "report", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
    assert ended.returncode == 7
    assert ended.stdout == "out\n"
    assert "err\n" in ended.stderr and "exit code 7" in ended.stderr
    assert ended.stderr.rstrip().endswith("report/report.html")
    assert facts(tmp_path / "report")["exit_code"] == 7


def test_death_by_a_signal_is_handed_on(jumar: Command, tmp_path: Path) -> None:
    ended = jumar("run", "--out", "report", "sh", "-c", "kill -SEGV $$")
    assert ended.returncode == -signal.SIGSEGV
    assert facts(tmp_path / "report")["signal"] == "SIGSEGV"


def test_a_signal_sent_to_jumar_reaches_the_program(tmp_path: Path) -> None:
    (tmp_path / "waits.sh").write_text(
        "trap 'echo asked; exit 3' TERM\necho ready\nwhile :; do sleep 0.05; done\n"
    )
    command = [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())"]
    running = subprocess.Popen(
        [*command, "run", "sh", "waits.sh"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None and running.stdout.readline() == "ready\n"
    time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    output, _ = running.communicate(timeout=60)
    assert (output, running.returncode) == ("asked\n", 3)


def test_the_server_is_there_during_the_run_and_gone_afterwards(jumar: Command) -> None:
    ended = jumar("run", "sh", "-c", 'ls "$JUMAR_SERVER"; echo "$JUMAR_SERVER"')
    *held, directory = ended.stdout.split()
    assert held == ["bin", "owner", "state", "tools"]
    assert not Path(directory).exists()


def test_keep_keeps_the_server(jumar: Command) -> None:
    directory = jumar("run", "--keep", "sh", "-c", 'echo "$JUMAR_SERVER"').stdout.strip()
    assert Path(directory, "state").is_file()


def test_a_script_named_alone_runs_with_this_python_and_keeps_its_own_options(
    jumar: Command, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text("import sys; print(sys.executable, sys.argv)")
    ended = jumar("run", "script.py", "--dry", "--help")
    assert ended.stdout.strip() == f"{sys.executable} ['script.py', '--dry', '--help']"


def test_a_virtual_server_hides_a_real_cann(
    jumar: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "show.py").write_text(
        "import os; print(sorted(n for n in os.environ if n.startswith('ASCEND')))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", "import sys; from jumar.cli import main; sys.exit(main())", "run", "show.py"],
        cwd=tmp_path,
        env={
            **os.environ,
            "ASCEND_HOME_PATH": "/usr/local/Ascend",
            "ASCEND_OPP_PATH": "/usr/local/Ascend/opp",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "[]\n"


def test_a_report_that_cannot_be_written_does_not_change_the_outcome(jumar: Command) -> None:
    ended = jumar("run", "--out", "/proc/nowhere", "sh", "-c", "exit 5")
    assert ended.returncode == 5 and "choose another place with --out" in ended.stderr


def test_two_runs_of_one_second_have_two_reports(jumar: Command, tmp_path: Path) -> None:
    for _ in range(3):
        jumar("run", "true")
    assert len(list((tmp_path / "jumar-runs").iterdir())) == 3


@pytest.mark.parametrize("face", ["cuda", "npu"])
def test_a_training_run_is_summed_up(jumar: Command, tmp_path: Path, face: str) -> None:
    """Steps and the losses before scaling, as the program itself prints them; operators; memory; chip."""
    (tmp_path / "train.py").write_text(TRAINS.replace("cuda", face))
    ended = jumar(
        "run", "--chip", "910B3", "--devices", "2", "--out", "report",
        "--face", "transfer" if face == "cuda" else "none", "train.py",
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    seen = facts(tmp_path / "report")
    printed = [float(line) for line in ended.stdout.split()]
    assert printed[-1] < printed[0]
    assert [loss for _, loss in seen["losses"]] == printed
    assert (seen["steps"], seen["optimizers"], seen["devices"]) == (5, ["SGD"], 2)
    assert seen["chip"]["name"] == "Ascend910B3"
    assert seen["operators_run"] > 20 and seen["unsupported"] == []
    assert seen["memory"][0][1] > 0
    assert "loss" in ended.stderr and "4 →" in ended.stderr
    page = (tmp_path / "report" / "report.html").read_text()
    assert "<svg" in page and "aclnn" in page and "http" not in page.replace("https://www.cmc.ca", "")


def test_a_dry_run_shows_no_losses(jumar: Command, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAINS)
    ended = jumar("run", "--dry", "--out", "report", "train.py")
    assert ended.returncode == 0, ended.stderr
    seen = facts(tmp_path / "report")
    assert seen["losses"] == [] and seen["mode"] == "dry"
    assert "a dry run does not compute them" in ended.stderr


def test_real_chips_without_cann_are_refused(jumar: Command) -> None:
    ended = jumar("run", "--real", "true")
    assert ended.returncode == 2 and "no CANN found" in ended.stderr and "Traceback" not in ended.stderr


def test_on_a_cann_the_face_is_there_and_no_virtual_chip(tmp_path: Path) -> None:
    """jumar's own libraries, found by the loader as a CANN would be: they show no chips where no server is named."""
    import jumar as package

    lib = Path(package.__path__[0]) / "lib"
    asks = "import torch; print(torch.device('cuda').type, torch.cuda.is_available(), torch.accelerator.is_available())"
    main = "import sys; from jumar.cli import main; sys.exit(main())"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("JUMAR_")}
    ended = subprocess.run(
        [sys.executable, "-c", main, "run", "--real", "--out", "report", sys.executable, "-c", asks],
        env=plain | {"LD_LIBRARY_PATH": str(lib)}, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout.splitlines()[-1:] == ["cuda False False"], ended.stderr
    assert "this machine's own" in ended.stderr and "CUDA face" in ended.stderr
