"""A stored run on a chip: times of all events, the typical step with its range, memory, energy and money."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from jumar.chips import Chip
from jumar.physics import accelerator_of, parameters_for, price_all
from jumar.physics.operator import LIMITS
from jumar.physics.timeline import Track, covered_s, lay_out
from jumar.physics.transfer import host_call_seconds
from jumar.physics.work import Floats
from jumar.runs import cost, durations, fusing, heating, items, memory, translation, utilisation
from jumar.runs.format import COPIES, NONE, ON_STREAM, Column, Phase, Run, Type
from jumar.runs.priced import HOST_LINK, LINK, NO_LIMIT, OnChip, Options, Priced, Step
from jumar.runs.tracks import Calls, Laid, lay

# The time of an operator whose work was assumed may be off by this factor either way. An assumption itself.
ASSUMED_FACTOR = 3.0
# And a host that was neither measured nor given, in a step that waits for it: programs differ. An assumption.
HOST_FACTOR = 2.0
# Ranges come from rows of the step model; no step of a trace is known better than this. An assumption.
LEAST_SPREAD = 0.15
BUBBLE = "bubble"
COMPILED_NOTE = (
    "torch.compile: the program asks for it, but is priced as eager operators; compiled it would be faster"
)
MEASURED, DEFAULT = "measured", "default"

__all__ = ["OnChip", "Options", "Prepared", "Priced", "Step", "prepare", "price_run"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run made ready for many chips: all that does not depend on one."""

    run: Run
    laid: Laid
    held: tuple[memory.Held, ...]

    @cached_property
    def fused(self) -> fusing.Fused:
        """What a build for another vendor runs as one kernel."""
        return fusing.find(self.run)


def prepare(run: Run) -> Prepared:
    return Prepared(run, lay(run), tuple(_held(run)))


def _held(run: Run) -> list[memory.Held]:
    """What the chips gave out; who holds it is told by the tensors, where the run has them."""
    tensors = {one.chip: one.holders for one in memory.held(run, Type.BLOCK_ALLOCATE, Type.BLOCK_FREE)}
    return [replace(one, holders=tensors.get(one.chip, one.holders)) for one in memory.held(run)]


def price_run(run: Run | Prepared, chip: Chip, options: Options | None = None) -> Priced:
    """The run on that chip. KeyError names a number that the chip's file lacks and that is needed."""
    ready = run if isinstance(run, Prepared) else prepare(run)
    return _Pricing(ready, chip, options or Options()).priced()


