"""The command `nvcc` as programs in a run find it: it says which CUDA it is of, and refuses to compile.

The refusal names every kernel of the sources with file and line, for that is what has to be ported.
"""

from __future__ import annotations

import sys
from pathlib import Path

from jumar.cuda import kernels
from jumar.cudamap import personas

SOURCES = (*kernels.SUFFIXES, ".c", ".cc", ".cpp", ".cxx", ".ptx")
FATAL = "nvcc fatal   : "


def version() -> str:
    release = personas.toolkit().cuda
    return (
        "nvcc: NVIDIA (R) Cuda compiler driver\n"
        "Copyright (c) 2005-2025 NVIDIA Corporation\n"
        "Built on Fri_Feb_21_20:23:50_PST_2025\n"
        f"Cuda compilation tools, release {release}, V{release}.93\n"
        "Build cuda_12.8.r12.8/compiler.35583870_0\n"
    )


def refusal(files: list[str]) -> str:
    found = kernels.in_files(files)
    lines = [f"{FATAL}this machine has no NVIDIA GPU: jumar cannot compile CUDA C++ for the chips here"]
    lines += [f"  {one.place()}: __global__ {one.name}({one.parameters})" for one in found]
    if not found:
        lines.append(f"  no __global__ kernel is defined in {', '.join(files)}")
    lines.append(f"`jumar port {files[0]}` says what each becomes on Ascend")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    if any(one in ("--version", "-V") for one in arguments):
        print(version(), end="")
        return 0
    if any(one in ("--help", "-h") for one in arguments):
        print(
            "\nUsage  : nvcc [options] <inputfile>\n\nAnswered by jumar: --version is; compiling is refused."
        )
        return 0
    files = [one for one in arguments if one.endswith(SOURCES) and not one.startswith("-")]
    if not files:
        print(f"{FATAL}No input files specified; use option --help for more information", file=sys.stderr)
        return 1
    if missing := [one for one in files if not Path(one).is_file()]:
        print(f"{FATAL}Could not open input file '{missing[0]}'", file=sys.stderr)
        return 1
    print(refusal(files), end="", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
