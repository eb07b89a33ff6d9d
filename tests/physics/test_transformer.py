"""Jobs of transformers: sizes as published, and times that grow with the work and shrink with what helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jumar import chips
from jumar.physics import accelerator_of
from jumar.physics.footprint import training_footprint
from jumar.physics.serving import serving_plan
from jumar.physics.step import price_step
from jumar.physics.training import training_plan
from jumar.physics.transformer import Experts, Layout, Model, Serving, Training

A2 = accelerator_of(chips.find("910B2"))
LLAMA_7B = Model(32, 4096, 11008, 32)
MIXTRAL = Model(32, 4096, 14336, 32, 8, experts=Experts(8, 2, 14336))
JOB = Training(LLAMA_7B, Layout(tensor=8, sequence_parallel=True), 4096, 1, 16)


def step_s(job: Training) -> float:
    return price_step(training_plan(job, A2), A2).seconds


@pytest.mark.parametrize(
    ("model", "billions", "active"),
    [
        (LLAMA_7B, 6.74, 6.61),
        (Model(80, 8192, 28672, 64, 8), 68.98, 68.7),
        (MIXTRAL, 46.7, 12.75),
        (Model(12, 768, 3072, 12, vocabulary=50368, gated=False, tied=True), 0.1236, 0.1236),
    ],
)
def test_models_have_their_published_number_of_weights(model: Model, billions: float, active: float) -> None:
    assert model.parameters / 1e9 == pytest.approx(billions, rel=0.005)
    assert model.active_parameters / 1e9 == pytest.approx(active, rel=0.01)


def test_a_step_computes_six_operations_for_each_weight_and_token() -> None:
    plan = training_plan(replace(JOB, layout=Layout()), A2)
    done = sum(
        (plan.micro_batches * count + once) * sum(work.operations * times for work, times in segment.works)
        for segment, count, once in zip(plan.segments, plan.last, plan.once, strict=True)
    )
    causal = plan.operations - JOB.tokens * 6 * LLAMA_7B.active_parameters
    assert done == pytest.approx(plan.operations - causal / 2 + causal / 2 / 6, rel=0.01)


@pytest.mark.parametrize(
    "change",
    [
        {"model": replace(LLAMA_7B, layers=40)},
        {"model": replace(LLAMA_7B, ffn=16384)},
        {"model": replace(LLAMA_7B, vocabulary=128256)},
        {"sequence": 8192},
        {"global_batch": 32},
        {"recompute_layers": 1.0},
        {"flash": False},
        {"layout": Layout(tensor=4, sequence_parallel=True)},
    ],
)
def test_more_work_takes_longer(change: dict[str, object]) -> None:
    assert step_s(replace(JOB, **change)) > step_s(JOB)  # type: ignore[arg-type]


def test_what_hides_communication_helps() -> None:
    assert step_s(replace(JOB, overlap_tensor=True)) < step_s(JOB)
    wide = replace(JOB, layout=Layout(tensor=2, data=4), distributed_optimizer=True)
    assert step_s(replace(wide, overlap_gradients=True)) < step_s(wide)


def test_more_micro_batches_shrink_the_bubble() -> None:
    piped = replace(JOB, layout=Layout(pipeline=4))
    share = [
        (price := price_step(training_plan(replace(piped, global_batch=many), A2), A2)).parts["bubble"]
        / price.seconds
        for many in (4, 16, 64)
    ]
    assert share[0] > share[1] > share[2] > 0
    chunks = replace(piped, layout=Layout(pipeline=4, virtual=4))
    assert step_s(chunks) < step_s(piped)


def test_parts_add_up_and_the_range_holds_the_time() -> None:
    price = price_step(training_plan(JOB, A2), A2)
    assert sum(price.parts.values()) == pytest.approx(price.seconds)
    assert price.low < price.seconds < price.high
    assert price == price_step(training_plan(JOB, A2), A2)


def test_decode_is_bound_by_weights_and_prefill_by_tokens() -> None:
    def pass_s(queries: int, query: int, context: int) -> float:
        job = Serving(LLAMA_7B, Layout(), queries, query, context, compiled=True)
        return price_step(serving_plan(job, A2), A2).seconds

    assert pass_s(8, 1, 1024) < 1.5 * pass_s(1, 1, 1024)
    assert pass_s(4, 2048, 0) > 3 * pass_s(1, 2048, 0)
    assert pass_s(1, 1, 1024) > LLAMA_7B.parameters * 2 / A2.memory_b_s


def test_memory_of_a_step() -> None:
    plain = replace(JOB, layout=Layout())
    static = LLAMA_7B.parameters * 18.0
    assert training_footprint(plain).peak_b > static
    assert sum(training_footprint(plain).parts.values()) == pytest.approx(training_footprint(plain).peak_b)
    assert training_footprint(replace(plain, recompute_layers=1.0)).peak_b < training_footprint(plain).peak_b
    assert training_footprint(JOB).peak_b < training_footprint(plain).peak_b / 4
    assert training_footprint(plain, first_step=True).peak_b <= training_footprint(plain).peak_b
