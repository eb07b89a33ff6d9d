"""Broken and hostile repositories: no crash, no hang, nothing outside read or written, and what was not read is named."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MARK = "torch.cuda.synchronize()"
PLAIN = f"import torch\n{MARK}\n".encode()
DEEP = 6_000
HUGE = 300_000
SMALL = 100_000
WITHIN_S = 300

# Names of files and what is in them. Each has been the end of some parser.
FILES: dict[str, bytes] = {
    "plain.py": PLAIN,
    "empty.py": b"",
    "latin1.py": "# café\nimport torch\ntorch.cuda.synchronize()\n".encode("latin-1"),
    "cookie.py": b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + PLAIN,
    "cookie_unknown.py": b"# -*- coding: klingon -*-\n" + PLAIN,
    "cookie_codec.py": b"# -*- coding: zlib -*-\n" + PLAIN,
    "cookie_idna.py": b"# -*- coding: idna -*-\n" + PLAIN * 300,
    "cookie_undefined.py": b"# -*- coding: undefined -*-\n" + PLAIN,
    "utf16.py": PLAIN.decode().encode("utf-16"),
    "utf32.py": PLAIN.decode().encode("utf-32"),
    "mark_only.py": b"\xff\xfe\x00\xd8",
    "byte_order.py": b"\xef\xbb\xbf" + PLAIN,
    "not_utf8.py": b"\xff\xfe\xfa\n" + PLAIN,
    "zeros.py": b"import torch\n\0torch.cuda.synchronize()\n",
    "carriage.py": PLAIN.replace(b"\n", b"\r"),
    "separators.py": "x = '\u2028\u2029\x85\x0c'\nimport torch\x0c\ntorch.cuda.synchronize()\n".encode(),
    "escapes.py": b"# \x1b]0;cuda\x07 \x1b[31m torch.cuda\n" + PLAIN,
    "syntax.py": b"def (:\n" + PLAIN,
    "python2.py": b"print 'cuda'\n" + PLAIN,
    "one_line.py": b"import torch;" + MARK.encode() + b";" + b"torch.cuda.empty_cache();" * 2_000,
    "long_string.py": b"import torch\nx = '" + b"cuda " * (HUGE // 5) + b"'\n",
    "long_name.py": b"import torch\n" + b"cuda" * (HUGE // 4) + b" = 1\n",
    "lines.py": b"\n" * HUGE + PLAIN,
    "spaces.py": b"cuda" + b" " * HUGE + b"= 1\n",
    "parentheses.py": b"cuda = " + b"(" * DEEP + b")" * DEEP,
    "brackets.py": b"cuda = " + b"[" * DEEP,
    "attributes.py": b"import torch\ncuda" + b".cuda" * DEEP,
    "calls.py": b"import torch\nx" + b".cuda()" * DEEP,
    "sums.py": b"cuda = 1" + b"+1" * DEEP,
    "negatives.py": b"cuda = " + b"-" * DEEP + b"1",
    "ifs.py": b"".join(b" " * level + b"if cuda:\n" for level in range(99)) + b" " * 99 + b"pass\n",
    "elifs.py": b"if cuda: pass\n" + b"elif cuda: pass\n" * 3_000,
    "f_strings.py": b"x = f'{" * 200 + b"cuda" + b"}'" * 200,
    "lambdas.py": b"cuda = " + b"lambda: " * 3_000 + b"1",
    "decorators.py": b"@cuda\n" * DEEP + b"def f(): pass\n",
    "surrogates.py": b"x = '\xed\xa0\x80cuda'\n" + PLAIN,
    "laughs.yaml": b"a0: &a0 [nvidia.com/gpu]\n"
    + b"".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n".encode() for n in range(1, 40)),
    "itself.yaml": b"a: &a [*a, nvidia.com/gpu]\n",
    "merged.yaml": b"a: &a {<<: *a, nvidia.com/gpu: 1}\n",
    "flow.yaml": b"nvidia.com/gpu: " + b"[" * DEEP,
    "flow_maps.yaml": b"nvidia.com/gpu: " + b"{a: " * DEEP,
    "dashes.yaml": b"- " * DEEP + b"nvidia.com/gpu",
    "indent.yaml": b"".join(b" " * level + b"gpu:\n" for level in range(2_000)),
    "anchors.yaml": b"".join(f"- &x{n} nvidia\n".encode() for n in range(20_000)),
    "unclosed.yaml": b"image: 'nvidia/cuda:12\n" + b"a: b\n" * 9_000,
    "tags.yaml": b"!!python/object/apply:os.system ['touch hacked-nvidia']\n",
    "templates.yaml": b"{{ nvidia.com/gpu " * DEEP,
    "colons.yaml": b"nvidia" + b":" * HUGE,
    "one_line.yaml": b"nvidia: " + b"a " * (HUGE // 2),
    "nested.json": b'{"nvidia": ' + b"[" * DEEP,
    "closed.json": b'{"nvidia.com/gpu": ' + b"[" * DEEP + b"]" * DEEP + b"}",
    "number.json": b'{"cuda": 1' + b"0" * 100_000 + b"}",
    "twice.json": b'{"cuda": 1, "cuda": NaN, "cuda": "\\ud800"}',
    "broken.ipynb": b'{"cells": [{"cell_type": "code", "source": ["import torch\\n", "torch.cuda',
    "numbers.ipynb": b'{"cells": [1, null, {"cell_type": "code", "source": 7, "x": "cuda"}], "metadata": []}',
    "strange.ipynb": b'{"cells": {"cuda": {}}, "metadata": "cuda", "nbformat": "cuda"}',
    "magics.ipynb": json.dumps(
        {
            "cells": [
                {"cell_type": "code", "source": ["%%cuda\n", "!nvidia-smi $(\n", "%time torch.cuda\n", "?\n"]}
            ]
        }
    ).encode(),
    "array.ipynb": b'["cuda"]',
    "nested.toml": b"nvidia = " + b"[" * DEEP,
    "dotted.toml": b"a" + b".cuda" * 5_000 + b" = 1\n",
    "requirements.txt": b"-r requirements.txt\n-r ../../etc/passwd\nnvidia-cublas-cu12 @ file:///etc/passwd\n==cuda\n\\\n",
    "Dockerfile": b"FROM nvidia/cuda:12\n" + b"RUN nvidia-smi && \\\n" * DEEP,
    "heredoc.dockerfile": b"FROM nvidia/cuda\nRUN <<A <<B <<'C'\nnvidia-smi\n",
    "bare.dockerfile": b"\\\nFROM\nnvidia\nCOPY --from= \nARG\n",
    "quotes.sh": b"nvidia-smi '" + b'"$(`' * 9_000,
    "heredoc.sh": b"cat <<EOF | sh <<EOF\nnvidia-smi\n" * 3_000,
    "substitutions.sh": b"nvidia-smi " + b"$(" * DEEP,
    "backslashes.sh": b"export CUDA_HOME=" + b"\\" * HUGE,
    "job.sbatch": b"#SBATCH --gres=gpu:" + b"8" * 100_000 + b"\n#SBATCH\n#SBATCH --gres\n",
    "braces.cu": b"__global__ void cuda() " + b"{" * DEEP,
    "templates.cu": b"__global__ void f(" + b"a<" * DEEP,
    "launch.cu": b"k<<<" * DEEP,
    "macro.cpp": b"#define CUDA \\\n" * DEEP,
    "ifdefs.cpp": b"#ifdef CUDA\n" * 5_000,
    "raw.cpp": b'const char* cuda = R"cuda(' + b"(" * HUGE,
    "comment.cu": b"/* cuda " + b"* " * (HUGE // 2),
    "CMakeLists.txt": b"find_package(CUDA " + b"(" * DEEP,
    "brackets.cmake": b"set(CUDA [" + b"=" * 9_000 + b"[ cuda ]" + b"=" * 8_999 + b"]",
    "nested.tf": b'resource "nvidia" "gpu" {\n' * DEEP,
    "strings.tf": b'machine = "${' * 9_000 + b"nvidia",
    "readme.md": b"[" * DEEP + b"cuda" + b"```python\nimport torch\ntorch.cuda\n" * 3_000,
    "stars.md": b"*_`cuda" * 50_000,
    "kernel.rules": b"groups: [nvidia, \x00",
    "Makefile": b"cuda: $(" * DEEP,
    "values.tpl": b'{{- if .nvidia }}{{ include "cuda" . | nindent ' * 3_000,
    "ini.cfg": b"[cuda\nnvidia = %(nvidia)s\n= cuda\n",
}
# Runs a scan with an eye on every file that Python opens, and prints what was opened outside.
WATCHED = """
import os, sys
root, allowed, seen = sys.argv[1], sys.argv[2].split(os.pathsep), []
def watch(event, args):
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.symlink", "os.truncate", "os.chmod"):
        path = args[0]
        writes = event != "open" or (isinstance(args[1], str) and set(args[1]) & set("wax+"))
        if isinstance(path, (str, bytes)):
            whole = os.path.abspath(os.fsdecode(path))
            inside = whole == root or whole.startswith(root + os.sep)
            if writes or not (inside or any(whole.startswith(place) for place in allowed)):
                seen.append((event, whole))
