"""A stored run on chips: what must hold for any run and chip, and what is said where something is not known."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import synthetic

from jumar import chips
from jumar.chips import Chip
from jumar.runs import directory, pricing
from jumar.runs.format import ON_STREAM, Events, Exchange, OperatorKind, Run, Type, events_of
from jumar.runs.pricing import Options, Priced, price_run

SMALL = {"steps": 4, "layers": 3, "batch": 2, "sequence": 256}
NAMES = ("910b2", "910c", "h100", "h20", "a100", "b200", "mi300x", "v5p", "310p")
# Less of these is better; of all other numbers that pricing reads, more.
COSTS = ("cost.", "latency")
READ = ("memory.bandwidth", "memory.size", "peak.", "core.", "cache.l2", "link.", "cost.")


@pytest.fixture(scope="module")
def run() -> Run:
    return synthetic.gpt2(**SMALL)


def better(chip: Chip, factor: float) -> Chip:
    """The same chip with every rate, size and cost better by that factor, under the name of the family's own."""
    quantities = {}
    for key, quantity in chip.quantities.items():
        cost = any(word in key for word in COSTS)
        rate = key.startswith(("memory.", "peak.", "cache.l2")) or key.endswith("bandwidth")
        value = quantity.value / factor if cost else quantity.value * factor if rate else quantity.value
        quantities[key] = dataclasses.replace(quantity, value=value)
    return dataclasses.replace(chip, quantities=MappingProxyType(quantities))


def without(chip: Chip, *keys: str) -> Chip:
    kept = {key: quantity for key, quantity in chip.quantities.items() if key not in keys}
    return dataclasses.replace(chip, quantities=MappingProxyType(kept))


def more(run: Run, factor: int) -> Run:
    """The same calls, each with `factor` times the work and bytes."""

    def grown(kind: OperatorKind) -> OperatorKind:
        work = kind.work
        assert work is not None
        products = tuple(dataclasses.replace(p, m=p.m * factor) for p in work.products)
        vectors = tuple(dataclasses.replace(v, operations=v.operations * factor) for v in work.vectors)
        bigger = dataclasses.replace(
            work,
            products=products,
            vectors=vectors,
            read_b=work.read_b * factor,
            written_b=work.written_b * factor,
        )
        return dataclasses.replace(kind, work=bigger)

    columns = {name: getattr(run.events, name) for name in Events.__dataclass_fields__}
    columns["bytes"] = columns["bytes"] * factor
    return Run(run.facts, [grown(k) for k in run.kinds], events_of(columns, len(run.events)), run.names)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("processes", [1, 3])
def test_more_work_never_takes_less_time(name: str, processes: int) -> None:
    run = synthetic.gpt2(**SMALL, processes=processes)
    times = [price_run(more(run, factor), chips.find(name)).step_s for factor in (1, 2, 3, 8, 64)]
    assert times == sorted(times)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("processes", [1, 3])
def test_a_chip_better_in_everything_is_never_slower(name: str, processes: int) -> None:
    run = synthetic.gpt2(**SMALL, processes=processes)
    chip = chips.find(name)
    times = [price_run(run, better(chip, factor)).step_s for factor in (1.0, 1.01, 1.3, 2.0, 10.0, 1000.0)]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_streams_never_exceed_the_whole(run: Run, name: str) -> None:
    for processes in (1, 3):
        run = synthetic.gpt2(**SMALL, processes=processes)
        priced = price_run(run, chips.find(name))
        whole_s = float(priced.end_s.max())
        running = np.isin(run.events.type, ON_STREAM)
        for process in range(processes):
            for stream in (0, 1):
                mine = running & (run.events.process == process) & (run.events.stream == stream)
                assert priced.duration_s[mine].sum() <= whole_s * (1 + 1e-12)
        assert (priced.end_s >= priced.start_s).all()
        assert sum(priced.parts.values()) == pytest.approx(priced.step_s)
        assert sum(priced.units.values()) == pytest.approx(priced.parts["chip"])
        assert sum(step.seconds for step in priced.steps) <= whole_s * (1 + 1e-12)


