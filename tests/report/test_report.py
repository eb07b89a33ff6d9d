"""The report of a run from made-up facts: what the lines say, and that the page stands alone and escapes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jumar import chips, report
from jumar.report import lines, page

SERVER = {
    "chips": [{"id": 0, "memory_bytes": 2**36, "used_bytes": 0, "peak_bytes": 3 * 2**29}],
    "operators": {"aclnnAdd": {"run": 5, "skipped": 2}, "aclnnMm": {"run": 9, "skipped": 0}},
    "unsupported": {"aclnnFoo": 3},
    "fallbacks": {"aten::linalg_matrix_exp": 2},
    "copies": {"count": 1, "bytes": 2},
}
PROGRAM = {
    "rank": "1",
    "steps": 3,
    "optimizers": ["AdamW"],
    "seconds_stepping": 1.0,
    "backwards": 3,
    "losses": [[0, 4.0], [1, float("nan")], [2, 2.5]],
}


def made(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "chip": chips.find("910B2"),
        "devices": 1,
        "dry": False,
        "command": ["python", "<script>.py"],
        "code": 0,
        "wall_s": 2.0,
        "server": SERVER,
        "programs": [PROGRAM],
    }
    return report.facts(**(given | changes))


def test_the_lines_say_what_happened() -> None:
    said = dict(lines.rows(made()))
    assert said["steps"] == "3 of AdamW, 0.5 s each on this host"
    assert said["loss"] == "4 → 2.5"
    assert said["operators"] == "14 run, 2 kinds"
    assert said["unsupported calls"] == "aclnnFoo (3)"
    assert said["left to the CPU"] == "aten::linalg_matrix_exp (2)"
    assert said["peak memory"] == "npu:0 1.5 GiB of 64 GiB"


def test_what_befell_the_chips_is_counted_by_kind_and_chip() -> None:
    befell = [{"event": "fault", "kind": "uce", "chip": 1}] * 2 + [
        {"event": "throttle", "kind": "", "chip": 0}
    ]
    assert lines._incidents({"heat": {"incidents": befell}}) == [
        ("incidents", "uce on npu:1 (2), throttle on npu:0 (1)")
    ]
    assert lines._incidents({"heat": {"incidents": []}}) == lines._incidents(None) == []


def test_a_dry_run_says_what_was_skipped_and_shows_no_loss() -> None:
    said = dict(lines.rows(made(dry=True)))
    assert said["operators"] == "14 run, 2 skipped, 2 kinds"
    assert "loss" not in said and "dry run" in said["note"]


def test_the_lowest_rank_is_followed() -> None:
    first = PROGRAM | {"rank": "0", "losses": [[0, 9.0]]}
    assert made(programs=[PROGRAM, first])["losses"] == [[0, 9.0]]


def test_a_program_that_used_no_chip_is_told() -> None:
    unused = {**SERVER, "operators": {}, "chips": [{"id": 0, "memory_bytes": 1, "peak_bytes": 0}]}
    assert "no program used the chips" in made(server=unused, programs=[])["notes"][0]
    assert "could not be read" in made(server=None, programs=[])["notes"][0]


def test_the_page_stands_alone_and_escapes() -> None:
    rendered = page.render(made())
    assert "&lt;script&gt;.py" in rendered and "<script>.py" not in rendered
    assert "<polyline" in rendered and "src=" not in rendered and "http" not in rendered.split("<script>")[0]
    assert set(re.findall(r'href="(.)', rendered)) == {"#"}
    assert "aclnnMm" in rendered and not re.search(r"\$[a-z]", rendered.split("<script>")[0])


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (1023, "1023 B"), (2**21, "2 MiB"), (1.5 * 2**40, "1.5 TiB")]
)
def test_sizes(count: float, shown: str) -> None:
    assert lines.size(count) == shown


def face(*rows: tuple[str, str, int, str]) -> dict[str, Any]:
    named = [dict(zip(("kind", "name", "count", "first"), row, strict=True)) for row in rows]
    return {"persona": "A100", "float64": "chip", "rows": named}


def test_the_cuda_accounts_of_all_processes_are_one() -> None:
    faces = [
        face(
            ("redirected", "torch.cuda.synchronize", 5, "a.py:3"),
            ("ignored", "torch.cuda.nvtx.range_push", 2, "a.py:4"),
        ),
        face(("redirected", "torch.cuda.synchronize", 7, "b.py:9")),
    ]
    merged = made(faces=faces)["cuda"]
    assert merged["rows"] == [
        ["ignored", "torch.cuda.nvtx.range_push", 2, "a.py:4"],
        ["redirected", "torch.cuda.synchronize", 12, "a.py:3"],
    ]
    said = dict(lines.rows(made(faces=faces)))["CUDA face"]
    assert said == "as A100; 12 redirected; ignored: torch.cuda.nvtx.range_push (2)"
    assert "a.py:3" in page.render(made(faces=faces))


def test_a_run_without_cuda_says_nothing_of_it() -> None:
    assert "CUDA face" not in dict(lines.rows(made()))
