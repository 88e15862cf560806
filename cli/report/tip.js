// The one tooltip: marks show their values under a mouse, a finger or the keyboard's focus. Escape closes it.

const tip_box = document.getElementById("tip");

/// content: {head, rows: [{run | colour, label, value}], note}
function show_tip(content, x, y) {
  tip_box.replaceChildren(
    html("strong", {}, content.head),
    ...list(content.rows).map(row => html("div", {class: "row"},
      row.run ? swatch(row.run, false) : row.colour ? html("i", {class: "dot", style: `background:${row.colour}`}) : null,
      html("span", {}, row.label), html("b", {}, row.value))),
    content.note ? html("div", {class: "note"}, content.note) : "");
  tip_box.hidden = false;
  const {width, height} = tip_box.getBoundingClientRect(), page = document.documentElement;
  const beside = x + 16 + width < page.clientWidth ? x + 16 : x - 16 - width;
  const above = y - 12 - height > 4 ? y - 12 - height : y + 18;
  tip_box.style.left = Math.max(6, Math.min(beside, page.clientWidth - width - 6)) + "px";
  tip_box.style.top = Math.max(4, Math.min(above, page.clientHeight - height - 4)) + "px";
}
// What the keyboard's focus shows moves with the page; what a pointer shows is gone when the page moves under it.
let held = null;  // {element, show} of the focus
const hide_tip = () => { tip_box.hidden = true; held = null; };
function hold_tip(element, show) {
  if (!element.matches(":focus-visible")) return;
  held = {element, show};
  show();
}
const release_tip = element => { if (held && held.element === element) hide_tip(); };

document.addEventListener("keydown", event => { if (event.key === "Escape") hide_tip(); });
document.addEventListener("scroll", () => held ? held.show() : hide_tip(), {capture: true, passive: true});
document.addEventListener("pointerdown", event => { if (!event.target.closest(".mark, .plot")) hide_tip(); });

const spoken = content => [content.head, ...list(content.rows).map(row => `${row.label} ${row.value}`), content.note]
  .filter(Boolean).join(", ");

/// Makes an element a mark: it shows content() when it is pointed at, touched or focused.
function mark(element, content) {
  element.classList.add("mark");
  element.setAttribute("tabindex", "-1");
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", spoken(content()));
  const at_pointer = event => show_tip(content(), event.clientX, event.clientY);
  for (const name of ["pointerenter", "pointermove", "pointerdown"]) element.addEventListener(name, at_pointer);
  element.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") hide_tip(); });
  element.addEventListener("focus", () => hold_tip(element, () => {
    const box = element.getBoundingClientRect();
    show_tip(content(), box.left + box.width / 2, box.top + Math.min(4, box.height / 2));
  }));
  element.addEventListener("blur", () => release_tip(element));
  return element;
}

/// One tab stop for all marks in an element; the arrow keys go from mark to mark, up and down by `columns`.
function rove(element, columns = 1) {
  const marks = [...element.querySelectorAll(".mark")];
  if (marks.length === 0) return element;
  marks[0].setAttribute("tabindex", "0");
  element.addEventListener("keydown", event => {
    const by = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns}[event.key];
    const to = marks.indexOf(document.activeElement) + by;
    if (!by || !marks[to] || !element.contains(document.activeElement)) return;
    event.preventDefault();
    for (const m of marks) m.setAttribute("tabindex", m === marks[to] ? "0" : "-1");
    marks[to].focus({focusVisible: true});
  });
  return element;
}
