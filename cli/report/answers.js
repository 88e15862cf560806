// What the models answered: votes of prompt ensembles, confusion tables, and texts before and after.

const label_colour = (labels, label) => `var(--l${Math.max(0, labels.indexOf(label)) % 6})`;

function vote_row(labels, item) {
  const votes = Object.entries(item.votes || {}).filter(([, n]) => known(n) && n > 0);
  const sum = votes.reduce((s, [, n]) => s + n, 0), right = words(item.majority) === words(item.answer);
  const by_size = votes.slice().sort((a, b) => b[1] - a[1]);
  return html("div", {class: "vote"}, html("p", {class: "quote"}, words(item.text)),
    rove(html("div", {class: "votes"}, by_size.map(([label, n]) => mark(html("span", {class: "slice",
      style: `flex-grow:${n};background:${label_colour(labels, label)}`}, html("span", {}, `${label} ${whole(n)}`)),
      () => ({head: label, rows: [{label: "votes", value: `${whole(n)} of ${whole(sum)}`}]}))))),
    html("p", {class: right ? "right" : "wrong"}, right ? `✓ ${words(item.majority)}`
      : `✗ ${words(item.majority) || "no majority"}, right is ${words(item.answer)}`));
}
function votes(task) {
  const runs = finished(task).filter(r => list(r.votes).some(v => v && v.votes));
  if (runs.length === 0) return null;
  const shown = figure("Votes of the prompt ensemble",
    "Each prompt votes for a label and the most votes win; a bar of many colours is a text on which the prompts disagree.",
    by_run(runs, run => {
      const items = run.votes.filter(v => v && v.votes);
      const labels = [...new Set([...list(task.labels).map(words), ...items.flatMap(v => Object.keys(v.votes))])];
      return limited(items.map(v => vote_row(labels, v)), 6);
    }));
  shown.classList.add("wide", "many");
  return shown;
}

function confusion_of(task, run) {
  const rows = run.confusion.map(list), sums = rows.map(row => row.filter(known).reduce((a, b) => a + b, 0));
  const columns = Math.max(...rows.map(row => row.length));
  const label = i => words(list(task.labels)[i]) || String(i);
  return html("div", {class: "small"}, html("h4", {}, swatch(run, false), html("span", {}, name_of(run))), heat_map({
    label: `confusion of ${name_of(run)}`, row_name: "true", column_name: "predicted", most: 1, widest: 58, tall: 26,
    rows: rows.map((_, r) => label(r)), columns: Array.from({length: columns}, (_, c) => label(c)),
    values: rows.map((row, r) => row.map(v => known(v) && sums[r] > 0 ? v / sums[r] : null)),
    text: (_, r, c) => whole(rows[r][c]),
    content: (r, c) => ({head: r === c ? `${label(r)}, rightly` : `${label(r)} taken for ${label(c)}`,
      rows: [{run, label: "texts", value: whole(rows[r][c])},
        {label: `of all ${cut(label(r), 40)}`, value: sums[r] > 0 && known(rows[r][c]) ? percent(rows[r][c] / sums[r]) : unknown}]}),
  }));
}
function confusion(task) {
  const runs = finished(task).filter(r => list(r.confusion).some(row => list(row).some(known)));
  if (runs.length === 0) return null;
  const shown = figure("Confusion tables", "Rows are true labels, columns what was predicted: all is right when only the diagonal is strong.",
    limited(runs.map(run => confusion_of(task, run)), 6));
  shown.classList.add("wide", "many");
  return shown;
}

/// Texts that several methods went on from stand together.
function samples(task) {
  const prompts = new Map();
  for (const run of finished(task)) for (const s of list(run.samples)) {
    if (!s) continue;
    const key = JSON.stringify([words(s.prompt), words(s.reference)]);
    if (!prompts.has(key)) prompts.set(key, {prompt: words(s.prompt), reference: words(s.reference), before: new Map(), after: []});
    const all = prompts.get(key);
    if (words(s.before)) all.before.set(words(s.before), all.before.size);
    all.after.push([run, s]);
  }
  if (prompts.size === 0) return null;
  const line = (name, text, kind) => [html("dt", {class: kind}, name), html("dd", {class: kind}, text || html("i", {}, "(nothing)"))];
  const item = ({prompt, reference, before, after}) => html("article", {class: "sample"},
    html("p", {class: "prompt"}, prompt || "(no prompt)"),
    html("dl", {}, reference ? line("reference", reference, "reference") : null,
      before.size === 1 ? line("untuned", [...before.keys()][0], "before") : null,
      after.map(([run, s]) => [
        before.size > 1 ? line([swatch(run, false), `${name_of(run)}, before`], words(s.before), "before") : null,
        line([swatch(run, false), html("span", {}, name_of(run))], words(s.after), "after")])));
  const shown = figure("Before and after", "The same beginnings, continued by the base as it was and by each tuned model.",
    limited([...prompts.values()].map(item), 3));
  shown.classList.add("wide");
  return shown;
}