def test_the_same_trace_and_profile_give_the_same_answer_to_the_bit(tmp_path: Path, run: Run) -> None:
    directory.write(tmp_path, run)
    first, second = (price_run(one, chips.find("910b2")) for one in (run, directory.read(tmp_path)))
    for name in ("start_s", "end_s", "issued_s", "duration_s", "limit_code"):
        assert (getattr(first, name) == getattr(second, name)).all()
    assert (first.step_s, first.parts, first.energy_j) == (second.step_s, second.parts, second.energy_j)


def test_warm_up_is_left_out_and_the_typical_step_is_among_the_others(run: Run) -> None:
    priced = price_run(run, chips.find("910b2"))
    assert [step.number for step in priced.steps] == [1, 2, 3]
    assert priced.step in priced.steps and "first, warm-up, left out" in priced.notes[0]
    assert priced.step_low_s < priced.step_s < priced.step_high_s


def test_a_slow_host_decides(run: Run) -> None:
    slow = price_run(run, chips.find("910b2"), Options(host=1e-3))
    fast = price_run(run, chips.find("910b2"), Options(host=1e-9))
    assert slow.limit_of_step == "host" and slow.limit_name == "host" and fast.limit_of_step == "chip"
    calls = (run.events.step == 2) & (run.events.type == Type.OPERATOR)
    assert slow.step_s == pytest.approx(1e-3 * calls.sum(), rel=0.1)
    assert "given" in " ".join(slow.notes)
    measured = price_run(run, chips.find("910b2"), Options(host="measured", host_factor=1000.0))
    assert measured.limit_of_step == "host" and "measured" in " ".join(measured.notes)


def test_a_step_that_waits_for_an_unknown_host_has_a_wider_range(run: Run) -> None:
    chip = chips.find("h100")
    unknown = price_run(run, chip)
    assert unknown.parts["host"] > 0.1 * unknown.step_s, "the small run waits for its host"
    given = price_run(run, chip, Options(host=unknown.host_s.max()))
    assert given.step_s == pytest.approx(unknown.step_s)
    assert given.step_low_s > unknown.step_low_s and given.step_high_s < unknown.step_high_s


def test_a_compiled_program_is_said_to_be_priced_eagerly(run: Run) -> None:
    compiled = dataclasses.replace(run, facts={**run.facts, "compiled": True})
    for name, said in (("h100", True), ("910b2", False)):
        notes = " ".join(price_run(compiled, chips.find(name)).notes)
        assert ("torch.compile" in notes) == said
    assert "torch.compile" not in " ".join(price_run(run, chips.find("h100")).notes)


def test_one_die_of_a_package_is_said_to_be_one(run: Run) -> None:
    assert "price Ascend910C for the whole" in " ".join(price_run(run, chips.find("910c")).notes)
    assert not any("die" in note for note in price_run(run, chips.find("910b2")).notes)


def test_reductions_run_beside_the_backward_pass_and_wait_for_the_last_rank() -> None:
    run = synthetic.gpt2(**SMALL, processes=2)
    priced = price_run(run, chips.find("910b2"), Options(host=1e-9))
    rows = np.flatnonzero(run.events.type == Type.COLLECTIVE)
    for exchange in np.unique(run.events.exchange[rows]):
        both = rows[run.events.exchange[rows] == exchange]
        assert len(both) == 2 and len(set(priced.start_s[both])) == 1
    alone = price_run(synthetic.gpt2(**SMALL), chips.find("910b2"), Options(host=1e-9))
    assert priced.step_s > alone.step_s
    assert priced.items is not None and alone.items is not None
    assert priced.items.per_step == 2 * alone.items.per_step and "each of 2 ranks" in priced.items.source


def test_items_are_recognised_and_may_be_given(run: Run) -> None:
    found = price_run(run, chips.find("910b2")).items
    assert found is not None and (found.per_step, found.word) == (512, "tokens")
    told = price_run(run, chips.find("910b2"), Options(items=7.0))
    assert told.items is not None and told.items.per_step == 7
    assert told.per_second == pytest.approx(7 / told.step_s)


def replaced(run: Run, *kinds: OperatorKind) -> Run:
    return Run(run.facts, kinds, run.events, run.names)


