"""The report in a headless Chromium: report_test.py WRITE_REPORT_PAGE [--pictures FOLDER] [REPORT.html ...]

On made-up data, and each REPORT (of real runs) as far as one can know what it must hold.

Every check is a function of an open page; a failure says what was expected and what was there. Needs chromium, and nothing of
Python's but its own library.
"""
import argparse
import copy
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from chromium import Page

here = Path(__file__).parent
data = json.loads((here / "data.json").read_text())
sections = ["Methods compared", "Learning curves", "Score against trained parameters", "Peak memory while training",
            "What low-rank training changed", "Attention to the prefix", "Words nearest to the virtual tokens"]
text_of_tip = "(tip => tip.hidden ? null : tip.innerText)(document.getElementById('tip'))"


def expect(ok, *words):
    if not ok:
        raise AssertionError(" ".join(str(w) for w in words))


def quiet(page):
    expect(page.complaints == [], "the console is not empty:", page.complaints)


def middle(page, which):
    """Where the first element that `which`, an expression, finds is: brought into view, its middle."""
    page.run(f"({which}).scrollIntoView({{block: 'center', behavior: 'instant'}})")
    page.settle()
    box = page.run(f"(b => [b.left + b.width / 2, b.top + b.height / 2])(({which}).getBoundingClientRect())")
    return box


def figure(title, selector, task=0):
    return (f"[...document.querySelectorAll('#task-{task} figure')].find(f => f.querySelector('h3').textContent === "
            f"{json.dumps(title)}).querySelector({json.dumps(selector)})")


# --- the checks --------------------------------------------------------------------------------------------------------

def shows_what_there_is(page):
    heads = page.run("[0, 1, 2].map(i => [...document.querySelectorAll(`#task-${i} h3`)].map(h => h.textContent))")
    expect(heads[0] == sections + ["Before and after"], "the first task shows", heads[0])
    expect(heads[1] == sections + ["Votes of the prompt ensemble", "Confusion tables"], "the second task shows", heads[1])
    expect("Score against trained parameters" not in heads[2], "one run makes no trade-off, but there is", heads[2])
    expect(page.run("document.querySelectorAll('figure').length === document.querySelectorAll('figcaption').length"),
           "a figure without a sentence that says how to read it")
    expect(page.run("document.title") == data["title"], "the title is", page.run("document.title"))
    expect(not page.run("/NaN|undefined|Infinity|\\[object/.test(document.body.innerText)"), "a value that is none is shown as one")
    wrong = page.run("[...document.querySelectorAll('svg *')].flatMap(e => [...e.attributes]).map(a => a.value)"
                     ".filter(v => /NaN|undefined|Infinity/.test(v)).slice(0, 3)")
    expect(wrong == [], "drawn with no number:", wrong)


def table_holds_the_data(page):
    rows = page.run("[...document.querySelectorAll('#task-0 tbody tr')].map(r => (r.querySelectorAll('.unseen')"
                    ".forEach(e => e.remove()), r.innerText.replace(/\\s+/g, ' ')))")
    expect(len(rows) == 11, "10 methods and the untuned base are 11 rows, not", rows)
    expect(rows[1].split(" ")[:7] == ["LoRA", "57.1", "±", "0.8", "49,152", "4.16", "%"], "LoRA's row is", rows[1])
    expect("192 KiB" in rows[1] and "12.1 MiB" in rows[1] and "29 ms" in rows[1] and "+7 %" in rows[1], "LoRA's row is", rows[1])
    expect("less than half of the best gain" in rows[5], "prompt tuning does not say that it loses:", rows[5])
    expect("less than half" not in rows[4], "prefix tuning is said to lose:", rows[4])
    expect(rows[8] == "P-tuning v1 answers by label words; this task has none", "an absent method's row is", rows[8])
    review = page.run("[...document.querySelectorAll('#task-1 tbody tr')].map(r => r.innerText).find(r => /P-tuning v1/.test(r))")
    expect("not above the untuned base" in review, "P-tuning v1 does not say that it is below the base:", review)


