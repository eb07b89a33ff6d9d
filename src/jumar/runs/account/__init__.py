"""A priced run as one plain dict: the sums, curves and drawings of a typical step that the report shows. No torch."""

from jumar.runs.account.heat import heat_of
from jumar.runs.account.whole import account

__all__ = ["account", "heat_of"]
