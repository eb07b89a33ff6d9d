"""What is no operator and yet takes time: copies, filling memory, and the host that makes the calls."""

from __future__ import annotations

from jumar.physics.accelerator import Accelerator
from jumar.physics.parameters import Parameters
from jumar.physics.work import Floats

# Share of the host link's rate that copies from pinned memory reach: headers of packets cost the rest. Assumption.
HOST_LINK_EFFICIENCY = 0.8
# The step model, to which `host_kernel_s` is fitted, counts kernels of a plan; a program makes so many calls for each
# of them (GPT-2 124M: 327 in the plan, about 950 as called, with casts, copies and views that the plan leaves out).
CALLS_A_KERNEL = 3.0


def host_copy_seconds(size_b: Floats, machine: Accelerator) -> Floats:
    """Seconds of copies of these sizes between host and chip."""
    links = machine.links
    return links.host_latency_s + size_b / (links.host_b_s * HOST_LINK_EFFICIENCY)


def chip_copy_seconds(size_b: Floats, machine: Accelerator, parameters: Parameters) -> Floats:
    """Seconds of copies within the memory of a chip: each byte is read and written."""
    return fill_seconds(2.0 * size_b, machine, parameters)


def fill_seconds(size_b: Floats, machine: Accelerator, parameters: Parameters) -> Floats:
    """Seconds of writing so many bytes."""
    launch_s = machine.launch_s * parameters.launch_factor
    return launch_s + size_b / (machine.memory_b_s * parameters.memory_efficiency)


def host_call_seconds(parameters: Parameters) -> float:
    """Time the host takes for one call that puts work on a stream, as programs make them through PyTorch."""
    return parameters.host_kernel_s / CALLS_A_KERNEL
