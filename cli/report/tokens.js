// Virtual tokens and prefixes: where attention goes to a trained prefix, and which words of the vocabulary lie nearest to
// each virtual token.

function prefix_view(run) {
  const values = run.prefix_attention.map(list), heads = Math.max(...values.map(row => row.length));
  const most = Math.max(0, ...values.flat().filter(known));
  return html("div", {}, heat_map({
    label: "share of attention on the prefix by layer and head", row_name: "layer", column_name: "head",
    rows: values.map((_, r) => String(r)), columns: Array.from({length: heads}, (_, c) => String(c)), values, most: most || 1,
    text: v => (100 * v).toFixed(0), widest: 92,
    content: (r, c) => ({head: `layer ${r}, head ${c}`, rows: [{run, label: "on the prefix", value: percent(values[r][c])}]}),
  }), heat_key("0 %", percent(most)));
}
function prefix(task) {
  const runs = finished(task).filter(r => list(r.prefix_attention).some(row => list(row).some(known)));
  return runs.length === 0 ? null : figure("Attention to the prefix",
    "The share, in percent, of each head's attention that goes to the trained prefix and not to the text: strong heads use it.",
    by_run(runs, prefix_view));
}

/// A word of a byte-level vocabulary with its blanks made visible.
const word_text = word => words(word).replace(/ /g, "␣").replace(/\n/g, "⏎").replace(/\t/g, "⇥") || "∅";

function token_row(token, i) {
  const near = list(token && token.near).filter(n => n);
  return html("div", {class: "token"}, html("b", {}, known(token && token.index) ? whole(token.index) : String(i)),
    rove(html("div", {class: "near"}, near.map(n => mark(html("span", {class: "word",
      style: `--share:${known(n.cosine) ? Math.max(0, Math.min(100, 100 * n.cosine)).toFixed(0) : 0}%`},
      cut(word_text(n.word), 40), html("small", {}, short(n.cosine, 2))),
      () => ({head: cut(word_text(n.word), 200), rows: [{label: "cosine", value: short(n.cosine)}]}))))));
}
function virtual_tokens(task) {
  const runs = finished(task).filter(r => list(r.virtual_tokens).some(t => t && list(t.near).length > 0));
  return runs.length === 0 ? null : figure("Words nearest to the virtual tokens",
    "By the cosine of the embeddings, ␣ is a blank: far from every word (below about 0.3) means that training left the vocabulary.",
    by_run(runs, run => limited(run.virtual_tokens.map(token_row), 8)));
}
