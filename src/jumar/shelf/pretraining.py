"""Trains a decoder on random tokens: tensor, pipeline and data parallel, one forward and one backward pass in turn."""

from __future__ import annotations

import argparse
from collections import deque

import torch
import torch.distributed as dist

from jumar.shelf.decoder import SHAPES, TYPE, Decoder, Shape, loss_of
from jumar.shelf.groups import Grid, grid
from jumar.shelf.sharding import ShardedAdamW
from jumar.shelf.telling import handles


def arguments(
    model: str, batch: int, sequence: int, micro_batches: int, recompute: bool
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"jumar run --example {model} --")
    parser.add_argument("--batch", type=int, default=batch, help="sequences of a micro-batch")
    parser.add_argument("--sequence", type=int, default=sequence, help="tokens of a sequence")
    parser.add_argument(
        "--micro-batches", type=int, default=micro_batches, help="of a step, for each data rank"
    )
    parser.add_argument("--steps", type=int, default=3 if micro_batches == 1 else 2)
    parser.add_argument(
        "--recompute",
        action=argparse.BooleanOptionalAction,
        default=recompute,
        help="compute layers twice, to keep less",
    )
    return parser


def train(
    model: str,
    words: list[str],
    batch: int,
    sequence: int,
    micro_batches: int = 1,
    tensor: int = 1,
    pipeline: int = 1,
    recompute: bool = True,
) -> None:
    """Trains that model in that layout; `words` are the command line's."""
    chosen = arguments(model, batch, sequence, micro_batches, recompute).parse_args(words)
    shape, place = SHAPES[model], grid(tensor, pipeline)
    many = chosen.micro_batches
    handles(chosen.batch * chosen.sequence * many * place.data, "tokens", bubble=(pipeline - 1) / many)
    decoder = Decoder(shape, place, chosen.sequence, recompute=chosen.recompute)
    # Each data rank has experts of its own; only what is the same on all of them is cut over them.
    whole = [one for name, one in decoder.named_parameters() if not shape.experts or not _of_expert(name)]
    own = [one for name, one in decoder.named_parameters() if shape.experts and _of_expert(name)]
    optimizers = [ShardedAdamW(whole, place.data_group, place.data)]
    if own:
        optimizers.append(ShardedAdamW(own, None, 1))
    print(f"{model}: {sum(one.numel() for one in decoder.parameters()):,} weights on this rank")
    for _ in range(chosen.steps):
        tokens = [_random(shape, chosen.batch, chosen.sequence) for _ in range(many)]
        _pipelined(decoder, tokens, place, shape)
        for optimizer in optimizers:
            optimizer.step()
    torch.cuda.synchronize()
    print(f"peak {torch.cuda.max_memory_allocated() / 2**30:.2f} GiB")


def _of_expert(name: str) -> bool:
    return ".ffn.up" in name or ".ffn.down" in name


def _random(shape: Shape, batch: int, sequence: int) -> torch.Tensor:
    return torch.randint(0, shape.vocabulary, (batch, sequence)).cuda(non_blocking=True)


def _pipelined(decoder: Decoder, tokens: list[torch.Tensor], place: Grid, shape: Shape) -> None:
    """So many forward passes that the stages behind have work, then one of each in turn, then the rest backward."""
    ahead = min(place.pipeline - place.stage, len(tokens))
    passed: deque[tuple[torch.Tensor, torch.Tensor]] = deque()
    for number, one in enumerate(tokens):
        passed.append(_forward(decoder, one, place, shape))
        if number + 1 >= ahead:
            _backward(*passed.popleft(), place, len(tokens))
    while passed:
        _backward(*passed.popleft(), place, len(tokens))


def _forward(
    decoder: Decoder, tokens: torch.Tensor, place: Grid, shape: Shape
) -> tuple[torch.Tensor, torch.Tensor]:
    given = tokens
    if not place.first:
        given = torch.empty(*tokens.shape, shape.hidden, dtype=TYPE, device="cuda", requires_grad=True)
        dist.recv(given.data, place.before)
    made = decoder(given)
    if place.last:
        return given, loss_of(made, tokens, place)
    dist.send(made.detach(), place.behind)
    return given, made


def _backward(given: torch.Tensor, made: torch.Tensor, place: Grid, many: int) -> None:
    if place.last:
        (made / many).backward()
    else:
        gradient = torch.empty_like(made)
        dist.recv(gradient, place.behind)
        made.backward(gradient)
    if not place.first:
        assert given.grad is not None
        dist.send(given.grad, place.before)
