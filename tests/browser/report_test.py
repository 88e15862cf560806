#!/usr/bin/env python3
"""Looks at the report in headless Chromium: report_test.py WRITE_REPORT_PAGE [REPORT.html ...]

WRITE_REPORT_PAGE makes a page of made-up data with everything in it that can go wrong: strings that look like HTML, numbers that are
missing, methods that have no run. Further pages (of a real run) are looked at as well. In each: no word on the console, all
sections drawn, a tooltip on hover and on focus, sorting, legends, no horizontal scrolling on a phone, and it prints.
"""
import html
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

WIDTHS = {"desktop": 1280, "phone": 375}
# Runs in the page after it is drawn; what it finds is left as text for --dump-dom.
PROBE = r"""
<script>
addEventListener("load", () => {
  const seen = {};
  const all = (q) => [...document.querySelectorAll(q)];
  seen.width = innerWidth;
  seen.overflow = document.documentElement.scrollWidth - innerWidth;
  seen.headings = all("h1, h2, h3").map((e) => e.textContent);
  seen.charts = all("main svg[role=img]").length;
  seen.marks = all("main svg [data-tip]").length;
  seen.rows = all("main section:first-of-type .card:first-of-type tbody tr").length;
  seen.text = document.body.innerText;
  seen.scripts = all("script").length;
  seen.images = all("img, iframe, link[href^=http]").length;
  const tip = document.getElementById("tip"), target = document.querySelector("main [data-tip]");
  if (target) {
    target.dispatchEvent(new PointerEvent("pointerover", { bubbles: true, clientX: 200, clientY: 200 }));
    seen.hover = tip.style.visibility === "visible" ? tip.textContent : "";
    document.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
    seen.hidden = tip.style.visibility;
    const focusable = document.querySelector("main [data-tip][tabindex='0']");
    focusable.focus();
    seen.focus = tip.style.visibility === "visible" ? tip.textContent : "";
    const box = tip.getBoundingClientRect();
    seen.inside = box.left >= 0 && box.right <= innerWidth;
  }
  const first = () => document.querySelector("tbody td").textContent;
  const scores = document.querySelectorAll("thead th button")[1];
  const order = () => all("main section:first-of-type .card:first-of-type tbody tr").map((r) => r.textContent);
  const before = order();
  scores.click();
  const up = order();
  scores.click();
  seen.sorted = JSON.stringify(up) !== JSON.stringify(order()) || before.length < 2;
  const legend = document.querySelector(".legend button");
  if (legend) {
    const lines = () => all("main svg path[fill=none]").length, drawn = lines();
    legend.click();
    seen.legend = lines() < drawn;
  }
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify(seen);
  document.body.appendChild(out);
});
</script>
"""
failures = []


def check(ok, what):
    if not ok:
        failures.append(what)
        print("FAILED:", what)


def chromium(arguments):
    command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
               "--virtual-time-budget=3000"]
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(command + [f"--user-data-dir={home}"] + arguments, capture_output=True, text=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def look(page, made_up):
    name = page.name
    text = page.read_text()
    check(not re.search(r"(src|href)=[\"']?https?:", text), f"{name}: something is fetched from elsewhere")
    with tempfile.TemporaryDirectory() as folder:
        probed = pathlib.Path(folder) / "probed.html"
        probed.write_text(text.replace("</body>", PROBE + "</body>"))
        for device, width in WIDTHS.items():
            # Headless Chromium makes no window narrower than about 500, so a frame of the width holds the page.
            frame = pathlib.Path(folder) / f"{device}.html"
            frame.write_text(f'<body style="margin:0"><iframe src="probed.html" style="border:0;width:{width}px;height:900px"></iframe>'
                             '<script>addEventListener("load",()=>{const p=document.createElement("pre");p.id="outer";'
                             'p.textContent=frames[0].document.getElementById("probe").textContent;document.body.appendChild(p)})</script>')
            dom, console = chromium(["--allow-file-access-from-files", "--window-size=1400,1000", "--dump-dom", frame.as_uri()])
            check(not console, f"{name} on a {device}: the console says {console[:2]}")
            found = re.search(r'<pre id="outer">(.*?)</pre>', dom, re.S)
            check(found is not None, f"{name} on a {device}: the page was not drawn")
            if not found:
                continue
            seen = json.loads(html.unescape(found.group(1)))
            check(seen["width"] == width, f"{name}: the {device} is {seen['width']} wide")
            check(seen["overflow"] <= 0, f"{name} on a {device}: {seen['overflow']} pixels wider than the screen")
            check(seen["charts"] >= 3 and seen["marks"] > 10, f"{name}: only {seen['charts']} charts, {seen['marks']} marks")
            check(bool(seen["hover"]), f"{name} on a {device}: hovering shows nothing")
            check(seen["hidden"] == "hidden", f"{name}: the tooltip stays")
            check(bool(seen["focus"]) and seen["inside"], f"{name} on a {device}: focus shows nothing, or beyond the edge")
            check(seen["sorted"], f"{name}: a click on a heading sorts nothing")
            check(seen.get("legend", True), f"{name}: a click in the legend hides nothing")
            check(seen["images"] == 0, f"{name}: it has images or frames")
            for odd in ("NaN", "undefined", "Infinity", "[object"):
                check(odd not in seen["text"], f"{name} on a {device}: it says {odd}")
            if made_up:
                check(seen["scripts"] == 2, f"{name}: text of the data became a script")  # the page's own, and the probe
                check("<script>alert(1)</script>" in seen["text"] and "<b>bold</b>" in seen["text"], f"{name}: text is not shown as it is")
                for heading in ("All methods", "Learning curves", "Held-out loss", "Score against trained parameters",
                                "Memory by what it is for", "LoRA: which layers moved", "LoRA: singular values of ΔW",
                                "prefix tuning: attention to the prefix", "prompt tuning: nearest words of each virtual token",
                                "prompt ensemble: how the prompts voted", "Before and after", "LoRA: what it takes for what"):
                    check(heading in seen["headings"], f"{name}: there is no \"{heading}\"")
                check(seen["rows"] == 6, f"{name}: {seen['rows']} rows instead of 6")
                check("needs classes" in seen["text"], f"{name}: why a method is absent is not said")
        pdf = pathlib.Path(folder) / "page.pdf"
        chromium([f"--print-to-pdf={pdf}", page.as_uri()])
        check(pdf.exists() and pdf.read_bytes()[:5] == b"%PDF-" and pdf.stat().st_size > 20000, f"{name}: it does not print")


here = pathlib.Path(__file__).resolve().parent
with tempfile.TemporaryDirectory() as folder:
    page = pathlib.Path(folder) / "made-up.html"
    subprocess.run([sys.argv[1], str(here / "data.json"), str(page)], check=True)
    look(page, True)
for name in sys.argv[2:]:
    look(pathlib.Path(os.path.abspath(name)), False)
print(f"{1 + len(sys.argv[2:])} pages looked at, " + ("all is well" if not failures else f"{len(failures)} complaints"))
sys.exit(bool(failures))
