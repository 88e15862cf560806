// Score against trained parameters: what a method reaches for how little. Names are put where they cover nothing, as far as
// there is room.

function tradeoff(task) {
  const score = score_text(task), runs = finished(task).filter(r => known(r.score) && known(r.trainable) && r.trainable > 0);
  if (runs.length < 2) return null;
  const lines = [["untuned", task.untuned], ["commonest answer", task.majority]].filter(([, v]) => known(v));
  const spread = run => known(run.spread) ? run.spread : 0;
  const {box} = canvas(width => {
    const height = Math.min(460, Math.max(300, width * .84)), frame = {left: 50, right: width - 14, top: 28, bottom: height - 46};
    const values = runs.flatMap(r => [r.score - spread(r), r.score + spread(r)]).concat(lines.map(l => l[1]));
    const low = Math.min(...values), high = Math.max(...values), pad = .08 * (high - low || Math.abs(high) || 1);
    const amounts = runs.map(r => r.trainable);
    const x = log_scale(Math.min(...amounts) / 1.8, Math.max(...amounts) * 1.8, frame.left, frame.right, count, width < 500 ? 4 : 8);
    const y = linear_scale(low - (low >= 0 ? Math.min(pad, low) : pad), high + pad, frame.bottom, frame.top, 5, score);
    const points = runs.map(run => ({run, x: x.of(run.trainable), y: y.of(run.score)}));
    const levels = lines.map(([text, v], i) => {  // the name above its line; the lower of two that are close has it below
      const close = lines.some(([, w], j) => j !== i && Math.abs(y.of(w) - y.of(v)) < 18 && (w > v || (w === v && j < i)));
      return {text, y: y.of(v), at: y.of(v) + (close ? 15 : -5)};
    });
    const taken = levels.map(l => ({left: frame.right - text_width(l.text) - 4, right: frame.right, top: l.at - 12, bottom: l.at + 3}));
    const names = place_names(points, frame, taken);
    return rove(sheet(width, height, `${words(task.score_name)} against trained parameters`,
      axes(x, y, frame, {x: "trained parameters (log)", y: words(task.score_name) || "score"}),
      levels.map(l => svg("g", {class: "level"},
        svg("line", {x1: frame.left, x2: frame.right, y1: l.y, y2: l.y}),
        svg("text", {x: frame.right, y: l.at, "text-anchor": "end"}, l.text))),
      points.filter(p => spread(p.run) > 0).map(p => svg("path", {class: "spread", stroke: look(p.run).colour,
        d: `M${p.x},${y.of(p.run.score - spread(p.run))}V${y.of(p.run.score + spread(p.run))}`})),
      names.map(n => [
        n.far ? svg("line", {class: "leader", x1: n.point.x, y1: n.point.y, x2: n.near_x, y2: n.near_y}) : null,
        svg("text", {class: "label", x: n.left, y: n.bottom - 4}, n.text)]),
      points.map(p => mark(svg("g", {transform: `translate(${p.x},${p.y})`},
        svg("circle", {r: 14, class: "reach"}), marker(p.run, 6.5, {class: "point"})), () => ({
        head: name_of(p.run),
        rows: [{label: words(task.score_name) || "score", value: score(p.run.score) + (known(p.run.spread) ? ` ± ${score(p.run.spread)}` : "")},
          {label: "trained", value: whole(p.run.trainable) + (known(p.run.share) ? ` (${percent(p.run.share)})` : "")}],
      })))));
  });
  return figure("Score against trained parameters",
    `${task.higher_is_better === false ? "Low" : "High"} and to the left is best: a good score for few trained parameters` +
    `${runs.some(spread) ? "; the upright lines are one standard deviation over seeds" : ""}.`, box);
}

/// A place for each name beside its point: the first of some that lies in the frame and covers no point and no other name;
/// if there is none, the one that covers least, or for want of room none at all.
function place_names(points, frame, taken) {
  const boxes = points.map(p => ({left: p.x - 8, right: p.x + 8, top: p.y - 8, bottom: p.y + 8})).concat(taken);
  const overlap = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
    Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const outside = a => Math.max(0, frame.left - a.left) + Math.max(0, a.right - frame.right) +
    Math.max(0, frame.top - 8 - a.top) + Math.max(0, a.bottom - frame.bottom);
  const names = [];
  for (const point of points.slice().sort((a, b) => a.y - b.y)) {
    const text = fitted(name_of(point.run), Math.min(170, (frame.right - frame.left) * .45)), w = text_width(text) + 4, h = 17;
    let best = null;
    for (const ring of [0, 1, 2, 3]) for (const [dx, dy] of [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]]) {
      const gap_x = 11 + 4 * ring, gap_y = 10 + 15 * ring;
      const left = dx > 0 ? point.x + gap_x : dx < 0 ? point.x - gap_x - w : point.x - w / 2;
      const top = dy === 0 ? point.y - h / 2 + (ring ? 1e4 : 0) : dy > 0 ? point.y + gap_y : point.y - gap_y - h;
      const place = {left, right: left + w, top, bottom: top + h};
      const cost = boxes.reduce((sum, b) => sum + overlap(place, b), 0) + 60 * outside(place) + 8 * ring;
      if (!best || cost < best.cost) best = {...place, cost, far: ring > 0, text, point,
        near_x: Math.max(left, Math.min(point.x, left + w)), near_y: dy > 0 ? top + 3 : top + h - 2};
    }
    if (best.cost > 120) continue;  // the tooltip and the marker still tell
    boxes.push(best);
    names.push(best);
  }
  return names;
}
