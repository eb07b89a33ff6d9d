"""A repository is ported as a whole: idempotent, in every encoding, written all or not at all, or on a branch."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from jumar.cli import main
from jumar.port import porting, rewriting, writing
from jumar.port.porting import Change
from jumar.port.repository import Repository

EXAMPLES = Path(__file__).parents[2] / "examples"
BEFORE = "import torch\n\nx = torch.zeros(3).cuda()\n"
FILES = {
    "train.py": BEFORE,
    "pkg/inner.py": "import torch\n\ntorch.cuda.synchronize()\n",
    "broken.py": "def f(:\n    x.cuda()\n",
    "plain.py": "x = 1\n",
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and ".git" not in path.parts
    }


def git(root: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    done = subprocess.run(["git", "-C", str(root), *who, *words], capture_output=True, text=True, check=True)
    return done.stdout


def test_examples_and_a_second_run(tmp_path: Path) -> None:
    for path in EXAMPLES.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    repository = Repository.at(tmp_path)
    first = porting.port(repository, "review", jobs=1)
    assert len(first.changes) >= 8 and not first.troubles
    writing.write(repository, first.changes)
    assert porting.port(repository, "review", jobs=1).changes == []
    for change in first.changes:
        compile(change.after, change.path, "exec")


def test_print_writes_nothing_and_git_reads_it(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(sources)
    assert main(["port", str(sources)]) == 0
    printed = capsys.readouterr()
    assert contents(sources) == before
    assert "left alone" in printed.err and "broken.py:1" in printed.err
    git(sources, "init", "-q")
    patch = sources.parent / "port.patch"
    patch.write_text(printed.out)
    git(sources, "apply", str(patch))
    applied = contents(sources)
    assert applied["pkg/inner.py"].decode().count("torch.accelerator") == 2
    assert {name for name in before if applied[name] != before[name]} == {"train.py", "pkg/inner.py"}


def test_write_and_json(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["port", str(sources), "--write", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert {change["path"] for change in facts["changes"]} == {"train.py", "pkg/inner.py"}
    assert [one["path"] for one in facts["left_alone"]] == ["broken.py"]
    assert "cuda" not in (sources / "train.py").read_text()
    assert main(["port", str(sources), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["changes"] == []


def test_select_and_ignore(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["port", str(sources), "--select", "C010", "--write"]) == 0
    assert (sources / "train.py").read_text() == BEFORE
    assert main(["port", str(sources), "--ignore", "C011", "--write"]) == 0
    assert (sources / "train.py").read_text() == BEFORE
    assert main(["port", str(sources), "--select", "no code"]) == 2


def test_safety(tmp_path: Path) -> None:
    text = "import torch\n\nif x.is_cuda:\n    y = x.cuda()\n"
    (tmp_path / "a.py").write_text(text)
    safe = porting.port(Repository.at(tmp_path), "safe", jobs=1)
    assert "is_cuda" in safe.changes[0].after.decode()
    assert [one.code for one in safe.review] == ["C012"]
    assert "is_cuda" not in porting.port(Repository.at(tmp_path), "review", jobs=1).changes[0].after.decode()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings_and_newlines(tmp_path: Path, encoding: str) -> None:
    mark = "# -*- coding: latin-1 -*-\r\n" if encoding == "latin-1" else ""
    text = f"{mark}import torch\r\n\r\nname = 'ü'\r\nx = x.cuda()  # ß"
    (tmp_path / "a.py").write_bytes(text.encode(encoding))
    made = porting.port(Repository.at(tmp_path), jobs=1)
    if encoding == "utf-16":  # Python does not read it either
        return
    after = made.changes[0].after.decode(encoding)
    assert after.endswith("name = 'ü'\r\nx = x.to(device_type)  # ß")
    assert after.count("\n") == after.count("\r\n")


def test_all_or_nothing(sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = Repository.at(sources)
    changes = porting.port(repository, jobs=1).changes
    before = contents(sources)
    replace, calls = Path.replace, []

    def fails_at_the_second(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails_at_the_second)
    with pytest.raises(writing.NotWritten, match="nothing was changed"):
        writing.write(repository, changes)
    assert contents(sources) == before


def test_a_file_that_changed_meanwhile(sources: Path) -> None:
    repository = Repository.at(sources)
    changes = porting.port(repository, jobs=1).changes
    (sources / "train.py").write_text("x = 2\n")
    before = contents(sources)
    with pytest.raises(writing.NotWritten, match="changed while"):
        writing.write(repository, changes)
    assert contents(sources) == before


def test_nothing_outside_is_written(sources: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (sources / "link").symlink_to(outside)
    (outside / "a.py").write_text(BEFORE)
    repository = Repository.at(sources)
    assert "link/a.py" not in {change.path for change in porting.port(repository, jobs=1).changes}
    with pytest.raises(writing.NotWritten, match="leads out"):
        writing.write(repository, [Change("link/new.py", None, b"x\n", "utf-8", ())])
    assert [path.name for path in outside.iterdir()] == ["a.py"]


def test_modes_are_kept(sources: Path) -> None:
    (sources / "train.py").chmod(0o755)
    assert main(["port", str(sources), "--write"]) == 0
    assert (sources / "train.py").stat().st_mode & 0o777 == 0o755


def test_branch(sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    git(sources, "init", "-q", "-b", "trunk")
    git(sources, "config", "user.name", "a")
    git(sources, "config", "user.email", "a@b.example")
    (sources / "pkg/inner.py").chmod(0o755)
    git(sources, "add", ".")
    git(sources, "commit", "-qm", "first")
    before = contents(sources)
    assert main(["port", str(sources), "--branch", "ascend"]) == 0
    assert contents(sources) == before and git(sources, "status", "--porcelain") == ""
    assert git(sources, "rev-parse", "--abbrev-ref", "HEAD").strip() == "trunk"
    assert git(sources, "diff", "--name-only", "trunk", "ascend").split() == ["pkg/inner.py", "train.py"]
    assert git(sources, "ls-tree", "ascend", "pkg/inner.py").startswith("100755")
    assert main(["port", str(sources), "--branch", "ascend"]) == 2
    assert main(["port", str(sources), "--branch", "bad..name"]) == 2
    assert "there is no" not in capsys.readouterr().out


def test_branch_refuses_what_is_not_committed(sources: Path) -> None:
    git(sources, "init", "-q")
    git(sources, "config", "user.name", "a")
    git(sources, "config", "user.email", "a@b.example")
    git(sources, "add", ".")
    git(sources, "commit", "-qm", "first")
    (sources / "train.py").write_text(BEFORE + "y = 1\n")
    assert main(["port", str(sources), "--branch", "ascend"]) == 2
    assert main(["port", str(sources), "--write"]) == 0
    (sources / "pkg/inner.py").write_text(git(sources, "show", "HEAD:pkg/inner.py"))
    # train.py needs no more changes now, but the branch would begin with what it was before.
    assert main(["port", str(sources), "--branch", "ascend"]) == 2
    assert git(sources, "branch", "--list", "ascend") == ""


def test_diff_says_where_a_last_newline_is_missing() -> None:
    lines = list(rewriting.diff("a.py", "x\ny", "x\nz"))
    assert lines[-4:] == ["-y\n", rewriting.NO_NEWLINE + "\n", "+z\n", rewriting.NO_NEWLINE + "\n"] or (
        "".join(lines).count(rewriting.NO_NEWLINE) == 2
    )
