"""Parts of Triton that are NVIDIA's own: inline PTX, libdevice, tensor memory, the CUDA driver."""

from __future__ import annotations

from collections.abc import Iterator

from jumar.port.document import Document
from jumar.port.finding import Finding
from jumar.port.reading import python_guards, python_names, python_source
from jumar.port.rule import Example, Rule

DESCRIPTORS = tuple(f"triton.language.{verb}_tensor_descriptor" for verb in ("make", "load", "store"))
OF_DESCRIPTORS = (
    "made for the unit of NVIDIA's GPUs that copies tensors; triton-ascend has it where making, loading and storing "
    "are used together"
)

RULE = Rule(
    code="C033",
    name="triton-gpu-only",
    kinds=("python",),
    triggers=("triton",),
    layer="software",
    severity="blocks",
    safety="report",
    runs_unchanged=False,
    why="it is PTX, a function of NVIDIA's libdevice or a unit of its GPUs, which triton-ascend does not have",
    replacement="triton.language's portable functions",
    examples=(
        Example("import triton.language as tl\n\nd = tl.make_tensor_descriptor(p, s, t, b)\n"),
        Example(
            "import triton.language as tl\n\ny = tl.inline_asm_elementwise(asm, '=r,r', [x], tl.int32, True, 1)\n"
        ),
    ),
    keep=("import triton.language as tl\n\ny = tl.exp(x)\n",),
)


OF_OVERLAP = "it orders kernels that overlap on NVIDIA's GPUs, where a program has switched that on"
FALLS_AWAY = "nothing: it falls away, and the switch stays off"


def check(document: Document) -> Iterator[Finding]:
    source = document.once(python_source.read)
    for use in python_names.under(
        document,
        "triton.language.inline_asm_elementwise",
        "triton.language.extra.cuda",
        "triton.language.extra.libdevice",
        "triton.language.math.libdevice",
        "triton.backends.nvidia",
        "triton.language.extra.nvidia",
        "triton.experimental.gluon",
        "triton.runtime.driver.active.utils",
        "triton.tools.experimental_descriptor",
        "triton.language._experimental_descriptor_load",
        "triton.language._experimental_descriptor_store",
    ):
        usual = "silent" if python_names.is_question(use) else RULE.severity
        weight = python_guards.weighed(source, use.node, usual, RULE.why)
        if use.name.rpartition(".")[2].startswith("gdc_"):
            weight = {"severity": "degrades", "why": OF_OVERLAP}
        falls = FALLS_AWAY if weight.get("why") == OF_OVERLAP else None
        yield RULE.found(document, *source.place(use.node), f"{use.name}", **weight, replacement=falls)
    for use in python_names.under(document, *DESCRIPTORS):
        yield RULE.found(
            document,
            *source.place(use.node),
            f"{use.name}",
            why=OF_DESCRIPTORS,
            severity="cosmetic" if python_names.is_question(use) else "degrades",
            replacement="the same names of triton-ascend, after a look at the sizes of blocks",
            runs_unchanged=True,
        )
