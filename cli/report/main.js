// The page: its head, then for each task what it has data for.

const fact = (name, value, note) => value === null || value === undefined || value === "" || value === unknown ? null :
  html("div", {}, html("dt", {}, name), html("dd", {}, value, note ? html("small", {}, note) : null));

function head(data) {
  const base = data.base || {}, title = words(data.title) || "Report";
  document.title = title;
  return [html("p", {class: "brand"}, "graft"), html("h1", {}, title),
    words(data.command) ? html("p", {class: "command"}, html("code", {}, words(data.command))) : null,
    html("dl", {class: "facts"},
      fact("Base model", words(base.name), words(base.note)), fact("Parameters", known(base.parameters) ? count(base.parameters) : null),
      fact("Context", known(base.context) ? whole(base.context) : null), fact("Vocabulary", known(base.vocabulary) ? whole(base.vocabulary) : null),
      fact("Seeds", list(data.seeds).map(words).join(", ")), fact("Machine", words(data.machine)), fact("Made", words(data.made)))];
}

/// The finding in one or two sentences, worked out from the scores.
function finding(task) {
  const best = best_of(task), score = score_text(task), runs = finished(task);
  if (!best || runs.length < 2) return null;
  const from = known(task.untuned) ? task.untuned : task.majority;
  const parts = [html("b", {}, name_of(best).replace(/^\p{L}/u, first => first.toUpperCase())), ` scores best, ${score(best.score)} ${words(task.score_name)}`,
    known(task.untuned) ? `, where the untuned base has ${score(task.untuned)}.` : known(task.majority) ?
      `, where the commonest answer gives ${score(task.majority)}.` : "."];
  const near = runs.filter(r => known(r.score) && known(r.trainable) && known(from) && (r.score - from) / (best.score - from) >= .9);
  const least = near.reduce((a, b) => a === null || b.trainable < a.trainable ? b : a, null);
  if (least && least !== best) parts.push(" ", html("b", {}, name_of(least)),
    ` reaches ${percent((least.score - from) / (best.score - from))} of that gain with the fewest trained parameters, ${whole(least.trainable)}` +
    (known(least.share) ? ` (${percent(least.share)}).` : "."));
  const losers = runs.filter(r => loss_of(task, r, best) !== "").length;
  if (losers) parts.push(` ${losers} of ${runs.length} ${losers === 1 ? "falls" : "fall"} far behind: see the table.`);
  return html("p", {class: "finding"}, parts);
}

function section(task, i) {
  const parts = [table, curves, tradeoff, memory, delta, prefix, virtual_tokens, votes, confusion, samples];
  const made = list(task.runs).some(Boolean) ? parts.map(part => {
    try {
      return part(task);
    } catch (error) {  // one part that does not know what to make of its data must not take the others with it
      console.error(error);
      return html("figure", {}, html("p", {class: "empty"}, `This part could not be drawn: ${error.message}`));
    }
  }) : [html("p", {class: "empty"}, "No method was run on this task.")];
  const figures = made.filter(Boolean), wide = f => !f || f.classList.contains("wide");
  figures.forEach((f, i) => {  // the last of an odd number in rows of two would leave a hole
    let first = i;
    while (!wide(f) && first > 0 && !wide(figures[first - 1])) --first;
    if (!wide(f) && wide(figures[i + 1]) && (i - first) % 2 === 0) f.classList.add("filling");
  });
  return html("section", {id: `task-${i}`, "aria-labelledby": `name-${i}`},
    html("p", {class: "kind"}, words(task.kind)), html("h2", {id: `name-${i}`}, words(task.title) || words(task.id) || `Task ${i + 1}`),
    words(task.note) ? html("p", {class: "note"}, words(task.note)) : null, finding(task), html("div", {class: "figures"}, figures));
}

(function build() {
  const data = DATA || {}, tasks = list(data.tasks).filter(Boolean), main = document.getElementById("main");
  document.getElementById("head").append(...head(data).filter(Boolean));
  if (tasks.length > 1) document.getElementById("head").append(html("nav", {"aria-label": "Tasks"}, tasks.map((task, i) =>
    html("a", {href: `#task-${i}`}, cut(words(task.title) || words(task.id) || `Task ${i + 1}`, 60)))));
  main.append(...tasks.map(section));
  if (tasks.length === 0) main.append(html("p", {class: "empty"}, "There is nothing to report: the data hold no task."));
  document.getElementById("foot").append("One file, nothing is fetched. The numbers are in its source, behind “const DATA”.");
})();
