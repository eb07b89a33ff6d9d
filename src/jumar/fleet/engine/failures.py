"""What can go wrong while many tasks run; each message says what to do."""

from __future__ import annotations


class EngineMissing(RuntimeError):
    """The engine that was asked for is not installed."""


class OtherResults(ValueError):
    """The directory holds results of another run."""


class TaskFailed(RuntimeError):
    """A task raised an error; what had finished before is kept."""


class WorkersLost(RuntimeError):
    """The same tasks lost one worker after another."""
