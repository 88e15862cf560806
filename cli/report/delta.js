// What low-rank training changed: the size of each ΔW against its W, and the singular values of ΔW (Hu et al. 2021, section 7).

/// Runs to choose from, if there are several, above what show(run) makes of one.
function by_run(runs, show) {
  const place = html("div", {class: "of-run"}, show(runs[0]));
  if (runs.length === 1) return place;
  return html("div", {}, html("div", {class: "controls"},
    choose("Method", runs.map(r => [r, name_of(r)]), runs[0], run => place.replaceChildren(show(run)))), place);
}

/// "layers.0.attn.q" -> layer 0, target "attn.q"; a name without a number is a target of no layer.
function place_of(name) {
  const found = /^(.*?)(\d+)[._/]?(.*)$/.exec(name);
  return found ? {layer: Number(found[2]), target: found[3] || found[1]} : {layer: null, target: name};
}

function delta_view(run) {
  const all = run.delta.filter(d => d && words(d.name)).map(d => ({...d, name: words(d.name), ...place_of(words(d.name))}));
  const layers = [...new Set(all.map(d => d.layer))].sort((a, b) => (a ?? 1e9) - (b ?? 1e9));
  const targets = [...new Set(all.map(d => d.target))];
  const at = (r, c) => all.find(d => d.layer === layers[r] && d.target === targets[c]);
  const singular = d => list(d && d.singular).filter(v => known(v) && v >= 0);
  let chosen = all.reduce((a, b) => (known(b.norm) ? b.norm : -1) > (known(a.norm) ? a.norm : -1) ? b : a, all[0]);
  if (singular(chosen).length === 0) chosen = all.find(d => singular(d).length > 0) || chosen;

  const map = heat_map({
    label: "relative size of the change by layer and target", row_name: "layer", column_name: "target",
    rows: layers.map(l => l === null ? unknown : String(l)), columns: targets, widest: 76,
    values: layers.map((_, r) => targets.map((_, c) => (at(r, c) || {}).norm)),
    text: v => short(v, 2), chosen: (r, c) => at(r, c) === chosen && chosen !== undefined,
    on_choice: (r, c) => { chosen = at(r, c); spectrum.redraw(); },
    content: (r, c) => ({head: at(r, c) ? at(r, c).name : `layer ${layers[r]}, ${targets[c]}`,
      rows: [{label: "‖ΔW‖ / ‖W‖", value: short((at(r, c) || {}).norm)}], note: at(r, c) ? "" : "left as it was"}),
  });

  const largest = Math.max(...all.flatMap(singular)), smallest = largest * 1e-4;  // what is less is 0 but for rounding
  const spectrum = canvas(width => {
    const height = Math.min(330, Math.max(240, width * .7)), frame = {left: 50, right: width - 12, top: 26, bottom: height - 46};
    const n = Math.max(...all.map(d => singular(d).length)), values = all.flatMap(singular).map(v => Math.max(v, smallest));
    const x = linear_scale(1, n, frame.left + 10, frame.right - 10, Math.min(n - 1 || 1, 8), v => Number.isInteger(v) ? String(v) : "");
    const y = log_scale(Math.min(...values) * .9, largest * 1.1, frame.bottom, frame.top);
    const path = d => singular(d).map((v, i) => `${i ? "L" : "M"}${x.of(i + 1).toFixed(1)},${y.of(Math.max(v, smallest)).toFixed(1)}`).join("");
    return rove(sheet(width, height, "singular values", axes(x, y, frame, {x: "which singular value", y: "σ of ΔW (log)"}),
      all.filter(d => d !== chosen).map(d => svg("path", {class: "others", d: path(d)})),
      svg("path", {class: "line", d: path(chosen), stroke: look(run).colour}),
      svg("text", {class: "label", x: frame.right, y: 12, "text-anchor": "end"}, fitted(chosen.name, width * .55)),
      singular(chosen).map((v, i) => mark(svg("g", {transform: `translate(${x.of(i + 1)},${y.of(Math.max(v, smallest))})`},
        svg("circle", {r: 12, class: "reach"}), marker(run, 5)), () => ({head: chosen.name,
          rows: [{label: `σ${i + 1}`, value: short(v)}, {label: "share of ‖ΔW‖²",
            value: percent(v * v / singular(chosen).reduce((s, w) => s + w * w, 0))}]})))));
  });
  const has_values = largest > 0;
  return html("div", {class: has_values ? "pair" : null},
    html("div", {}, map, heat_key("0", short(Math.max(...all.map(d => known(d.norm) ? d.norm : 0))))),
    has_values ? spectrum.box : null);
}

function delta(task) {
  const runs = finished(task).filter(r => list(r.delta).some(d => d && words(d.name)));
  if (runs.length === 0) return null;
  const figure_of = figure("What low-rank training changed",
    "Strong squares are the matrices that moved most, ‖ΔW‖ against ‖W‖; choose one to see its singular values among the others:" +
    " a steep fall means that a smaller rank would have done.", by_run(runs, delta_view));
  figure_of.classList.add("wide");
  return figure_of;
}