def table_sorts(page):
    names = "[...document.querySelectorAll('#task-0 tbody tr th')].map(h => h.innerText.trim())"
    by_score = sorted((r for r in data["tasks"][0]["runs"] if "score" in r), key=lambda r: -r["score"])
    x, y = middle(page, "document.querySelectorAll('#task-0 thead button')[1]")
    page.click(x, y)
    expect(page.run(names)[:7] == [r["method"] for r in by_score], "sorted by score:", page.run(names))
    expect(page.run("document.querySelector('#task-0 th:nth-child(2)').ariaSort") == "descending", "aria-sort is not told")
    page.click(x, y)
    expect(page.run(names)[:8] == ["Base, untuned"] + [r["method"] for r in reversed(by_score)], "the other way:", page.run(names))


def mouse_shows_values(page):
    x, y = middle(page, figure(sections[1], ".reading"))
    page.mouse(x, y)
    said = page.run(text_of_tip)
    expect(said and re.search(r"step \d+", said) and "LoRA" in said and "Prompt tuning" in said, "over the curves:", said)
    page.mouse(*middle(page, figure(sections[2], ".mark")))
    said = page.run(text_of_tip)
    expect(said and "58.4 ± 0.6" in said and "1,180,928" in said, "over full fine-tuning's point:", said)
    page.mouse(*middle(page, figure(sections[3], ".part")))
    said = page.run(text_of_tip)
    expect(said and "trained parameters" in said and "4.5 MiB" in said, "over full fine-tuning's first bar:", said)
    first = data["tasks"][0]["runs"][1]["delta"][0]
    page.mouse(*middle(page, figure(sections[4], ".cell")))
    said = page.run(text_of_tip)
    expect(said and first["name"] in said and str(first["norm"]) in said, "over the first square of the changes:", said)
    page.mouse(2, 2)
    expect(page.run(text_of_tip) is None, "the tooltip stays when the mouse has left")


def legend_hides_a_line(page):
    lines = "document.querySelectorAll('#task-0 .line').length"
    before = page.run(lines)
    page.click(*middle(page, figure(sections[1], ".legend button")))
    expect(page.run(lines) == before - 1, "a click in the legend leaves", page.run(lines), "of", before, "lines")
    page.click(*middle(page, figure(sections[1], ".legend button")))
    expect(page.run(lines) == before, "and a second one does not bring it back")


def scales_and_kinds_change(page):
    ticks = f"[...{figure(sections[1], 'svg')}.closest('.plot').querySelectorAll('.axes text')].map(t => t.textContent).join()"
    linear = page.run(ticks)
    page.click(*middle(page, figure(sections[1], ".controls .toggle")))
    log = page.run(ticks)
    expect("(log)" in log and log != linear, "the log scale has the ticks", log)
    page.click(*middle(page, figure(sections[1], ".choose label:nth-child(3)")))
    expect("held-out BLEU" in page.run(ticks), "held-out BLEU has the ticks", page.run(ticks))


def a_square_shows_its_singular_values(page):
    name = f"[...{figure(sections[4], '.pair')}.querySelectorAll('text.label')].map(t => t.textContent).pop()"
    page.click(*middle(page, figure(sections[4], ".cell")))
    expect(page.run(name) == "layers.0.attn.q", "the singular values are those of", page.run(name))


def keyboard_reaches_values(page):
    page.run("document.activeElement.blur(); window.scrollTo(0, 0)")
    reached = []
    for _ in range(120):
        page.key("Tab")
        where = page.run("(e => [e.tagName, e.closest('figure')?.querySelector('h3').textContent, e.closest('section')?.id])"
                         "(document.activeElement)")
        if where[2] == "task-1":
            break
        said = page.run(text_of_tip)
        if said and (not reached or reached[-1][0] != where[1]):
            page.key("ArrowRight")
            reached.append((where[1], said, page.run(text_of_tip)))
    expect(list(dict.fromkeys(r[0] for r in reached)) == sections[1:],
           "the Tab key showed values in", [r[0] for r in reached])
    for title, first, second in reached:
        if title != sections[1]:  # the curves begin at the last step
            expect(second and second != first, title, "stays at", first, "when an arrow is pressed")
    page.key("Escape")
    expect(page.run(text_of_tip) is None, "Escape does not close the tooltip")


