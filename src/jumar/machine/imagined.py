"""Ranks that a dry run imagines: a store that answers for all of them, so that nobody is waited for.

The native core does the same for communicators: absent ranks have the same data as the one that is here.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from jumar import environment
from jumar.machine.observe import leave
from jumar.patches import Applied, Patch, apply

RENDEZVOUS = "torch.distributed.rendezvous:_create_c10d_store"
IDENTITY_BYTES = 4108  # of what the collective library's first rank hands the others

_applied: list[Applied] = []
_stores: list[Any] = []  # C++ keeps no reference to a store made in Python
_members: dict[str, list[int]] = {}  # identity of a communicator -> ranks of the job


def ranks() -> int:
    """How many ranks the run imagines, its own among them; 0: none."""
    return int(os.environ.get(environment.RANKS) or 0)


def install() -> None:
    """Puts the store in the place of the one that waits; once, where the run imagines ranks."""
    if ranks() > 1 and not _applied and "torch.distributed.rendezvous" in sys.modules:
        _applied.append(apply(PATCHES, everywhere=True))
        atexit.register(tell)


def _create(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(
        hostname: str, port: int, rank: int, world_size: int, timeout: timedelta, use_libuv: bool = True
    ) -> Any:
        store = _store_class()(world_size)
        _stores.append(store)
        return store

    return create


PATCHES = (Patch(RENDEZVOUS, _create, "the other ranks are imagined: nobody comes to a store that waits"),)


def _store_class() -> Any:
    from torch._C._distributed_c10d import Store

    class ImaginedStore(Store):
        """Keeps what this rank says; what only others would have said is made up."""

        def __init__(self, world: int) -> None:
            super().__init__()
            self.world = world
            self.values: dict[str, bytes] = {}
            self.patience = timedelta(seconds=1)

        def set(self, key: str, value: Any) -> None:
            self.values[key] = value.encode() if isinstance(value, str) else bytes(value)
            _remember(key, self.values[key])

        def get(self, key: str) -> bytes:
            if key not in self.values:
                self.values[key] = f"imagined-{os.getpid()}-{len(self.values)}".encode().ljust(
                    IDENTITY_BYTES, b"\0"
                )
            _remember(key, self.values[key])
            return self.values[key]

        def add(self, key: str, amount: int) -> int:
            """All ranks add the same."""
            total = int(self.values.get(key, b"0")) + amount * self.world
            self.values[key] = str(total).encode()
            return total

        def compare_set(self, key: str, expected: Any, desired: Any) -> bytes:
            held = self.values.get(key)
            if held is None or held == (expected.encode() if isinstance(expected, str) else bytes(expected)):
                self.set(key, desired)
            return self.values[key]

        def wait(self, keys: Sequence[str], timeout: timedelta | None = None) -> None:
            """Nobody else comes."""

        def check(self, keys: Sequence[str]) -> bool:
            return True

        def num_keys(self) -> int:
            return len(self.values)

        def delete_key(self, key: str) -> bool:
            return self.values.pop(key, None) is not None

        def set_timeout(self, timeout: timedelta) -> None:
            self.patience = timeout

    return ImaginedStore


def _remember(key: str, value: bytes) -> None:
    """The members of the group whose communicator has this identity. Keys are prefix/0//GROUP//cuda//0, the whole job's
    without GROUP."""
    parts = key.split("//")
    module: Any = sys.modules.get("torch.distributed.distributed_c10d")
    if len(value) < IDENTITY_BYTES or len(parts) < 3 or module is None:
        return
    group = parts[-3].rpartition("/")[2]
    world = module._world
    for one, ranks_ in world.pg_group_ranks.items():
        if str(world.pg_names.get(one)) == group:
            _members[value.split(b"\0")[0].decode(errors="replace")] = sorted(ranks_)


def tell() -> None:
    """Leaves which ranks each communicator has, for pricing: only this process knows."""
    if _members:
        leave("groups", {"members": _members})
