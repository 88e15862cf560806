// The table of methods of a task, sortable by its heads, with the untuned base and the commonest answer as rows to compare
// with. A method that loses says so beside its score.

/// Why a run loses, or "". Its gain is what it puts between itself and the base as it was.
function loss_of(task, run, best) {
  if (!known(run.score)) return "no score";
  if (known(task.untuned) && !better(task, run.score, task.untuned)) return "not above the untuned base";
  if (known(task.majority) && !better(task, run.score, task.majority)) return "not above the commonest answer";
  const from = known(task.untuned) ? task.untuned : task.majority;
  if (known(from) && run !== best && (run.score - from) / (best.score - from) < .5) return "less than half of the best gain";
  return "";
}
const best_of = task => finished(task).filter(run => known(run.score))
  .reduce((best, run) => best === null || better(task, run.score, best.score) ? run : best, null);

function method_name(run) {
  const to = safe_link(run.page);
  return [swatch(run, false), to ? html("a", {href: to}, name_of(run)) : html("span", {title: words(run.page) || words(run.method)}, name_of(run))];
}

function table(task) {
  const score = score_text(task), best = best_of(task), runs = finished(task);
  const low = task.higher_is_better === false;
  const columns = [  // name, value to sort by, text, which is best
    {name: words(task.score_name) || "Score", of: r => r.score, best: low ? Math.min : Math.max, cell: r => score_cell(r)},
    {name: "Trained parameters", of: r => r.trainable, best: Math.min, cell: r => [whole(r.trainable),
      known(r.share) ? html("small", {}, " " + percent(r.share)) : null]},
    {name: "Time per step", of: r => r.seconds_per_step, best: Math.min, cell: r => [seconds(r.seconds_per_step),
      known(r.steps) ? html("small", {}, ` ${whole(r.steps)} steps`) : null]},
    {name: "Peak memory", of: r => r.peak && r.peak.total, best: Math.min, cell: r => bytes(r.peak && r.peak.total)},
    {name: "Size on disk", of: r => r.adapter_bytes, best: Math.min, cell: r => bytes(r.adapter_bytes)},
    {name: "Extra inference time, unmerged", of: r => r.inference_extra, cell: r =>
      !known(r.inference_extra) ? unknown : (r.inference_extra > 0 ? "+" : "") + percent(r.inference_extra)},
  ];
  function score_cell(run) {
    const why = run.reference ? "" : loss_of(task, run, best);
    const each = list(run.scores).filter(known);
    const text = [html("span", {class: "value"}, score(run.score),
      known(run.spread) ? html("small", {}, " ± " + score(run.spread)) : null)];
    return [...text, why ? html("em", {class: "loses"}, why) : null,
      each.length > 1 ? html("span", {class: "unseen"}, ` seeds: ${each.map(score).join(", ")}`) : null];
  }
  const reference = (name, value) => known(value) ? [{method: name, score: value, reference: true}] : [];
  const rows = [...runs, ...reference("Base, untuned", task.untuned), ...reference("Commonest answer", task.majority)];

  const body = html("tbody");
  let sorted = null, down = false;
  function fill() {
    const column = columns[sorted];
    const value = run => sorted === -1 ? name_of(run).toLowerCase() : column.of(run);
    const order = rows.slice();
    if (sorted !== null) order.sort((a, b) => {  // unknown ones last, either way
      const [x, y] = [value(a), value(b)], [kx, ky] = [x, y].map(v => typeof v === "string" || known(v));
      return !kx || !ky ? ky - kx : (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
    });
    body.replaceChildren(
      ...order.map(run => html("tr", {class: run.reference ? "reference" : run === best ? "best" : null},
        html("th", {scope: "row"}, run.reference ? run.method : method_name(run)),
        columns.map(c => html("td", {class: wins(c, run) ? "wins" : null}, run.reference && c !== columns[0] ? "" : c.cell(run))))),
      ...list(task.runs).filter(run => run && run.absent).map(run => html("tr", {class: "absent"},
        html("th", {scope: "row"}, method_name(run)), html("td", {colspan: columns.length}, words(run.absent)))));
  }
  const wins = (column, run) => {
    const all = runs.map(column.of).filter(known);
    return column.best && !run.reference && new Set(all).size > 1 && column.of(run) === column.best(...all);
  };
  const head = (index, name) => html("th", {scope: "col", "aria-sort": "none"}, html("button", {type: "button", click: event => {
    const first_down = index === 0 && !low;  // the best score first
    down = sorted === index ? !down : first_down;
    sorted = index;
    for (const th of event.currentTarget.closest("tr").children) th.setAttribute("aria-sort", "none");
    event.currentTarget.parentElement.setAttribute("aria-sort", down ? "descending" : "ascending");
    fill();
  }}, name));
  fill();
  return html("figure", {class: "wide"}, html("h3", {}, "Methods compared"),
    html("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of methods"},
      html("table", {class: "methods"},
        html("thead", {}, html("tr", {}, head(-1, "Method"), columns.map((c, i) => head(i, c.name)))), body)),
    html("figcaption", {}, `${low ? "Lower" : "Higher"} ${words(task.score_name) || "score"} is better; bold is the best of a column` +
      `${runs.some(r => known(r.spread)) ? ", ± the standard deviation over seeds" : ""}. Click a head to sort by it.`));
}