def touch_shows_values(page):
    page.tap(*middle(page, figure(sections[2], ".mark")))
    said = page.run(text_of_tip)
    expect(said and "58.4" in said, "a finger on full fine-tuning's point:", said)
    page.tap(*middle(page, figure(sections[1], ".reading")))
    expect(re.search(r"step \d+", page.run(text_of_tip) or ""), "a finger on the curves:", page.run(text_of_tip))


def fits_the_screen(page):
    width, inside = page.run("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
    expect(inside <= width, f"the page is {inside} px wide on a screen of {width}")
    small = page.run("Math.min(...[...document.querySelectorAll('.plot svg text')].map(t => t.getBoundingClientRect().height))")
    expect(small is None or small >= 11, "a chart's letters are only", small, "px high")
    seen = page.run("[...document.querySelectorAll('.plot:not(.scroll)')].filter(p => [...p.querySelectorAll('svg text')].some(t => "
                    "t.getBoundingClientRect().right > p.getBoundingClientRect().right + 9)).map(p => p.closest('figure').innerText)")
    expect(seen == [], "text leaves its chart in", seen)


def stands_still_without_scripts(page):
    """Tables and curves of every task, in the page as it was written."""
    with page.without_scripts():
        counts = page.run("[document.querySelector('#main').children.length, document.querySelectorAll('.plain h2').length, "
                          "document.querySelectorAll('.plain tbody tr').length, document.querySelectorAll('.plain svg').length]")
        runs = [run for task in data["tasks"] for run in task["runs"] if run and "absent" not in run]
        wanted = [0, len(data["tasks"]), len(runs), sum(any(run and run.get("curve") for run in task["runs"]) for task in data["tasks"])]
        expect(counts == wanted, "without scripts there are", counts, "and not", wanted)
        expect(page.run("document.querySelector('.plain').innerText").count("58.4") >= 1, "the score of full fine-tuning is missing")
        width, inside = page.run("[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
        expect(inside <= width, f"without scripts the page is {inside} px wide on a screen of {width}")


def prints(page):
    pdf = page.pdf()
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    expect(pdf.startswith(b"%PDF-") and len(pdf) > 50000 and pages >= 3, "the PDF has", len(pdf), "bytes and", pages, "pages")
    return pdf


def strings_stay_text(page):
    expect(page.run("window.hacked") is None, "a string of the data was run:", page.run("window.hacked"))
    bad = data["tasks"][2]["title"]
    expect(page.run("document.querySelector('#task-2 h2').textContent") == bad, "the title is not shown as it is")
    inside = page.run("document.querySelectorAll('main script, main img, main b b').length")
    expect(inside == 0, inside, "elements were made out of strings")
    links = page.run("[...document.querySelectorAll('a')].map(a => a.href).filter(h => !/^(file|https?):/.test(h))")
    expect(links == [], "links that lead to", links)
    expect(page.run("DATA.tasks[2].runs[0].samples[0].after").startswith("\u2028\u2029\0 long"), "U+2028 did not arrive")


def contrast_is_good(page):
    """WCAG 2.1, 1.4.3: texts 4.5 to 1; 1.4.11: what charts are drawn with 3 to 1, against the card that they lie on."""
    low = page.run("""(() => {
      const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
      const rgb = colour => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
        return [...paint.getImageData(0, 0, 1, 1).data]; };
      const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
      const ratio = (a, b) => { const [x, y] = [light(rgb(a)), light(rgb(b))]; return (Math.max(x, y) + .05) / (Math.min(x, y) + .05); };
      const found = [], style = getComputedStyle(document.documentElement), value = name => style.getPropertyValue(name).trim();
      for (const e of document.querySelectorAll('#task-0 *, #task-1 *, header *')) {
        if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
        let ground = value('--ground');
        const cell = e.closest('.cell');
        if (cell) ground = getComputedStyle(cell.querySelector('rect')).fill;
        else for (let up = e; up; up = up.parentElement) {
          const c = getComputedStyle(up).backgroundColor;
          if (rgb(c)[3] === 255) { ground = c; break; }
        }
        const ink = e.namespaceURI.endsWith('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color;
        if (ratio(ink, ground) < 4.5) found.push(`${e.textContent.slice(0, 20)}: ${ink} on ${ground}`);
      }
      for (let i = 0; i < 10; ++i) if (ratio(value(`--c${i}`), value('--surface')) < 2.2) found.push(`--c${i}`);
      return found.slice(0, 5);
    })()""")
    expect(low == [], "hard to read:", low)


# --- the data ----------------------------------------------------------------------------------------------------------

def twenty_runs():
    many = copy.deepcopy(data)
    task, lora = many["tasks"][0], many["tasks"][0]["runs"][1]
    del many["tasks"][1:]
    task["runs"] = []
    for i in range(20):
        run = copy.deepcopy(lora)
        run.update(id=f"m{i}", method=f"Method number {i}", trainable=3 ** (3 + i % 9) * 7, score=5 + 2.3 * ((i * 7) % 20))
        task["runs"].append(run)
    return many


def one_run():
    one = copy.deepcopy(data)
    one["tasks"] = [{"title": "One", "kind": "language", "score_name": "NLL", "higher_is_better": False,
                     "runs": [{"id": "a", "method": "A", "trainable": 1, "score": 2.5, "scores": [2.5]}]}]
    return one


def hold_what_they_must(page):
    fits_the_screen(page)
    expect(not page.run("/NaN|undefined|Infinity|could not be drawn/.test(document.body.innerText)"), "a value that is none is shown")


cases = [  # name, data, (width, height, dark, touch), checks: each on a page that was just opened
    ("desktop", data, (1280, 900), [shows_what_there_is, table_holds_the_data, table_sorts, mouse_shows_values, legend_hides_a_line,
                                    scales_and_kinds_change, a_square_shows_its_singular_values, keyboard_reaches_values,
                                    strings_stay_text, contrast_is_good, fits_the_screen,
                                    stands_still_without_scripts, prints]),
    ("dark", data, (1280, 900, True), [contrast_is_good]),
    ("phone", data, (375, 700, False, True), [fits_the_screen, touch_shows_values, stands_still_without_scripts]),
    ("tablet", data, (820, 1100, False, True), [fits_the_screen]),
    ("twenty", twenty_runs(), (1280, 900), [hold_what_they_must, prints]),
    ("twenty-phone", twenty_runs(), (375, 700, False, True), [hold_what_they_must]),
    ("one", one_run(), (375, 700), [hold_what_they_must]),
    ("nothing", {"title": "Nothing", "tasks": []}, (1280, 900), [hold_what_they_must]),
    ("strange", {"tasks": [None, {}, {"runs": []}, {"runs": [None, {}], "labels": 3}], "base": None, "seeds": "x"}, (1280, 900),
     [hold_what_they_must]),
]


def shows_something(page):
    hold_what_they_must(page)
    for part in (".reading", ".plot .mark"):
        if page.run(f"document.querySelector('{part}') !== null"):
            page.mouse(*middle(page, f"document.querySelector('{part}')"))
            expect(page.run(text_of_tip), part, "shows no value under the mouse")
    expect(page.run("document.querySelectorAll('.methods tbody tr').length > 0"), "no method in any table")


def main():
    words = argparse.ArgumentParser()
    words.add_argument("program")
    words.add_argument("--pictures")
    words.add_argument("reports", nargs="*")
    words = words.parse_intermixed_args()
    pictures, failed, count = words.pictures, 0, 0
    given = [(Path(report).stem + kind, Path(report), window, [shows_something, prints])
             for report in words.reports for kind, window in (("", (1280, 900)), ("-phone", (375, 700, False, True)))]
    with tempfile.TemporaryDirectory() as folder, Page() as page:
        for name, content, window, checks in cases + given:
            report = content
            if isinstance(content, dict):
                report = Path(folder, name + ".html")
                Path(folder, "data.json").write_text(json.dumps(content))
                subprocess.run([words.program, Path(folder, "data.json"), report], check=True)
            for check in checks:
                count += 1
                page.complaints.clear()
                page.window(*window)
                page.open(report)
                try:
                    check(page)
                    quiet(page)
                except (AssertionError, RuntimeError) as error:
                    failed += 1
                    print(f"FAILED {name}, {check.__name__}: {error}")
            if pictures:
                page.open(report)
                page.window(window[0], page.run("document.documentElement.scrollHeight"), *window[2:])
                page.settle()
                Path(pictures).mkdir(parents=True, exist_ok=True)
                page.screenshot(Path(pictures, name + ".png"))
    print(f"{count - failed} of {count} checks of the report passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
