"""The finder of CUDA C++ kernels: what is one, what only looks like one, and where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar.cuda import kernels

SOURCE = r"""
#include <cuda_runtime.h>
// __global__ void in_a_comment(float* x) {}
/* __global__ void in_another(float* x) {
*/
const char* text = "__global__ void in_a_string(int* p) {}";
const char* raw = R"cu(
extern "C" __global__ void in_a_raw_string(float* x) { }
)cu";
__global__ void declared_only(const float* x);
__global__ void plain(const float* __restrict__ x, int n) { int i = threadIdx.x; }

template <typename T, int N = (3 > 2 ? 1 : 2)>
__global__ __launch_bounds__(256, 2) void
with_bounds(T* out,
            const T* in) {
}
extern "C" __global__ void __attribute__((used)) exported(int* p) { int big = 1'000'000; }
static __global__ void after_static(float2 v = make_float2(0.f, 1.f)) noexcept {}
template <> __global__ void special<float, 4>(float* x) {}
void __global__ after_void(int) {}
__device__ float helper(float x) { return x; }
#if 0
__global__ void switched_off(int* p) {}
#else
__global__ void switched_on(int* p) {}
#endif
#define MAKE(name) __global__ void name##_kernel(float* p) { p[0] = 1; }
template __global__ void special<double, 2>(double* x);
"""


def test_each_definition_once_with_its_line() -> None:
    found = kernels.in_text(SOURCE, "ops.cu")
    assert [(one.name, one.line) for one in found] == [
        ("plain", 11),
        ("with_bounds", 15),
        ("exported", 18),
        ("after_static", 19),
        ("special<float, 4>", 20),
        ("after_void", 21),
        ("switched_on", 26),
        ("name##_kernel", 28),
    ]
    assert found[0].place() == "ops.cu:11"
    assert found[1].parameters == "T* out, const T* in"


@pytest.mark.parametrize(
    "text",
    ["", "__global__", "__global__ void f(", "int f() { return 1; }", '"__global__ void f() {}', "/* __global__ f() {}"],
)
def test_what_is_no_kernel(text: str) -> None:
    assert kernels.in_text(text) == []


def test_files(tmp_path: Path) -> None:
    one = tmp_path / "one.cu"
    one.write_text("__global__ void k(int* p) {\n}\n")
    assert [found.place() for found in kernels.in_files([one, tmp_path / "missing.cu"])] == [f"{one}:1"]
