"""Comparing: ratios, and a page that parses and needs nothing from elsewhere."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from jumar import chips
from jumar.chips import comparison
from jumar.report import chips_page

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Nesting(HTMLParser):
    """Notes what is opened and closed in the wrong order, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [
            str(value) for name, value in attrs if name in ("href", "src", "xlink:href", "action")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def rendered(*names: str) -> str:
    return chips_page.render(comparison.compare([chips.find(name) for name in names]))


def test_ratios_are_to_the_first_chip() -> None:
    facts = comparison.compare([chips.find("910b2"), chips.find("h100")])
    rows = {row["key"]: row["cells"] for row in facts["rows"]}
    first, second = rows["memory.bandwidth"]
    assert first["ratio"] == 1 and second["ratio"] == second["value"] / first["value"]
    assert rows["core.sm"][0] is None and rows["core.sm"][1]["ratio"] is None
    assert all(cell["ratio"] is None for cell in rows["temperature.throttle"])
    json.dumps(facts)


def test_dollars_and_yuan_have_no_ratio(own: Path) -> None:
    facts = comparison.compare([chips.find("910b2"), chips.load(own)])
    (prices,) = [row["cells"] for row in facts["rows"] if row["key"] == "price.chip"]
    assert [cell["unit"] for cell in prices] == ["USD", "CNY"] and prices[1]["ratio"] is None


@pytest.mark.parametrize(
    "names",
    [("910b2", "h100", "h20"), ("910b2", "910b2"), tuple(chip.name for chip in chips.all_chips())],
    ids=["three", "twice the same", "all"],
)
def test_the_page_parses_and_needs_nothing_else(names: tuple[str, ...]) -> None:
    text = rendered(*names)
    parser = Nesting()
    parser.feed(text)
    parser.close()
    assert (parser.open, parser.wrong, parser.addresses) == ([], [], [])
    assert "<script" not in text and "@import" not in text and "url(" not in text
    assert "$" not in re.sub(
        r"<li>.*?</li>|title=\"[^\"]*\"", "", text
    )  # every place of the template is filled
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(drawing)
    assert len(re.findall("<svg", text)) >= len(names) + 6
    assert "nan" not in text.lower().replace("finance", "") and "inf " not in text


def test_every_drawing_stays_inside_its_frame() -> None:
    for drawing in re.findall(r"<svg.*?</svg>", rendered("310P", "B200", "v5e", "910b2"), re.DOTALL):
        tree = ET.fromstring(drawing)
        _, _, width, height = map(float, tree.attrib["viewBox"].split())
        for element in tree.iter():
            if "x" in element.attrib:
                assert -1 <= float(element.attrib["x"]) <= width + 1
                assert -1 <= float(element.attrib["y"]) <= height + 1
        for path in tree.findall("path"):
            for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"]):
                assert float(x) <= width and float(y) <= height


@pytest.mark.parametrize("bandwidth", ["1.5 kB/s", "900 PB/s", "60 GB/s"])
def test_a_chip_out_of_all_proportion_stays_inside_the_frame(own: Path, bandwidth: str) -> None:
    value, unit = bandwidth.split()
    text = own.read_text(encoding="utf-8").replace(
        'value = 1.5, unit = "TB/s"', f'value = {value}, unit = "{unit}"'
    )
    own.write_text(text, encoding="utf-8")
    for drawing in re.findall(r"<svg.*?</svg>", rendered(str(own)), re.DOTALL):
        tree = ET.fromstring(drawing)
        _, _, width, height = map(float, tree.attrib["viewBox"].split())
        for path in tree.findall("path"):
            for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.attrib["d"]):
                assert 0 <= float(x) <= width and 0 <= float(y) <= height


def test_a_chip_of_ones_own_cannot_break_the_page(own: Path) -> None:
    text = own.read_text(encoding="utf-8").replace(
        "A chip for this test", "<script>alert(1)</script> $title &"
    )
    own.write_text(text, encoding="utf-8")
    text = chips_page.render(comparison.compare([chips.load(own), chips.find("910b2")]))
    assert "<script>" not in text and "&lt;script&gt;alert(1)&lt;/script&gt; $title &amp;" in text
