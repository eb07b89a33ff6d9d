"""The `jumar` command: parses, calls the rooms, prints. A command's module is imported when it is used."""

from jumar.cli.main import main

__all__ = ["main"]
