// A heat map: rows by columns of numbers from 0 to the largest, as the strength of one colour.

/// {rows, columns, values[r][c], row_name, column_name, content(r, c), text(v)?, most?, widest?, tall?, chosen?(r, c), on_choice?(r, c)}
/// Wider than its box if it must be: the box scrolls. Column names that are too long for their cells stand aslant.
function heat_map(map) {
  const most = map.most ?? Math.max(0, ...map.values.flat().filter(known));
  const cells = [];
  const {box, redraw} = canvas(width => {
    cells.length = 0;
    const left = 22 + Math.min(150, width * .3, 8 + Math.max(20, ...map.rows.map(r => text_width(r.slice(0, 40)))));
    const long = c => text_width(c.slice(0, 40)), wide = room => Math.max(16, Math.min(map.widest || 64, room / map.columns.length));
    const slanted = map.columns.some(c => long(c) > wide(width - left - 2) - 6);
    const lean = slanted ? Math.min(90, .7 * long(map.columns[map.columns.length - 1])) : 0;  // of the last name
    const cell = wide(width - left - 2 - lean);
    const tall = Math.max(map.tall || 0, Math.min(44, Math.max(20, cell * .8, 190 / map.rows.length), Math.max(22, cell * .8)));
    const head = 20 + (slanted ? Math.min(112, 14 + .75 * Math.max(...map.columns.map(long))) : 20);
    const bottom = head + tall * map.rows.length;
    const full = Math.max(left + cell * map.columns.length + lean, Math.min(width, 200));
    return rove(sheet(full, bottom + 6, map.label,
      svg("text", {class: "name", x: 0, y: 12}, `${map.row_name} ↓  ${map.column_name} →`),
      map.columns.map((name, c) => svg("text", {class: "label", transform:
        `translate(${left + (c + .5) * cell},${head - 7})` + (slanted ? "rotate(-48)" : ""), "text-anchor": slanted ? "start" : "middle"},
        fitted(name, slanted ? 130 : cell - 2))),
      map.rows.map((name, r) => svg("text", {class: "label", x: left - 8, y: head + (r + .5) * tall + 4, "text-anchor": "end"},
        fitted(name, left - 12))),
      map.values.map((row, r) => map.columns.map((_, c) => {
        const v = row[c], strength = known(v) && most > 0 ? Math.max(0, Math.min(1, v / most)) : 0;
        const place = {x: left + c * cell, y: head + r * tall};
        const chosen = map.chosen && map.chosen(r, c);
        const text = map.text && known(v) ? map.text(v, r, c) : "";
        const it = mark(svg("g", {class: "cell" + (chosen ? " chosen" : "") + (map.on_choice ? " click" : "")},
          svg("rect", {x: place.x + .75, y: place.y + .75, width: cell - 1.5, height: tall - 1.5, rx: 2,
            style: known(v) ? `fill:color-mix(in oklab, var(--heat) ${(100 * strength).toFixed(1)}%, var(--cold))` : "fill:none;stroke:var(--line)"}),
          text && text_width(text, 11.5) < cell - 6 ? svg("text", {class: strength > .762 ? "on-hot" : strength > .59 ? "on-warm" : "on-cold", x: place.x + cell / 2,
            y: place.y + tall / 2 + 4, "text-anchor": "middle"}, text) : null), () => map.content(r, c));
        if (map.on_choice && known(v)) {
          const pick = () => { map.on_choice(r, c); redraw(); cells[r * map.columns.length + c].focus(); };
          it.setAttribute("role", "button");
          it.addEventListener("click", pick);
          it.addEventListener("keydown", e => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); pick(); } });
        }
        cells.push(it);
        return it;
      }))), map.columns.length);
  });
  box.classList.add("scroll");
  return box;
}
/// What the strength of the colour means.
const heat_key = (low, high) => html("div", {class: "legend"}, html("span", {class: "key"}, low, html("i", {class: "ramp"}), high));