def test_an_unknown_operator_is_an_assumed_row_and_never_free(run: Run) -> None:
    kinds = [
        dataclasses.replace(k, work=None, source="none") if k.operator == "aclnnGelu" else k
        for k in run.kinds
    ]
    priced = price_run(replaced(run, *kinds), chips.find("910b2"))
    (row,) = [number for number, kind in enumerate(kinds) if kind.work is None]
    assert priced.kinds.seconds[row] > 0 and priced.kinds.source[row] == "assumed"
    assert any("assumed" in note for note in priced.notes)
    sure = price_run(run, chips.find("910b2"))
    assert priced.step_high_s / priced.step_s > sure.step_high_s / sure.step_s


def test_a_missing_number_is_named(run: Run) -> None:
    with pytest.raises(KeyError, match=r"memory\.bandwidth"):
        price_run(run, without(chips.find("h100"), "memory.bandwidth"))
    unpriced = price_run(run, without(chips.find("h100"), "price.hour", "price.chip"))
    assert unpriced.cost.value is None and unpriced.cost.missing == "price.hour or price.chip"


def test_chips_are_bought_or_rented(run: Run) -> None:
    from jumar.runs.cost import Terms

    chip = chips.find("h100")
    bought, rented = (
        price_run(run, chip, Options(terms=Terms(rented=asked))).cost for asked in (False, True)
    )
    assert "a chip" in bought.note and "an hour" in rented.note
    only_bought = price_run(run, chips.find("910b2"), Options(terms=Terms(rented=True))).cost
    assert only_bought.note.startswith("bought, as no price by the hour is known")
    hour = chip.quantities["price.hour"].value
    assert rented.value == pytest.approx(hour * price_run(run, chip).step_s / 3600)
    assert "an hour" in price_run(run, chips.find("v5p")).cost.note, "it cannot be bought"
    longer = price_run(run, chip, Options(terms=Terms(years=8))).cost
    assert longer.value is not None and bought.value is not None and longer.value < bought.value


def test_what_only_ascend_has_does_not_run_elsewhere(run: Run) -> None:
    kinds = [
        dataclasses.replace(k, operator="aclnnDropoutGenMask") if k.operator == "aclnnInplaceCopy" else k
        for k in run.kinds
    ]
    changed = replaced(run, *kinds)
    row = next(number for number, kind in enumerate(kinds) if kind.operator == "aclnnDropoutGenMask")
    assert price_run(changed, chips.find("910b2")).kinds.seconds[row] > 0
    elsewhere = price_run(changed, chips.find("h100"))
    assert elsewhere.kinds.seconds[row] == 0 and elsewhere.kinds.becomes[row] == "nothing"
    assert elsewhere.step_s < price_run(run, chips.find("h100")).step_s
    assert any("CUDA build" in note for note in elsewhere.notes)


def test_memory_peak_and_who_holds_it(run: Run) -> None:
    (held,) = price_run(run, chips.find("910b2")).memory
    given = run.events.type == Type.ALLOCATE
    assert held.peak_b == run.events.bytes[given].sum() and held.fits
    assert any(name.startswith("transformer.h.") for name in held.holders)
    columns = {name: getattr(run.events, name) for name in Events.__dataclass_fields__}
    columns["bytes"] = np.where(given, columns["bytes"] * 1000, columns["bytes"])
    large = Run(run.facts, run.kinds, events_of(columns, len(run.events)), run.names)
    (held,) = price_run(large, chips.find("910b2")).memory
    assert not held.fits and held.capacity_b == chips.find("910b2").number("memory.size", "B")


def test_passes_without_an_optimizer_are_found() -> None:
    writer = synthetic.Writer()
    for position in range(6):
        indices = synthetic.operand("int64", 4, 1)
        table = synthetic.operand("float32", 1000, 64)
        writer.operator("aclnnEmbedding", [table, indices], synthetic.pointwise(4 * 64))
        for _ in range(10):
            synthetic.vector(writer, "aclnnAdd", 4, 64)
        synthetic.vector(writer, "aclnnSoftmax", 4, 100 + position)
    run = Run({}, writer.table, events_of(synthetic.columns_of(writer.rows), len(writer.rows)), writer.names)
    priced = price_run(run, chips.find("910b2"))
    assert len(priced.steps) == 5 and "6 passes" in priced.notes[0]
    assert priced.items is not None and priced.items.per_step == 4


