"""torch.distributed: the chip's collective library goes by the name of NCCL.

PyTorch's own code does the rest, because the device goes by the name of CUDA and the backend by that of NCCL.
"""

from __future__ import annotations

import datetime
import inspect
import os
import sys
import warnings
from collections.abc import Callable
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

from jumar import cudamap
from jumar.cuda import account
from jumar.cuda.registry import adapts, changes
from jumar.cudamap import personas

BUFFER = "NCCL_BUFFSIZE"  # in bytes; HCCL's is in MiB
OF_EVERY_CLASS = ("__name__", "__qualname__")  # kept outside of what vars() shows
PREFIXES = ("NCCL_", "TORCH_NCCL_")
PATIENCE_STEP, MOST_PATIENCE = 68, 17340  # s, of HCCL_EXEC_TIMEOUT
TIMEOUT = datetime.timedelta(minutes=10)

# The calls that may be the first to make a communicator, or that wait: their failures are told in NCCL's class.
COMMUNICATING = tuple(
    f"torch.distributed.{name}"
    for name in (
        "all_gather",
        "all_gather_into_tensor",
        "all_to_all",
        "all_to_all_single",
        "barrier",
        "batch_isend_irecv",
        "broadcast",
        "gather",
        "irecv",
        "isend",
        "recv",
        "reduce",
        "reduce_scatter",
        "reduce_scatter_tensor",
        "scatter",
        "send",
    )
)


def process_group() -> Any:
    """The adapter's class, which stands in for NCCL's."""
    from torch_npu._C._distributed_c10d import ProcessGroupHCCL

    return ProcessGroupHCCL


@changes(
    "torch.distributed.ProcessGroupNCCL",
    "torch.distributed.distributed_c10d.ProcessGroupNCCL",
    "torch._C._distributed_c10d.ProcessGroupNCCL",
    adds=True,
)
def process_group_nccl(original: Any) -> Any:
    return process_group()


@adapts("torch.distributed.is_nccl_available")
def is_nccl_available() -> bool:
    return True


adapts("torch.distributed.distributed_c10d._NCCL_AVAILABLE")(True)
adapts(
    "torch.distributed.constants.default_pg_nccl_timeout",
    "torch.distributed.distributed_c10d.default_pg_nccl_timeout",
    "torch._C._distributed_c10d._DEFAULT_PG_NCCL_TIMEOUT",
    adds=True,
)(TIMEOUT)


