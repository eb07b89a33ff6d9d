"""The dictionary from CUDA to Ascend: flat tables, read by the CUDA face at run time and by the scanner.

Every table is a TSV file here with the columns of `Name`. Imports no torch.
"""

from jumar.cudamap.tables import STATUSES, BadTable, Name, all_names, all_tables, names

__all__ = ["STATUSES", "BadTable", "Name", "all_names", "all_tables", "names"]