from pathlib import Path
import jumar.cli.scan
from jumar.port import rules, scanning
from jumar.port.repository import Repository
rules.all_rules()
sys.addaudithook(watch)
found = scanning.scan(Repository.at(Path(root)), jobs=1)
# For the text of a syntax error Python itself looks for a file of the name that it was not told.
harmless = ("/dev/null", os.path.abspath("<unknown>"))
print(len(found.findings), [one for one in seen if "/proc/" not in one[1] and one[1] not in harmless])
"""


def _fill(folder: Path) -> None:
    for name, raw in FILES.items():
        (folder / name).write_bytes(raw)


def _links_and_pipes(folder: Path, outside: Path) -> None:
    """What a checked-out tree can have besides files."""
    outside.mkdir()
    (outside / "secret.py").write_bytes(b"import torch\ntorch.cuda.secret_outside()\n")
    (folder / "deep").mkdir()
    for name, target in {
        "loop": folder,
        "deep/loop": folder / "deep",
        "outside": outside,
        "secret.py": outside / "secret.py",
        "relative.py": Path("../outside/secret.py"),
        "zero.py": Path("/dev/zero"),
        "dangling.py": folder / "nowhere.py",
        "itself.py": folder / "itself.py",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(folder / "Dockerfile.pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket.py"))
    (folder / "folder.py").mkdir()
    for name in (
        "line\nbreak.py",
        "tab\t.py",
        "-rf.py",
        "\x1b[31mred.py",
        "quote'\".py",
        "ünï.py",
        "x" * 250 + ".py",
    ):
        (folder / name).write_bytes(PLAIN)
    Path(os.fsdecode(os.fsencode(folder) + b"/bytes\xff\xfe.py")).write_bytes(PLAIN)
    (folder / "locked.py").write_bytes(PLAIN)
    (folder / "locked.py").chmod(0)
    with (folder / "enormous.py").open("wb") as sparse:
        sparse.truncate(5 << 30)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    above = tmp_path_factory.mktemp("hostile")
    folder = above / "repository"
    folder.mkdir()
    _fill(folder)
    with contextlib.chdir(above):
        _links_and_pipes(folder, above / "outside")
    return folder


@pytest.fixture(scope="module")
def facts(hostile: Path) -> dict[str, Any]:
    """What a scan of it all says, and what lay there before and after."""
    before = _lying(hostile)
    done = _scan(hostile, "--json")
    assert done.returncode == 0, done.stderr.decode()
    said: dict[str, Any] = json.loads(done.stdout)
    return {**said, "before": before, "after": _lying(hostile)}


def _lying(folder: Path) -> list[str]:
    return sorted(str(one) for one in folder.parent.rglob("*") if not one.is_symlink())


def _scan(folder: Path, *options: str) -> subprocess.CompletedProcess[bytes]:
    start = "import sys; from jumar.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "scan", *options, str(folder)]
    return subprocess.run(command, capture_output=True, timeout=WITHIN_S, check=False)


@pytest.mark.parametrize(
    ("name", "text"),
    [("jumar.toml", "select = {}\nnvidia = [\n"), ("pyproject.toml", "[tool.jumar.scan]\nselect = 7\n")],
)
def test_settings_that_cannot_be_read_are_named(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    done = _scan(tmp_path)
    assert done.returncode == 2
    assert name.encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_everything_is_survived_and_plain_files_are_read(facts: dict[str, Any]) -> None:
    found = {(one["path"], one["line"]) for one in facts["findings"] if one["code"] == "C010"}
    assert {("plain.py", 2), ("line\nbreak.py", 2), ("-rf.py", 2), ("cookie.py", 4), ("utf16.py", 2)} <= found


def test_links_out_of_the_repository_are_not_followed(facts: dict[str, Any]) -> None:
    assert not any("secret" in one["what"] or "outside" in one["path"] for one in facts["findings"])


def test_what_was_not_read_is_named(facts: dict[str, Any]) -> None:
    assert {"syntax.py", "enormous.py", "parentheses.py"} <= {one["path"] for one in facts["not_read"]}


def test_nothing_of_a_rule_fails(facts: dict[str, Any]) -> None:
    """A rule that raises is a mistake of ours, even where the file is to blame."""
    assert [one for one in facts["not_read"] if " failed on it" in one["reason"]] == []


def test_no_file_takes_long(facts: dict[str, Any]) -> None:
    assert [one for one in facts["not_read"] if "took longer" in one["reason"]] == []


def test_nothing_is_written(facts: dict[str, Any]) -> None:
    assert facts["before"] == facts["after"]


def test_nothing_outside_is_opened(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    for name, raw in FILES.items():
        if len(raw) < SMALL:
            (folder / name).write_bytes(raw)
    with contextlib.chdir(tmp_path):
        _links_and_pipes(folder, tmp_path / "outside")
    allowed = os.pathsep.join({sys.prefix, sys.base_prefix, str(Path(__file__).resolve().parents[2] / "src")})
    command = [sys.executable, "-B", "-c", WATCHED, str(folder), allowed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 0, done.stderr
    count, seen = done.stdout.split(" ", 1)
    assert int(count) > 0
    assert seen.strip() == "[]"


HOSTILE_GIT: dict[str, Callable[[Path], str]] = {
    "fsmonitor": lambda mark: f'[core]\n\tfsmonitor = "touch {mark}; false"\n',
    "worktree": lambda mark: f"[core]\n\tworktree = {mark.parent}\n",
    "diff": lambda mark: (
        f'[diff]\n\texternal = "touch {mark}; false"\n[diff "x"]\n\ttextconv = "touch {mark}"\n'
    ),
    "filter": lambda mark: f'[filter "x"]\n\tclean = touch {mark}\n\tsmudge = touch {mark}\n',
    "include": lambda mark: f"[include]\n\tpath = {mark.parent}/outside.conf\n",
}


@pytest.mark.parametrize("name", HOSTILE_GIT)
def test_the_repositorys_git_settings_run_nothing(name: str, tmp_path: Path) -> None:
    folder, mark = tmp_path / "repository", tmp_path / "ran"
    folder.mkdir()
    (folder / "train.py").write_bytes(PLAIN)
    (folder / ".gitattributes").write_text("*.py diff=x filter=x\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", str(folder), "add", "."], check=True)
    subprocess.run(["git", "-C", str(folder), *who, "commit", "-qm", "first"], check=True)
    (folder / "train.py").write_bytes(PLAIN * 2)
    (tmp_path / "outside.conf").write_text(f'[core]\n\tfsmonitor = "touch {mark}"\n', encoding="utf-8")
    with (folder / ".git" / "config").open("a", encoding="utf-8") as settings:
        settings.write(HOSTILE_GIT[name](mark))
    for options in ((), ("--diff", "HEAD")):
        assert b"Traceback" not in _scan(folder, *options).stderr
    assert not mark.exists()
