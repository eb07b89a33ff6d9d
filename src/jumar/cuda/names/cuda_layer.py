"""The layer under torch.cuda: what PyTorch's own Python code asks of a build with CUDA, answered by the adapter.

PyTorch's functions in torch.cuda stay, and with them their arguments, messages and corner cases. What a CPU build lacks
is what they call in `torch._C`. Each such name is a row of torch_cuda.tsv: `same` is an alias made here, `adapted` a
function in one of the files beside. Rows of torch.cuda itself that are `same` keep PyTorch's function, counted.
"""

from __future__ import annotations

from typing import Any

from jumar import cudamap
from jumar.cuda import account
from jumar.cuda.registry import Maker, changes, registered, resolve

TABLE = "torch_cuda"
LAYER, FACE, ADAPTER = "torch._C.", "torch.cuda.", "torch.npu."


def _from_adapter(ascend: str) -> Maker:
    return lambda original: resolve(ascend)


def _kept(name: str) -> Maker:
    def make(original: Any) -> Any:
        private = name.rpartition(".")[2].startswith("_")
        return (
            original if private or not callable(original) else account.counted("redirected", name, original)
        )

    return make


def _register(row: cudamap.Name) -> None:
    if row.status != "same" or row.cuda in registered():
        return
    if row.cuda.startswith(LAYER):
        changes(row.cuda, adds=True)(_from_adapter(row.ascend))
    elif row.cuda.startswith(FACE) and row.ascend.startswith(ADAPTER):
        changes(row.cuda)(_kept(row.cuda))


for one in cudamap.names(TABLE):
    _register(one)