class _Pricing:
    """One run on one chip: what the parts below share."""

    def __init__(self, ready: Prepared, chip: Chip, options: Options) -> None:
        self.run, self.laid, self.held = ready.run, ready.laid, ready.held
        self.chip, self.options = chip, options
        self.machine = accelerator_of(chip)
        self.parameters = parameters_for(self.machine.name, self.machine.generation)
        self.notes: list[str] = []
        translated = translation.translate(self.run.kinds, chip.architecture, chip.generation)
        self.kinds = durations.price_kinds(self.run.kinds, translated, self.machine, self.parameters)
        self.absent = np.array([one.absent for one in translated] or [False])
        self.duration_s = durations.event_seconds(self.run, self.kinds, self.machine, self.parameters)
        self.many = np.ones(0)
        if chip.architecture != translation.ASCEND:
            self._translate(ready.fused)
        self.host_s = np.zeros(len(self.run.events))
        self.issued_s, self.start_s, self.end_s = (np.zeros(len(self.run.events)) for _ in range(3))

    def _translate(self, fused: fusing.Fused) -> None:
        """Updates of single weights, as one kernel for many of them; sequences that are one kernel elsewhere."""
        self.many = translation.tensors_a_launch(self.run, self.run.kinds, self.kinds.works)
        rows = np.flatnonzero(self.many > 1)
        launch_s = self.kinds.parts[self.run.events.kind[rows], LIMITS.index("launch")]
        self.duration_s[rows] -= launch_s * (1 - 1 / self.many[rows])
        if len(rows):
            self.notes.append(
                "optimizer: weights are updated many at once (foreach), PyTorch's default there"
            )
        if len(fused.rows):
            self.duration_s[fused.rows] = price_all(fused.works, self.machine, self.parameters).seconds
        self.duration_s[fused.absent] = 0.0
        self.many[fused.absent] = np.inf
        for name, count in fused.counts.items():
            self.notes.append(
                f"{name}: {count:,} sequences of operators are one kernel each (runs/fusions.tsv)"
            )

    def priced(self) -> Priced:
        self._lay_out()
        lead, steps, step_s = self._steps()
        step = min(steps, key=lambda one: (abs(one.seconds - step_s), one.number), default=None)
        rows, mine = self._step_rows(lead, step)
        parts, units = self._parts(lead, step, step_s)
        step_s += self._bubble(parts, step_s)
        limit = max(parts, key=lambda name: parts[name])
        found = self._items(mine)
        operations, mfu = utilisation.of(
            self.run, rows, self.kinds.works, self.machine, step_s, self._chips()
        )
        low_s, high_s = self._range(rows, step_s, parts["host"])
        operators = self._operators(mine)
        hour = cost.hourly(self.chip, self.options.terms)
        priced = Priced(
            chip=self.chip,
            machine=self.machine,
            parameters=self.parameters,
            kinds=self.kinds,
            issued_s=self.issued_s,
            start_s=self.start_s,
            end_s=self.end_s,
            duration_s=self.duration_s,
            host_s=self.host_s,
            limit_code=self._limit_codes(),
            steps=steps,
            step=step,
            step_rows=rows,
            step_kinds=self.run.events.kind[operators],
            step_seconds=self.duration_s[operators],
            names=tuple(kind.operator for kind in self.run.kinds),
            step_s=step_s,
            step_low_s=low_s,
            step_high_s=high_s,
            parts=parts,
            units=units,
            limit_of_step=limit if step_s else "none",
            limit_name=utilisation.limit_name(parts, units) if step_s else "nothing",
            operations=operations,
            mfu=mfu,
            items=found,
            memory=self._memory(),
            energy_j=0.0,
            energy_note="what the work needs at full clock, and idle power all the while; without the host",
            hour=hour,
            cost=cost.of_time(hour, step_s, self._chips()),
            chips=self._chips(),
            notes=(*self._said(lead), *self.notes),
        )
        return replace(priced, energy_j=self._energy(priced))

    def _energy(self, priced: Priced) -> float:
        """Joules of a step on all chips; those that are imagined need what the recorded ones do."""
        drawn = heating.draw(self.run, priced)
        rows = priced.step_rows
        recorded = max(1, len(np.unique(self.run.events.chip[rows])))
        work_j = float(drawn.die_j[rows].sum() + drawn.stack_j[rows].sum()) / recorded
        idle_j = float(self.chip.number("power.idle", "W")) * priced.step_s
        return self._chips() * (work_j + idle_j)

    def _chips(self) -> int:
        return max(1, len(self.laid.calls), int(self.run.facts.get("ranks") or 0))

    def _lay_out(self) -> None:
        tracks = [self._track(calls) for calls in self.laid.calls]
        schedules, broken = lay_out(tracks, self.laid.attendance, self.machine.synchronise_s)
        for calls, schedule in zip(self.laid.calls, schedules, strict=True):
            self.issued_s[calls.rows] = schedule.issued_s
            self.start_s[calls.rows] = schedule.start_s
            self.end_s[calls.rows] = schedule.end_s
        idle = ~np.isin(self.run.events.type, ON_STREAM)
        self.start_s[idle] = self.end_s[idle] = 0.0
        if broken:
            self.notes.append(
                f"{broken} exchanges begin without all their ranks: the trace has them in different orders"
            )

    def _track(self, calls: Calls) -> Track:
        self.host_s[calls.rows] = host_s = self._host(calls)
        begin = calls.cuts.begin if calls.cuts.warm_up or calls.cuts.begin else -1
        return Track(
            calls.act, calls.stream, calls.mark, self.duration_s[calls.rows], host_s, calls.held, begin
        )

    def _host(self, calls: Calls) -> Floats:
        """Seconds that each call takes of the host."""
        setting = self._host_setting()
        if setting == MEASURED:
            return np.asarray(calls.measured_s * self.options.host_factor)
        each_s = host_call_seconds(self.parameters) if setting == DEFAULT else float(setting)
        if self.chip.architecture in translation.COMPILED:
            each_s = 0.0
        host_s: Floats = calls.share * each_s
        kind = self.run.events.kind[calls.rows]
        operators = (self.run.events.type[calls.rows] == Type.OPERATOR) & (kind != NONE)
        host_s[operators] *= ~self.absent[kind[operators]]
        if len(self.many):
            host_s /= self.many[calls.rows]
        return host_s

    def _host_setting(self) -> str | float:
        if self.options.host is not None:
            return self.options.host
        said = self.run.facts.get("host") or {}
        if said.get("mode") == "given" and said.get("call_s") is not None:
            return float(said["call_s"])
        return MEASURED if said.get("mode") == MEASURED else DEFAULT

    def _steps(self) -> tuple[Calls | None, tuple[Step, ...], float]:
        """The track whose steps take longest, its steps, and the time of a typical one: the mean where all steps have the
        same operators, else the median."""
        best: tuple[Calls | None, tuple[Step, ...], float] = (None, (), 0.0)
        for calls in self.laid.calls:
            steps = self._steps_of(calls)
            if not steps:
                continue
            alike = calls.cuts.alike
            each = [step.seconds for step in steps]
            step_s = (steps[-1].end_s - steps[0].start_s) / len(steps) if alike else float(np.median(each))
            if best[0] is None or step_s > best[2]:
                best = (calls, steps, step_s)
        return best

    def _steps_of(self, calls: Calls) -> tuple[Step, ...]:
        cuts = calls.cuts
        if not cuts.count:
            return ()
        rows = calls.rows
        busy = np.maximum.accumulate(np.maximum(self.end_s[rows], self.issued_s[rows]))
        ends = busy[cuts.ends]
        first_s = busy[cuts.begin - 1] if cuts.begin else 0.0
        if cuts.begin:  # where everything before is waited for, see Track.begin
            first_s = max(
                float(first_s), float(self.issued_s[rows[cuts.begin]] - self.host_s[rows[cuts.begin]])
            )
        starts = np.concatenate([[first_s], ends[:-1]])
        begins = cuts.begins()
        return tuple(
            Step(int(self.run.events.step[rows[first]]), int(rows[first]), int(rows[last]), start, end)
            for first, last, start, end in zip(
                begins.tolist(), cuts.ends.tolist(), starts.tolist(), ends.tolist(), strict=True
            )
        )

    def _step_rows(self, lead: Calls | None, step: Step | None) -> tuple[Column, Column]:
        """Events of the same step in all tracks, and those of the leading track."""
        if lead is None or step is None:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        place = int(np.searchsorted(lead.rows[lead.cuts.ends], step.last))
        found = {}
        for calls in self.laid.calls:
            if place < calls.cuts.count:
                first = int(calls.cuts.begins()[place])
                found[calls.process, calls.chip] = calls.rows[first : int(calls.cuts.ends[place]) + 1]
        mine = found[lead.process, lead.chip]
        return mine if len(found) == 1 else np.sort(np.concatenate(list(found.values()))), mine

    def _parts(
        self, lead: Calls | None, step: Step | None, step_s: float
    ) -> tuple[dict[str, float], dict[str, float]]:
        """What the leading track's step is made of, scaled to the typical time."""
        parts = dict.fromkeys(("chip", "communication", "copies", "host"), 0.0)
        units = dict.fromkeys(LIMITS, 0.0)
        if lead is None or step is None or step.seconds <= 0:
            return parts, units
        rows, events = lead.rows, self.run.events
        rows = rows[(self.end_s[rows] > step.start_s) & (self.start_s[rows] < step.end_s)]
        rows = rows[np.isin(events.type[rows], ON_STREAM)]
        start = np.maximum(self.start_s[rows], step.start_s)
        end = np.minimum(self.end_s[rows], step.end_s)
        links = events.type[rows] == Type.COLLECTIVE
        copies = np.isin(events.type[rows], COPIES)
        chip_s = covered_s(start[~links & ~copies], end[~links & ~copies])
        with_links_s = covered_s(start[~copies], end[~copies])
        busy_s = covered_s(start, end)
        scale = step_s / step.seconds
        parts = {
            "chip": chip_s * scale,
            "communication": (with_links_s - chip_s) * scale,
            "copies": (busy_s - with_links_s) * scale,
            "host": max(0.0, step.seconds - busy_s) * scale,
        }
        operators = self._operators(rows)
        kinds = events.kind[operators]
        weight = self.duration_s[operators] / np.maximum(self.kinds.seconds[kinds], 1e-30)
        by_limit = weight @ self.kinds.parts[kinds] if len(kinds) else np.zeros(len(LIMITS))
        whole = float(by_limit.sum()) or 1.0
        units = {name: parts["chip"] * float(s) / whole for name, s in zip(LIMITS, by_limit, strict=True)}
        return parts, units

    def _bubble(self, parts: dict[str, float], step_s: float) -> float:
        """Seconds that a stage of a pipeline waits for the others where they are imagined, as the program says."""
        share = float((self.run.facts.get("items") or {}).get(BUBBLE) or 0.0)
        if share > 0 and step_s > 0:
            parts[BUBBLE] = share * step_s
            self.notes.append(
                f"pipeline: the other stages are imagined; waiting for them is added, {share:.1%} of a stage's own work"
            )
        return share * step_s

    def _limit_codes(self) -> Column:
        events = self.run.events
        codes = np.full(len(events), NO_LIMIT, dtype=np.int8)
        operators = (events.type == Type.OPERATOR) & (events.kind != NONE)
        if len(self.kinds.limit):
            codes[operators] = self.kinds.limit[events.kind[operators]]
        codes[events.type == Type.COLLECTIVE] = LINK
        codes[np.isin(events.type, (Type.COPY_H2D, Type.COPY_D2H))] = HOST_LINK
        codes[np.isin(events.type, (Type.COPY_D2D, Type.MEMSET))] = LIMITS.index("memory")
        return codes

    def _operators(self, rows: Column) -> Column:
        """Those of these events that are operators of a known kind."""
        events = self.run.events
        found: Column = rows[(events.type[rows] == Type.OPERATOR) & (events.kind[rows] != NONE)]
        return found

    def _items(self, mine: Column) -> items.Items | None:
        if self.options.items is not None:
            return items.given(self.options.items)
        said = self.run.facts.get("items")
        if isinstance(said, dict) and said.get("per_step"):
            return items.Items(
                float(said["per_step"]), str(said.get("word", "items")), str(said.get("source", ""))
            )
        return items.recognise(self.run, mine, self._chips())

    def _range(self, rows: Column, step_s: float, waits_s: float) -> tuple[float, float]:
        """The range of the fit, made wider by the share of operators whose work is assumed, and where the chip waits for
        a host that nobody measured."""
        events = self.run.events
        trains = bool((events.phase[rows] >= Phase.BACKWARD).any() or (events.type == Type.STEP).any())
        spread = max(LEAST_SPREAD, self.parameters.spread["training" if trains else "inference"])
        operators = self._operators(rows)
        seconds = np.bincount(
            events.kind[operators], self.duration_s[operators], minlength=len(self.kinds.source)
        )
        assumed = np.array([source == "assumed" for source in self.kinds.source] or [False])
        share = float(seconds[assumed[: len(seconds)]].sum()) / max(float(seconds.sum()), 1e-30)
        if share > 0:
            count = int((seconds[assumed[: len(seconds)]] > 0).sum())
            self.notes.append(
                f"the work of {count} kinds of operators is assumed: {share:.1%} of the chip's time"
            )
        # A chip that waits half of the time has its work hidden behind the host's: the whole scales with the host.
        hosts = min(1.0, 2 * waits_s / step_s) if step_s and self._host_setting() == DEFAULT else 0.0
        factor = math.exp(math.hypot(spread, share * math.log(ASSUMED_FACTOR), hosts * math.log(HOST_FACTOR)))
        return step_s / factor, step_s * factor

    def _memory(self) -> tuple[OnChip, ...]:
        capacity_b = self.machine.memory_b
        factor = math.exp(self.parameters.spread["memory"])
        return tuple(
            OnChip(
                one.chip,
                one.peak_b,
                capacity_b,
                one.row,
                one.holders,
                one.peak_b / factor <= capacity_b < one.peak_b * factor,
            )
            for one in self.held
        )

    def _said(self, lead: Calls | None) -> list[str]:
        """What a reader must know about how these numbers came about."""
        said = [f"steps: {lead.cuts.how}"] if lead else ["no call was recorded"]
        setting = self._host_setting()
        if self.chip.architecture in translation.COMPILED and setting != MEASURED:
            said.append("host: none, a step is compiled as a whole")
        elif setting == MEASURED:
            said.append(f"host: as measured on the machine of the run, times {self.options.host_factor:g}")
        elif setting == DEFAULT:
            each = host_call_seconds(self.parameters) * 1e6
            said.append(f"host: {each:.0f} µs a call, fitted to hosts of the family {self.parameters.family}")
        else:
            said.append(f"host: {float(setting) * 1e6:g} µs a call, given")
        if self.chip.architecture in translation.NOTES:
            said.append(translation.NOTES[self.chip.architecture])
        if unknown := int(((self.run.events.type == Type.OPERATOR) & (self.run.events.kind == NONE)).sum()):
            said.append(f"{unknown:,} operators have no kind: priced as the least time of an operator")
        if self.run.facts.get("compiled") and self.chip.architecture != translation.ASCEND:
            said.append(COMPILED_NOTE)
        if self.chip.packaged_in:
            said.append(
                f"one die of a package: {self.chip.device}; price {self.chip.packaged_in} for the whole"
            )
        said += [f"cut: {text}" for text in self.run.facts.get("cut") or ()]
        return said
