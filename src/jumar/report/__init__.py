"""What people read after a run: the same plain dict as text, JSON and one self-contained HTML page."""

from jumar.report.lines import predicted, text
from jumar.report.page import render, write
from jumar.report.summary import facts, facts_of_run

__all__ = ["facts", "facts_of_run", "predicted", "render", "text", "write"]
