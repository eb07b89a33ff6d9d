"""The chip goes by the name of cuda: everywhere in PyTorch, for no package that knows it by its own, and not after."""

from __future__ import annotations

import copy
import io
import pickle
import threading
import types

import pytest
import torch
import torch_npu  # noqa: F401  without the face, the chip is npu

import jumar
from jumar.cuda import account, naming


def seen_from(package: str, source: str) -> str:
    """What an expression gives in a module of that name."""
    module = types.ModuleType(package)
    exec(f"import torch\ndef ask(x): return {source}", module.__dict__)
    return str(module.ask(torch.ones(1, device="cuda")))


@pytest.mark.usefixtures("face")
def test_a_tensor_says_cuda() -> None:
    x = torch.ones(3, device="cuda")
    assert x.device.type == "cuda"
    assert x.device == torch.device("cuda", 0) == torch.device("cuda:0") == torch.device(0)
    assert str(x.device) == "cuda:0"
    assert repr(x.device) == "device(type='cuda', index=0)"
    assert repr(x) == "tensor([1., 1., 1.], device='cuda:0')"
    assert isinstance(x.device, torch.device) and hash(x.device) == hash(torch.device("cuda:0"))


@pytest.mark.usefixtures("face")
def test_values_that_hold_a_device_survive_copy_and_pickle() -> None:
    device = torch.device("cuda", 1)
    assert pickle.loads(pickle.dumps(device)) == copy.deepcopy(device) == device
    assert b"cuda" in pickle.dumps(device) and b"npu" not in pickle.dumps(device)


@pytest.mark.usefixtures("face")
def test_torchscript_says_cuda() -> None:
    @torch.jit.script
    def made(n: int) -> torch.Tensor:
        return torch.zeros(n, device=torch.device("cuda")) + 1

    assert made(2).device == torch.device("cuda:0")


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize("name", ["cuda:x", "cuda:-1", "cuda:", "cudax", "cuda:1:2", "gpu"])
def test_a_wrong_name_is_refused_in_the_words_of_cuda(name: str) -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.device(name)
    assert "npu" not in str(caught.value) and "privateuse" not in str(caught.value).replace("privateuseone", "")


@pytest.mark.usefixtures("face")
@pytest.mark.parametrize(
    ("package", "type_"), [("torch_npu.some", "npu"), ("torch_npu", "npu"), ("torch_npuish", "cuda"), ("mine", "cuda")]
)
def test_packages_that_know_the_chip_see_its_own_name(package: str, type_: str) -> None:
    assert seen_from(package, "x.device.type") == type_
    assert seen_from(package, "str(x.device)") == f"{type_}:0"


@pytest.mark.usefixtures("face")
def test_both_names_are_understood() -> None:
    assert torch.device("npu:0") == torch.device("cuda:0")
    assert torch.ones(1, device="npu").device == torch.device("cuda:0")


@pytest.mark.usefixtures("face")
def test_names_are_right_in_threads_and_without_the_interpreter_lock() -> None:
    seen: list[str] = []
    x = torch.ones(2, device="cuda", requires_grad=True)
    x.register_hook(lambda gradient: seen.append(str(gradient.device)))
    thread = threading.Thread(target=lambda: (x * 2).sum().backward())
    thread.start()
    thread.join()
    assert seen == ["cuda:0"]


def test_leaving_puts_everything_back() -> None:
    with jumar.cuda():
        x = torch.ones(1, device="cuda")
    assert x.device.type == "npu" and torch.device("cuda").type == "cuda"
    assert torch.device("cuda") != x.device
    assert not isinstance(getattr(torch.Tensor, "is_cuda", None), property)
    with pytest.raises((RuntimeError, AssertionError)):
        torch.ones(1, device="cuda")


def test_contexts_nest_and_come_again() -> None:
    for _ in range(3):
        with jumar.cuda():
            with jumar.cuda():
                pass
            assert torch.ones(1).cuda().is_cuda
    assert not jumar.cuda.is_on()


def test_an_error_inside_leaves_the_face() -> None:
    with pytest.raises(ZeroDivisionError), jumar.cuda():
        _ = 1 // 0
    assert not jumar.cuda.is_on()


@pytest.mark.usefixtures("face")
def test_saved_tensors_carry_cuda_tags() -> None:
    file = io.BytesIO()
    torch.save({"w": torch.ones(2, device="cuda:0")}, file)
    assert b"cuda:0" in file.getvalue() and b"npu:0" not in file.getvalue()
    file.seek(0)
    tags: list[str] = []

    def place(storage: torch.UntypedStorage, tag: str) -> torch.UntypedStorage:
        tags.append(tag)
        return storage

    torch.load(file, map_location=place)
    assert tags == ["cuda:0"]


def test_the_first_device_is_noted_with_its_line() -> None:
    before = naming.parsed()
    with jumar.cuda():
        torch.device("cuda")
    assert naming.parsed() == before + 1
    rows = {row["name"]: row for row in jumar.cuda.facts()["rows"]}  # type: ignore[attr-defined]
    assert "test_naming.py" in rows['device "cuda"']["first"] or before > 0
    assert account.KINDS[rows['device "cuda"']["kind"]]
