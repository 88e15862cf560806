// The same colour, dash and marker for a method in every chart. Colours after Okabe & Ito 2008, told apart by the
// colour-blind, too, and two more; dashes and markers go round with other periods, so that twenty methods still differ.

const markers = {  // of radius r about the origin
  circle: r => `M${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`,
  square: r => `M${-r * .9},${-r * .9}h${1.8 * r}v${1.8 * r}h${-1.8 * r}z`,
  up: r => `M0,${-1.2 * r}L${1.15 * r},${.85 * r}H${-1.15 * r}z`,
  diamond: r => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
  down: r => `M0,${1.2 * r}L${1.15 * r},${-.85 * r}H${-1.15 * r}z`,
  cross: r => cross(r, 0),
  plus: r => cross(r, 1),
};
function cross(r, upright) {  // a thick one, as an outline
  const a = 1.2 * r, b = .42 * r;
  const corners = [[-b, -a], [b, -a], [b, -b], [a, -b], [a, b], [b, b], [b, a], [-b, a], [-b, b], [-a, b], [-a, -b], [-b, -b]];
  const turn = ([x, y]) => upright ? [x, y] : [(x - y) * .75, (x + y) * .75];
  return "M" + corners.map(turn).map(p => p.map(v => v.toFixed(2)).join()).join("L") + "z";
}
const marker_names = Object.keys(markers);
const dashes = ["", "7 3", "2 3", "9 3 2 3"];

const places = new Map();  // method -> its place in the order of first appearance
const key_of = run => words(run.id) || words(run.method);
for (const task of list(DATA && DATA.tasks))
  for (const run of list(task && task.runs)) if (run && !places.has(key_of(run))) places.set(key_of(run), places.size);

/// What a run looks like: {colour, dash, path(r)}.
function look(run) {
  const i = places.get(key_of(run)) || 0;
  return {colour: `var(--c${i % 10})`, dash: dashes[(i + Math.floor(i / 10)) % 4], path: markers[marker_names[i % 7]]};
}
const name_of = run => cut(words(run.method) || words(run.id) || "(no name)", 60);

const marker = (run, r, attributes) => svg("path", {d: look(run).path(r), fill: look(run).colour, ...attributes});
/// A piece of the method's line with its marker, for legends.
const swatch = (run, line = true) => svg("svg", {class: "swatch", width: line ? 26 : 14, height: 14, "aria-hidden": "true"},
  line && svg("line", {x1: 1, x2: 25, y1: 7, y2: 7, stroke: look(run).colour, "stroke-width": 2.2, "stroke-dasharray": look(run).dash}),
  marker(run, 4.6, {transform: `translate(${line ? 13 : 7},7)`}));

/// The scores of a task as text; accuracies, which are shares, in percent.
function score_text(task) {
  const all = list(task.runs).map(run => run && run.score).concat(task.untuned, task.majority).filter(known);
  const shares = /accuracy|share|f1/i.test(words(task.score_name)) && all.every(x => Math.abs(x) <= 1);
  const digits = all.some(x => Math.abs(x) >= 10) ? 1 : 3;
  return (x, ...tick) => {  // the second argument: a scale's, which has round numbers
    if (!known(x)) return unknown;
    if (tick.length > 0) return shares ? short(100 * x) + " %" : short(x, 4);
    return (shares ? (100 * x).toFixed(1) + " %" : x.toFixed(digits)).replace("-", "−");
  };
}
const finished = task => list(task.runs).filter(run => run && !run.absent);
const better = (task, a, b) => task.higher_is_better === false ? a < b : a > b;
