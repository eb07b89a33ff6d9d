"""A scan of a repository: which files, in which order, what is left out, and that it says the same every time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jumar.port import revision, scanning, settings
from jumar.port.document import Document
from jumar.port.repository import NotARepository, Repository

Git = Callable[..., str]


def _codes(root: Path) -> list[tuple[str, int, str]]:
    return [(one.path, one.line, one.code) for one in scanning.scan(Repository.at(root)).findings]


def test_finds_what_ties(repository: Path) -> None:
    assert _codes(repository) == [
        ("train.py", 5, "C001"),
        ("train.py", 5, "C010"),
        ("train.py", 6, "C022"),
        ("train.py", 8, "C060"),
    ]


def test_processes_make_no_difference(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        (repository / f"copy{number}.py").write_text((repository / "train.py").read_text())
    alone = scanning.scan(Repository.at(repository), jobs=1)
    monkeypatch.setattr(scanning, "ALONE_BELOW_BYTES", 0)
    monkeypatch.setattr(scanning, "PIECE_BYTES", 100)
    assert scanning.scan(Repository.at(repository), jobs=3) == alone


def test_progress_ends_with_all_files(repository: Path) -> None:
    seen: list[tuple[int, int]] = []
    scanning.scan(Repository.at(repository), progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 2)
    assert seen[-1] == (2, 2)


def test_honours_gitignore(repository: Path, git: Git) -> None:
    (repository / ".gitignore").write_text("made/\n")
    (repository / "made").mkdir()
    (repository / "made" / "x.py").write_text("x.cuda()\n")
    (repository / "new.py").write_text("x.cuda()\n")
    names = Repository.at(repository).files()
    assert "new.py" in names
    assert "made/x.py" not in names


def test_without_git_what_tools_make_is_left_out(repository: Path) -> None:
    for folder in ("build", "deep/dist", ".venv", "deep/node_modules"):
        (repository / folder).mkdir()
        (repository / folder / "x.py").write_text("x.cuda()\n")
    assert Repository.at(repository).files() == ["deep/dist/x.py", "deep/er/free.py", "train.py"]


def test_never_leaves_the_root(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("x.cuda()\n")
    (repository / "link.py").symlink_to(tmp_path / "outside.py")
    (repository / "round").symlink_to(repository)
    (repository / "up").symlink_to(tmp_path)
    assert Repository.at(repository).files() == ["deep/er/free.py", "train.py"]


def test_a_folder_swapped_for_a_link_is_not_followed(repository: Path, tmp_path: Path, git: Git) -> None:
    (repository / "sub").mkdir()
    (repository / "sub" / "a.py").write_text("x.cuda()\n")
    git("add", ".")
    (repository / "sub").rename(tmp_path / "sub")
    (repository / "sub").symlink_to(tmp_path / "sub")
    assert "sub/a.py" not in Repository.at(repository).files()


def test_a_pipe_is_no_file(repository: Path) -> None:
    os.mkfifo(repository / "pipe.py")
    assert "pipe.py" not in Repository.at(repository).files()


def test_binary_is_skipped_and_a_broken_file_named(repository: Path) -> None:
    (repository / "weights.py").write_bytes(b"cuda\0\1\2")
    (repository / "broken.py").write_text("x.cuda(\n")
    found = scanning.scan(Repository.at(repository))
    assert [one.path for one in found.troubles] == ["broken.py"]
    assert not any(one.path in ("weights.py", "broken.py") for one in found.findings)


def test_one_file(repository: Path) -> None:
    assert {path for path, _, _ in _codes(repository / "train.py")} == {"train.py"}
    with pytest.raises(NotARepository, match="no such folder"):
        Repository.at(repository / "nowhere")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('x.to("cuda")  # jumar: ignore\n', []),
        ('x.to("cuda")  # jumar: ignore[C001]\n', []),
        ('x.to(  # jumar: ignore[C001]\n    "cuda")\n', ["C001"]),
        ('x.to("cuda")  # jumar: ignore[C0]\n', []),
        ('x.to("cuda")  # jumar: ignore[K]\n', ["C001"]),
        ('# jumar: ignore-file[C00]\nx.to("cuda").cuda()\n', ["C011"]),
        ('# jumar: ignore-file\nx.to("cuda").cuda()\n', []),
    ],
)
def test_suppression(text: str, left: list[str]) -> None:
    assert [one.code for one in scanning.check(Document("a.py", text))[0]] == left


def test_a_mark_that_leaves_nothing_out_is_said(repository: Path) -> None:
    (repository / "marked.py").write_text('x.to("cuda")  # jumar: ignore[BOGUS, C001, D0]\n')
    said = scanning.scan(Repository.at(repository)).warnings
    assert [(one.path, one.line, one.reason.split(":")[0]) for one in said] == [
        ("marked.py", 1, "ignore[BOGUS] leaves nothing out")
    ]


def test_settings_of_the_repository(repository: Path) -> None:
    (repository / "pyproject.toml").write_text(
        '[tool.jumar.scan]\nselect = ["C"]\nignore = ["C06", "C001"]\nexclude = ["deep"]\n'
    )
    wanted = settings.read(repository)
    assert [code for code in ("C001", "C010", "C060", "K001") if wanted.wants(code)] == ["C010"]
    assert wanted.reads("train.py")
    assert not wanted.reads("deep/er/free.py")


@pytest.mark.parametrize(
    ("select", "ignore", "wanted"),
    [
        ([], [], ["C001", "C060"]),
        (["C06"], [], ["C060"]),
        ([], ["C"], []),
        (["C060"], ["C06"], ["C060"]),
        (["C"], ["C060"], ["C001"]),
    ],
)
def test_the_longer_code_counts(select: list[str], ignore: list[str], wanted: list[str]) -> None:
    chosen = settings.Settings().with_more(select, ignore, [])
    assert [code for code in ("C001", "C060") if chosen.wants(code)] == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[scan]\nselekt = []\n", "no setting 'selekt'"),
        ('[scan]\nselect = "C"\n', "must be a list"),
        ('[scan]\nselect = ["cuda"]\n', "no code of a rule"),
        ("[scan\n", "mend it"),
        ('[scan]\neffort = "../x.tsv"\n', "no file"),
    ],
)
def test_bad_settings_are_named(repository: Path, text: str, said: str) -> None:
    (repository / "jumar.toml").write_text(text)
    with pytest.raises(settings.BadSettings, match=said):
        settings.read(repository)


def test_a_broken_pyproject_that_has_our_section_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other\n")
    assert settings.read(tmp_path) == settings.Settings()
    (tmp_path / "pyproject.toml").write_text('[tool.jumar.scan]\nignore = ["C0')
    with pytest.raises(settings.BadSettings, match="mend it"):
        settings.read(tmp_path)


def test_diff_looks_at_changed_lines(repository: Path, git: Git) -> None:
    path = repository / "train.py"
    path.write_text(path.read_text() + "model.cuda()\n")
    (repository / "new.py").write_text("x.cuda()\n")
    changed = revision.changes(Repository.at(repository), "HEAD")
    found = scanning.scan(Repository.at(repository)).only(changed.touch)
    assert [(one.path, one.line) for one in found.findings] == [("new.py", 1), ("train.py", 9)]


def test_diff_of_a_folder_inside(repository: Path, git: Git) -> None:
    (repository / "deep" / "er" / "free.py").write_text("x.cuda()\n")
    changed = revision.changes(Repository.at(repository / "deep"), "HEAD")
    assert changed.lines == {"er/free.py": [(1, 1)]}


def test_diff_refuses_what_git_does_not_know(repository: Path, git: Git) -> None:
    for bad in ("nothing", "--output=x"):
        with pytest.raises(revision.NoRevision):
            revision.changes(Repository.at(repository), bad)


def test_beside_a_branch_for_the_npu_little_weighs() -> None:
    text = (
        "import torch\n\nif is_npu_available():\n    device = 'npu'\nelif torch.cuda.is_available():\n"
        "    device = 'cuda'\nelse:\n    torch.cuda.synchronize()\nx.cuda()\n"
    )
    found, _ = scanning.check(Document("a.py", text))
    assert {(one.line, one.severity) for one in found} == {
        (5, "cosmetic"),
        (6, "cosmetic"),
        (8, "cosmetic"),
        (9, "blocks"),
    }
    assert not any(one.edit for one in found if one.line < 9)


def test_a_package_without_init_is_the_repositorys_own(tmp_path: Path) -> None:
    (tmp_path / "megatron" / "core").mkdir(parents=True)
    (tmp_path / "megatron" / "core" / "__init__.py").touch()
    repository = Repository.at(tmp_path)
    assert {"megatron", "core"} <= repository.own_packages(repository.files())
