"""Every operator of PyTorch's OpInfo database on the device against the same call on the CPU.

`opinfo-fails.txt` lists what fails and why (one that passes all the same is a failure too); `opinfo-inexact.txt` lists
what need not be equal to the last bit. The default run takes two dtypes an operator and a few samples, `--sweep` all.
"""

from __future__ import annotations

import warnings
import zlib
from itertools import islice
from pathlib import Path

import pytest
import torch
from expectations import Expectations
from samples import call, compare, gradients, layouts, variants
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import OpInfo, SampleInput

HERE = Path(__file__).parent
FAILS = Expectations(HERE / "opinfo-fails.txt")
INEXACT = Expectations(HERE / "opinfo-inexact.txt")
SAMPLES = 3  # of each operator and dtype in the default run

DTYPES = (
    torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool, torch.complex64, torch.float64,
)  # fmt: skip

# Values are random or undefined: sizes and dtypes are compared, values are not.
NO_VALUES = frozenset(
    [
        "bernoulli",
        "cauchy",
        "empty",
        "empty_like",
        "empty_permuted",
        "empty_strided",
        "exponential",
        "geometric",
        "log_normal",
        "multinomial",
        "new_empty",
        "new_empty_strided",
        "nn.functional.alpha_dropout",
        "nn.functional.dropout",
        "nn.functional.dropout2d",
        "nn.functional.dropout3d",
        "nn.functional.feature_alpha_dropout",
        "nn.functional.fractional_max_pool2d",
        "nn.functional.fractional_max_pool3d",
        "nn.functional.rrelu",
        "normal",
        "rand_like",
        "randint",
        "randint_like",
        "randn",
        "randn_like",
        "svd_lowrank",
        "pca_lowrank",
        "uniform",
    ]
)

# Not about an operator of the device: sparse layouts, and what only CUDA has (with jiterator_*).
LEFT_OUT = frozenset(
    {"_segment_reduce", "sparse.sampled_addmm", "sparse.mm", "to_sparse", "torch._scaled_mm"}
)


def dtype_name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def full_name(op: OpInfo) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


def differentiable(op: OpInfo, dtype: torch.dtype) -> bool:
    return op.supports_autograd and (dtype.is_floating_point or dtype.is_complex)


