"""How far a job is: work done, what of it is in a checkpoint, and the closed form of many cycles at once."""

from __future__ import annotations

import math

from jumar.fleet.simulation.cluster import Checkpoints

LONG_H = 1e12


class Progress:
    """Work of one job in hours at full speed.

    A cycle is: work while the last checkpoint is written, work, then a block in which the next one is taken.
    `phase` is the time since the cycle began, `pending` the work in the checkpoint that is being written, `saved` in
    the newest that is written, `clean` in the newest from before a silent error (infinite if there was none).
    """

    __slots__ = ("clean", "pending", "phase", "rule", "saved", "work")

    def __init__(self, rule: Checkpoints) -> None:
        self.rule = rule
        self.work = self.pending = self.saved = 0.0
        self.phase = rule.writes_h
        self.clean = math.inf

    def advance(self, time_h: float, speed: float) -> float:
        """Lets time pass; returns the hours of it that checkpoints cost."""
        rule, cost = self.rule, 0.0
        cycle = rule.every_h + rule.blocks_h
        while time_h > 0:
            if self.phase == 0 and time_h >= cycle:
                cycles = math.floor(time_h / cycle)
                time_h -= cycles * cycle
                cost += cycles * (rule.blocks_h + rule.drag * rule.writes_h)
                self._pass_cycles(cycles, speed)
                continue
            end, rate = self._stretch()
            step = min(time_h, end - self.phase)
            time_h -= step
            self.work += step * rate * speed
            cost += step * (1 - rate)
            self.phase = end if step == end - self.phase else self.phase + step
            if self.phase == end:
                self._pass_mark(end)
        return cost

    def hours_to(self, goal: float, speed: float) -> float:
        """Time until the work is done, if nothing happens."""
        if speed <= 0:
            return LONG_H
        rule, phase, left, passed = self.rule, self.phase, goal - self.work, 0.0
        gain = (rule.every_h - rule.drag * rule.writes_h) * speed
        while left > 0:
            if phase == 0 and left > gain:
                cycles = math.ceil(left / gain) - 1
                passed += cycles * (rule.every_h + rule.blocks_h)
                left -= cycles * gain
            end, rate = self._stretch(phase)
            reach = (end - phase) * rate * speed
            if rate > 0 and reach >= left:
                return passed + left / (rate * speed)
            left -= reach
            passed += end - phase
            phase = 0.0 if end >= rule.every_h + rule.blocks_h else end
        return passed

    def fall_back(self) -> float:
        """To the newest checkpoint, which may be wrong without anybody knowing; returns the work that is lost."""
        lost = self._back_to(self.saved)
        if self.work <= self.clean:
            self.clean = math.inf
        return lost

    def back_to_clean(self) -> float:
        """To the newest checkpoint from before a silent error; returns the work that is lost."""
        if math.isinf(self.clean):
            return 0.0
        lost = self._back_to(min(self.saved, self.clean))
        self.clean = math.inf
        return lost

    def _back_to(self, good: float) -> float:
        lost = self.work - good
        self.work = self.pending = self.saved = good
        self.phase = self.rule.writes_h
        return lost

    def save(self) -> None:
        """A checkpoint now, before an eviction."""
        self.pending = self.saved = self.work
        self.phase = self.rule.writes_h

    def corrupt(self) -> None:
        """From here on checkpoints are wrong; the one being written is still good."""
        self.clean = min(self.clean, self.pending)

    def _stretch(self, phase: float | None = None) -> tuple[float, float]:
        """End of the part of the cycle in which we are, and the share of the speed in it."""
        rule, phase = self.rule, self.phase if phase is None else phase
        if phase < rule.writes_h:
            return rule.writes_h, 1 - rule.drag
        if phase < rule.every_h:
            return rule.every_h, 1.0
        return rule.every_h + rule.blocks_h, 0.0

    def _pass_mark(self, end: float) -> None:
        rule = self.rule
        if end >= rule.every_h + rule.blocks_h:
            self.phase, self.pending = 0.0, self.work
            if rule.writes_h == 0:
                self.saved = self.pending
        elif end == rule.writes_h:
            self.saved = self.pending

    def _pass_cycles(self, cycles: int, speed: float) -> None:
        rule = self.rule
        gain = (rule.every_h - rule.drag * rule.writes_h) * speed
        self.work += cycles * gain
        self.pending = self.work
        self.saved = self.work if rule.writes_h == 0 else self.work - gain
