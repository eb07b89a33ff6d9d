"""Leaving the CUDA face: every place that a patch touches holds what it held before."""

from __future__ import annotations

import importlib
from typing import Any

import torch
import torch_npu

import jumar
from jumar import environment, patches
from jumar.cuda import face

ABSENT = object()
POLICIES = environment.FLOAT64_POLICIES


def places() -> dict[str, Any]:
    """What stands at the target of each patch of PyTorch, as its owner holds it."""
    found = {}
    for patch in face.patched():
        if not patches.is_loaded(patch):
            continue
        module, _, path = patch.target.partition(":")
        *owners, name = path.split(".")
        owner: Any = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part, ABSENT)
        found[patch.target] = ABSENT if owner is ABSENT else vars(owner).get(name, ABSENT)
    return found


def settings() -> dict[str, Any]:
    """What the chapters change apart from patches."""
    from multiprocessing.reduction import ForkingPickler

    from torch import serialization

    return {
        "tags": list(serialization._package_registry),
        "reducers": dict(ForkingPickler._extra_reducers),  # type: ignore[attr-defined]
        "modes": torch._C._len_torch_dispatch_stack(),
        "tf32": torch_npu.npu.matmul.allow_hf32,
        "name": torch._C._get_privateuse1_backend_name(),
        "version": torch.version.cuda,
    }


def test_everything_is_as_before() -> None:
    import torch._dynamo
    import torch.profiler
    import torch.utils.cpp_extension

    with jumar.cuda():  # what is imported and registered only once
        torch.ones(1).cuda()
    before, as_set = places(), settings()
    for policy in POLICIES:
        with jumar.cuda(float64=policy):
            changed = {name for name, value in places().items() if value is not before[name]}
            assert len(changed) > 100
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.ones(1).cuda()
            torch.backends.cuda.matmul.allow_tf32 = False
        after = places()
        assert [name for name in before if after[name] is not before[name]] == []
        assert settings() == as_set
    assert torch.device("cuda").type == "cuda" and torch.device("npu:0").type == "npu"
    assert str(torch.ones(1, device="npu").device) == "npu:0"
    assert not torch.ones(1, device="npu").is_cuda


def test_an_error_inside_leaves_too() -> None:
    try:
        with jumar.cuda(float64="error"):
            torch.ones(1, dtype=torch.double).cuda()
    except RuntimeError:
        assert not face.is_on() and torch.version.cuda is None
    else:
        raise AssertionError("nothing was raised")
