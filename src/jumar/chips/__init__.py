"""What each chip is: one TOML file a chip, every number with unit, source and confidence. Imports no torch.

chip = find("910b2")                 # by name or alias, in any case
chip.number("memory.size", "B")      # 68719476736
chip.quantities["memory.size"]       # Quantity(value=…, unit="B", source="github:…", confidence="vendor")
"""

from jumar.chips.profile import (
    CONFIDENCES,
    DEFAULT,
    BadProfile,
    Chip,
    Quantity,
    UnknownChip,
    all_chips,
    find,
    load,
)

__all__ = [
    "CONFIDENCES",
    "DEFAULT",
    "BadProfile",
    "Chip",
    "Quantity",
    "UnknownChip",
    "all_chips",
    "find",
    "load",
]
