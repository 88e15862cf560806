// Peak memory while training, as the ledger counts it: one bar for each method, stacked by what the memory is for. The ledger
// keeps the highest point of each category, which need not fall together: a bar may be longer than the peak of all.

const memory_parts = [["frozen", "frozen weights"], ["mapped", "frozen, left in the file"], ["parameters", "trained parameters"], ["gradients", "gradients"],
  ["optimizer", "optimizer"], ["activations", "activations"], ["other", "other"]];

function memory(task) {
  const runs = finished(task).filter(r => r.peak && memory_parts.some(([key]) => known(r.peak[key]) && r.peak[key] > 0));
  if (runs.length === 0) return null;
  const used = memory_parts.filter(([key]) => runs.some(r => r.peak[key] > 0));
  const at_rest = key => key === "frozen" || key === "mapped", frozen = used.some(([key]) => at_rest(key)) && !used.every(([key]) => at_rest(key));
  let without = false;
  const {box, redraw} = canvas(width => {
    const parts = used.filter(([key]) => !(without && at_rest(key)));
    const size = (run, key) => known(run.peak[key]) ? Math.max(0, run.peak[key]) : 0;
    const sum = run => parts.reduce((s, [key]) => s + size(run, key), 0);
    const above = width < 560, text = 78;  // on a telephone the names stand above the bars
    const left = above ? 0 : Math.min(190, 30 + Math.max(...runs.map(r => text_width(name_of(r).slice(0, 60)))));
    const pitch = above ? 46 : 32, thick = 20, most = Math.max(...runs.map(sum)) || 1;
    const of = v => v / most * (width - left - text);
    return rove(sheet(width, runs.length * pitch + 4, "peak memory by category", runs.map((run, i) => {
      const top = i * pitch + (above ? 20 : 5);
      let at = left;
      return svg("g", {},
        svg("g", {transform: `translate(${above ? 8 : 9},${above ? top - 10 : top + thick / 2})`}, marker(run, 5),
          svg("text", {class: "label", x: 13, y: 4}, fitted(name_of(run), above ? width - 30 : left - 30))),
        parts.map(([key, name]) => {
          const w = of(size(run, key)), from = at;
          at += w;
          return w < .3 ? null : mark(svg("rect", {class: "part", x: from, y: top, width: Math.max(w - 1, .8), height: thick,
            fill: `var(--m-${key})`}), () => ({head: name_of(run),
            rows: [{colour: `var(--m-${key})`, label: name, value: bytes(run.peak[key])}, {label: "peak of all together", value: bytes(run.peak.total)}]}));
        }),
        svg("text", {class: "label total", x: at + 6, y: top + 15}, bytes(without || !known(run.peak.total) ? sum(run) : run.peak.total)));
    })), used.length);
  });
  return figure("Peak memory while training",
    "The shorter the better. The number is the peak of all together, the parts are each at their own highest point and may add up to more.",
    html("div", {class: "controls"}, frozen ? toggle("without frozen weights", false, on => { without = on; redraw(); }) : null),
    box, html("div", {class: "legend"}, used.map(([key, name]) =>
      html("span", {class: "key"}, html("i", {class: "dot", style: `background:var(--m-${key})`}), name))));
}