def test_a_run_in_which_nothing_happened() -> None:
    priced = price_run(directory.empty(), chips.find("h100"))
    assert isinstance(priced, Priced) and priced.step_s == 0 and priced.step is None and priced.memory == ()


def test_messages_go_from_rank_to_rank() -> None:
    rows = []
    for process, exchange, peer in ((0, Exchange.SEND, 1), (1, Exchange.RECEIVE, 0)):
        rows.append(
            {
                "process": process,
                "chip": process,
                "type": int(Type.COLLECTIVE),
                "collective": int(exchange),
                "bytes": 1 << 30,
                "peer": peer,
                "communicator": 0,
                "exchange": 0,
                "ranks": 2,
            }
        )
    run = Run({}, (), events_of(synthetic.columns_of(rows), 2), {})
    priced = price_run(run, chips.find("910b2"), Options(host=1e-3))
    assert priced.duration_s[0] == priced.duration_s[1] > 0.01
    assert priced.start_s[1] >= priced.start_s[0]


@pytest.mark.parametrize("name", NAMES)
def test_prepared_once_gives_the_same(run: Run, name: str) -> None:
    ready = pricing.prepare(run)
    assert price_run(ready, chips.find(name)).step_s == price_run(run, chips.find(name)).step_s


def test_operators_that_a_thread_submits_late_belong_to_their_step(run: Run) -> None:
    """The adapter's own thread may be behind: marks then stand before operators of the step that they end."""
    late = synthetic.gpt2(**SMALL)
    columns = {name: getattr(late.events, name).copy() for name in Events.__dataclass_fields__}
    order = np.arange(len(late.events))
    for mark in np.flatnonzero(columns["type"] == Type.STEP):
        order[mark - 7 : mark + 1] = [mark, *range(mark - 7, mark)]
    moved = events_of({name: column[order] for name, column in columns.items()}, len(order))
    there = price_run(Run(late.facts, late.kinds, moved, late.names), chips.find("910b2"))
    here = price_run(run, chips.find("910b2"))
    assert len(there.steps) == len(here.steps) == 3
    assert there.step_s == pytest.approx(here.step_s, rel=0.02)
    counts = [len(one.step_kinds) for one in (there, here)]
    assert counts[0] == counts[1]


def test_a_pipeline_of_imagined_stages_waits_for_them(run: Run) -> None:
    items = {"per_step": 100, "word": "tokens", "source": "as the program says", "bubble": 0.25}
    waiting = price_run(
        Run({**run.facts, "items": items}, run.kinds, run.events, run.names), chips.find("910b2")
    )
    alone = price_run(run, chips.find("910b2"))
    assert waiting.step_s == pytest.approx(1.25 * alone.step_s)
    assert waiting.parts["bubble"] == pytest.approx(0.25 * alone.step_s)
    assert sum(waiting.parts.values()) == pytest.approx(waiting.step_s)
    assert any("pipeline" in note for note in waiting.notes)


def test_updates_of_single_weights_share_launches_where_pytorch_takes_lists(run: Run) -> None:
    kinds = [
        dataclasses.replace(k, operator="aclnnInplaceAddcdiv") if k.operator.startswith("aclnnForeach") else k
        for k in run.kinds
    ]
    single = replaced(run, *kinds)
    rows = np.isin(run.events.kind, [n for n, k in enumerate(kinds) if k.operator == "aclnnInplaceAddcdiv"])
    here, there = (price_run(single, chips.find(name)) for name in ("910b2", "h100"))
    assert (here.duration_s[rows] == here.kinds.seconds[run.events.kind[rows]]).all()
    assert (there.duration_s[rows] < there.kinds.seconds[run.events.kind[rows]]).all()
    assert there.duration_s[rows].min() > 0 and any("foreach" in note for note in there.notes)


