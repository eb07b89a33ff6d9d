"""Rows that time whole steps or forward passes: each becomes the job that was run, or a reason why it cannot."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from model_sizes import EXPERT_FFN, MPT, NAMED, OPEN_SIZES, WAN_TOKENS, WINDOWS
from rows import Row, Unusable

from jumar.physics.transformer import Experts, Layout, Model, Serving, Training


@dataclass(frozen=True)
class StepCase:
    """One timed job. `seconds` is of a whole step or pass, whatever the row's metric; `group` is split by itself."""

    row: Row
    group: str
    workload: str
    job: Training | Serving
    seconds: float
    megabytes: float = 0.0
    note: str = ""
    set_aside: str = ""  # a reason not to compare it, although it takes part in the split

    @property
    def chips(self) -> int:
        return self.row.n_chips


def step_case(row: Row) -> StepCase:
    """The case of a whole-step row; Unusable with the reason."""
    for marker, read in READERS.items():
        if marker in row.source or row.workload.startswith(marker):
            return read(row)
    raise Unusable("no reader for this source")


def _step_seconds(row: Row, job: Training) -> float:
    if row.metric in ("tokens/s/NPU", "tokens/s/GPU"):
        return job.tokens / (row.value * row.n_chips)
    if row.metric == "tokens/s total":
        return job.tokens / row.value
    if row.metric == "step ms":
        return row.value / 1e3
    if row.metric == "s per iteration":
        return row.value
    if row.metric == "peak MB/NPU":
        return 0.0
    raise Unusable(f"metric {row.metric} is not a time")


