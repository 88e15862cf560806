// What charts are made of: a figure with its title, controls and reading help; scales; axes. A chart is drawn for the width
// that it has, so that letters keep their size on a telephone, and again when the width changes or the page is printed.

const redraws = new Set();  // functions of a width, or of nothing: the width there is
const printed_width = 660;
addEventListener("beforeprint", () => redraws.forEach(redraw => redraw(printed_width)));
addEventListener("afterprint", () => redraws.forEach(redraw => redraw()));

/// A box that holds draw(width), an SVG element.
function canvas(draw) {
  const box = html("div", {class: "plot"});
  let width = 0;
  const redraw = asked => {
    width = asked || box.clientWidth;
    if (width > 0) box.replaceChildren(draw(width));
  };
  redraws.add(redraw);
  new ResizeObserver(() => { if (box.clientWidth !== width) redraw(); }).observe(box);
  return {box, redraw: () => redraw()};
}

/// title, the parts, and one sentence that says how to read them.
const figure = (title, read, ...parts) => html("figure", {},
  html("h3", {}, title), ...parts, html("figcaption", {}, read));

/// Buttons of which one is chosen. choices: [[value, label]].
let groups = 0;
function choose(label, choices, chosen, on_choice) {
  const group = `choice${groups++}`;
  return html("div", {class: "choose", role: "radiogroup", "aria-label": label}, choices.map(([value, text]) =>
    html("label", {}, html("input", {type: "radio", name: group, checked: value === chosen, change: () => on_choice(value)}),
      html("span", {}, text))));
}
function toggle(text, pressed, on_change) {
  const button = html("button", {type: "button", class: "toggle", "aria-pressed": String(pressed), click: () => {
    pressed = !pressed;
    button.setAttribute("aria-pressed", String(pressed));
    on_change(pressed);
  }}, text);
  return button;
}

/// All of a long list behind a button, the first n before it.
function limited(items, n) {
  const box = html("div", {class: "limited"}, items.slice(0, n));
  if (items.length > n)
    box.append(html("button", {type: "button", class: "more", click: event => {
      event.target.replaceWith(...items.slice(n));
      (items[n].querySelector("[tabindex='0'], button") || box).focus?.();
    }}, `show all ${items.length}`));
  return box;
}

// --- scales: from a value to a place, with ticks [[value, text]] --------------------------------------------------------

function linear_scale(low, high, from, to, tick_count = 5, text = short) {
  if (!(high > low)) { const pad = Math.abs(low) * .1 || 1; low -= pad; high += pad; }
  const rough = (high - low) / tick_count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find(m => m * power >= rough * .75);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) ticks.push([k * step, text(k * step, 4)]);
  return {of: v => from + (v - low) / (high - low) * (to - from), back: p => low + (p - from) / (to - from) * (high - low), ticks};
}
function log_scale(low, high, from, to, text = short, room = 8) {
  if (!(high > low)) { low /= 2; high *= 2; }
  const a = Math.log10(low), b = Math.log10(high), steps = b - a < 1.2 ? [1, 2, 3, 5, 7] : b - a < 2.5 ? [1, 2, 5] : [1];
  const stride = Math.ceil((b - a) / room), ticks = [];
  for (let e = Math.floor(a); e <= b; ++e)
    if (((e % stride) + stride) % stride === 0)
      for (const m of steps) if (m * 10 ** e >= low * .999 && m * 10 ** e <= high * 1.001) ticks.push([m * 10 ** e, text(m * 10 ** e)]);
  return {of: v => from + (Math.log10(v) - a) / (b - a) * (to - from), ticks};
}

/// Lines and numbers; `names`: what x and y are. The name of y stands above its numbers, where it is read without turning.
function axes(x, y, box, names) {
  return svg("g", {class: "axes"},
    y.ticks.map(([v, text]) => [
      svg("line", {x1: box.left, x2: box.right, y1: y.of(v), y2: y.of(v)}),
      svg("text", {x: box.left - 7, y: y.of(v) + 4, "text-anchor": "end"}, text)]),
    x.ticks.map(([v, text]) => [
      svg("line", {class: "tick", x1: x.of(v), x2: x.of(v), y1: box.bottom, y2: box.bottom + 5}),
      svg("text", {x: x.of(v), y: box.bottom + 19, "text-anchor": "middle"}, text)]),
    svg("line", {class: "base", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom}),
    svg("text", {class: "name", x: 0, y: 12}, names.y),
    svg("text", {class: "name", x: box.right, y: box.bottom + 38, "text-anchor": "end"}, names.x));
}
const sheet = (width, height, label, ...children) =>
  svg("svg", {viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": label}, children);

const pen = document.createElement("canvas").getContext("2d");
function text_width(text, size = 12.5) {
  pen.font = `${size}px ${getComputedStyle(document.body).fontFamily}`;
  return pen.measureText(text).width;
}
/// As much of a text as fits.
function fitted(text, width, size) {
  text = text.slice(0, 300);
  if (text_width(text, size) <= width) return text;
  let n = text.length;
  while (n > 1 && text_width(text.slice(0, n) + "…", size) > width) n = n > 40 ? Math.floor(n * .8) : n - 1;
  return text.slice(0, n).trimEnd() + "…";
}
