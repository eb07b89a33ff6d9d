"""Rows that time single operators or collectives: each becomes the work that it timed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rows import Row, Unusable

from jumar.physics.link import Collective, Group, Pattern
from jumar.physics.work import Kind, Product, Vector, Work, matmul

SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
GEMM = re.compile(r"m=(\d+) n=(\d+) k=(\d+)")
SQUARE = re.compile(r"m=n=k=(\d+)")
GEMM_DTYPES = {"GEMM fp8": "fp8", "GEMM bfloat16": "bf16", "GEMM FP8 DeepGEMM": "fp8"}
# pto-isa.gitcode.com/demos/torch_jit/flash_atten: 128 × 1024 takes 70.3 µs and 512 × 8192, 32 times the work, 75.9 µs.
HOST_CALL_US = 76.0
SEARCHED = tuple(range(2048, 20481, 2048))
# What the DeepEP benchmark sends: 128 tokens a rank, 7168 wide, 8 experts a token, 8-bit with scales.
DEEPEP_B = 128 * 8 * 7168 * 1.03


@dataclass(frozen=True)
class OperatorCase:
    """One timed operator. `works` has several where the row tells the best of many shapes."""

    row: Row
    workload: str
    works: tuple[Work, ...]
    collective: Collective | None
    seconds: float
    note: str = ""


def attention(
    batch: int, queries: int, keys: float, width: int, dtype: str, backward: bool = False, width_v: int = 0
) -> Work:
    """Fused attention of `batch` heads: two products forward, five backward, an exponential for each score."""
    scores = float(batch) * queries * keys
    value = width_v or width
    if backward:
        products = (Product(batch, queries, keys, width, dtype, 5.0),)
    elif value == width:
        products = (Product(batch, queries, keys, width, dtype, 2.0),)
    else:
        products = (Product(batch, queries, keys, width, dtype), Product(batch, queries, keys, value, dtype))
    kind = Kind.ATTENTION_BACKWARD if backward else Kind.ATTENTION
    moved = 2.0 * batch * (2 * queries + 2 * keys) * width
    return Work(kind, products, (Vector("fp32", 4 * scores, scores),), moved * 0.75, moved * 0.25)


def operator_case(row: Row) -> OperatorCase:
    """The case of an operator row; Unusable with the reason."""
    for wanted, read in READERS.items():
        if row.workload.startswith(wanted):
            return read(row)
    raise Unusable("neither an operator nor a collective that is known here")


def _case(
    row: Row, workload: str, *works: Work, collective: Collective | None = None, note: str = ""
) -> OperatorCase:
    return OperatorCase(row, workload, works, collective, row.value * SECONDS[row.metric], note)


def _gemm(row: Row) -> OperatorCase:
    if found := GEMM.search(row.config):
        m, n, k = map(int, found.groups())
        dtype = GEMM_DTYPES[row.workload]
        return _case(row, f"{row.workload} n={n} k={k}", matmul(m, n, k, dtype))
    if found := SQUARE.search(row.config):
        side = int(found.group(1))
        return _case(row, row.workload, matmul(side, side, side, "fp16"))
    if found := re.search(r"M(\d+) K(\d+) N(\d+)", row.config):
        m, k, n = map(int, found.groups())
        return _case(row, "GEMM before all-reduce", matmul(m, n, k, "fp16"))
    raise Unusable("the shape is not stated")


def _overlapped(row: Row) -> OperatorCase:
    raise Unusable(
        "a hand-written kernel that overlaps product and all-reduce; no library operator does that"
    )


def _best(row: Row) -> OperatorCase:
    if row.chip == "GH200":
        raise Unusable("there is no profile of the GH200")
    works = tuple(matmul(m, n, k, "bf16") for m in SEARCHED for n in SEARCHED[::3] for k in SEARCHED[::3])
    return OperatorCase(row, "best matmul", works, None, row.value, "TFLOP/s, the best of many shapes")


def _attention_tables(row: Row) -> OperatorCase:
    if "Fav2" in row.workload:
        raise Unusable(
            "FlashAttention 2 on Hopper, written for the architecture before; cuDNN and FA3 rows are kept"
        )
    width = 64 if "headdim 64" in row.config else 128
    heads = 2048 // width  # follows from the row's TFLOP/s
    share = 0.5 if "causal=True" in row.config else 1.0
    return _case(row, "attention seq 2048", attention(2 * heads, 2048, 2048 * share, width, "bf16"))


def _flash_mla(row: Row) -> OperatorCase:
    queries = _number(r"s_q=(\d+)", row.config)
    return _case(row, "FlashMLA decode", attention(128, queries * 64, 8192, 576, "bf16", width_v=512))


def _prefill(row: Row) -> OperatorCase:
    length = _number(r"seq (\d+)", row.config)
    if "MLA" in row.workload:
        return _case(row, "MLA prefill", attention(128, length, length / 2, 192, "bf16", width_v=128))
    return _case(row, "FA3 prefill", attention(32, length, length / 2, 128, "bf16"))


def _mla_decode(row: Row) -> OperatorCase:
    batch, length = _number(r"batch (\d+)", row.config), _number(r"kv_len (\d+)", row.config)
    return _case(row, "MLA decode", attention(batch, 128, length, 576, "bf16", width_v=512))


def _ascend_attention(row: Row) -> OperatorCase:
    length = _number(r"seq (\d+)", row.config)
    if row.value < HOST_CALL_US:
        raise Unusable("the host's call takes longer than the kernel: the source has 70 to 76 µs whatever the size")
    note = "one head of 128 without mask: the rates that the source gives beside the times"
    return _case(row, "flash attention torch_npu", attention(1, length, length, 128, "fp16"), note=note)


def _all_reduce(row: Row) -> OperatorCase:
    size_b = _number(r"(\d+) bytes", row.config)
    return _case(row, row.workload, collective=Collective(Pattern.ALL_REDUCE, size_b, Group(row.n_chips)))


def _dispatch(row: Row) -> OperatorCase:
    note = "message size as in the DeepEP benchmark: 128 tokens, 7168 wide, 8 experts a token"
    return _case(
        row,
        "low-latency dispatch",
        collective=Collective(Pattern.ALL_TO_ALL, DEEPEP_B, Group(row.n_chips)),
        note=note,
    )


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    if not found:
        raise Unusable(f"no {pattern} in the configuration")
    return int(found.group(1))


READERS = {
    "GEMM + all-reduce overlapped": _overlapped,
    "GEMM": _gemm,
    "max achievable matmul": _best,
    "attention forward": _attention_tables,
    "FlashMLA decode": _flash_mla,
    "FA3": _prefill,
    "FlashInfer MLA decode": _mla_decode,
    "flash attention torch_npu": _ascend_attention,
    "all-reduce": _all_reduce,
    "DeepEP": _dispatch,
}
