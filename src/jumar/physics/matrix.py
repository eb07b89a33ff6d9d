"""Time of matrix products: tiles on the grain of the matrix unit, waves over the cores, the cheapest tiling wins."""

from __future__ import annotations

from typing import cast

import numpy as np

from jumar.physics.accelerator import Accelerator
from jumar.physics.parameters import Parameters
from jumar.physics.work import DTYPES, ELEMENT_B, KIND_CODE, Floats, Integers, Kind

GRAIN = 16
# Tiles that kernels use, rows × columns of the result, and the parts in which they cut the depth.
TILES = ((256, 128), (128, 256), (128, 128), (64, 128), (128, 64), (64, 64), (16, 128), (128, 16), (16, 256))
DEPTH_PARTS = (1, 4, 16)
# Fused attention: rows of queries in a tile, and the parts in which the keys are cut.
ATTENTION_ROWS = (128, 64, 16)
KEY_PARTS = (1, 4, 16, 64)
KEY_GRAIN = 64
CHUNK = 1 << 16

FORWARD = tuple(KIND_CODE[kind] for kind in (Kind.ATTENTION, Kind.PORTABLE_ATTENTION))
PORTABLE = tuple(KIND_CODE[kind] for kind in (Kind.PORTABLE_ATTENTION, Kind.PORTABLE_ATTENTION_BACKWARD))
ATTENTION_CODES = (*FORWARD, *PORTABLE, KIND_CODE[Kind.ATTENTION_BACKWARD])
EIGHT_BIT = np.array([name in ("fp8", "int8", "fp4", "int4") for name in DTYPES])
SIZES = np.array([ELEMENT_B[name] for name in DTYPES])


def product_seconds(
    product: Floats, dtype: Integers, kind: Integers, machine: Accelerator, parameters: Parameters
) -> Floats:
    """Seconds of each row (batch, m, n, k, count): the least over all tilings, so more work never takes less time."""
    if len(product) > CHUNK:
        pieces = range(0, len(product), CHUNK)
        return np.concatenate(
            [
                product_seconds(
                    product[i : i + CHUNK], dtype[i : i + CHUNK], kind[i : i + CHUNK], machine, parameters
                )
                for i in pieces
            ]
        )
    seconds = np.empty(len(product))
    fused = np.isin(kind, ATTENTION_CODES)
    rate = _core_rates(machine, parameters)[dtype]
    size_b = SIZES[dtype]
    if not fused.all():
        seconds[~fused] = _tiled(product[~fused], rate[~fused], size_b[~fused], machine, parameters)
    if fused.any():
        forward, portable = np.isin(kind[fused], FORWARD), np.isin(kind[fused], PORTABLE)
        share = np.where(forward, parameters.attention_efficiency, parameters.attention_backward_efficiency)
        share = share * np.where(portable, parameters.portable_attention_factor, 1.0)
        peak = _core_peaks(machine)[dtype[fused]]
        seconds[fused] = _fused(product[fused], peak * share, machine)
    return seconds


def _core_peaks(machine: Accelerator) -> Floats:
    return np.array([machine.matrix_rate(name) for name in DTYPES]) / machine.cores


def _core_rates(machine: Accelerator, parameters: Parameters) -> Floats:
    """FLOP/s of one core inside a full tile, by type."""
    share = np.where(EIGHT_BIT, parameters.matrix_efficiency_8bit, parameters.matrix_efficiency)
    plain = np.array([machine.matrix_rate(name) <= machine.vector_flop_s for name in DTYPES])
    return _core_peaks(machine) * np.where(plain, parameters.plain_efficiency, share)


def _tiled(
    product: Floats, rate: Floats, size_b: Floats, machine: Accelerator, parameters: Parameters
) -> Floats:
    batch, m, n, k, count = product.T
    feed_b_s = machine.l2_b_s * parameters.feed_efficiency / machine.cores
    best = np.full(len(product), np.inf)
    for rows, columns in TILES:
        compute_s = 2.0 * rows * columns / rate
        feed_s = (rows + columns) * size_b / feed_b_s
        depth_s = _smooth_maximum(compute_s, feed_s, parameters.sharpness)
        tiles = batch * _ceil(m, rows) * _ceil(n, columns)
        for parts in DEPTH_PARTS:
            waves = _ceil(tiles * parts, machine.cores)
            depth = _ceil(k / parts, GRAIN) * GRAIN + parameters.fill_depth
            merge_s = 0.0 if parts == 1 else 8.0 * parts * batch * m * n / machine.l2_b_s
            best = np.minimum(best, waves * depth * depth_s + merge_s)
    return cast(Floats, best * count)


def _fused(product: Floats, rate: Floats, machine: Accelerator) -> Floats:
    """Attention: m queries against n keys of width k; `count` says how many such products a tile does."""
    batch, m, n, k, count = product.T
    best = np.full(len(product), np.inf)
    for rows in ATTENTION_ROWS:
        for parts in KEY_PARTS:
            waves = _ceil(batch * _ceil(m, rows) * parts, machine.cores)
            keys = _ceil(n / parts, KEY_GRAIN) * KEY_GRAIN + KEY_GRAIN
            merge_s = 0.0 if parts == 1 else 8.0 * parts * batch * m * k / machine.l2_b_s
            best = np.minimum(
                best, waves * count * 2.0 * rows * keys * _ceil(k, GRAIN) * GRAIN / rate + merge_s
            )
    return best


def _ceil(values: Floats, step: float) -> Floats:
    return cast(Floats, np.ceil(values / step))


def _smooth_maximum(first: Floats, second: Floats, sharpness: float) -> Floats:
    largest = np.maximum(first, second)
    shares = (first / largest) ** sharpness + (second / largest) ** sharpness
    return cast(Floats, largest * shares ** (1 / sharpness))
