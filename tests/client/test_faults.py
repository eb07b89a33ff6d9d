"""Every kind of fault in a small training loop: what the program meets, what monitoring sees, what makes it well."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest
from ranks import finish, start

from jumar.machine import faults
from jumar.machine.faults import catalogue

pytestmark = [pytest.mark.virtual_only, pytest.mark.needs_chip]
KINDS = faults.kinds()

LOOP = """
import json, os, sys
from pathlib import Path
import torch_npu
from jumar.machine import faults, server

DIRECTORY = Path(os.environ["JUMAR_SERVER"])
torch.manual_seed(0)
model = torch.nn.Linear(8, 8).to(DEVICE)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
x = torch.randn(4, 8).to(DEVICE)
good = {name: value.cpu() for name, value in model.state_dict().items()}


def step():
    optimizer.zero_grad()
    loss = (model(x) ** 2).sum()
    loss.backward()
    optimizer.step()
    return loss.item()


def load():
    global x
    x = torch.randn(4, 8).to(DEVICE)
    model.load_state_dict(good)


def condition():
    return server.report(DIRECTORY)["chips"][0]["condition"]


def meet(kind, steps=4):
    error = ""
    try:
        for _ in range(steps):
            step()
        torch.npu.synchronize()
    except RuntimeError as met:
        error = f"{type(met).__name__}: {met}"
    return error
"""

ONE_BY_ONE = """
for name in KINDS:
    kind = faults.find(name)
    load()
    before, uce, again = condition(), None, ""
    step()
    faults.inject(DIRECTORY, [faults.Injection(kind, 0, after_operators=12, seed=3)])
    error = meet(kind)
    during = condition()
    if kind.recovery == "clear":
        again = meet(kind, 1)
        faults.clear(DIRECTORY, 0)
    if error:
        torch_npu.npu.stop_device(0)
        uce = torch_npu.npu.check_uce_in_memory(0) if kind.effect == "uce" else None
        torch_npu.npu.restart_device(0)
        load()
    well, after = step(), condition()
    faults.clear(DIRECTORY, 0)
    print(json.dumps({"kind": name, "error": error, "again": again, "before": before, "during": during,
                      "after": after, "uce": uce, "loss": well}), flush=True)
"""


@pytest.fixture(scope="module")
def told(new_machine: Callable[..., Any], on: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What each kind did, of those that one process with one chip can meet; and the chip's own events."""
    if on != "virtual":
        pytest.skip("faults are injected into virtual chips")
    machine = new_machine(on, tmp_path_factory.mktemp("faults") / "server", "910B2", 1, False, {})
    names = [name for name, kind in KINDS.items() if not (kind.collective or kind.signal)]
    ended = machine.run(LOOP + ONE_BY_ONE.replace("KINDS", repr(names)))
    found = {one["kind"]: one for one in map(json.loads, ended.stdout.splitlines())}
    events = [json.loads(line) for line in (machine.directory / "events.jsonl").read_text().splitlines()]
    assert list(found) == names
    return found, events, machine.report()


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if not (kind.collective or kind.signal)]
)
def test_each_kind_shows_itself_as_the_catalogue_says(told: Any, name: str) -> None:
    kind, (found, events, _) = KINDS[name], told
    seen = found[name]
    if kind.raises:
        assert "RuntimeError" in seen["error"] and kind.raises in seen["error"]
    else:
        assert seen["error"] == ""
    during = seen["during"]
    assert during["health"] == kind.health
    assert name in [fault["kind"] for fault in during["faults"]] or kind.effect in ("corrupt", "ecc")
    mine = [event for event in events if event["kind"] == name]
    assert mine[0]["event"] == "fault" and mine[0]["code"] == kind.code and mine[0]["level"] == kind.level
    assert seen["before"]["health"] == "OK" and seen["before"]["faults"] == []
    if kind.metric and kind.effect != "heat":  # temperatures need a trace
        assert metric(seen["during"], kind) != metric(seen["before"], kind)


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if not (kind.collective or kind.signal)]
)
def test_each_kind_is_well_again_by_what_the_catalogue_says(told: Any, name: str) -> None:
    kind, (found, events, _) = KINDS[name], told
    seen = found[name]
    if kind.recovery == "clear" and kind.raises:
        assert kind.raises in seen["again"]  # the chip stays as it is until somebody sees to it
    if kind.raises or kind.recovery == "clear":
        assert seen["after"]["health"] == "OK" and seen["after"]["faults"] == []
    assert seen["loss"] > 0
    assert "recovered" in [event["event"] for event in events if event["kind"] == name]
    if kind.effect == "uce":
        assert seen["uce"] == 3  # a tensor that lives has lost its bits: load the checkpoint


def metric(condition: dict[str, Any], kind: faults.Kind) -> Any:
    """What the exporter makes that metric of."""
    value: Any = condition
    for part in catalogue.METRICS[kind.metric].split("."):
        value = value[part]
    return value


def test_nothing_is_left_on_the_server(told: Any) -> None:
    _, _, report = told
    assert report["processes"] == [] and report["chips"][0]["used_bytes"] == 0


def test_a_host_without_memory_ends_the_process(machine: Callable[..., Any]) -> None:
    host = machine()
    source = (
        LOOP
        + """
step()
faults.inject(DIRECTORY, [faults.Injection(faults.find("host_memory"), 0)])
torch.ones(4).pin_memory()
"""
    )
    assert host.run(source, check=False).returncode == -getattr(signal, KINDS["host_memory"].signal)
    (condition,) = [chip["condition"] for chip in host.report()["chips"]]
    assert condition["health"] == "OK"  # it failed once


TOGETHER = """
from jumar.machine import faults
from pathlib import Path
x = torch.ones(4, device=DEVICE)
dist.all_reduce(x)
torch.npu.synchronize()
if RANK == 0:
    faults.inject(Path(os.environ["JUMAR_SERVER"]), [faults.Injection(faults.find("KIND"), 0)])
try:
    for _ in range(3):
        dist.all_reduce(x)
        torch.npu.synchronize()
    print("went on", flush=True)
except RuntimeError as error:
    print(error, flush=True)
os._exit(0)
"""


def test_a_fault_of_collectives_meets_the_chip_that_has_it(machine: Callable[..., Any]) -> None:
    names = [name for name, kind in KINDS.items() if kind.collective]
    limits = {"HCCL_EXEC_TIMEOUT": "3", "HCCL_CONNECT_TIMEOUT": "60"}
    pairs = {name: start(machine(devices=2), TOGETHER.replace("KIND", name), **limits) for name in names}
    for name, pair in pairs.items():
        first, second = finish(pair)
        assert KINDS[name].raises in first, name
        assert "went on" not in second, name