@changes("torch.distributed.init_process_group")
def init_process_group(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def call(*arguments: Any, **keywords: Any) -> Any:
        fit_variables()
        fit_patience(keywords.get("timeout", arguments[2] if len(arguments) > 2 else None) or TIMEOUT)
        account.note("redirected", "torch.distributed.init_process_group")
        return original(*arguments, **keywords)

    return call


def fit_variables() -> None:
    """HCCL's variables are set as NCCL's are, where HCCL has one and it is not set itself."""
    counterparts = {row.cuda: row.ascend for row in cudamap.names("environment")}
    for name, value in list(os.environ.items()):
        if not name.startswith(PREFIXES):
            continue
        unusable = name == BUFFER and not value.isdecimal()
        if not counterparts.get(name) or unusable:
            account.note("ignored", name)
            continue
        account.note("redirected", name)
        fitted = str(max(1, int(value) >> 20)) if name == BUFFER else value
        os.environ.setdefault(counterparts[name], fitted)


def fit_patience(timeout: datetime.timedelta) -> None:
    """HCCL itself gives up shortly before the watchdog does, so that the failure says what was waited for.

    Its limit is one for the process, and on some chips a multiple of 68 seconds.
    """
    if "HCCL_EXEC_TIMEOUT" not in os.environ:
        steps = min(int(timeout.total_seconds() * 0.95), MOST_PATIENCE) // PATIENCE_STEP
        os.environ["HCCL_EXEC_TIMEOUT"] = str(max(1, steps) * PATIENCE_STEP)


@changes(*COMMUNICATING)
def tells_in_nccl_words(original: Callable[..., Any]) -> Callable[..., Any]:
    from torch.distributed import DistBackendError

    @wraps(original)
    def call(*arguments: Any, **keywords: Any) -> Any:
        try:
            return original(*arguments, **keywords)
        except RuntimeError as error:
            text = str(error)
            if type(error) is not RuntimeError or "HCCL" not in text:
                raise
            raise DistBackendError(f"NCCL error in {original.__name__}: {text}") from error

    return call


@changes("torch.distributed.all_reduce")
def all_reduce(original: Callable[..., Any]) -> Callable[..., Any]:
    import torch
    from torch.distributed import ReduceOp, get_world_size

    told = tells_in_nccl_words(original)

    @wraps(original)
    def call(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Any:
        whole_mean = (
            op == ReduceOp.AVG and isinstance(tensor, torch.Tensor) and not tensor.is_floating_point()
        )
        if not whole_mean or async_op:
            return told(tensor, op, group, async_op)
        told(tensor, ReduceOp.SUM, group)  # the adapter's division by the number of ranks is one of floats
        tensor.div_(get_world_size(group), rounding_mode="trunc")
        return None

    return call


class NCCLConfig(SimpleNamespace):
    """NCCL's settings of a communicator; they tell a GPU how to move bytes and mean nothing to the chip."""

    def __init__(self) -> None:
        super().__init__(blocking=1, cga_cluster_size=4, min_ctas=1, max_ctas=32, cta_policy=0, net_name=None)
        vars(self).update(split_share=0, traffic_class=0, comm_name=None, collnet_enable=0, nvls_ctas=0)

    def __setattr__(self, name: str, value: object) -> None:
        account.note("ignored", f"ProcessGroupNCCL.Options.config.{name}")
        super().__setattr__(name, value)


def _options(base: Any) -> Any:
    """HCCL's options with the fields that only NCCL's have."""

    class Options(base):  # type: ignore[misc]
        split_from: object = None
        split_color: int = 0

        def __init__(self, is_high_priority_stream: bool = False) -> None:
            super().__init__()
            self.is_high_priority_stream = is_high_priority_stream
            self.config = NCCLConfig()

        @property
        def group_name(self) -> Any:
            return base.group_name.fget(self)

        @group_name.setter
        def group_name(self, name: str) -> None:
            base.group_name.fset(self, name)
            self.group_id = name  # by which HCCL names the communicator

    Options.__qualname__, Options.__module__ = "ProcessGroupNCCL.Options", "torch._C._distributed_c10d"
    return Options


def enter(options: object) -> Callable[[], None]:
    """The adapter's class gets NCCL's names, and the adapter's own code knows it by them."""
    import torch

    group = process_group()
    undo: list[Callable[[], None]] = []

    def put(owner: Any, name: str, value: object) -> None:
        missing = object()
        before = vars(owner).get(name, missing)
        if before is missing and name in OF_EVERY_CLASS:
            before = getattr(owner, name)
        undo.append(
            partial(delattr, owner, name) if before is missing else partial(setattr, owner, name, before)
        )
        setattr(owner, name, value)

    # The adapter's own version of this function makes the group and looks its class up where it was written.
    helper = torch.distributed.distributed_c10d._new_process_group_helper
    maker = sys.modules[inspect.unwrap(helper).__module__]
    put(maker, "ProcessGroupNCCL", group)
    put(maker, "is_nccl_available", lambda: True)
    names = {
        "__name__": "ProcessGroupNCCL",
        "__qualname__": "ProcessGroupNCCL",
        "__module__": "torch.distributed.distributed_c10d",
        "Options": _options(group.Options),
        "NCCLConfig": NCCLConfig,
        "NCCL_CTA_POLICY_DEFAULT": 0,
        "NCCL_CTA_POLICY_EFFICIENCY": 1,
        "NCCL_CTA_POLICY_ZERO": 2,
        "name": lambda self: "nccl",
        "uid": property(id),
        "comm_split_count": lambda self: 0,
        "perform_nocolor_split": lambda self, device: None,
        "get_build_nccl_version": staticmethod(lambda: personas.toolkit().nccl),
        "get_runtime_nccl_version": staticmethod(lambda: personas.toolkit().nccl),
    }
    for name, value in names.items():
        put(group, name, value)
    warnings.filterwarnings(
        "ignore", "HCCL doesn't support gather"
    )  # gathering to all is the adapter's affair
    filtered = warnings.filters[0]
    # A group without a named backend gets one for each device of this table: the chip must stand there once.
    devices = torch.distributed.Backend.default_device_backend_map
    own = devices.pop("npu", None)

    def leave() -> None:
        while undo:
            undo.pop()()
        if filtered in warnings.filters:
            warnings.filters.remove(filtered)  # type: ignore[attr-defined]
        if own is not None:
            devices["npu"] = own

    return leave
