"""Compiling, TorchScript, operators, profiling and extensions under the CUDA face."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import torch_npu  # noqa: F401
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function, schedule
from torch.utils import cpp_extension

from jumar.cuda import account

pytestmark = [pytest.mark.usefixtures("face_for_module"), pytest.mark.filterwarnings("ignore")]


@pytest.mark.parametrize("chosen", [
    {}, {"mode": "reduce-overhead"}, {"mode": "max-autotune"}, {"fullgraph": True}, {"dynamic": True},
    {"backend": "inductor"}, {"backend": "cudagraphs"}, {"backend": "eager"}, {"options": {"triton.cudagraphs": True}},
    {"backend": lambda graph, inputs: graph.forward},
], ids=str)  # fmt: skip
def test_a_compiled_module_is_pytorchs_wrapper(chosen: dict[str, Any]) -> None:
    from torch._dynamo import OptimizedModule

    model = nn.Linear(4, 2).cuda()
    compiled = torch.compile(model, **chosen)
    assert isinstance(compiled, OptimizedModule) and compiled._orig_mod is model
    assert list(compiled.state_dict()) == ["_orig_mod.weight", "_orig_mod.bias"]
    x = torch.randn(3, 4, device="cuda")
    assert torch.equal(compiled(x), model(x))
    compiled(x).sum().backward()
    assert model.weight.grad is not None
    compiled.eval()
    assert not model.training


def test_compiling_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    account.clear()
    torch.compile(nn.Linear(1, 1))
    torch.compile(nn.Linear(1, 1))
    assert capsys.readouterr().err.count("torch.compile runs eagerly") == 1


def test_compiled_functions_methods_and_in_place() -> None:
    @torch.compile
    def double(x: torch.Tensor) -> torch.Tensor:
        """Twice."""
        return x * 2

    @torch.compile(fullgraph=True, dynamic=True)
    def triple(x: torch.Tensor) -> torch.Tensor:
        return x * 3

    class Own:
        @torch.compile
        def method(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    x = torch.ones(2, device="cuda")
    assert double(x).tolist() == [2, 2] and double.__doc__ == "Twice." and double.__name__ == "double"
    assert triple(x).tolist() == [3, 3] and Own().method(x).tolist() == [2, 2]
    model = nn.Linear(2, 2).cuda()
    model.compile(mode="default")
    assert model(x).shape == (2,) and list(model.state_dict()) == ["weight", "bias"]
    assert torch.compile(model, disable=True) is model


def test_wrong_arguments_of_compile_are_told() -> None:
    with pytest.raises(RuntimeError, match="Either mode or options can be specified"):
        torch.compile(nn.Linear(1, 1), mode="default", options={"triton.cudagraphs": True})
    with pytest.raises(Exception, match="nonsense"):
        torch.compile(nn.Linear(1, 1), backend="nonsense")


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.is_cuda:
            x = x + torch.zeros(4, device="cuda")
        return self.linear(x.cuda())


def test_torchscript_knows_cuda() -> None:
    model = Model().cuda()
    x = torch.randn(3, 4, device="cuda")
    scripted = torch.jit.script(model)
    assert torch.equal(scripted(x), model(x)) and torch.equal(scripted(x.cpu()), model(x))
    assert torch.equal(torch.jit.freeze(scripted.eval())(x), model(x))
    assert torch.equal(torch.jit.trace(model, x)(x), model(x))

    @torch.jit.script
    def ask(x: torch.Tensor) -> tuple[bool, str, bool]:
        return x.is_cuda, x.device.type, torch.is_autocast_enabled()

    assert ask(x) == (True, "cuda", False) and ask(x.cpu()) == (False, "cpu", False)


def test_other_ways_to_take_a_program() -> None:
    model, x = nn.Linear(4, 4).cuda(), torch.randn(3, 4, device="cuda")
    assert torch.equal(torch.fx.symbolic_trace(model)(x), model(x))
    assert torch.allclose(torch.export.export(model, (x,)).module()(x), model(x))
    assert torch.func.vmap(lambda a: a * 2)(x).is_cuda
    assert torch.allclose(torch.func.grad(lambda a: (a**2).sum())(x), 2 * x)
    assert torch.autograd.functional.jacobian(torch.sin, x[0]).shape == (4, 4)


def test_operators_registered_for_cuda() -> None:
    library = torch.library.Library("jumar_test", "DEF")
    x = torch.ones(2, device="cuda")
    for name, key in (("a", "CUDA"), ("b", "AutogradCUDA"), ("c", "AutocastCUDA")):
        library.define(f"{name}(Tensor x) -> Tensor")
        library.impl(name, lambda x: x * 3, key)
    assert torch.ops.jumar_test.a(x).tolist() == [3, 3] and torch.ops.jumar_test.b(x).tolist() == [3, 3]
    assert torch._C._dispatch_has_kernel_for_dispatch_key("jumar_test::a", "CUDA")
    assert torch._C._dispatch_keys(x).has(torch._C.DispatchKey.CUDA)
    library.define("d(Tensor x) -> Tensor")
    torch.library.impl("jumar_test::d", "cuda", lib=library)(lambda x: x * 4)
    library.define("e(Tensor x) -> Tensor")
    torch.library.impl(library, "e", "CUDA")(lambda x: x * 5)
    assert torch.ops.jumar_test.d(x).tolist() == [4, 4] and torch.ops.jumar_test.e(x).tolist() == [5, 5]
    with torch.autocast("cuda"):
        assert torch.ops.jumar_test.c(x).tolist() == [3, 3]


def test_custom_operators() -> None:
    @torch.library.custom_op("jumar_test::bar", mutates_args=(), device_types="cuda")
    def bar(x: torch.Tensor) -> torch.Tensor:
        return x * 5

    bar.register_fake(lambda x: torch.empty_like(x))
    bar.register_kernel("cpu")(lambda x: x * 7)
    bar.register_autograd(lambda ctx, grad: grad * 5)
    x = torch.ones(2, device="cuda", requires_grad=True)
    bar(x).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [5, 5] and bar(torch.ones(1)).item() == 7
    torch.library.opcheck(torch.ops.jumar_test.bar, (x,))


def test_profiler_measures_the_chip(tmp_path: Path) -> None:
    x = torch.randn(64, 64, device="cuda")
    both = [ProfilerActivity.CPU, ProfilerActivity.CUDA]
    with profile(activities=both, record_shapes=True) as found, record_function("mine"):
        (x @ x).relu().sum().item()
    averages = found.key_averages()
    table = averages.table(sort_by="cuda_time_total", row_limit=10)
    assert "CUDA total" in table and "Self CUDA time total" in table and "mine" in table
    assert sum(event.self_device_time_total for event in averages) > 0
    found.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert any(event.get("name") == "aten::relu" for event in events)


def test_profiler_with_a_schedule(tmp_path: Path) -> None:
    ready = torch.profiler.tensorboard_trace_handler(str(tmp_path))
    with profile(schedule=schedule(wait=1, warmup=1, active=1), on_trace_ready=ready) as found:
        for _ in range(4):
            torch.ones(2, device="cuda").sum().item()
            found.step()
    assert len(list(tmp_path.glob("*.pt.trace.json"))) == 1
    assert torch.profiler.supported_activities() == {ProfilerActivity.CPU, ProfilerActivity.CUDA}


def test_older_profilers() -> None:
    with torch.autograd.profiler.profile(use_device="cuda") as found:
        torch.ones(2, device="cuda").add(1).sum().item()
    assert "CUDA total" in found.key_averages().table()
    with torch.autograd.profiler.emit_nvtx():
        torch.ones(2, device="cuda").add(1)


def test_timer_waits_for_the_chip() -> None:
    from torch.utils.benchmark import Timer

    x = torch.ones(8, 8, device="cuda")
    assert Timer("x @ x", globals={"x": x}).timeit(3).mean > 0


KERNEL = "#include <x.h>\n\n__global__ void scale_kernel(float* x, int n) {\n  x[0] = n;\n}\nvoid launch() {}\n"


def test_sources_for_nvidias_compiler_are_refused_by_kernel_and_line(tmp_path: Path) -> None:
    (tmp_path / "scale.cu").write_text(KERNEL)
    (tmp_path / "scale.cpp").write_text("int main() {}\n")
    sources = [str(tmp_path / "scale.cpp"), str(tmp_path / "scale.cu")]
    wanted = rf"scale_kernel  {tmp_path}/scale.cu:3\n.*jumar port {tmp_path}"
    with pytest.raises(RuntimeError, match=f"(?s){wanted}"):
        cpp_extension.load("scale", sources)
    with pytest.raises(RuntimeError, match=f"(?s){wanted}"):
        cpp_extension.CUDAExtension("scale", sources)
    with pytest.raises(RuntimeError, match=r"(?s)scale_kernel  cuda_sources at .*test_torch_programs.py:\d+, its line:3"):
        cpp_extension.load_inline("scale", cpp_sources="void launch();", cuda_sources=KERNEL, functions=["launch"])
    assert any(row["kind"] == "refused" for row in account.rows())


def test_an_extension_without_cuda_sources_is_one_of_cpp(tmp_path: Path) -> None:
    extension = cpp_extension.CUDAExtension("plain", ["plain.cpp"], extra_compile_args={"cxx": ["-O1"], "nvcc": ["-O3"]})
    assert extension.sources == ["plain.cpp"] and extension.extra_compile_args == ["-O1"]
    assert "c10_cuda" not in extension.libraries


def test_environment_report() -> None:
    from torch.utils import collect_env

    text = collect_env.get_pretty_env_info()
    assert "CUDA used to build PyTorch: 12.8" in text and "Is CUDA available: True" in text
