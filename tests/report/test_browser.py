"""The page in a real browser: no error, the timeline is drawn, and keys, buttons, wheel and filters do what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import synthetic

from jumar import chips, report
from jumar.report.page import ASSETS
from jumar.runs import comparing, pricing
from jumar.runs.account import account, heat_of
from jumar.runs.heating import Surroundings
from jumar.runs.priced import Options

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=4000",
    "--dump-dom",
)
# Uses everything on the page once, and leaves what it saw as text.
DRIVER = """
<script>
const faults = [];
addEventListener("error", (e) => faults.push(e.message));
addEventListener("load", () => setTimeout(() => {
  const seen = {faults}, canvas = document.getElementById("timeline");
  const said = () => document.getElementById("timeline-said").textContent;
  const colours = () => new Set(new Uint32Array(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
  const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", {key, cancelable: true}));
  seen.colours = colours();
  press("."); seen.first = said();
  press("."); seen.second = said();
  for (const key of ["+", "+", "ArrowRight", "ArrowLeft", "-", ",", "Escape", "0"]) press(key);
  canvas.focus();
  const box = canvas.getBoundingClientRect();
  const begun = performance.now();
  for (let i = 0; i < 20; i++) {
    canvas.dispatchEvent(new WheelEvent("wheel", {deltaY: i < 10 ? -120 : 90, clientX: box.left + 400, cancelable: true}));
  }
  canvas.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + 500, clientY: box.top + 60}));
  for (const button of document.querySelectorAll("button")) button.click();
  seen.flame = document.querySelectorAll("#flame button").length;
  const filter = document.querySelector("input[data-filters]");
  filter.value = "softmax"; filter.dispatchEvent(new Event("input"));
  seen.rows = [...document.querySelectorAll("#operators-table tbody tr")].filter((row) => !row.hidden).length;
  const search = document.getElementById("timeline-search");
  search.value = "matmul"; search.dispatchEvent(new Event("input"));
  setTimeout(() => {
    seen.wide = document.documentElement.scrollWidth - innerWidth;
    document.body.dataset.seen = JSON.stringify(seen);
  }, 300);
}, 100));
</script>
"""


@pytest.fixture(scope="module")
def page() -> str:
    run = synthetic.gpt2(steps=3, layers=4, processes=2)
    ready = pricing.prepare(run)
    rows = [comparing.row(ready, chips.find(name), Options(), None) for name in ("910C", "H100", "TPUv5e")]
    priced = pricing.price_run(ready, chips.find("910B2"))
    told = account(run, priced, rows, heat_of(run, priced, Surroundings("degraded", 35.0)))
    return report.render(report.facts_of_run(run.facts, chips.find("910B2")), told)


def shown(page: str, folder: Path, size: str) -> dict[str, Any]:
    assert BROWSER is not None
    path = folder / "page.html"
    path.write_text(page.replace("<head>", f"<head>{DRIVER}"), encoding="utf-8")
    command = [
        BROWSER,
        *OPTIONS,
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={size}",
        path.as_uri(),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "CONSOLE" not in ended.stderr, ended.stderr
    found = re.search(r'data-seen="([^"]*)"', ended.stdout)
    assert found, ended.stderr[-2000:]
    return dict(json.loads(unescape(found[1])))


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize("size", ["1200,900", "500,900"])
def test_the_page_works(page: str, tmp_path: Path, size: str) -> None:
    seen = shown(page, tmp_path, size)
    assert seen["faults"] == []
    assert seen["colours"] > 8
    assert seen["first"] and seen["first"] != seen["second"] and "limited by" in seen["first"]
    assert seen["flame"] >= 2 and seen["rows"] == 2
    assert seen["wide"] <= 0, "the page is wider than the window"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
@pytest.mark.parametrize("script", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_scripts_are_javascript(script: Path) -> None:
    ended = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_page_asks_for_nothing(page: str) -> None:
    without_data = re.sub(r'<script type="application/json".*?</script>', "", page, flags=re.S)
    assert not re.search(r'(src|href)="(?!#)|url\(|@import|fetch\(|XMLHttpRequest', without_data)


def test_data_cannot_end_its_element() -> None:
    run = synthetic.gpt2(steps=1, layers=1)
    names = {key: f"</script><b>{text}" for key, text in run.names.items()}
    hostile = type(run)(run.facts, run.kinds, run.events, names)
    told = account(hostile, pricing.price_run(hostile, chips.find("910B2")))
    rendered = report.render(report.facts_of_run(run.facts, chips.find("910B2")), told)
    assert "</script><b>" not in rendered and "<b>transformer" not in rendered
