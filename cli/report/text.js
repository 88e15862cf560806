// Elements, and numbers as text. Data come into the page as text nodes and attributes only, never as HTML.

function make(space, name, attributes, children) {
  const element = space ? document.createElementNS(space, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key, value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}
const html = (name, attributes, ...children) => make(null, name, attributes, children);
const svg = (name, attributes, ...children) => make("http://www.w3.org/2000/svg", name, attributes, children);

// Unknown numbers: absent, null (so NaN and infinity arrive), or not a number at all.
const known = x => typeof x === "number" && Number.isFinite(x);
const list = x => Array.isArray(x) ? x : [];
const words = x => typeof x === "string" ? x : x === null || x === undefined ? "" : String(x);
const unknown = "–";

/// About n significant digits, without an exponent where people use none.
function short(x, n = 3) {
  if (!known(x)) return unknown;
  const size = Math.abs(x);
  if (x === 0) return "0";
  if (size >= 1e7 || size < 1e-4) return x.toExponential(n - 1).replace("e+", "e").replace("-", "−").replace("e-", "e−");
  const digits = Math.max(0, n - 1 - Math.floor(Math.log10(size)));
  return x.toLocaleString("en-US", {maximumFractionDigits: Math.min(digits, 8)}).replace("-", "−");
}
const whole = x => known(x) ? Math.round(x).toLocaleString("en-US") : unknown;
/// 294912 -> 295k
function count(x) {
  if (!known(x)) return unknown;
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (Math.abs(x) >= size) return short(x / size) + letter;
  return short(x);
}
function bytes(x) {
  if (!known(x)) return unknown;
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]])
    if (Math.abs(x) >= size) return short(x / size) + " " + unit;
  return whole(x) + " B";
}
const percent = x => known(x) ? short(100 * x, Math.abs(x) >= 0.9995 ? 4 : 3) + " %" : unknown;
function seconds(x) {
  if (!known(x)) return unknown;
  return Math.abs(x) >= 1 ? short(x) + " s" : Math.abs(x) >= 1e-3 ? short(1e3 * x) + " ms" : short(1e6 * x) + " µs";
}
/// At most n characters, the last of them "…".
const cut = (text, n) => text.length > n ? text.slice(0, Math.max(1, n - 1)).trimEnd() + "…" : text;

/// Where a link may lead: over http(s). A path of the repository would lead nowhere from where the report is.
const safe_link = to => typeof to === "string" && /^https?:\/\/[^\s]+$/.test(to) ? to : null;
