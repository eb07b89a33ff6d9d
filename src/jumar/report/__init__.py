"""What people read after a run: the same plain dict as text, JSON and one self-contained HTML page."""

from jumar.report.summary import facts
from jumar.report.page import write
from jumar.report.lines import text

__all__ = ["facts", "text", "write"]
