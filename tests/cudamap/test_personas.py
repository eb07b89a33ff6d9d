"""The GPUs that the CUDA face can answer as: names, limits and how an unknown one is refused."""

import pytest

from jumar.cudamap import personas

ASKED_FOR = [
    "A100",
    "A100-40",
    "A800",
    "V100",
    "T4",
    "L4",
    "L20",
    "L40S",
    "RTX4090",
    "RTX3090",
    "H100",
    "H800",
    "H200",
    "H20",
    "B200",
]


def test_every_gpu_that_people_ask_for():
    assert {one.key for one in personas.all_personas()} == set(ASKED_FOR)
    assert personas.all_personas()[0].key == personas.default() == "A100"


@pytest.mark.parametrize("name", ["h100", "H100", " H100 ", "NVIDIA H100 80GB HBM3", "h100 80gb hbm3"])
def test_names_in_any_case(name):
    assert personas.find(name).key == "H100"


def test_an_unknown_name_lists_the_known():
    with pytest.raises(personas.UnknownPersona, match=r"unknown GPU 'H300'.*A100.*B200"):
        personas.find("H300")


def test_numbers_that_programs_branch_on():
    a100, t4, b200 = (personas.find(name) for name in ("A100", "T4", "B200"))
    assert (a100.name, a100.capability, a100.sm_count) == ("NVIDIA A100-SXM4-80GB", (8, 0), 108)
    assert (t4.architecture, t4.threads_per_sm) == ("sm_75", 1024)
    assert b200.capability == (10, 0)


def test_names_are_unique():
    names = [name.lower() for one in personas.all_personas() for name in set(one.names())]
    assert len(names) == len(set(names))


def test_devices_are_told_apart():
    assert len({personas.device_uuid(i) for i in range(16)}) == 16
    assert len({personas.pci_address(i) for i in range(16)}) == 16


def test_toolkit():
    toolkit = personas.toolkit()
    assert toolkit.cuda == "12.8"
    assert len(toolkit.nccl) == 3
