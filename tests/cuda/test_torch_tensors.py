"""Tensors, modules and storages under the CUDA face answer as on CUDA."""

from __future__ import annotations

import copy

import pytest
import torch
import torch_npu  # noqa: F401
from torch import nn

pytestmark = pytest.mark.usefixtures("face_for_module")

HOST = torch.ones(2)


@pytest.mark.parametrize("device", [None, 0, "cuda", "cuda:0"])
def test_cuda_takes_every_way_to_name_a_device(device: object) -> None:
    assert HOST.cuda(device).device == torch.device("cuda", 0)  # type: ignore[arg-type]


def test_cuda_of_the_second_chip_and_of_a_device_object() -> None:
    assert HOST.cuda(1).device == torch.device("cuda:1")
    assert HOST.cuda(torch.device("cuda", 1)).get_device() == 1
    assert HOST.cuda(device="cuda:1", non_blocking=True).is_cuda


def test_cuda_refuses_other_kinds_of_devices() -> None:
    with pytest.raises(RuntimeError, match="must be cuda device"):
        HOST.cuda("cpu")  # type: ignore[arg-type]


def test_cuda_of_a_tensor_there_already_is_that_tensor() -> None:
    x = HOST.cuda()
    assert x.cuda() is x and x.cuda(0) is x


def test_a_subclass_stays_one() -> None:
    class Own(torch.Tensor):
        pass

    assert type(HOST.as_subclass(Own).cuda()) is Own
    assert isinstance(nn.Parameter(HOST).cuda(), torch.Tensor)


def test_is_cuda_everywhere() -> None:
    x = HOST.cuda()
    assert x.is_cuda and not HOST.is_cuda
    assert x.untyped_storage().is_cuda and not HOST.untyped_storage().is_cuda
    assert torch.eye(2).to_sparse().cuda().is_cuda
    assert torch.eye(2).to_sparse_csr().cuda().is_cuda
    assert nn.utils.rnn.pack_sequence([torch.ones(3), torch.ones(2)]).cuda().is_cuda
    assert torch.nested.nested_tensor(
        [torch.ones(1), torch.ones(2)], device="cuda", layout=torch.jagged
    ).is_cuda


def test_types_by_name_and_by_class() -> None:
    x = HOST.cuda()
    assert x.type() == "torch.cuda.FloatTensor"
    assert x.half().type() == "torch.cuda.HalfTensor"
    assert HOST.type("torch.cuda.LongTensor").type() == "torch.cuda.LongTensor"
    assert HOST.type(torch.cuda.HalfTensor).type() == "torch.cuda.HalfTensor"
    assert x.type("torch.FloatTensor").type() == "torch.FloatTensor"
    assert HOST.type(torch.float16).dtype == torch.float16


def test_storages_move() -> None:
    assert HOST.untyped_storage().cuda().is_cuda
    assert HOST.untyped_storage().cuda().cpu().tolist() == HOST.untyped_storage().tolist()
    assert torch.UntypedStorage(4, device="cuda").device == torch.device("cuda:0")
    assert HOST.untyped_storage().pin_memory().is_pinned()


def test_array_interface_is_that_of_cuda() -> None:
    interface = torch.ones(3, 4, device="cuda").__cuda_array_interface__
    assert interface["typestr"] == "<f4" and interface["shape"] == (3, 4) and interface["strides"] is None
    assert not hasattr(HOST, "__cuda_array_interface__")
    with pytest.raises(TypeError, match="can't convert cuda:0 device type tensor to numpy"):
        HOST.cuda().numpy()


def test_dlpack_says_cuda_and_shares_memory() -> None:
    x = HOST.cuda()
    kind, index = x.__dlpack_device__()
    assert (int(kind), index) == (2, 0)
    torch.from_dlpack(x).fill_(5)
    assert x.tolist() == [5, 5]
    assert torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(x)).is_cuda


def test_modules_move() -> None:
    model = nn.Linear(3, 3)
    assert model.cuda() is model and model.weight.is_cuda
    assert model.to("cuda", torch.half).weight.dtype == torch.half
    assert copy.deepcopy(model).weight.is_cuda
    assert not model.cpu().weight.is_cuda


def test_channels_last_has_the_strides_of_cuda() -> None:
    images = torch.randn(2, 3, 4, 5, device="cuda", requires_grad=True)
    moved = images.to(memory_format=torch.channels_last)
    assert moved.stride() == torch.empty(2, 3, 4, 5, memory_format=torch.channels_last).stride()
    assert moved.is_contiguous(memory_format=torch.channels_last) and torch.equal(moved, images)
    assert images.contiguous(memory_format=torch.channels_last).stride() == moved.stride()
    assert torch.randn(2, 3, 4, 5).cuda(memory_format=torch.channels_last).stride() == moved.stride()
    assert torch.randn(1, 2, 3, 4, 5).to("cuda", memory_format=torch.channels_last_3d).stride()[1] == 1
    moved.sum().backward()
    assert images.grad is not None and images.grad.is_cuda
    model = nn.Conv2d(3, 4, 3).cuda().to(memory_format=torch.channels_last)
    assert model.weight.is_contiguous(memory_format=torch.channels_last) and model(images).is_cuda
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        HOST.cuda().to(memory_format=torch.channels_last)


