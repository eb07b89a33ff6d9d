"""Writes tests/client/opinfo-fails.txt and opinfo-inexact.txt from the outcomes of a full sweep:

    pytest tests/client/test_opinfo.py -n 2 --sweep --record outcomes.tsv
    python tools/list_opinfo_failures.py outcomes.tsv

An outcome whose reason is not in the tables below is an error: find the reason, add a row. With several outcomes of one
test the last one counts.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

CLIENT = Path(__file__).parents[1] / "tests" / "client"
DTYPES = ["float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64", "float64"]
HEADS = {
    "fails": "# What fails, and why: `operator dtypes direction  # reason`. A test that passes all the same fails.",
    "inexact": "# What need not be equal to the last bit, and why: `operator dtypes direction  # reason`.",
}

# Pattern of the operator, pattern of the message, reason with the groups of the message. The first that fits is taken.
FAILS = [
    ("", r"jumar: (aclnn\w+)\(.*?: the chip does not take", r"refused as on the chip: \1 does not take them"),
    ("", r"Only contiguous_format or preserve_format", "refused by the adapter: memory formats are its own affair"),
    ("", r"svd_npu only supported Float", "refused by the adapter: svd of float32 only"),
    ("", r"Input data type should not be float64", "refused by the adapter: float64"),
    ("", r"not support torch\.fp64", "refused by the adapter: float64"),
    ("", r"does not support complex numbers", "refused by the adapter: complex numbers"),
    ("", r"requires X1 to be contiguous", "refused by the adapter: strided inputs"),
    ("", r"aclStft .*not in libopapi", "refused by the adapter: it looks for aclStft, which is no operator of CANN"),
    ("", r"mode only supports CPU", "refused by PyTorch: mode(out=) on devices of others"),
    ("", r"tensor_indices_or_sections to be on cpu", "refused by PyTorch: the sections must lie on the CPU"),
    ("", r"DispatchStub: missing kernel for npu", "refused by PyTorch: the adapter registers no kernel"),
    ("", r"expected device cpu but got npu", "the sample asks for a result on the CPU, its gradient is on the device"),
    ("", r"NPU contiguous operator only supported", "refused by the adapter: memory formats are its own affair"),
    ("", r"expected dtype Double but got float", "the adapter's derivative by the weight is float32"),
    ("", r"differentiation for outputs with complex", "the adapter's operator has no derivative for complex numbers"),
    ("", r"cannot reshape tensor of 0 elements", "the adapter's derivative of a product fails on empty operands"),
    ("", r"Autograd not support dtype", "the adapter's operator has no derivative for complex numbers"),
    ("", r"not differentiable with respect to", "the adapter has no derivative by this argument"),
    ("", r"None where the CPU has a tensor", "the adapter has no derivative by this argument"),
    ("", r"(torch\.\w+) \(.*?\), on the CPU (?!\1 )(torch\.\w+)", r"the adapter's result is \1, PyTorch's \2"),
    ("", r"(torch\.\w+) \((.*?)\), on the CPU \1 \((.*?)\)", r"the adapter's result has sizes (\2), PyTorch's (\3)"),
    (r"float_power", r"not close", "the adapter computes in float32 what PyTorch computes in float64"),
    (r"nn\.functional\.gelu", r"not (equal|close)", "the adapter drops approximate='tanh' and computes the exact function"),
    (r"native_dropout_backward", r"not (equal|close)", "the adapter's mask has a bit for each element, PyTorch's a bool"),
    (r"vdot|linalg\.vecdot", r"not (equal|close)", "the adapter overlooks that the first vector is a conjugate"),
    (r"(linalg\.)?(slog|log)?det", r"non-contiguous",
     "the adapter's fallback decomposes a contiguous copy, PyTorch's derivative goes by the original's strides"),
]  # fmt: skip
INEXACT = [
    (r"fft\..*|stft|istft", "the adapter's FFT is a product of matrices"),
    (r".*norm.*|dist|renorm|nn\.functional\.pairwise_distance|.*cosine.*",
     "the adapter takes norms and statistics in float32 or in steps of its own"),
    (r"linalg\..*|cholesky.*|lu|lu_solve|qr|svd|pinverse|logdet|triangular_solve|cdist|ormqr|geqrf|.*lowrank",
     "sums in another order: operands of decompositions and products lie otherwise than on the CPU"),
    (r"nn\.functional\.gelu", "the adapter drops approximate='tanh' and computes the exact function"),
    (r"(masked\.)?(std|var)|igamma|hypot|nn\.functional\.(kl_div|embedding_bag|huber_loss)",
     "the adapter's kernels see other strides, and PyTorch's vectorised and scalar code differ in the last bit"),
    (r"nn\.functional\.linear_cross_entropy.*|nn\.functional\.(scaled_dot|multi_head).*",
     "sums in another order: the adapter fuses what PyTorch does in steps"),
]  # fmt: skip


def reason(kind: str, operator: str, message: str) -> str | None:
    if kind == "inexact":
        return next((why for name, why in INEXACT if re.fullmatch(name, operator)), None)
    for name, pattern, why in FAILS:
        found = re.search(pattern, message)
        if found and (not name or re.fullmatch(name, operator)):
            return found.expand(why)
    return None


def outcomes(files: Iterable[str]) -> dict[tuple[str, str, str], tuple[str, str]]:
    """(operator, dtype, direction) -> (verdict, message)."""
    found = {}
    for file in files:
        for line in Path(file).read_text().splitlines():
            operator, dtype, direction, verdict, message = line.split("\t")
            found[operator, dtype, direction] = verdict, message
    return found


def main() -> None:
    groups: dict[str, dict[tuple[str, str, str], list[str]]] = {kind: defaultdict(list) for kind in HEADS}
    unknown = []
    for (operator, dtype, direction), (verdict, message) in outcomes(sys.argv[1:]).items():
        if verdict == "passes":
            continue
        why = reason(verdict, operator, message)
        if why is None:
            unknown.append(f"{operator} {dtype} {direction} {verdict}: {message[:400]}")
        else:
            groups[verdict][operator, direction, why].append(dtype)
    for kind, lines in groups.items():
        text = [HEADS[kind]]
        for (operator, direction, why), dtypes in sorted(lines.items()):
            text.append(f"{operator} {','.join(sorted(dtypes, key=DTYPES.index))} {direction}  # {why}")
        (CLIENT / f"opinfo-{kind}.txt").write_text("\n".join(text) + "\n")
    if unknown:
        sys.exit("no reason in the tables for:\n" + "\n".join(unknown))


if __name__ == "__main__":
    main()
