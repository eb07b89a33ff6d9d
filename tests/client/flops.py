"""Products of many modules and functions, for `test_work`: each case is counted on the CPU and run on the device.

python flops.py COUNTED   writes the counts of FlopCounterMode, one a case, and runs every case after a tensor that marks it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils.flop_counter import FlopCounterMode

MARK = 5000  # a tensor with so many elements, and the number of the case more, comes before each case
SAMPLES = 6
# PyTorch's counter knows no products with a vector, so those that are nothing else are not here.
FUNCTIONS = """
    mm addmm bmm baddbmm matmul linalg.multi_dot einsum inner tensordot nn.functional.linear nn.functional.conv1d
    nn.functional.conv2d nn.functional.conv3d nn.functional.conv_transpose1d nn.functional.conv_transpose2d
    nn.functional.conv_transpose3d
"""

Run = Callable[[str], Tensor]


def modules() -> Iterator[tuple[str, nn.Module, tuple[Any, ...]]]:
    """Modules with what goes in; both passes count, and all of the way back to the inputs."""
    rows = torch.randn(6, 10, 32)
    image, volume, sound = torch.randn(2, 8, 17, 19), torch.randn(2, 4, 7, 9, 8), torch.randn(3, 6, 40)
    yield "Linear", nn.Linear(32, 48), (rows,)
    yield "Linear without bias", nn.Linear(32, 48, bias=False), (rows[0],)
    yield "MLP", nn.Sequential(nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 8), nn.Softmax(-1)), (rows,)
    yield "Conv1d", nn.Conv1d(6, 12, 5, stride=2, padding=1), (sound,)
    yield "Conv1d dilated", nn.Conv1d(6, 12, 3, dilation=4), (sound,)
    yield "Conv2d", nn.Conv2d(8, 16, 3, padding=1), (image,)
    yield "Conv2d strided", nn.Conv2d(8, 16, (3, 5), stride=(2, 3), padding=2), (image,)
    yield "Conv2d pointwise", nn.Conv2d(8, 24, 1, bias=False), (image,)
    yield "Conv2d grouped", nn.Conv2d(8, 16, 3, groups=4), (image,)
    yield "Conv2d depthwise", nn.Conv2d(8, 8, 3, groups=8), (image,)
    yield "Conv3d", nn.Conv3d(4, 6, 3, padding=1), (volume,)
    yield "ConvTranspose1d", nn.ConvTranspose1d(6, 4, 4, stride=2), (sound,)
    yield "ConvTranspose2d", nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1), (image,)
    yield "ConvTranspose2d grouped", nn.ConvTranspose2d(8, 4, 3, groups=2), (image,)
    yield "ConvTranspose3d", nn.ConvTranspose3d(4, 6, 2, stride=2), (volume,)
    first = torch.randn(10, 24)
    yield "LSTMCell", nn.LSTMCell(32, 24), (rows[0], (first, first))
    yield "GRUCell", nn.GRUCell(32, 24), (rows[0], first)
    yield "RNNCell", nn.RNNCell(32, 24), (rows[0], first)
    state = torch.randn(2, 10, 24)
    yield "LSTM", nn.LSTM(32, 24, num_layers=2), (rows, (state, state))
    yield "LSTM both ways", nn.LSTM(32, 24, bidirectional=True), (rows, (state, state))
    yield "GRU", nn.GRU(32, 24, num_layers=2), (rows, state)
    yield "MultiheadAttention", Attention(32, 4), (rows,)
    yield "Transformer encoder", nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True), (rows,)
    yield "Transformer decoder", nn.TransformerDecoderLayer(32, 4, 64, 0.0, batch_first=True), (rows, rows)
    yield "Scaled dot product", Heads(), (torch.randn(2, 4, 24, 16),)
    yield "Embedding and head", Tied(100, 32), (torch.randint(100, (4, 9)),)
    yield "BatchNorm block", nn.Sequential(nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8), nn.ReLU()), (image,)
    yield "GroupNorm block", nn.Sequential(nn.GroupNorm(2, 8), nn.SiLU(), nn.Conv2d(8, 4, 3)), (image,)
    yield "Pooling", nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 4, 3), nn.AdaptiveAvgPool2d(2)), (image,)
    yield "Unfold", nn.Sequential(nn.Unfold(3), nn.Linear(255, 4)), (image,)


class Attention(nn.MultiheadAttention):
    """Attention of a sequence to itself, scores spelled out."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x, x, x, need_weights=True)[0]


class Heads(nn.Module):
    """Fused attention, scaled by a parameter so that there is something to train."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(x * self.scale, x, x)


class Tied(nn.Module):
    """A table of vectors that also makes the scores."""

    def __init__(self, words: int, width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width)

    def forward(self, tokens: Tensor) -> Tensor:
        return functional.linear(self.table(tokens), self.table.weight)


def trained(module: nn.Module, inputs: tuple[Any, ...]) -> Run:
    def leaf(value: Any, device: str) -> Any:
        if isinstance(value, tuple):
            return tuple(leaf(each, device) for each in value)
        return value.to(device).requires_grad_(value.is_floating_point())

    def run(device: str) -> Tensor:
        result = module.to(device)(*leaf(inputs, device))
        while not isinstance(result, Tensor):
            result = result[0]
        result.float().pow(2).sum().backward()
        module.zero_grad()
        return result

    return run


def called(function: Callable[..., Any], sample: Any) -> Run:
    def run(device: str) -> Tensor:
        moved = sample.transform(lambda value: value.to(device) if isinstance(value, Tensor) else value)
        return function(moved.input, *moved.args, **moved.kwargs)

    return run


def cases() -> Iterator[tuple[str, Run]]:
    torch.manual_seed(0)
    for name, module, inputs in modules():
        yield name, trained(module, inputs)
    for info in op_db:
        if info.name in FUNCTIONS.split():
            samples = info.sample_inputs_func(info, "cpu", torch.float32, requires_grad=False)
            for number, sample in enumerate(samples):
                if number < SAMPLES:
                    yield f"{info.name} {number}", called(info.op, sample)


def counted(run: Run) -> float:
    """The counter knows neither oneDNN's recurrent layers nor the CPU's fused attention: both are spelled out for it."""
    spelled = torch.backends.mkldnn.flags(enabled=False), sdpa_kernel(SDPBackend.MATH)
    with spelled[0], spelled[1], FlopCounterMode(display=False) as counter:
        run("cpu")
    return float(counter.get_total_flops())


def main() -> None:
    found = []
    for number, (name, run) in enumerate(cases()):
        found.append({"name": name, "flops": counted(run)})
        torch.zeros(MARK + number, device="npu")
        run("npu")
    torch.zeros(MARK + len(found), device="npu")
    torch.npu.synchronize()
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
