"""What people read after a run: the same plain dict as text, JSON and one self-contained HTML page."""

from jumar.report.lines import text
from jumar.report.page import write
from jumar.report.summary import facts

__all__ = ["facts", "text", "write"]
