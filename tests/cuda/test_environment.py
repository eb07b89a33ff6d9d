"""CUDA's variables, as the adapter gets to see them."""

from __future__ import annotations

import pytest

from jumar.cuda import account, environment
from jumar.cudamap import personas

FIRST = personas.identity(0)


@pytest.mark.parametrize(
    ("text", "chips"),
    [
        ("0", [0]),
        ("1,0", [1, 0]),
        (" 2 , 3", [2, 3]),
        ("", []),
        ("-1", []),
        ("0,-1,1", [0]),
        ("0,0", []),
        ("none", []),
        ("NoDevFiles", []),
        ("0,x,1", [0]),
        ("1gpu2,2ampere", [1, 2]),
        (FIRST, [0]),
        (FIRST[:10], [0]),
        ("GPU-zzzz", []),
    ],
)
def test_visible_devices(text: str, chips: list[int]) -> None:
    assert environment.visible(text) == chips


def test_visible_devices_reach_the_adapter() -> None:
    seen = {"CUDA_VISIBLE_DEVICES": "3,1"}
    environment.translate(seen)
    assert seen["ASCEND_RT_VISIBLE_DEVICES"] == "3,1"


def test_a_real_run_time_gets_them_ascending() -> None:
    account.clear()
    seen = {"CUDA_VISIBLE_DEVICES": "3,1"}
    environment.translate(seen, ascending=True)
    environment.translate(seen, ascending=True)
    assert seen["ASCEND_RT_VISIBLE_DEVICES"] == "1,3"
    assert [row["count"] for row in account.rows()] == [1]
    account.clear()


def test_unset_stays_unset() -> None:
    seen = {"ASCEND_RT_VISIBLE_DEVICES": "0"}
    environment.translate(seen)
    assert seen == {"ASCEND_RT_VISIBLE_DEVICES": "0"}


def test_blocking_launches() -> None:
    seen = {"CUDA_LAUNCH_BLOCKING": "1"}
    environment.translate(seen)
    assert seen["ASCEND_LAUNCH_BLOCKING"] == "1"


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        (
            "max_split_size_mb:128, garbage_collection_threshold:0.8",
            "max_split_size_mb:128,garbage_collection_threshold:0.8",
        ),
        ("expandable_segments:True,backend:cudaMallocAsync", "expandable_segments:True"),
        ("roundup_power2_divisions:[256:1,>:4]", "roundup_power2_divisions:[256:1,>:4]"),
        ("release_lock_on_cudamalloc:True", "release_lock_on_npumalloc:True"),
        ("backend:native", None),
    ],
)
@pytest.mark.parametrize("name", environment.ALLOCATOR)
def test_settings_of_the_allocator(name: str, given: str, passed_on: str | None) -> None:
    seen = {name: given}
    with environment.allocator(seen):
        assert seen == ({} if passed_on is None else {"PYTORCH_NPU_ALLOC_CONF": passed_on})
    assert seen == {name: given}


def test_settings_meant_for_the_adapter_stay() -> None:
    seen = {"PYTORCH_CUDA_ALLOC_CONF": "max_split_size_mb:1", "PYTORCH_NPU_ALLOC_CONF": "max_split_size_mb:2"}
    with environment.allocator(seen):
        assert seen == {"PYTORCH_NPU_ALLOC_CONF": "max_split_size_mb:2"}
    assert len(seen) == 2
