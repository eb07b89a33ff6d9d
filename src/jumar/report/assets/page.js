// Small things of the page: the flame chart, sorting and filtering of tables, the button that copies a command.
"use strict";
(function () {
  // A flame chart is a list of [name, parent, share of the whole, what to say]; a click makes one the whole.
  const holder = document.getElementById("flame-data"), box = document.getElementById("flame");
  if (holder && box) {
    const nodes = JSON.parse(holder.textContent), ROW = 22, LEAST = .0012;
    const children = nodes.map(() => []);
    nodes.forEach((node, number) => { if (node[1] >= 0) children[node[1]].push(number); });
    const said = document.getElementById("flame-said");
    const draw = (root) => {
      box.textContent = "";
      let deepest = 0, path = [];
      for (let at = root; at >= 0; at = nodes[at][1]) path.unshift(at);
      path.slice(0, -1).forEach((number, depth) => bar(number, 0, 1, depth, true));
      const place = (number, left, depth) => {
        const share = nodes[number][2] / nodes[root][2];
        if (share < LEAST) return;
        bar(number, left, share, depth, false);
        deepest = Math.max(deepest, depth);
        for (const child of children[number]) { place(child, left, depth + 1); left += nodes[child][2] / nodes[root][2]; }
      };
      place(root, 0, path.length - 1);
      box.style.height = (deepest + 1) * ROW + "px";
    };
    const bar = (number, left, share, depth, above) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = share * box.clientWidth > 24 ? nodes[number][0] : "";
      button.title = nodes[number][3];
      button.tabIndex = share > .05 ? 0 : -1; // the tree below has them all
      button.setAttribute("aria-label", nodes[number][3]);
      button.className = above ? "above" : number % 2 ? "odd" : "even";
      button.style.cssText = `left:${left * 100}%;width:calc(${share * 100}% - 1px);top:${depth * ROW}px`;
      button.addEventListener("click", () => { draw(number); said.textContent = nodes[number][3]; });
      button.addEventListener("pointerenter", () => { said.textContent = nodes[number][3]; });
      box.append(button);
    };
    if (nodes.length) draw(0);
  }

  // A click on a heading sorts by it, once more turns the order round.
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    table.tHead.querySelectorAll("button").forEach((button, column) => {
      button.addEventListener("click", () => {
        const heading = button.parentElement;
        const down = heading.getAttribute("aria-sort") !== "descending";
        table.tHead.querySelectorAll("th").forEach((one) => one.removeAttribute("aria-sort"));
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (row) => { const cell = row.cells[column]; return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value); };
        const rows = [...body.rows].sort((a, b) => (key(a) > key(b) ? 1 : key(a) < key(b) ? -1 : 0) * (down ? -1 : 1));
        body.append(...rows);
      });
    });
  }

  for (const input of document.querySelectorAll("input[data-filters]")) {
    const table = document.getElementById(input.dataset.filters);
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      for (const row of table.tBodies[0].rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
  }

  for (const button of document.querySelectorAll("button[data-more]")) {
    const table = document.getElementById(button.dataset.more);
    button.addEventListener("click", () => { table.classList.add("whole"); button.remove(); });
  }

  for (const button of document.querySelectorAll("button[data-copies]")) {
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.copies).textContent;
      const done = () => { button.textContent = "copied"; };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, () => {});
    });
  }
})();