def chosen(op: OpInfo, available: list[torch.dtype], sweep: bool, backward: bool) -> list[torch.dtype]:
    """All dtypes in a sweep, otherwise the first and, forward, another one picked by the operator's name."""
    if sweep or len(available) < 2:
        return available
    if backward:
        return available[:1]
    return [available[0], available[1 + zlib.crc32(full_name(op).encode()) % (len(available) - 1)]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    sweep = metafunc.config.getoption("--sweep")
    backward = "backward" in metafunc.function.__name__
    parameters = []
    for op in op_db:
        if op.name in LEFT_OUT or op.name.startswith("jiterator"):
            continue
        taken = [dtype for dtype in DTYPES if dtype in op.dtypes]
        if backward:
            taken = [dtype for dtype in taken if dtype in op.backward_dtypes and differentiable(op, dtype)]
        for dtype in chosen(op, taken, sweep, backward):
            parameters.append(pytest.param(op, dtype, id=f"{full_name(op)}-{dtype_name(dtype)}"))
    if "op" in metafunc.fixturenames:
        metafunc.parametrize("op,dtype", parameters)


def make_samples(op: OpInfo, dtype: torch.dtype, few: bool, requires_grad: bool) -> list[SampleInput]:
    torch.manual_seed(zlib.crc32(full_name(op).encode()))
    samples = op.sample_inputs("cpu", dtype, requires_grad=requires_grad)
    return list(islice(samples, SAMPLES if few else None))


def draws(op: OpInfo, sample: SampleInput) -> bool:
    """Whether this sample's result is random: a probability of dropout above zero."""
    tenth = sample.args[9] if op.name == "nn.functional.multi_head_attention_forward" else 0.0
    return bool(tenth or sample.kwargs.get("dropout_p", 0.0))


def check_forward(op: OpInfo, sample: SampleInput, device: str, exact: bool, values: bool) -> None:
    for layout, laid in layouts(sample):
        try:
            expected = call(op, laid, "cpu")
        except (RuntimeError, NotImplementedError):
            continue  # not a call that PyTorch itself takes
        with told(f"{layout}"):
            compare(call(op, laid, device), expected, exact, values)
    for name, variant in variants(op, sample).items():
        options = (expected,) if name == "out" else ()
        try:
            expected_here = variant(op, sample, "cpu", *options)
        except (RuntimeError, NotImplementedError, TypeError):
            continue
        with told(name):
            compare(variant(op, sample, device, *options), expected_here, exact, values)


def check_backward(op: OpInfo, sample: SampleInput, device: str, exact: bool, values: bool) -> None:
    for layout, laid in layouts(sample):
        try:
            expected = gradients(op, laid, "cpu", 7)
        except (RuntimeError, NotImplementedError):
            continue
        with told(f"{layout}"):
            compare(gradients(op, laid, device, 7), expected, exact, values)


class told:
    """Adds to an error which form of the call it was."""

    def __init__(self, form: str) -> None:
        self.form = form

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if error is not None:
            error.add_note(f"in the form: {self.form}")


def outcome(
    op: OpInfo, dtype: torch.dtype, direction: str, device: str, few: bool, exact: bool
) -> BaseException | None:
    """The first error over all samples, None if all agree with the CPU."""
    check = check_backward if direction == "backward" else check_forward
    values = op.name not in NO_VALUES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for sample in make_samples(op, dtype, few, direction == "backward"):
            try:
                check(op, sample, device, exact, values and not draws(op, sample))
            except Exception as error:  # noqa: BLE001  every kind of failure is an outcome, compared with the list
                error.add_note(f"sample: {sample.summary()}"[:600])
                settle(device, error)
                return error
    return None


def settle(device: str, error: BaseException) -> None:
    """Takes the late errors of the failed operator off the device, so that they fall on no other test.

    The adapter's queue thread may have died of the error; then nothing that it is given from now on is computed.
    """
    if device != "npu":
        return
    try:
        torch.npu.synchronize()
    except RuntimeError as late:
        error.add_note(f"then: {late}")
    if (torch.ones(3, device=device) + 1).tolist() != [2.0] * 3:
        pytest.exit(f"the adapter's queue is dead after: {error} {error.__notes__}", returncode=3)


def record(file: Path, test: tuple[str, str, str], error: BaseException | None, close: bool) -> None:
    """One line for tools/list_opinfo_failures.py: operator, dtype, direction, verdict, message."""
    verdict = "passes" if error is None else "inexact" if close else "fails"
    message = "" if error is None else f"{type(error).__name__}: {error} | {' | '.join(error.__notes__)}"
    with file.open("a") as lines:
        lines.write("\t".join([*test, verdict, " ".join(message.split())[:3000]]) + "\n")


def run(op: OpInfo, dtype: torch.dtype, direction: str, device: str, config: pytest.Config) -> None:
    name, kind = full_name(op), dtype_name(dtype)
    known = FAILS.find(name, kind, direction) if device == "npu" else None
    few = not config.getoption("--sweep") and known is None
    exact = INEXACT.find(name, kind, direction) is None
    error = outcome(op, dtype, direction, device, few, exact)
    if file := config.getoption("--record"):
        near = (
            outcome(op, dtype, direction, device, few, exact=False) if error is not None and exact else error
        )
        record(Path(file), (name, kind, direction), near or error, near is None)
    if known is None and error is not None:
        raise error
    if known is not None:
        assert error is not None, f"passes although {known.where} says: {known.reason}; delete the line"
        pytest.xfail(known.reason)


def test_forward(op: OpInfo, dtype: torch.dtype, device: str, pytestconfig: pytest.Config) -> None:
    run(op, dtype, "forward", device, pytestconfig)


def test_backward(op: OpInfo, dtype: torch.dtype, device: str, pytestconfig: pytest.Config) -> None:
    run(op, dtype, "backward", device, pytestconfig)


def test_lists_name_operators_that_exist() -> None:
    names = {full_name(op) for op in op_db}
    lines = [line for table in (FAILS, INEXACT) for group in table.lines.values() for line in group]
    assert [line.where for line in lines if line.operator not in names] == []
