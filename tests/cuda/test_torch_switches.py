"""torch.version, torch.backends, torch.accelerator and autocast under the CUDA face: what CUDA 12.8 answers."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
import torch.nn.functional as F
import torch_npu
from torch.backends import cuda, cudnn
from torch.nn.attention import SDPBackend, sdpa_kernel

pytestmark = [pytest.mark.usefixtures("face_for_module"), pytest.mark.filterwarnings("ignore")]


def test_versions() -> None:
    assert torch.version.cuda == "12.8" and torch.version.hip is None
    assert cudnn.version() == 91002 and cudnn.is_available() and cuda.is_built()
    assert torch.has_cuda and torch.has_cudnn
    with pytest.raises(NotImplementedError, match="no counterpart on Ascend: 2:4 sparsity"):
        torch.sparse.to_sparse_semi_structured(torch.ones(64, 64, device="cuda", dtype=torch.half))


def test_tf32_stays_set_and_is_hf32_on_the_chip() -> None:
    before = cuda.matmul.allow_tf32
    try:
        cuda.matmul.allow_tf32 = True
        assert cuda.matmul.allow_tf32 and torch_npu.npu.matmul.allow_hf32
        assert torch.get_float32_matmul_precision() == "high"
        torch.set_float32_matmul_precision("highest")
        assert not cuda.matmul.allow_tf32 and not torch_npu.npu.matmul.allow_hf32
        cudnn.allow_tf32 = False
        assert not cudnn.allow_tf32 and not torch_npu.npu.conv.allow_hf32
    finally:
        cuda.matmul.allow_tf32, cudnn.allow_tf32 = before, True


@pytest.mark.parametrize("name", ["allow_fp16_reduced_precision_reduction", "allow_bf16_reduced_precision_reduction"])
def test_switches_of_matmul_stay_set(name: str) -> None:
    setattr(cuda.matmul, name, False)
    assert getattr(cuda.matmul, name) is False
    setattr(cuda.matmul, name, True)
    assert getattr(cuda.matmul, name) is True


def test_switches_of_cudnn_stay_set() -> None:
    before = (cudnn.benchmark, cudnn.deterministic)
    cudnn.benchmark, cudnn.deterministic = True, True
    assert cudnn.benchmark and cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = before
    with cudnn.flags(enabled=False, benchmark=True, deterministic=True, allow_tf32=True):
        assert not cudnn.enabled and cudnn.benchmark
    assert cudnn.enabled and cudnn.benchmark_limit == 10


def test_what_cudnn_accepts() -> None:
    assert cudnn.is_acceptable(torch.ones(2, device="cuda"))
    assert not cudnn.is_acceptable(torch.ones(2)) and not cudnn.is_acceptable(torch.arange(2, device="cuda"))


def test_plan_cache() -> None:
    cache = cuda.cufft_plan_cache
    assert cache.max_size == 4096 and cache.size == 0
    cache[0].max_size = 10
    assert cache.max_size == 10
    cache.clear()
    with pytest.raises(RuntimeError, match="expected 0 <= device index < 2"):
        cache[5]


def test_preferred_libraries_are_remembered() -> None:
    assert cuda.preferred_linalg_library("magma") == torch._C._LinalgBackend.Magma
    assert cuda.preferred_linalg_library() == torch._C._LinalgBackend.Magma
    assert cuda.preferred_blas_library("cublaslt") == torch._C._BlasBackend.Cublaslt
    cuda.preferred_linalg_library("default"), cuda.preferred_blas_library("cublas")
    with pytest.raises(RuntimeError, match=r"Unknown input value\. Choose from: default, cusolver, magma"):
        cuda.preferred_linalg_library("none")


def test_attention_switches() -> None:
    q = torch.randn(1, 2, 8, 16, device="cuda", dtype=torch.half)
    assert cuda.is_flash_attention_available() and cuda.flash_sdp_enabled()
    cuda.enable_flash_sdp(False)
    assert not cuda.flash_sdp_enabled()
    assert not cuda.can_use_flash_attention(cuda.SDPAParams(q, q, q, None, 0.0, True, False))
    cuda.enable_flash_sdp(True)
    assert cuda.can_use_flash_attention(cuda.SDPAParams(q, q, q, None, 0.0, True, False))
    single = q.float()
    parameters = cuda.SDPAParams(single, single, single, None, 0.0, True, False)
    assert not cuda.can_use_flash_attention(parameters) and cuda.can_use_efficient_attention(parameters)
    outputs = []
    for kind in (SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH):
        with sdpa_kernel(kind):
            outputs.append(F.scaled_dot_product_attention(q, q, q, is_causal=True))
    assert all(torch.allclose(one, outputs[0], atol=1e-2) for one in outputs)


def test_accelerator() -> None:
    accelerator = torch.accelerator
    assert accelerator.is_available() and accelerator.device_count() == 2
    assert accelerator.current_accelerator() == torch.device("cuda")
    accelerator.set_device_index(1)
    assert accelerator.current_device_index() == torch.cuda.current_device() == 1
    accelerator.set_device_index(0)
    with accelerator.device_index(1):
        assert torch.ones(1, device="cuda").device == torch.device("cuda:1")
    assert accelerator.current_stream().device == torch.device("cuda:0")
    accelerator.synchronize()
    assert torch.float64 in accelerator.get_device_capability()["supported_dtypes"]
    assert accelerator.memory_allocated() == torch.cuda.memory_allocated()
    assert torch.get_device_module("cuda") is torch.get_device_module() is torch.cuda


def test_a_graph_of_the_accelerator() -> None:
    x, graph, stream = torch.zeros(3, device="cuda"), torch.accelerator.Graph(), torch.Stream("cuda")
    with stream, graph:
        x += 1
    x.zero_()
    graph.replay()
    graph.replay()
    torch.accelerator.synchronize()
    assert x.tolist() == [2, 2, 2]


def test_default_device() -> None:
    torch.set_default_device("cuda")
    try:
        assert torch.get_default_device() == torch.device("cuda:0")
        assert torch.ones(1).is_cuda and torch.nn.Linear(1, 1).weight.is_cuda
    finally:
        torch.set_default_device(None)
    with torch.device("cuda"):
        assert torch.arange(3).is_cuda
    assert not torch.ones(1).is_cuda


def test_deterministic_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        assert (torch.ones(2, 2, device="cuda") @ torch.ones(2, 2, device="cuda")).sum().item() == 8
    finally:
        torch.use_deterministic_algorithms(False)


X = torch.randn(3, 4)
IN_HALF: dict[str, Any] = {
    "matmul": lambda x: x @ x.t(),
    "linear": lambda x: F.linear(x, x),
    "bmm": lambda x: torch.bmm(x[None], x.t()[None]),
    "addmm": lambda x: torch.addmm(x @ x.t(), x, x.t()),
    "conv1d": lambda x: F.conv1d(x[None], x[:, :3, None]),
    "attention": lambda x: F.scaled_dot_product_attention(x[None, None], x[None, None], x[None, None]),
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
    "prelu": lambda x: F.prelu(x, torch.ones(1, device=x.device)),
}
IN_SINGLE: dict[str, Any] = {
    "softmax": lambda x: F.softmax(x @ x.t(), -1),
    "layer_norm": lambda x: F.layer_norm(x @ x.t(), (3,)),
    "exp": lambda x: (x @ x.t()).exp(),
    "sum": lambda x: (x @ x.t()).sum(),
    "pow": lambda x: (x @ x.t()).pow(2),
    "norm": lambda x: torch.norm(x @ x.t()),
    "mse_loss": lambda x: F.mse_loss(x @ x.t(), x @ x.t()),
    "cross_entropy": lambda x: F.cross_entropy(x @ x.t(), torch.zeros(3, dtype=torch.long, device=x.device)),
    "cdist": lambda x: torch.cdist(x, x),
    "cat": lambda x: torch.cat([x, x.half()]),
    "cumsum": lambda x: (x @ x.t()).cumsum(0),
}


@pytest.mark.parametrize("dtype", [None, torch.bfloat16])
def test_autocast_chooses_the_dtypes_of_cuda(dtype: torch.dtype | None) -> None:
    x = X.cuda()
    with torch.autocast("cuda", dtype=dtype):
        half = {name: run(x).dtype for name, run in IN_HALF.items()}
        single = {name: run(x).dtype for name, run in IN_SINGLE.items()}
    assert half == dict.fromkeys(IN_HALF, dtype or torch.float16)
    assert single == dict.fromkeys(IN_SINGLE, torch.float32)


def test_autocast_and_its_questions() -> None:
    x = X.cuda()
    assert not torch.is_autocast_enabled() and torch.get_autocast_gpu_dtype() == torch.float16
    with torch.cuda.amp.autocast(dtype=torch.bfloat16):
        assert torch.is_autocast_enabled() and torch.is_autocast_enabled("cuda")
        assert torch.get_autocast_gpu_dtype() == torch.bfloat16
        with torch.autocast("cuda", enabled=False):
            assert (x @ x.t()).dtype == torch.float32
    torch.set_autocast_enabled(True)
    try:
        assert (x @ x.t()).dtype == torch.float16
    finally:
        torch.set_autocast_enabled(False)
    with torch.autocast("cuda"), pytest.raises(RuntimeError, match="unsafe to autocast"):
        F.binary_cross_entropy(x.sigmoid(), x.sigmoid())


@pytest.mark.parametrize("old", [False, True])
def test_custom_functions_under_autocast(old: bool) -> None:
    into: Any = torch.cuda.amp.custom_fwd if old else torch.amp.custom_fwd
    back: Any = torch.cuda.amp.custom_bwd if old else torch.amp.custom_bwd(device_type="cuda")
    chosen = {} if old else {"device_type": "cuda"}

    class Twice(torch.autograd.Function):
        @staticmethod
        @into(cast_inputs=torch.float32, **chosen)
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            assert not torch.is_autocast_enabled("cuda")
            return x * 2

        @staticmethod
        @back
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            return grad * 2

    x = X.cuda().half().requires_grad_()
    with torch.autocast("cuda"):
        y = Twice.apply(x)
        y.sum().backward()
    assert y.dtype == torch.float32 and x.grad is not None and x.grad.dtype == torch.half


@pytest.mark.parametrize("make", [lambda **k: torch.amp.GradScaler("cuda", **k), lambda **k: torch.cuda.amp.GradScaler(**k)])
@pytest.mark.parametrize("fused", [False, True])
def test_grad_scaler(make: Any, fused: bool) -> None:
    scaler = make(init_scale=8.0, growth_interval=2)
    assert isinstance(scaler, torch.amp.GradScaler)
    assert scaler.state_dict() == {"scale": 8.0, "growth_factor": 2.0, "backoff_factor": 0.5, "growth_interval": 2,
                                   "_growth_tracker": 0}  # fmt: skip
    weight = torch.ones(3, device="cuda", requires_grad=True)
    optimizer = torch.optim.AdamW([weight], lr=0.1, fused=fused)
    seen = []
    for factor in (1.0, float("inf"), 1.0, 1.0):
        optimizer.zero_grad()
        before = weight.detach().clone()
        scaler.scale((weight * factor).sum()).backward()
        if not fused:
            scaler.unscale_(optimizer)
        scaler.step(optimizer)
        scaler.update()
        seen.append((scaler.get_scale(), torch.equal(before, weight)))
    assert seen == [(8.0, False), (4.0, True), (4.0, False), (8.0, False)]
    other = make()
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 8.0


@pytest.mark.parametrize(("kind", "ways"), [
    (torch.optim.SGD, [{}, {"foreach": True}, {"foreach": False}, {"fused": True}]),
    (torch.optim.Adam, [{}, {"foreach": True}, {"fused": True}, {"capturable": True}]),
    (torch.optim.AdamW, [{}, {"foreach": True}, {"fused": True}, {"capturable": True}]),
    (torch.optim.RMSprop, [{}, {"foreach": True}, {"capturable": True}]),
    (torch.optim.NAdam, [{}, {"foreach": True}, {"capturable": True}]),
])  # fmt: skip
def test_every_way_of_an_optimizer_steps_alike(kind: Any, ways: list[dict[str, bool]]) -> None:
    def run(**chosen: Any) -> list[float]:
        weight = torch.ones(3, device="cuda", requires_grad=True)
        optimizer = kind([weight], lr=0.1, weight_decay=0.01, **chosen)
        for _ in range(3):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()
        return weight.tolist()

    results = [run(**one) for one in ways]
    assert all(one == pytest.approx(results[0], rel=1e-5) for one in results)


def test_checkpoint_repeats_dropout_and_fork_rng_restores() -> None:
    from torch.utils.checkpoint import checkpoint

    x = torch.ones(64, device="cuda", requires_grad=True)
    for reentrant in (True, False):
        x.grad = None
        y = checkpoint(lambda a: F.dropout(a, 0.5), x, use_reentrant=reentrant)
        y.sum().backward()
        assert x.grad is not None and torch.equal(x.grad, y.detach())
    torch.manual_seed(3)
    with torch.random.fork_rng():
        one = torch.randn(3, device="cuda")
    assert torch.equal(one, torch.randn(3, device="cuda"))


@pytest.mark.parametrize("foreach", [None, True, False])
def test_clipping(foreach: bool | None) -> None:
    weights = [torch.ones(2, device="cuda", requires_grad=True) for _ in range(2)]
    sum(weight.sum() * 10 for weight in weights).backward()  # type: ignore[union-attr]
    norm = torch.nn.utils.clip_grad_norm_(weights, 1.0, foreach=foreach)
    assert norm.item() == pytest.approx(20.0) and norm.is_cuda
    assert all(weight.grad is not None and weight.grad.tolist() == pytest.approx([0.5, 0.5]) for weight in weights)


def test_data_parallel_on_two_chips() -> None:
    model = torch.nn.Linear(4, 2)
    x = torch.randn(6, 4)
    wanted = model(x)
    parallel = torch.nn.DataParallel(model.cuda(), device_ids=[0, 1])
    found = parallel(x.cuda())
    assert found.device == torch.device("cuda:0")
    torch.testing.assert_close(found.cpu(), wanted)
    found.sum().backward()
    assert model.weight.grad is not None and model.weight.grad.is_cuda
    assert list(itertools.islice(parallel.state_dict(), 1)) == ["module.weight"]
