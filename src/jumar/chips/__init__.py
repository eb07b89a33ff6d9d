"""What each chip is: one TOML file a chip, every number with unit, source and confidence. Imports no torch.

chip = find("910b2")                 # by name or alias, in any case, or by file: find("mine.toml")
chip.number("memory.size", "B")      # 68719476736
chip.quantities["memory.size"]       # Quantity(value=…, unit="B", source="github:…", confidence="vendor")

Files may use SI multiples; a loaded number is in one unit a kind: B, B/s, FLOP/s, OP/s, Hz, W, °C, s, mm², USD or CNY.
"""

from jumar.chips.profile import CONFIDENCES, BadProfile, Chip, Quantity
from jumar.chips.reading import load
from jumar.chips.shelf import DEFAULT, NotPresentable, UnknownChip, all_chips, find, presented

__all__ = [
    "CONFIDENCES",
    "DEFAULT",
    "BadProfile",
    "Chip",
    "NotPresentable",
    "Quantity",
    "UnknownChip",
    "all_chips",
    "find",
    "load",
    "presented",
]
