"""One question to every public name of torch.cuda, with what a CUDA machine answers."""

from __future__ import annotations

import pytest
import torch
import torch_npu  # noqa: F401  without the face, the chip is npu

from answers import devices, memory, streams, types

pytestmark = pytest.mark.usefixtures("face_for_module")

ANSWERS = types.ANSWERS | streams.ANSWERS | memory.ANSWERS | devices.ANSWERS


def test_every_name_is_asked() -> None:
    assert set(torch.cuda.__all__) - ANSWERS.keys() == set()


@pytest.mark.parametrize("name", ANSWERS)
def test_answer(name: str) -> None:
    ask, expected = ANSWERS[name]
    answer = ask()
    if isinstance(expected, type):
        assert isinstance(answer, expected), answer
    else:
        assert answer == expected
