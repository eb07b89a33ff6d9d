"""What each of PyTorch's pointwise and reducing functions costs an element: (operations, transcendentals).

An operation is one instruction of a vector unit; a transcendental is exp, log, tanh, erf, sine, a root or a quotient,
which take a routine or a special unit. Reductions count for each element that goes in.
"""

from __future__ import annotations

Cost = tuple[float, float]


def names(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


# Functions that move elements or make new tensors without arithmetic.
FREE = names(
    """
    _to_copy clone copy_ copy fill_ fill zero_ zeros zeros_like ones ones_like full full_like empty empty_like empty_strided
    new_empty new_empty_strided new_zeros new_full new_ones cat stack repeat roll flip contiguous resize_ scalar_tensor
    lift_fresh constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d
    replication_pad3d pixel_shuffle pixel_unshuffle channel_shuffle im2col col2im tril triu eye arange
    """
)

_BY_COST: dict[Cost, str] = {
    (1, 0): """
        abs add sub rsub mul neg maximum minimum clamp clamp_min clamp_max eq ne lt le gt ge relu where sign sgn signbit
        floor ceil trunc round bitwise_and bitwise_or bitwise_xor bitwise_not bitwise_left_shift bitwise_right_shift
        logical_and logical_or logical_xor logical_not isfinite isinf isnan masked_fill threshold threshold_backward
        sum amax amin max min any all linspace complex real imag conj_physical heaviside isposinf isneginf fill_diagonal
        masked_fill_ cumsum cummax cummin prod cumprod mean trace nansum reciprocal square argmax argmin aminmax hardtanh
    """,
    (2, 0): """
        addcmul lerp frac nan_to_num leaky_relu leaky_relu_backward hardshrink hardshrink_backward softshrink isin isclose
        softshrink_backward hardtanh_backward hardsigmoid hardsigmoid_backward mse_loss l1_loss  count_nonzero
        sigmoid_backward tanh_backward linalg_cross _prelu_kernel masked_scale bernoulli_ renorm
    """,
    (
        3,
        0,
    ): "hardswish hardswish_backward fmod remainder floor_divide mse_loss_backward smooth_l1_loss _prelu_kernel_backward",
    (4, 0): """
        var std var_mean std_mean smooth_l1_loss_backward huber_loss huber_loss_backward gcd searchsorted bucketize
        _softmax_backward_data
    """,
    (1, 1): """
        div exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan sinh cosh tanh erf erfc atan sigmoid addcdiv silu
        log_sigmoid xlogy logit softplus celu elu selu soft_margin_loss logit_backward kl_div
    """,
    (2, 1): "asin acos asinh acosh atanh erfinv sinc softplus_backward elu_backward norm linalg_vector_norm",
    (
        3,
        1,
    ): "silu_backward logsumexp glu _log_softmax_backward_data binary_cross_entropy log_sigmoid_backward",
    (4, 1): "_softmax _log_softmax atan2 glu_backward binary_cross_entropy_backward",
    (2, 2): "pow logaddexp logaddexp2 mish polar angle",
    (8, 1): "gelu",
    (12, 2): "gelu_backward",
    (6, 2): "mish_backward binary_cross_entropy_with_logits",
    (5, 0): "native_layer_norm native_group_norm native_batch_norm",
    (10, 0): "native_layer_norm_backward native_group_norm_backward native_batch_norm_backward",
    (8, 0): """
        upsample_bilinear2d upsample_linear1d upsample_bilinear2d_backward upsample_linear1d_backward grid_sampler_2d
    """,
    (16, 0): """
        upsample_trilinear3d grid_sampler_3d upsample_trilinear3d_backward _upsample_bilinear2d_aa
        _upsample_bilinear2d_aa_backward
    """,
    (40, 0): """
        upsample_bicubic2d upsample_bicubic2d_backward _upsample_bicubic2d_aa _upsample_bicubic2d_aa_backward
    """,
    (20, 0): "rand uniform_ random_ randperm bernoulli exponential_",
    (20, 1.5): "randn normal_ multinomial",
}
COSTS: dict[str, Cost] = {name: cost for cost, text in _BY_COST.items() for name in names(text)}
UNKNOWN: Cost = (1.0, 0.0)


def cost_of(function: str) -> Cost:
    """The cost of a function by PyTorch's name, in place or not; one operation for what the table lacks."""
    if function in FREE:
        return (0.0, 0.0)
    plain = function.rstrip("_") if not function.endswith("__") else function
    return COSTS.get(function) or COSTS.get(plain) or ((0.0, 0.0) if plain in FREE else UNKNOWN)