def _mindspeed(row: Row) -> StepCase:
    name = row.workload.lower()
    if row.metric.startswith("MFU"):
        raise Unusable("MFU against a peak that is not stated; tokens/s cannot be had from it")
    if "mamba" in name:
        raise Unusable("a state-space model; the generator makes transformers only")
    if "tune_" in name:
        raise Unusable("fine-tuning on texts shorter than the sequence: the number of tokens is not known")
    if "hunyuanlarge" in name:
        raise Unusable("fine-tuning on texts shorter than the sequence: the number of tokens is not known")
    model = _mindspeed_model(row, name)
    pipeline, tensor, context = _field(row, "PP"), _field(row, "TP"), _field(row, "CP")
    per_stage = model.layers / pipeline
    virtual_layers = _field(row, "vpp_layers", 0)
    layout = Layout(
        tensor=tensor,
        pipeline=pipeline,
        virtual=max(1, round(per_stage / virtual_layers)) if virtual_layers else 1,
        context=context,
        data=max(1, row.n_chips // (tensor * pipeline * context)),
        expert=_field(row, "EP"),
        sequence_parallel="sequence-parallel" in row.config and tensor > 1,
        context_by_heads="ulysses" in name,
    )
    flags = row.config
    job = Training(
        model=model,
        layout=layout,
        sequence=_field(row, "seq"),
        micro_batch=_field(row, "MBS"),
        global_batch=_field(row, "GBS"),
        dtype="fp16" if ",fp16" in flags else "bf16",
        recompute_layers=1.0 if "recompute=full" in flags else 0.0,
        flash="use-flash-attn" in flags,
        distributed_optimizer="use-distributed-optimizer" in flags,
        overlap_gradients="overlap-grad-reduce" in flags,
        overlap_tensor="use-mc2" in flags or "use-ascend-coc" in flags,
        gradient_b=2.0 if ",fp16" in flags else 4.0,
        optimizer_b=10.0 if "reuse-fp32-param" in flags else 12.0,
    )
    if row.metric.startswith("peak") and "swap-attention" in flags:
        raise Unusable("activations of attention are moved to the host, which the footprint does not follow")
    continuous = "CI " in row.workload
    group = "910 CI" if continuous else "910B training"
    size = f"{model.layers}x{model.hidden}x{model.ffn}x{model.heads}"
    workload = row.workload if continuous else size
    megabytes = row.value if row.metric.startswith("peak") else 0.0
    aside = (
        "tensor parallelism in two dimensions, which the generator does not make" if "tp2d" in name else ""
    )
    return StepCase(row, group, workload, job, _step_seconds(row, job), megabytes, set_aside=aside)


def _mindspeed_model(row: Row, name: str) -> Model:
    vocabulary, width, tied = next(
        (sizes for word, sizes in OPEN_SIZES.items() if word in name), (0, 0, False)
    )
    vocabulary = _field(row, "vocab", vocabulary)
    if not vocabulary:
        raise Unusable("the vocabulary is not stated")
    model = Model(
        layers=_field(row, "layers"),
        hidden=_field(row, "hidden"),
        ffn=_field(row, "ffn"),
        heads=_field(row, "heads"),
        kv_heads=_field(row, "kv", 0),
        vocabulary=vocabulary,
        head_width=width,
        tied=tied,
        window=WINDOWS.get(name.split("-")[0], 0),
    )
    if experts := _field(row, "experts", 0):
        found = next((sizes for word, sizes in EXPERT_FFN.items() if word in name), None)
        if found is None:
            raise Unusable("the width of the experts is not stated")
        ffn, shared = found
        model = replace(model, experts=Experts(experts, _field(row, "topk"), ffn, shared))
    return model


def _mpt(row: Row) -> StepCase:
    size = row.workload.split()[0].removeprefix("MPT-")
    model, micro = MPT[size], _field(row, "MBS")
    eight_bit, pure = "amp_fp8" in row.config, "mp=PURE" in row.config
    job = Training(
        model=model,
        layout=Layout(data=row.n_chips, sharded=True),
        sequence=int(row.workload.split()[-1]),
        micro_batch=micro,
        global_batch=micro * _field(row, "GA") * row.n_chips,
        dtype="fp8" if eight_bit else "bf16",
        recompute_layers=1.0 if "act_ckpt=True" in row.config else 0.0,
        portable_flash=True,
        gradient_b=2.0 if pure else 4.0,
        optimizer_b=4.0 if pure else 12.0,
    )
    return StepCase(row, "MPT training", f"MPT-{size}", job, _step_seconds(row, job))


def _nemo(row: Row) -> StepCase:
    name = row.workload.split()[0]
    adapter, tensor, pipeline = "LoRA" in row.workload, _field(row, "TP"), _field(row, "PP")
    sequence = _field(row, "Sequence Length", 0) or _field(row, "seq")
    sharded = _field(row, "FSDP", 0) > 1
    layout = Layout(
        tensor=tensor,
        pipeline=pipeline,
        virtual=max(1, _field(row, "VP", 1)) if pipeline > 1 else 1,
        data=row.n_chips // (tensor * pipeline),
        expert=_field(row, "EP", 1),
        sequence_parallel=tensor > 1,
        sharded=sharded,
    )
    job = Training(
        model=NAMED[name],
        layout=layout,
        sequence=sequence,
        micro_batch=_field(row, "MBS"),
        global_batch=_field(row, "GBS"),
        dtype="fp8",
        distributed_optimizer=True,
        overlap_gradients=True,
        overlap_tensor=True,
        trained_share=0.001 if adapter else 1.0,
    )
    return StepCase(row, "NeMo training", name + (" LoRA" if adapter else ""), job, _step_seconds(row, job))


def _gpt_5b(row: Row) -> StepCase:
    job = Training(
        model=NAMED["GPT-5B"],
        layout=Layout(data=row.n_chips),
        sequence=2048,
        micro_batch=4,
        global_batch=2048,
        flash=False,
        distributed_optimizer=True,
        overlap_gradients=True,
    )
    note = "batches and parallelism from conf/training/gpt3/5b.yaml of the same repository"
    return StepCase(row, "NeMo training", "GPT-5B", job, _step_seconds(row, job), note=note)


def _gpt_22b(row: Row) -> StepCase:
    full = "full recompute" in row.config
    job = Training(
        model=NAMED["GPT 22B"],
        layout=Layout(tensor=8, sequence_parallel=not full),
        sequence=2048,
        micro_batch=4,
        global_batch=4,
        dtype="fp16",
        recompute_layers=1.0 if full else 0.0,
        flash=False,
    )
    return StepCase(row, "NeMo training", "GPT 22B", job, _step_seconds(row, job))


def _neusight(row: Row) -> StepCase:
    name = row.workload.split()[0]
    if name not in NAMED:
        raise Unusable("sizes of the model are not stated and not known")
    length, batch = _field(row, "seq"), _field(row, "batch")
    seconds = row.value * 1e-3
    if " inf " in row.workload:
        serving = Serving(
            NAMED[name], Layout(), batch, length, 0, "fp32", "fp32", flash=False, eager=True, all_logits=True
        )
        return StepCase(row, "NeuSight", name, serving, seconds)
    pipeline, tensor = 4 if "pp4" in row.config else 1, 4 if "tp4" in row.config else 1
    job = Training(
        NAMED[name],
        Layout(tensor=tensor, pipeline=pipeline),
        length,
        batch,
        batch,
        "fp32",
        flash=False,
        eager=True,
    )
    return StepCase(row, "NeuSight", name, job, seconds)


def _msmodeling(row: Row) -> StepCase:
    text, name = row.config, row.workload
    if "img=" in text:
        raise Unusable("an image of unstated tokens and a vision tower go before the text model")
    if name.startswith("wan"):
        ways = int(re.findall(r"ulysses=(\d+)", text)[0])
        weights = "int8" if "quant" in text else "fp16"
        layout = Layout(context=ways, context_by_heads=True)
        both = 1 if "cfg_parallel" in text else 2
        job = Serving(NAMED["wan2.2"], layout, both, WAN_TOKENS, 0, "fp16", weights)
        return StepCase(row, "910 inference", "wan2.2", job, row.value)
    model = next(model for key, model in NAMED.items() if name.lower().startswith(key.lower()))
    weights = {"W8A8": "int8", "W4A8": "int4"}.get(next(iter(re.findall(r"W\dA8", text)), ""), "bf16")
    queries = int(re.findall(r"(\d+) quer", text)[0])
    drafts = _field(row, "MTP", 0)
    job = Serving(
        model,
        Layout(tensor=_field(row, "TP"), data=_field(row, "DP"), expert=_field(row, "EP")),
        queries,
        _field(row, "qlen", 1 + drafts),
        _field(row, "ctx", 0),
        weight_dtype=weights,
        compiled=True,
        extra_passes=drafts,
    )
    return StepCase(row, "910 inference", name.split("-")[0].lower(), job, row.value)


def _kimi_serving(row: Row) -> StepCase:
    if row.metric == "output tokens/s":
        raise Unusable("follows from the two latencies of the same run, which are compared")
    many = int(re.findall(r"concurrency (\d+)", row.config)[0])
    first = row.metric.startswith("TTFT")
    if first and many > 1:
        raise Unusable("mean time to the first token of requests that wait for one another")
    layout = Layout(tensor=16, expert=16)  # the tutorial's command enables expert parallelism
    job = Serving(
        NAMED["Kimi-K2"],
        layout,
        many,
        1024 if first else 1,
        0 if first else 1536,
        expert_dtype="int4",
        compiled=not first,
    )
    note = "experts in their published 4-bit form: 1 T weights of 16 bits would not fit into 1 TiB"
    return StepCase(row, "910 inference", "kimi", job, row.value * 1e-3, note=note)


def _field(row: Row, key: str, default: int = 1) -> int:
    found = re.search(rf"(?:^|[ ;]){re.escape(key)} ?=? ?(\d+)", row.config)
    return int(found.group(1)) if found else default


def _not_known(row: Row) -> StepCase:
    raise Unusable("how many requests ran at once is not stated")


READERS = {
    "Ascend/MindSpeed-LLM": _mindspeed,
    "mosaicml/llm-foundry": _mpt,
    "NVIDIA-NeMo/Megatron-Bridge": _nemo,
    "NVIDIA/NeMo@": _nemo,
    "NVIDIA/NeMo-Megatron-Launcher": _gpt_5b,
    "arXiv:2205.05198": _gpt_22b,
    "sitar-lab/NeuSight": _neusight,
    "Ascend/msmodeling": _msmodeling,
    "Kimi-K2-Thinking": _kimi_serving,
    "Qwen3-32B decode": _not_known,
}
