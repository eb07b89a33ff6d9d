"""Files and pickles: what `torch.save` writes is what it would write on CUDA, and loads where no chip is."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from jumar.cuda import account
from jumar.cuda.registry import changes

if TYPE_CHECKING:
    from jumar.cuda.face import Options

FORMAT = "npu_format_/"
PLAIN = ("NCHW", "ND", "NHWC", "NCL", "NCDHW", "NDHWC")  # the bytes lie as in any other tensor


@changes("torch.load")
def _load(adapters: Any) -> Any:
    """PyTorch's own: the adapter's knows neither every map_location nor the reader's error texts."""
    from torch.serialization import load

    return load


@changes("torch.serialization._legacy_save")
def _legacy_save(adapters: Any) -> Any:
    """PyTorch's own, which the adapter wraps to print a warning."""
    cells = dict(zip(adapters.__code__.co_freevars, adapters.__closure__ or (), strict=True))
    return cells["_orig_legacy_save"].cell_contents if "_orig_legacy_save" in cells else adapters


@changes("torch._utils.get_tensor_metadata")
def _metadata(original: Any) -> Callable[[Any], Any]:
    """Says nothing of how the adapter lays out a tensor, unless its bytes can only be read with it."""

    def get_tensor_metadata(tensor: Any) -> Any:
        found = original(tensor)
        if any(key.startswith(FORMAT) and key[len(FORMAT) :] in PLAIN for key in found):
            return {key: value for key, value in found.items() if "_/" not in key}
        return found

    return get_tensor_metadata


def enter(options: Options) -> Callable[[], None]:
    """Files that were saved on a chip under its own name are loaded too."""
    serialization: Any = importlib.import_module("torch.serialization")

    def restore(storage: Any, location: str) -> Any:
        if not location.startswith("npu"):
            return None
        account.note("adapted", "torch.load of a file saved under the chip's own name")
        return serialization.default_restore_location(storage, "cuda" + location[len("npu") :])

    before = list(serialization._package_registry)
    serialization.register_package(19, lambda storage: None, restore)

    def leave() -> None:
        serialization._package_registry[:] = before

    return leave