def test_attention_is_the_kernel_that_pytorch_has() -> None:
    from jumar.physics import Kind, Work
    from jumar.runs.translation import translate

    def attention(dtype: str) -> OperatorKind:
        arguments = [synthetic.operand(dtype, 8, 128, 64)]
        return OperatorKind("aclnnFlashAttentionScore", arguments, Work(Kind.ATTENTION), "rule")

    kinds = [attention("bfloat16"), attention("float32")]
    found = {
        chip: [one.work.kind for one in translate(kinds, *chip) if one.work]
        for chip in (("ascend", "A2"), ("nvidia", "Ampere"), ("nvidia", "Hopper"))
    }
    assert found["ascend", "A2"] == [Kind.ATTENTION, Kind.ATTENTION]
    assert found["nvidia", "Ampere"] == [Kind.ATTENTION, Kind.PORTABLE_ATTENTION]
    assert found["nvidia", "Hopper"] == [Kind.PORTABLE_ATTENTION, Kind.PORTABLE_ATTENTION]
    mask = OperatorKind("aclnnTriu", [synthetic.operand("bool", 8, 8)], None, "none")
    numbers = OperatorKind("aclnnTriu", [synthetic.operand("float32", 8, 8)], None, "none")
    assert [one.absent for one in translate([mask, numbers], "nvidia", "Ampere")] == [True, False]


def normalised(writer: synthetic.Writer, backward: bool) -> None:
    """What the adapter makes of nn.RMSNorm: a dozen operators in fp32 between casts."""
    large, small = synthetic.operand("float32", 512, 1024), synthetic.operand("float32", 512, 1)
    narrow = synthetic.operand("bfloat16", 512, 1024)
    forward = "Copy PowTensorScalar Mean Adds Rsqrt Mul Mul Copy"
    back = "Copy Mul Mul ReduceSum Copy Mul Mul ReduceSum PowTensorScalar Muls Mul Divs PowTensorScalar Muls Mul Add Copy"
    for word in (back if backward else forward).split():
        inplace = "Inplace" if word in ("Copy", "Adds", "Add") else ""
        arguments = [narrow, large] if word == "Copy" else [large, small]
        writer.operator(f"aclnn{inplace}{word}", arguments, synthetic.pointwise(512 * 1024))


def test_a_normalisation_of_many_operators_is_one_kernel_where_there_is_one() -> None:
    writer = synthetic.Writer()
    for backward in (False, False, True):
        synthetic.product(writer, 64, 64, 64)
        normalised(writer, backward)
    synthetic.product(writer, 64, 64, 64)
    synthetic.vector(writer, "aclnnMul", 64, 64)
    count = len(writer.rows)
    run = Run({}, writer.table, events_of(synthetic.columns_of(writer.rows), count), {})
    here, there = (price_run(run, chips.find(name)) for name in ("910b2", "h100"))
    assert (here.duration_s > 0).all()
    assert (there.duration_s > 0).sum() == 4 + 3 + 1, "products, kernels, and what stands alone"
    said = " ".join(there.notes)
    assert "rms_norm: 2 sequences" in said and "rms_norm backward: 1 sequences" in said
    assert there.issued_s[-1] < 0.5 * here.issued_s[-1], "what does not run costs the host nothing"


def test_steps_count_for_the_chip_that_a_process_uses_whatever_chip_the_mark_has() -> None:
    run = synthetic.gpt2(**SMALL, processes=2)
    columns = {name: getattr(run.events, name).copy() for name in Events.__dataclass_fields__}
    columns["chip"][columns["type"] == Type.STEP] = 0
    moved = Run(run.facts, run.kinds, events_of(columns, len(run.events)), run.names)
    there, here = (price_run(one, chips.find("910b2")) for one in (moved, run))
    assert there.step_s == here.step_s and len(there.steps) == len(here.steps) == 3
    assert not any("without all their ranks" in note for note in there.notes)


def test_a_replayed_graph_costs_the_host_no_calls(run: Run) -> None:
    columns = {name: getattr(run.events, name).copy() for name in Events.__dataclass_fields__}
    columns["replayed"] = (columns["step"] > 0).astype("int8")
    graph = Run(run.facts, run.kinds, events_of(columns, len(run.events)), run.names)
    slow = Options(host=1e-3)
    there, here = (price_run(one, chips.find("910b2"), slow) for one in (graph, run))
    assert here.limit_of_step == "host" and there.limit_of_step == "chip"
