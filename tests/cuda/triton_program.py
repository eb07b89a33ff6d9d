"""What the test of Triton's kernels runs: a kernel must be in a file, and triton imported with its interpreter."""

from __future__ import annotations

import torch
import triton
import triton.language as tl

import jumar


@triton.jit
def add(x, y, out, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + at, tl.load(x + at, mask=at < n) + tl.load(y + at, mask=at < n), mask=at < n)


@triton.jit
def softmax(out, x, stride, columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    values = tl.load(x + row * stride + at, mask=at < columns, other=-float("inf"))
    values = tl.exp(values - tl.max(values, axis=0))
    tl.store(out + row * stride + at, values / tl.sum(values, axis=0), mask=at < columns)


@triton.autotune(
    configs=[triton.Config({"M": 16, "N": 16, "K": 16}, num_warps=2), triton.Config({"M": 32, "N": 16, "K": 16})],
    key=["m", "n", "k"],
)
@triton.jit
def matmul(a, b, c, m, n, k, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    rows = tl.program_id(0) * M + tl.arange(0, M)[:, None]
    columns = tl.program_id(1) * N + tl.arange(0, N)[None]
    total = tl.zeros((M, N), dtype=tl.float32)
    for start in range(0, k, K):
        across = start + tl.arange(0, K)[None]
        down = start + tl.arange(0, K)[:, None]
        left = tl.load(a + rows * k + across, mask=(rows < m) & (across < k), other=0.0)
        right = tl.load(b + down * n + columns, mask=(down < k) & (columns < n), other=0.0)
        total += tl.dot(left, right)
    tl.store(c + rows * n + columns, total.to(c.dtype.element_ty), mask=(rows < m) & (columns < n))


@triton.jit
def histogram(x, counts, n, BLOCK: tl.constexpr):
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.atomic_add(counts + tl.load(x + at, mask=at < n, other=0), 1, mask=at < n)


@triton.jit
def gate(x, out, BLOCK: tl.constexpr):
    at = tl.arange(0, BLOCK)
    value = tl.load(x + at)
    wide = value.to(tl.float32)
    tl.store(out + at, tl.where(value > 0.5, (-value * 2.0 + 1.0).to(tl.float32), wide * tl.sigmoid(wide)).to(tl.bfloat16))


def sum_of_vectors() -> None:
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        x, y = torch.randn(1000, device="cuda", dtype=dtype), torch.randn(1000, device="cuda", dtype=dtype)
        out = torch.empty_like(x)
        add[lambda meta: (triton.cdiv(1000, meta["BLOCK"]),)](x, y, out, 1000, BLOCK=256, num_warps=4)
        assert out.is_cuda
        torch.testing.assert_close(out.cpu(), (x + y).cpu())


def softmax_warmed_up() -> None:
    x = torch.randn(7, 50, device="cuda")
    out = torch.empty_like(x)
    warm = softmax.warmup(out, x, x.stride(0), 50, BLOCK=64, num_warps=4, grid=(1,))
    warm._init_handles()
    properties = triton.runtime.driver.active.utils.get_device_properties(x.device.index)
    assert properties["max_num_regs"] // (warm.n_regs * properties["warpSize"]) > 0
    assert properties["max_shared_mem"] // warm.metadata.shared > 0
    warm[(7, 1, 1)](out, x, x.stride(0), 50, 64)
    torch.testing.assert_close(out, x.softmax(-1))


def matmul_autotuned() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.randn(40, 24, dtype=dtype), torch.randn(24, 33, dtype=dtype)
        c = torch.empty(40, 33, device="cuda", dtype=dtype)
        grid = lambda meta: (triton.cdiv(40, meta["M"]), triton.cdiv(33, meta["N"]))  # noqa: E731
        matmul[grid](a.cuda(), b.cuda(), c, 40, 33, 24)
        torch.testing.assert_close(c.cpu(), (a.float() @ b.float()).to(dtype), atol=1e-2, rtol=1e-2)
    assert matmul.best_config.kwargs["M"] == 16


def atomics_on_a_view() -> None:
    x = torch.randint(0, 5, (300,), device="cuda", dtype=torch.int32)
    counts = torch.zeros(10, device="cuda", dtype=torch.int32)
    histogram[(3,)](x, counts[5:], 300, BLOCK=128)
    assert torch.equal(counts[5:].cpu(), torch.bincount(x.cpu(), minlength=5).int())
    assert counts[:5].sum().item() == 0


def bfloat16_as_pytorch_rounds_it() -> None:
    x = torch.randn(64).bfloat16()
    out = torch.empty_like(x, device="cuda")
    gate[(1,)](x.cuda(), out, BLOCK=64)
    expected = torch.where(x > 0.5, -x * 2.0 + 1.0, torch.nn.functional.silu(x.float()).bfloat16())
    torch.testing.assert_close(out.cpu(), expected)


def the_driver_speaks_of_cuda() -> None:
    active = triton.runtime.driver.active
    assert active.get_active_torch_device() == torch.device("cuda", 0)
    target = active.get_current_target()
    assert (target.backend, target.arch) == ("cuda", 80)


def kernels_are_in_the_account() -> None:
    rows = {row["name"]: row["kind"] for row in jumar.cuda.facts()["rows"]}
    assert rows["Triton kernel add"] == "on the CPU"


BODIES = (sum_of_vectors, softmax_warmed_up, matmul_autotuned, atomics_on_a_view, bfloat16_as_pytorch_rounds_it,
          the_driver_speaks_of_cuda, kernels_are_in_the_account)  # fmt: skip

if __name__ == "__main__":
    for body in BODIES:
        body()
        print(body.__name__)
