// Learning curves: training loss and what was measured on held-out data, by step. A line under the mouse, or moved by the
// arrow keys, reads off all methods at one step.

/// [[step, value]] of two lists, without what is unknown.
function points_of(steps, values) {
  return list(steps).map((step, i) => [step, list(values)[i]]).filter(([s, v]) => known(s) && known(v)).sort((a, b) => a[0] - b[0]);
}
/// Mean of each point and its neighbours, a twentieth of all; at the ends those that there are.
function smoothed(points) {
  const sums = [0], half = Math.floor(points.length / 40);
  for (const [, v] of points) sums.push(sums[sums.length - 1] + v);
  return points.map(([s], i) => {
    const from = Math.max(0, i - half), to = Math.min(points.length, i + half + 1);
    return [s, (sums[to] - sums[from]) / (to - from)];
  });
}
const thinned = (points, most = 500) => points.filter((_, i) => i % Math.ceil(points.length / most) === 0 || i === points.length - 1);

function nearest(points, step) {
  let low = 0, high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle + 1; else high = middle;
  }
  return low > 0 && step - points[low - 1][0] < points[low][0] - step ? points[low - 1] : points[low];
}

function curves(task) {
  const score = score_text(task), part = (run, name, y) => points_of((run[name] || {}).step, (run[name] || {})[y]);
  const kinds = [
    ["train", "training loss", short, run => part(run, "curve", "loss")],
    ["held", "held-out loss", short, run => part(run, "evaluations", "loss")],
    ["score", `held-out ${words(task.score_name) || "score"}`, score, run => part(run, "evaluations", "score")],
  ].map(([id, name, text, of]) => ({id, name, text, series: finished(task).map(run => ({run, points: of(run)})).filter(s => s.points.length > 0)}))
    .filter(kind => kind.series.length > 0);
  if (kinds.length === 0) return null;
  for (const kind of kinds) for (const s of kind.series) {
    s.smooth = kind.id === "train" && s.points.length > 60;
    s.line = s.smooth ? smoothed(s.points) : s.points;
  }
  const lowest = s => Math.min(...s.line.map(p => p[1]));
  const spread = kinds[0].series.map(s => Math.max(...s.line.map(p => p[1])) / lowest(s)).reduce((a, b) => Math.max(a, b));
  let kind = kinds[0], log = kinds[0].series.every(s => lowest(s) > 0) && spread > 30;  // else the good ones lie on the floor
  const hidden = new Set();
  const legend = html("div", {class: "legend"});
  const {box, redraw} = canvas(draw);

  function draw(width) {
    const height = Math.min(380, Math.max(280, width * .6)), frame = {left: 50, right: width - 12, top: 26, bottom: height - 46};
    const shown = kind.series.filter(s => !hidden.has(key_of(s.run)));
    const steps = kind.series.flatMap(s => s.points.map(p => p[0])), values = shown.flatMap(s => s.line.map(p => p[1]));
    const range = all => all.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    const [low, high] = values.length ? range(values) : [0, 1], [first, last] = range(steps);
    const can_log = low > 0, pad = .04 * (high - low);
    const x = linear_scale(Math.min(first, 0), last, frame.left, frame.right, width < 500 ? 4 : 7, v => count(v));
    const y = log && can_log ? log_scale(low * .97, high * 1.03, frame.bottom, frame.top, kind.text)
      : linear_scale(low - (low > 0 ? Math.min(pad, low) : pad), high + pad, frame.bottom, frame.top, 5, kind.text);
    const path = points => thinned(points).map(([s, v], i) =>
      (i ? "L" : "M") + x.of(s).toFixed(1) + "," + Math.max(frame.top, Math.min(frame.bottom, y.of(log && can_log ? Math.max(v, low * .5) : v))).toFixed(1)).join("");
    const cursor = svg("g", {class: "cursor", visibility: "hidden"});
    const picture = sheet(width, height, `${kind.name} by step`,
      axes(x, y, frame, {x: "step", y: kind.name + (log && can_log ? " (log)" : "")}),
      shown.filter(s => s.smooth).map(s => svg("path", {class: "faint", d: path(s.points), stroke: look(s.run).colour})),
      shown.map(({run, line}) => svg("path", {class: "line", d: path(line), stroke: look(run).colour, "stroke-dasharray": look(run).dash})),
      shown.map(({run, line}, k) => {  // markers at other places on every line, so that they do not cover each other
        const n = Math.min(5, line.length), at = i => line[Math.floor((i + (k + .5) / shown.length) * line.length / n)];
        return (line.length < 12 ? line : Array.from({length: n}, (_, i) => at(i))).map(([s, v]) =>
          marker(run, 4, {class: "on-line", transform: `translate(${x.of(s)},${y.of(v)})`}));
      }), cursor);
    picture.setAttribute("tabindex", "0");
    picture.classList.add("reading");

    let step = null;
    function read(at, px, py) {
      const all = shown.map(s => ({run: s.run, point: nearest(s.line, at)})).filter(s => s.point);
      if (all.length === 0) return;
      step = all.reduce((a, b) => Math.abs(a.point[0] - at) <= Math.abs(b.point[0] - at) ? a : b).point[0];
      all.sort((a, b) => b.point[1] - a.point[1]);
      cursor.setAttribute("visibility", "visible");
      cursor.replaceChildren(svg("line", {x1: x.of(step), x2: x.of(step), y1: frame.top, y2: frame.bottom}),
        ...all.map(s => marker(s.run, 5, {transform: `translate(${x.of(s.point[0])},${y.of(s.point[1])})`})));
      const area = picture.getBoundingClientRect(), rows = all.slice(0, 12);
      show_tip({head: `step ${whole(step)}`, note: all.length > 12 ? `and ${all.length - 12} more` : "",
        rows: rows.map(s => ({run: s.run, label: name_of(s.run), value: kind.text(s.point[1])}))},
        px ?? area.left + x.of(step), py ?? area.top + frame.top + 40);
    }
    const leave = () => { cursor.setAttribute("visibility", "hidden"); hide_tip(); };
    for (const name of ["pointermove", "pointerdown"]) picture.addEventListener(name, event => {
      const area = picture.getBoundingClientRect();
      read(x.back((event.clientX - area.left) * width / area.width), event.clientX, event.clientY);
    });
    picture.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") leave(); });
    picture.addEventListener("blur", () => { if (held && held.element === picture) leave(); });
    picture.addEventListener("focus", () => hold_tip(picture, () => read(step ?? last)));
    picture.addEventListener("keydown", event => {
      const by = {ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10}[event.key];
      if (!by) return;
      event.preventDefault();
      const ticks = [...new Set(shown.flatMap(s => s.line.map(p => p[0])))].sort((a, b) => a - b);
      read(ticks[Math.max(0, Math.min(ticks.length - 1, ticks.indexOf(step) + by))] ?? last);
    });
    return picture;
  }

  function fill_legend() {
    const button = s => toggle("", !hidden.has(key_of(s.run)), on => {
      if (on) hidden.delete(key_of(s.run)); else hidden.add(key_of(s.run));
      redraw();
    });
    const all = kind.series.map(s => { const b = button(s); b.append(swatch(s.run), html("span", {}, name_of(s.run))); return b; });
    const set = (text, change) => html("button", {type: "button", class: "plain", click: () => { change(); fill_legend(); redraw(); }}, text);
    legend.replaceChildren(...all, ...(all.length > 3 ? [
      set("all", () => hidden.clear()), set("none", () => kind.series.forEach(s => hidden.add(key_of(s.run))))] : []));
  }
  fill_legend();
  const smooth = kinds.some(k => k.series.some(s => s.smooth));
  return figure("Learning curves",
    `The lower a loss and the sooner, the better.${smooth ? " Strong lines are means over neighbouring steps, faint ones the single steps." : ""}` +
    " Click a name to hide its line.",
    html("div", {class: "controls"},
      kinds.length > 1 ? choose("What is shown", kinds.map(k => [k, k.name]), kind, k => { kind = k; fill_legend(); redraw(); }) : null,
      toggle("log scale", log, on => { log = on; redraw(); })),
    box, legend);
}
