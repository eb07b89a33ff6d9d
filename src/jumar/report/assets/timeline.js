// The timeline: host, modules, streams and memory of one process over virtual time, on a canvas.
// Zoom with the wheel (once focused) or + and -, pan by dragging or with the arrows, walk events with , and .
"use strict";
(function () {
  const holder = document.getElementById("timeline-data");
  const canvas = document.getElementById("timeline");
  if (!holder || !canvas) return;
  const data = JSON.parse(holder.textContent);
  const said = document.getElementById("timeline-said");
  const search = document.getElementById("timeline-search");
  const brush = canvas.getContext("2d");
  const RULER = 26, LANE = 22, FRAME = 17, MEMORY = 64, GAP = 3, DEEPEST = 8, LABEL = 118;
  const LEAST_NS = 50;
  let style = null, width = 800, ratio = 1, from = 0, to = data.span, chosen = null, wanted = "", drawing = false;

  const lanes = [];
  const events = unpack();
  const frames = framesOf(events);
  layOut();

  function unpack() {
    const packed = data.events, count = packed.start.length, found = [];
    let start = 0;
    for (let i = 0; i < count; i++) {
      start += packed.start[i];
      found.push({
        start, end: start + packed.length[i], row: packed.row[i], kind: packed.kind[i],
        module: packed.module[i], line: packed.line[i], phase: packed.phase[i],
        issued: start - packed.queued[i], issue: packed.issue[i], number: i,
      });
    }
    return found;
  }

  // Neighbouring operators of one module are one bar of it, on a lane for each depth of the tree.
  function framesOf(all) {
    const paths = data.modules.map((_, number) => {
      const path = [];
      for (let at = number; at > 0; at = data.modules[at][1]) path.unshift(at);
      return path.slice(0, DEEPEST);
    });
    const found = [], open = [];
    const close = (depth) => { while (open.length > depth) open.pop(); };
    for (const event of all) {
      if (event.row !== data.main) continue;
      const path = paths[event.module] || [];
      let same = 0;
      while (same < path.length && same < open.length && open[same].module === path[same]
             && open[same].phase === event.phase) same++;
      close(same);
      for (const one of open) one.end = event.end;
      for (let depth = same; depth < path.length; depth++) {
        const frame = {start: event.start, end: event.end, depth, module: path[depth], phase: event.phase};
        open.push(frame);
        (found[depth] = found[depth] || []).push(frame);
      }
    }
    return found;
  }

  function layOut() {
    let y = RULER;
    const put = (name, height, draw, items) => {
      lanes.push({name, y, height, draw, items: items || []});
      y += height + GAP;
    };
    const hosted = events.map((e) => ({start: e.issued - e.issue, end: e.issued, event: e}))
      .filter((e) => e.end > e.start).sort((a, b) => a.start - b.start);
    const waits = [];
    for (let i = 0, at = 0; i < data.waits.start.length; i++) {
      at += data.waits.start[i];
      waits.push({start: at, end: at + data.waits.length[i], wait: data.waits.what[i]});
    }
    if (hosted.length || waits.length) put("host", LANE, drawHost, hosted.concat(waits).sort((a, b) => a.start - b.start));
    frames.forEach((items, depth) => put(depth ? "" : "modules", FRAME, drawFrames, items));
    data.rows.forEach((name, row) => put(name, LANE, drawEvents, events.filter((e) => e.row === row)));
    if (data.memory.length) put("memory", MEMORY, drawMemory, data.memory);
    canvas.style.height = y + "px";
  }

  function readStyle() {
    const root = getComputedStyle(document.documentElement);
    const get = (name) => root.getPropertyValue(name).trim();
    style = {
      ink: get("--ink"), soft: get("--soft"), line: get("--line"), paper: get("--paper"), wait: get("--wait"),
      host: get("--host"), mark: get("--mark"), classes: data.classes.map((name) => get("--" + name)),
      frames: [get("--frame-a"), get("--frame-b")], memory: get("--memory"), font: "11px system-ui, sans-serif",
    };
  }

  const x = (time) => LABEL + (time - from) / (to - from) * (width - LABEL);
  const time = (pixel) => from + (pixel - LABEL) / (width - LABEL) * (to - from);

  function redraw() {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; draw(); });
  }

  function draw() {
    if (!style) readStyle();
    brush.setTransform(ratio, 0, 0, ratio, 0, 0);
    brush.fillStyle = style.paper;
    brush.fillRect(0, 0, width, canvas.height / ratio);
    brush.font = style.font;
    brush.textBaseline = "middle";
    drawRuler();
    brush.save();
    brush.beginPath();
    brush.rect(LABEL, 0, width - LABEL, canvas.height / ratio);
    brush.clip();
    for (const lane of lanes) lane.draw(lane);
    brush.restore();
    brush.fillStyle = style.soft;
    for (const lane of lanes) brush.fillText(fitted(lane.name, LABEL - 8), 2, lane.y + Math.min(lane.height, LANE) / 2);
  }

  function drawRuler() {
    const span = to - from, rough = span / Math.max(2, (width - LABEL) / 110);
    const power = Math.pow(10, Math.floor(Math.log10(rough)));
    const tick = power * [1, 2, 5, 10].find((f) => f * power >= rough);
    brush.strokeStyle = style.line;
    brush.fillStyle = style.soft;
    brush.lineWidth = 1;
    for (let at = Math.ceil(from / tick) * tick; at <= to; at += tick) {
      const px = Math.round(x(at)) + .5;
      brush.beginPath(); brush.moveTo(px, 16); brush.lineTo(px, canvas.height / ratio); brush.stroke();
      if (px + 60 < width) brush.fillText(written(at, tick), px + 3, 8);
    }
    brush.strokeStyle = style.mark;
    brush.fillStyle = style.mark;
    for (const [number, start] of data.steps) {
      if (start < from || start > to) continue;
      const px = Math.round(x(start)) + .5;
      brush.beginPath(); brush.moveTo(px, 14); brush.lineTo(px, canvas.height / ratio); brush.stroke();
      brush.fillText("step " + number, px + 3, 20);
    }
  }

  // First item that ends after the left edge; items of a lane are in order and do not overlap.
  function firstVisible(items) {
    let low = 0, high = items.length;
    while (low < high) { const middle = (low + high) >> 1; if (items[middle].end < from) low = middle + 1; else high = middle; }
    return low;
  }

  // Draws every visible item; what is narrower than a pixel is joined with its neighbours, in their colour.
  function bars(lane, colour, label) {
    const items = lane.items;
    let drawnTo = -1;
    for (let i = firstVisible(items); i < items.length && items[i].start <= to; i++) {
      const left = x(items[i].start), right = x(items[i].end);
      if (right <= drawnTo) continue;
      const begin = Math.max(left, drawnTo, LABEL - 2), breadth = Math.max(right - begin, .6);
      brush.fillStyle = colour(items[i]);
      brush.fillRect(begin, lane.y, breadth > 3 ? breadth - .6 : breadth, lane.height);
      drawnTo = Math.max(right, begin + .6);
      if (breadth > 26) {
        const visible = Math.min(right, width) - begin - 6;
        brush.fillStyle = inkOn(brush.fillStyle);
        brush.fillText(fitted(label(items[i]), visible), begin + 3, lane.y + lane.height / 2 + .5);
      }
    }
    if (chosen && chosen.lane === lane) {
      brush.strokeStyle = style.ink; brush.lineWidth = 2;
      brush.strokeRect(x(chosen.item.start), lane.y, Math.max(2, x(chosen.item.end) - x(chosen.item.start)), lane.height);
    }
  }

  const dim = (event) => wanted && !data.kinds[event.kind][0].toLowerCase().includes(wanted);
  function drawEvents(lane) {
    bars(lane, (e) => dim(e) ? style.line : style.classes[data.kinds[e.kind][1]], (e) => data.kinds[e.kind][0]);
  }
  function drawFrames(lane) {
    bars(lane, (f) => style.frames[(f.module + (f.phase ? 1 : 0)) % 2], (f) => data.modules[f.module][0]);
  }
  function drawHost(lane) {
    bars(lane, (h) => h.event ? style.host : style.wait, (h) => h.event ? data.kinds[h.event.kind][0] : h.wait);
  }

  function drawMemory(lane) {
    const top = data.capacity || 1, points = lane.items;
    const y = (bytes) => lane.y + lane.height * (1 - bytes / highest);
    const highest = Math.max(...points.map((p) => p[1])) * 1.15 || 1;
    let low = 0, high = points.length;
    while (low < high) { const middle = (low + high) >> 1; if (points[middle][0] < from) low = middle + 1; else high = middle; }
    let i = Math.max(0, low - 1);
    brush.fillStyle = style.memory;
    brush.beginPath();
    brush.moveTo(x(from), lane.y + lane.height);
    for (; i < points.length && points[i][0] <= to; i++) {
      brush.lineTo(Math.max(x(points[i][0]), LABEL), y(points[i][1]));
      const next = i + 1 < points.length ? points[i + 1][0] : data.span;
      brush.lineTo(Math.min(x(next), width), y(points[i][1]));
    }
    brush.lineTo(Math.min(x(to), width), lane.y + lane.height);
    brush.fill();
    brush.strokeStyle = style.memory;
    brush.stroke(); // what is there for no time at all is still to be seen
    if (top <= highest) {
      brush.strokeStyle = style.mark;
      brush.beginPath(); brush.moveTo(LABEL, y(top)); brush.lineTo(width, y(top)); brush.stroke();
    }
  }

  const widths = new Map();
  function fitted(text, room) {
    if (room < 14) return "";
    if (!widths.has(text)) widths.set(text, brush.measureText(text).width);
    if (widths.get(text) <= room) return text;
    const keep = Math.floor(text.length * room / widths.get(text)) - 1;
    return keep > 1 ? text.slice(0, keep) + "…" : "";
  }
  function inkOn(colour) {
    const part = /^#(..)(..)(..)/.exec(colour);
    if (!part) return style.ink;
    const [r, g, b] = part.slice(1).map((h) => parseInt(h, 16));
    return r * .3 + g * .59 + b * .11 > 140 ? "#10161c" : "#ffffff";
  }
  // A moment, with as many digits as it takes to tell it from one `step` later.
  function written(ns, step) {
    const [unit, name] = to < 1e6 ? [1e3, "µs"] : to < 1e10 ? [1e6, "ms"] : [1e9, "s"];
    const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
    return (ns / unit).toLocaleString("en", {minimumFractionDigits: digits, maximumFractionDigits: digits}) + " " + name;
  }
  function long(ns) {
    return ns < 1e3 ? ns.toFixed(0) + " ns" : ns < 1e6 ? (ns / 1e3).toPrecision(4) + " µs" : (ns / 1e6).toPrecision(4) + " ms";
  }
  function size(bytes) {
    const power = Math.min(4, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
    return +(bytes / 1024 ** power).toPrecision(4) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][power];
  }

  // Name of a module with its parents.
  function modulePath(number) {
    const path = [];
    for (let at = number; at > 0; at = data.modules[at][1]) path.unshift(data.modules[at][0]);
    return path.join(".") || "outside modules";
  }

  function describe(lane, item) {
    if (item.wait !== undefined) return `host waits: ${item.wait}, ${long(item.end - item.start)}`;
    if (item.depth !== undefined) return `${modulePath(item.module)}, ${data.phases[item.phase] || "no phase"}, ${long(item.end - item.start)}`;
    const host = item.event !== undefined, e = host ? item.event : item, kind = data.kinds[e.kind];
    const queued = e.start - e.issued;
    return `${host ? "host issues " : ""}${kind[0]}${kind[2] ? " " + kind[2] : ""}: ${long(item.end - item.start)}`
      + (host ? "" : `, from ${long(e.start)}; limited by ${kind[3] || "nothing known"}; waited ${long(queued)} after it was issued`)
      + `. ${modulePath(e.module)}${data.phases[e.phase] ? ", " + data.phases[e.phase] : ""}`
      + (data.lines[e.line] ? `; ${data.lines[e.line]}` : "");
  }

  function at(px, py) {
    const lane = lanes.find((one) => py >= one.y && py < one.y + one.height + GAP);
    if (!lane || px < LABEL) return null;
    if (lane.draw === drawMemory) {
      const points = lane.items, now = time(px);
      let found = points[0];
      for (const point of points) { if (point[0] > now) break; found = point; }
      return {lane, text: `${size(found[1])} in use at ${written(now, (to - from) / 1000)}`};
    }
    const items = lane.items, slack = 2 * (to - from) / width, now = time(px);
    for (let i = Math.max(0, firstVisible(items)); i < items.length && items[i].start <= now + slack; i++) {
      if (items[i].end >= now - slack && (items[i].end >= now || i + 1 === items.length || items[i + 1].start > now)) return {lane, item: items[i], text: describe(lane, items[i])};
    }
    return null;
  }

  function show(left, right) {
    const span = Math.min(Math.max(right - left, LEAST_NS), data.span * 1.02);
    const begin = Math.min(Math.max(left, -data.span * .01), data.span * 1.01 - span);
    from = begin; to = begin + span;
    redraw();
  }
  function zoom(factor, around) {
    const fixed = around === undefined ? (from + to) / 2 : around;
    show(fixed - (fixed - from) * factor, fixed + (to - fixed) * factor);
  }
  function choose(found, follow) {
    chosen = found && found.item ? found : null;
    if (found) said.textContent = found.text;
    if (found && follow && found.item && (found.item.end < from || found.item.start > to)) {
      const half = (to - from) / 2;
      show(found.item.start - half, found.item.start + half);
    }
    redraw();
  }
  function walk(direction) {
    const lane = chosen ? chosen.lane : lanes.find((one) => one.draw === drawEvents);
    if (!lane) return;
    const items = lane.items;
    let place = chosen ? items.indexOf(chosen.item) + direction : firstVisible(items);
    while (place >= 0 && place < items.length && lane.draw === drawEvents && dim(items[place])) place += direction;
    if (place >= 0 && place < items.length) choose({lane, item: items[place], text: describe(lane, items[place])}, true);
  }

  const pointers = new Map();
  let moved = 0;
  const place = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (e) => { pointers.set(e.pointerId, place(e)); moved = 0; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", (e) => {
    const [px, py] = place(e);
    if (!pointers.has(e.pointerId)) {
      const found = at(px, py);
      canvas.title = found ? found.text : "";
      if (found && !chosen) said.textContent = found.text;
      return;
    }
    const before = pointers.get(e.pointerId);
    if (pointers.size === 2) {
      const other = [...pointers.entries()].find(([id]) => id !== e.pointerId)[1];
      const factor = Math.max(10, Math.abs(before[0] - other[0])) / Math.max(10, Math.abs(px - other[0]));
      zoom(factor, time(other[0]));
    } else {
      moved += Math.abs(px - before[0]) + Math.abs(py - before[1]);
      const shift = (before[0] - px) / (width - LABEL) * (to - from);
      show(from + shift, to + shift);
    }
    pointers.set(e.pointerId, [px, py]);
  });
  const lift = (e) => { if (pointers.delete(e.pointerId) && moved < 5 && e.type === "pointerup") choose(at(...place(e))); };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("wheel", (e) => {
    const sideways = Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey;
    if (!sideways && !e.ctrlKey && !e.metaKey && document.activeElement !== canvas) return;
    e.preventDefault();
    if (sideways) { const shift = (e.deltaX || e.deltaY) / width * (to - from); show(from + shift, to + shift); }
    else zoom(Math.pow(1.0018, e.deltaY), time(place(e)[0]));
  }, {passive: false});
  canvas.addEventListener("dblclick", (e) => { const found = at(...place(e)); if (found && found.item) { const pad = (found.item.end - found.item.start) * .1; show(found.item.start - pad, found.item.end + pad); } });
  const KEYS = {
    ArrowLeft: () => show(from - (to - from) * .15, to - (to - from) * .15),
    ArrowRight: () => show(from + (to - from) * .15, to + (to - from) * .15),
    "+": () => zoom(.6), "=": () => zoom(.6), "-": () => zoom(1 / .6), "0": () => show(0, data.span), Home: () => show(0, data.span),
    ",": () => walk(-1), ".": () => walk(1), Escape: () => choose(null),
  };
  KEYS.a = KEYS.ArrowLeft; KEYS.d = KEYS.ArrowRight; KEYS.w = KEYS["+"]; KEYS.s = KEYS["-"];
  canvas.addEventListener("keydown", (e) => {
    if (!KEYS[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    KEYS[e.key]();
  });
  for (const button of document.querySelectorAll("[data-timeline]")) {
    button.addEventListener("click", () => KEYS[button.dataset.timeline]());
  }
  search.addEventListener("input", () => { wanted = search.value.trim().toLowerCase(); redraw(); });

  function resize() {
    ratio = window.devicePixelRatio || 1;
    width = canvas.clientWidth;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    draw();
  }
  new ResizeObserver(resize).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { style = null; redraw(); });
  resize();
})();
