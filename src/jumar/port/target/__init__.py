"""What a target needs: versions that fit together, and what a repository's dependencies become there."""

from jumar.port.target.dependencies import Dependency, of_repository
from jumar.port.target.fitting import Row, check, choices
from jumar.port.target.versions import TARGETS, Environment, Pair, here

__all__ = ["TARGETS", "Dependency", "Environment", "Pair", "Row", "check", "choices", "here", "of_repository"]
