"""torch.utils.cpp_extension: C++ is built as ever; sources for NVIDIA's compiler are refused by kernel, file and line."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jumar.cuda import account, kernels
from jumar.cuda.registry import changes

SHOWN = 20


class CudaSourceError(RuntimeError):
    """CUDA C++ cannot be compiled for this chip; the message names each kernel with its file and line."""


def refuse(
    extension: str, files: Sequence[str], found: Iterable[kernels.Kernel], how: str
) -> CudaSourceError:
    """The error to raise for these sources."""
    account.note("refused", how)
    lines = [f"  {one.name}  {one.place()}" for one in found]
    more = [f"  … and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    shown = lines[:SHOWN] + more or [f"  {file}" for file in files]
    where = next((str(Path(file).parent) for file in files if Path(file).exists()), ".")
    number = f"{len(lines)} kernel{'s' * (len(lines) != 1)}" if lines else "sources"
    return CudaSourceError(
        f"{how}: the extension {extension!r} has CUDA C++, which only NVIDIA's compiler turns into code for a GPU. "
        f"Its {number}:\n" + "\n".join(shown) + "\n"
        f"Run `jumar port {where}` to see what each needs on Ascend."
    )


def of_cuda(sources: Iterable[Any]) -> list[str]:
    return [str(one) for one in sources if str(one).endswith(kernels.SUFFIXES)]


@changes("torch.utils.cpp_extension.load")
def _load(original: Any) -> Any:
    @functools.wraps(original)
    def load(name: str, sources: Any, *arguments: Any, **keywords: Any) -> Any:
        files = of_cuda([sources] if isinstance(sources, str) else sources)
        if files or keywords.get("with_cuda"):
            raise refuse(name, files, kernels.in_files(files), "torch.utils.cpp_extension.load")
        return original(name, sources, *arguments, **keywords)

    return load


@changes("torch.utils.cpp_extension.load_inline")
def _load_inline(original: Any) -> Any:
    @functools.wraps(original)
    def load_inline(
        name: str, cpp_sources: Any, cuda_sources: Any = None, *rest: Any, **keywords: Any
    ) -> Any:
        texts = [cuda_sources] if isinstance(cuda_sources, str) else list(cuda_sources or ())
        if texts or keywords.get("with_cuda"):
            at = account.source_line()
            found = [
                one for text in texts for one in kernels.in_text(text, f"cuda_sources at {at}, its line")
            ]
            raise refuse(name, [], found, "torch.utils.cpp_extension.load_inline")
        return original(name, cpp_sources, cuda_sources, *rest, **keywords)

    return load_inline


@changes("torch.utils.cpp_extension.CUDAExtension")
def _extension(original: Any) -> Any:
    """One without a .cu source is a C++ extension."""

    @functools.wraps(original)
    def CUDAExtension(name: str, sources: Any, *arguments: Any, **keywords: Any) -> Any:
        cpp_extension: Any = importlib.import_module("torch.utils.cpp_extension")

        if files := of_cuda(sources):
            raise refuse(name, files, kernels.in_files(files), "torch.utils.cpp_extension.CUDAExtension")
        account.note("adapted", "torch.utils.cpp_extension.CUDAExtension")
        if isinstance(flags := keywords.get("extra_compile_args"), dict):
            keywords["extra_compile_args"] = flags.get("cxx", [])
        return cpp_extension.CppExtension(name, sources, *arguments, **keywords)

    return CUDAExtension


@changes("torch.utils.cpp_extension.BuildExtension.build_extensions")
def _build(original: Any) -> Any:
    @functools.wraps(original)
    def build_extensions(self: Any) -> None:
        for extension in self.extensions:
            if files := of_cuda(extension.sources):
                raise refuse(extension.name, files, kernels.in_files(files), "BuildExtension")
        original(self)

    return build_extensions
