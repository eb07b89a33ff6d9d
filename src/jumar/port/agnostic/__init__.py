"""Python that names CUDA, made to mean whichever accelerator there is: edits of the smallest nodes, for the rules.

What a name becomes is a row of `names.tsv`. What the chip cannot be asked for on a CPU stands behind
`torch.accelerator.is_available()`, unless the program has asked already. Nothing here decides what is a finding.
"""

from jumar.port.agnostic.fixes import LINE, Fix, given
from jumar.port.agnostic.layouts import channels_last, scaler
from jumar.port.agnostic.literals import backend, comparison, device_name
from jumar.port.agnostic.methods import is_cuda, move, typed
from jumar.port.agnostic.names import imported, name, use
from jumar.port.agnostic.variables import variable

__all__ = [
    "LINE",
    "Fix",
    "backend",
    "channels_last",
    "comparison",
    "device_name",
    "given",
    "imported",
    "is_cuda",
    "move",
    "name",
    "scaler",
    "typed",
    "use",
    "variable",
]
