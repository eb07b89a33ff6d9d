"""The chip files: complete, agreeing with themselves and on names, and refused with a useful message otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from jumar import chips
from jumar.chips import schema

# What the adapter accepts from aclrtGetSocName; with any other name it refuses to start.
KNOWN_TO_THE_ADAPTER = {
    f"Ascend{family}{bin}"
    for family, bins in {
        "910": ("PremiumA", "ProA", "A", "ProB", "B", "B1", "B2", "B2C", "B3", "B4", "B4-1"),
        "310": ("P1", "P2", "P3", "P4", "P5", "P7", "B1", "B2", "B3", "B4"),
        "910_": ("9391", "9392", "9381", "9382", "9372", "9362", "9363"),
        "950PR_": ("9579", "957b", "957c", "957d", "9589", "958b", "9599"),
        "950DT_": ("9571", "9572", "9581", "9582", "9591", "9592", "95A1", "95A2"),
    }.items()
    for bin in bins
}
WANTED = (
    *(
        "910A",
        "910B1",
        "910B2",
        "910B3",
        "910B4",
        "910C",
        "910C-560T",
        "910C-package",
        "950PR",
        "950DT",
        "310P",
    ),
    *("A100", "A100-40", "A800", "H100", "H100-PCIe", "H800", "H200", "H20", "L20", "L40S", "B200"),
    *("MI300X", "v5e", "v5p"),
)
LEEWAY = 0.03  # between a published peak and what cores and clock give
# What to spoil, and what is said then.
BROKEN = [
    ('unit = "KiB", source = "sheet", conf', 'source = "sheet", conf', "memory.size: has no unit; add unit"),
    ('value = 2, unit = "core", source = "sheet"', 'value = 2, unit = "core"', "core.block: has no source"),
    ('"sheet", confidence = "vendor" }\n[clock]', '"sheet" }\n[clock]', "core.block: has no confidence"),
    (
        'value = 50, unit = "W", source = "sheet"',
        'value = 50, unit = "W", source = "web"',
        "not under [sources]",
    ),
    ('confidence = "vendor"', 'confidence = "sure"', "choose one of vendor"),
    ("size = { value = 1,", "size = { value = '1',", "is not a number"),
    ("size = { value = 1,", "size = { value = true,", "is not a number"),
    ("size = { value = 1,", "size = { value = -1,", "memory.size: -1 cannot be; it must be more than 0"),
    ("size = { value = 1,", "size = { value = 0,", "memory.size: 0 cannot be"),
    ("size = { value = 1,", "size = { value = inf,", "no number of a chip is that large"),
    ("size = { value = 1,", "size = { value = nan,", "no number of a chip is that large"),
    ("size = { value = 1,", f"size = {{ value = 1{'0' * 400},", "no number of a chip is that large"),
    ('unit = "KiB"', 'unit = "KiBi"', 'memory.size: unit "KiBi": did you mean KiB'),
    ('unit = "KiB"', 'unit = "W"', "memory.size: W is not a unit of it; give it in B"),
    ('unit = "KiB"', 'unit = ["B"]', "memory.size: unit ['B'] is not a text"),
    ('unit = "CNY", date = "2025-03"', 'unit = "CNY"', "price.chip: has no date"),
    ('date = "2025-03"', 'date = "2025-13"', "price.chip: date"),
    ('unit = "CNY"', 'unit = "EUR"', "give it in USD or CNY"),
    (', note = "as others"', "", "cost.launch: assumption without a note"),
    ("[memory]\nsize", "[memory]\nsizes", "memory.sizes: unknown key; did you mean memory.size"),
    ("[temperature]", "[heat]", "heat.normal: unknown key"),
    ("[link.host]\ntype", "[link.host]\nkind", "link.host.kind: unknown key"),
    ('type = "PCIe 4.0 x16"', "type = 4", "link.host.type: 4 is not a text"),
    ("[link.host]", '[link.moon]\ntype = "laser"\n[link.host]', "link.moon.type: unknown key"),
    ('date = "2025-03"', "date = 2025-03-01", "is not a text; put it into quotes"),
    ("[core]", "[core]\nsm = 4\n[core.x]", "a bare 4"),
    ("idle = {", "limit2 = {", "power.limit2: unknown key; did you mean power.limit"),
    ("bf16 = {", "int8 = {", "FLOP"),
    ("bf16 = {", "fp64 = {", "peak.matrix.bf16: missing; give it, or peak.matrix.fp16"),
    ("value = 1200,", "value = 900,", "clock.rated: 1 GHz is more than clock.burst, 900 MHz"),
    ("value = 50, unit", "value = 250, unit", "power.idle: 250 W is more than power.typical"),
    ('vendor = "Nobody"', "", "vendor: missing; add a line"),
    ('vendor = "Nobody"', 'vendor = "Nobody"\nmaker = "N"', "maker: unknown"),
    ('name = "X1"', 'name = "X 1"', "use letters, digits"),
    ('architecture = "other"', 'architecture = "asic"', "choose one of ascend"),
    ('architecture = "other"', 'architecture = "ascend"', "core.cube: missing"),
    ('aliases = ["X-1"]', 'aliases = "X-1"', "aliases: write a list"),
    ("aliases = [", "aliases = ", "not valid TOML"),
    ('sheet = "a data sheet"', "sheet = 3", "sources: write one line"),
    ('confidence = "vendor" }\n[cost]', 'confidence = "vendor", page = 3 }\n[cost]', "does not know page"),
]


def test_every_chip_that_ships_loads() -> None:
    assert len(chips.all_chips()) >= 36
    assert chips.all_chips()[0].name == chips.DEFAULT


def test_every_soc_name_is_known_to_the_adapter() -> None:
    runnable = {chip.soc: chip for chip in chips.all_chips() if chip.soc}
    assert set(runnable) <= KNOWN_TO_THE_ADAPTER
    assert all(chip.name == soc and chip.architecture == "ascend" for soc, chip in runnable.items())


@pytest.mark.parametrize("name", WANTED)
def test_the_chips_that_people_ask_for_are_there(name: str) -> None:
    assert chips.find(name).name


def test_every_number_has_a_unit_a_source_and_a_confidence() -> None:
    for chip in chips.all_chips():
        for key, quantity in chip.quantities.items():
            assert quantity.unit in schema.rules()[key].units(), f"{chip.name} {key}"
            assert quantity.source, f"{chip.name} {key}"
            assert quantity.confidence in chips.CONFIDENCES, f"{chip.name} {key}"


def test_every_chip_has_the_numbers_that_its_kind_needs() -> None:
    for chip in chips.all_chips():
        needed = {rule.key for rule in schema.rules().values() if rule.needed(chip.architecture)}
        assert needed <= chip.quantities.keys(), chip.name
        assert chip.quantities.keys() & {"price.chip", "price.hour"}, chip.name
        assert {"process.node", "process.die_area"} <= chip.quantities.keys(), chip.name


def test_published_peaks_lie_between_what_the_rated_and_the_highest_clock_give() -> None:
    for chip in chips.all_chips():
        a_cycle = chip.number("cycle.matrix_fp16", "FLOP/cycle/core") * chip.matrix_cores()
        low = a_cycle * chip.number("clock.rated", "Hz") * (1 - LEEWAY)
        high = a_cycle * chip.number("clock.burst", "Hz") * (1 + LEEWAY)
        for key in schema.TRAINING_PEAKS:
            if key in chip.quantities:
                assert low <= chip.quantities[key].value <= high, f"{chip.name} {key}"


def test_a_package_is_twice_its_die() -> None:
    die, package = chips.find("910C"), chips.find("910C-package")
    assert die.packaged_in == package.name and not package.soc
    for key in ("core.cube", "memory.size", "peak.matrix.bf16", "cache.l2"):
        assert package.quantities[key].value == 2 * die.quantities[key].value
    for key in ("cache.l1", "clock.rated", "link.die.bandwidth"):
        assert package.quantities[key].value == die.quantities[key].value


def test_no_two_chips_share_a_name() -> None:
    names = [name.lower() for chip in chips.all_chips() for name in set(chip.names())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("name", "found", "gib", "cube", "vector"),
    [
        ("910b2", "Ascend910B2", 64, 24, 48),
        ("ASCEND910B2", "Ascend910B2", 64, 24, 48),
        ("910B4", "Ascend910B4", 32, 20, 40),
        ("910c", "Ascend910_9382", 64, 24, 48),
        ("910C-560T", "Ascend910_9362", 64, 20, 40),
        ("910A", "Ascend910A", 32, 32, 0),
    ],
)
def test_names_and_aliases_in_any_case(name: str, found: str, gib: int, cube: int, vector: int) -> None:
    chip = chips.find(name)
    assert chip.name == found
    assert chip.number("memory.size", "B") == gib * 2**30
    assert (chip.number("core.cube", "core"), chip.number("core.vector", "core")) == (cube, vector)


@pytest.mark.parametrize(
    ("name", "hint"), [("910B9", "did you mean 910B"), ("zzzz", "there is none like it")]
)
def test_an_unknown_chip_gets_one_line_with_the_nearest_names(name: str, hint: str) -> None:
    with pytest.raises(chips.UnknownChip) as refused:
        chips.find(name)
    assert hint in str(refused.value) and "\n" not in str(refused.value)


def test_a_complete_file_loads_in_the_units_of_the_program(own: Path) -> None:
    chip = chips.find(str(own))
    size = chip.quantities["memory.size"]
    assert (size.value, size.unit, size.source, size.confidence) == (1024, "B", "a data sheet", "vendor")
    assert chip.number("cost.launch", "s") == 2.5e-6 and chip.number("cost.synchronise", "s") == 1e-5
    assert chip.number("link.chip.bandwidth", "B/s") == 25e9 and chip.number("power.limit", "W") == 300
    assert chip.number("temperature.throttle", "°C") == 90 and chip.number("price.chip", "CNY") == 1000
    assert chip.quantities["price.chip"].date == "2025-03"
    assert chip.links["host"] == "PCIe 4.0 x16" and chip.matrix_cores() == 2


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    BROKEN,
    ids=[f"{number}: {complaint}" for number, (*_, complaint) in enumerate(BROKEN)],
)
def test_an_incomplete_file_does_not_load(
    own: Path, complete: str, good: str, bad: str, complaint: str
) -> None:
    assert good in complete
    own.write_text(complete.replace(good, bad, 1), encoding="utf-8")
    with pytest.raises(chips.BadProfile) as refused:
        chips.load(own)
    assert complaint in str(refused.value) and "X1.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


NEEDED_BY_EVERY_CHIP = [rule.key for rule in schema.rules().values() if "every" in rule.needed_by]


@pytest.mark.parametrize("key", NEEDED_BY_EVERY_CHIP)
def test_each_required_number_is_missed(own: Path, complete: str, key: str) -> None:
    section, name = key.rsplit(".", 1)
    head, tail = complete.split(f"[{section}]\n")
    own.write_text(f"{head}[{section}]\n{_without(tail, name)}", encoding="utf-8")
    with pytest.raises(chips.BadProfile, match=rf"X1\.toml: {key}: missing .* add it in"):
        chips.load(own)


def _without(text: str, name: str) -> str:
    lines = text.splitlines()
    lines.remove(next(line for line in lines if line.startswith(f"{name} = ")))
    return "\n".join(lines)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"x = [\n"], ids=["bytes", "empty", "broken"])
def test_a_file_that_is_no_profile_is_refused(own: Path, content: bytes) -> None:
    own.write_bytes(content)
    with pytest.raises(chips.BadProfile, match=r"X1\.toml"):
        chips.load(own)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(chips.BadProfile, match="No such file"):
        chips.find(str(tmp_path / "none.toml"))


def test_a_number_is_not_given_in_another_unit() -> None:
    with pytest.raises(chips.BadProfile, match="is in B, not in GiB"):
        chips.find("910B2").number("memory.size", "GiB")


def test_a_chip_without_a_soc_name_is_not_presented() -> None:
    assert chips.presented(chips.find("910b4")).name == "Ascend910B4"
    for name, why in (("H100", "torch_npu does not know it"), ("910C-package", "run on Ascend910_9381 or")):
        with pytest.raises(chips.NotPresentable, match=f"can be priced, not run: .*{why}"):
            chips.presented(chips.find(name))