def test_pinned_memory() -> None:
    assert HOST.pin_memory().is_pinned() and not HOST.is_pinned()
    assert torch.ones(2, pin_memory=True).is_pinned()
    loader = torch.utils.data.DataLoader(list(range(4)), batch_size=2, pin_memory=True)
    assert all(batch.is_pinned() for batch in loader)


def test_packed_sequences_have_the_rows_of_cuda() -> None:
    padded = torch.randn(4, 3, 2, device="cuda", requires_grad=True)
    packed = nn.utils.rnn.pack_padded_sequence(padded, torch.tensor([4, 2, 1]))
    host = nn.utils.rnn.pack_padded_sequence(padded.cpu(), torch.tensor([4, 2, 1]))
    assert torch.equal(packed.data.cpu(), host.data) and torch.equal(packed.batch_sizes, host.batch_sizes)
    back, lengths = nn.utils.rnn.pad_packed_sequence(packed, padding_value=-1.0, total_length=5)
    assert torch.equal(
        back.cpu(), nn.utils.rnn.pad_packed_sequence(host, padding_value=-1.0, total_length=5)[0]
    )
    assert lengths.tolist() == [4, 2, 1]
    back.sum().backward()
    assert padded.grad is not None and padded.grad[:, 0].eq(1).all() and padded.grad[2:, 1].eq(0).all()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("kind", "chosen"), [
    (nn.LSTM, {}), (nn.LSTM, {"proj_size": 2}), (nn.GRU, {}), (nn.RNN, {}), (nn.RNN, {"nonlinearity": "relu"}),
])  # fmt: skip
def test_recurrent_layers_on_packed_sequences(
    kind: type, chosen: dict[str, object], bidirectional: bool
) -> None:
    layer = kind(4, 6, 2, bidirectional=bidirectional, **chosen)
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(5, 3, 4), torch.tensor([5, 3, 1]))
    wanted, states = layer(packed)
    found, on_chip = copy.deepcopy(layer).cuda()(packed.to("cuda"))
    torch.testing.assert_close(found.data.cpu(), wanted.data)
    for one, other in zip(
        *((it if isinstance(it, tuple) else (it,)) for it in (on_chip, states)), strict=True
    ):
        torch.testing.assert_close(one.cpu(), other)


@pytest.mark.parametrize("name", ["hann_window", "hamming_window", "bartlett_window", "blackman_window", "kaiser_window"])
def test_windows_are_made(name: str) -> None:
    make = getattr(torch, name)
    assert torch.allclose(make(8, device="cuda").cpu(), make(8)) and not make(8).is_cuda


def test_a_generator_of_another_device() -> None:
    with pytest.raises(RuntimeError, match="Expected a 'cpu' device type for generator but found 'cuda'"):
        torch.randperm(4, generator=torch.Generator("cuda"))


def test_products_of_sparse_tensors() -> None:
    from jumar.cuda import account

    host = torch.tensor([[0.0, 2.0], [3.0, 0.0]])
    x = torch.randn(2, 3, device="cuda", requires_grad=True)
    account.clear()
    for sparse in (host.to_sparse().cuda(), host.to_sparse_csr().cuda()):
        x.grad = None
        product = torch.sparse.mm(sparse, x)
        torch.testing.assert_close(product.cpu(), host @ x.cpu())
        assert product.is_cuda
    torch.sparse.mm(host.to_sparse().cuda(), x).sum().backward()
    assert x.grad is not None and x.grad[:, 0].tolist() == [3, 2]
    assert torch.sparse.softmax(host.to_sparse().cuda(), 1).to_dense().tolist() == [[0, 1], [1, 0]]
    assert any(row["kind"] == "on the CPU" and "sparse" in row["name"] for row in account.rows())


@pytest.mark.filterwarnings("ignore")
def test_an_encoder_with_padding_in_inference() -> None:
    torch.manual_seed(0)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, dropout=0.0, batch_first=True), 2).eval()
    x, mask = torch.randn(2, 3, 8), torch.tensor([[False, False, True], [False, False, False]])
    with torch.no_grad():
        wanted = encoder(x, src_key_padding_mask=mask)
        found = encoder.cuda()(x.cuda(), src_key_padding_mask=mask.cuda())
    torch.testing.assert_close(found.cpu()[~mask], wanted[~mask], rtol=1e-4, atol=1e-5)
