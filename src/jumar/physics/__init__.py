"""Time of work on a chip: pure functions of what an operator does and of the chip's profile. Imports no torch.

work = matmul(4096, 4096, 4096, "bf16")               # what is done, on any chip
machine = accelerator_of(chips.find("910b2"))          # what does it
price(work, machine).seconds, .low, .high, .limit     # how long, with its range, and why
"""

from jumar.physics.accelerator import Accelerator, Links, accelerator_of
from jumar.physics.operator import Price, Prices, price, price_all, price_table
from jumar.physics.parameters import BadParameters, Parameters, load_parameters, parameters_for
from jumar.physics.work import Kind, Pattern, Product, Vector, Work, WorkTable, matmul, table_of

__all__ = [
    "Accelerator",
    "BadParameters",
    "Kind",
    "Links",
    "Parameters",
    "Pattern",
    "Price",
    "Prices",
    "Product",
    "Vector",
    "Work",
    "WorkTable",
    "accelerator_of",
    "load_parameters",
    "matmul",
    "parameters_for",
    "price",
    "price_all",
    "price_table",
    "table_of",
]
