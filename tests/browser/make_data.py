"""Writes data.json beside this file: a made-up comparison with everything that a report can show, for report_test.py.

The numbers are invented (a fixed seed) and say nothing about the methods. The last task is there to break the page: strings
that would be HTML, names of any length, unknown numbers, lists that end early.
"""
import json
import math
import random
from pathlib import Path

random.seed(7)
MIB = 2**20


def curve(steps, first, last, noise, every=1):
    at = list(range(1, steps + 1, every))
    fall = [last + (first - last) * math.exp(-5 * s / steps) for s in at]
    return {"step": at, "loss": [round(v * (1 + random.gauss(0, noise)), 4) for v in fall]}


def evaluations(steps, first, last, low, high):
    at = list(range(0, steps + 1, steps // 6))
    part = [1 - math.exp(-4 * s / steps) for s in at]
    return {"step": at, "loss": [round(first + (last - first) * p, 4) for p in part],
            "score": [round(low + (high - low) * p * random.uniform(.9, 1), 4) for p in part]}


def run(id, method, page, trainable, score, spread, ms, state, extra, steps=240, untuned=3.2, last=1.2):
    of_all = 1180928
    frozen = 0 if id == "full" else of_all * 4
    peak = {"frozen": frozen if id != "qlora" else frozen // 6, "parameters": trainable * 4, "gradients": trainable * 4,
            "optimizer": trainable * 8, "activations": int(state * MIB), "other": int(.4 * MIB)}
    peak["total"] = sum(peak.values())
    scores = [round(score + spread * d, 4) for d in (-1, 0, 1)]
    return {"id": id, "method": method, "page": f"docs/methods/{page}.md" if page else None, "trainable": trainable,
            "share": trainable / of_all, "scores": scores, "score": score, "spread": spread, "seconds_per_step": ms / 1000,
            "steps": steps, "peak": peak, "adapter_bytes": trainable * 4 + 480, "inference_extra": extra,
            "curve": curve(steps, 5.2, last, .07, 2), "evaluations": evaluations(steps, 5.1, last * 1.07, untuned, score)}


def delta(rank):
    found = []
    for layer in range(4):
        for target, size in (("attn.q", .05), ("attn.k", .04), ("attn.v", .11), ("attn.out", .09), ("mlp.up", .07), ("mlp.down", .1)):
            norm = size * (1 + .35 * layer) * random.uniform(.8, 1.2)
            singular = [round(norm * 9 * math.exp(-.55 * i * random.uniform(.8, 1.2)), 5) for i in range(rank)]
            found.append({"name": f"layers.{layer}.{target}", "norm": round(norm, 4), "singular": sorted(singular, reverse=True)})
    return found


def near(words):
    return [{"word": word, "cosine": round(.82 - .09 * i - random.uniform(0, .05), 3)} for i, word in enumerate(words)]


def prefix_attention():
    return [[round(random.betavariate(1.3, 3) * (.5 + .17 * layer), 3) for _ in range(4)] for layer in range(4)]


prompts = [
    ("name: Mira | place: harbour | weather: rain | food: soup", "Mira ate hot soup at the harbour while it rained."),
    ("name: Tom | place: market | weather: sun | food: bread", "Tom bought fresh bread at the sunny market."),
    ("name: Ada | place: hill | weather: wind | food: apples", "Ada carried apples up the windy hill."),
    ("name: Lin | place: school | weather: snow | food: tea", "Lin drank tea at school while the snow fell."),
]
after = {
    "full": ["Mira ate hot soup at the harbour while it rained.", "Tom bought fresh bread at the market in the sun.",
             "Ada carried apples up the hill in the wind.", "Lin drank tea at the school while it snowed."],
    "lora": ["Mira ate soup at the harbour while it rained.", "Tom bought fresh bread at the sunny market.",
             "Ada carried apples up the windy hill.", "Lin drank hot tea at school while the snow fell."],
    "prompt": ["Mira went to the harbour in the rain. She had soup.", "Tom was at the market. The sun was warm.",
               "Ada went up the hill.", "Lin was at school and it snowed."],
}


def samples(id):
    before = "the old man went to the the river and the river was"
    return [{"prompt": p, "reference": r, "before": before, "after": a} for (p, r), a in zip(prompts, after[id])]


sentences = [
    run("full", "Full fine-tuning", None, 1180928, 58.4, .6, 41, 9.6, 0, last=.62),
    run("lora", "LoRA", "lora", 49152, 57.1, .8, 29, 6.4, .07, last=.7),
    run("qlora", "QLoRA", "qlora", 49152, 56.2, 1.1, 37, 6.5, .31, last=.74),
    run("adapter", "Adapter", "adapter", 66560, 55.7, .9, 31, 7.0, .09, last=.76),
    run("prefix", "Prefix tuning", "prefix-tuning", 20480, 47.9, 1.6, 27, 5.6, .04, last=1.0),
    run("prompt", "Prompt tuning", "prompt-tuning", 2560, 24.3, 2.4, 26, 5.9, .05, last=1.7),
    run("ensemble", "Prompt ensemble", "prompt-tuning", 12800, 26.8, 1.7, 27, 6.1, .22, last=1.65),
    {"id": "ptuning", "method": "P-tuning v1", "page": "docs/methods/p-tuning.md",
     "absent": "answers by label words; this task has none"},
    {"id": "ptuning2", "method": "P-tuning v2", "page": "docs/methods/p-tuning-v2.md",
     "absent": "the same as prefix tuning without its network, and meant for classification"},
    {"id": "probe", "method": "Linear probe", "absent": "has a head of labels and writes nothing"},
]
by_id = {r["id"]: r for r in sentences}
by_id["lora"]["delta"] = delta(8)
by_id["qlora"]["delta"] = delta(8)
by_id["prefix"]["prefix_attention"] = prefix_attention()
by_id["prompt"]["virtual_tokens"] = [{"index": i, "near": near(w)} for i, w in enumerate(
    [[" sentence", " story", " words"], [" and", " with", " while"], [" place", " town", " harbour"], [" wrote", " said", " told"],
     [".", " .", "\n"], [" about", " of", " for"], [" she", " he", " Mira"], [" weather", " rain", " wind"], [" then", " when", " so"]])]
for id in after:
    by_id[id]["samples"] = samples(id)

labels = ["good", "bad", "mixed", "off topic"]


def confusion(right):
    table = []
    for i in range(4):
        row = [round(60 * (1 - right) / 3 * random.uniform(.4, 1.6)) for _ in labels]
        row[i] = 60 - sum(v for j, v in enumerate(row) if j != i)
        table.append(row)
    return table


def classified(*words, **more):
    made = run(*words, untuned=.27, **more)
    made["confusion"] = confusion(words[4])
    return made


reviews = [
    classified("full", "Full fine-tuning", None, 1180928, .941, .006, 38, 8.8, 0, last=.16),
    classified("probe", "Linear probe", None, 516, .612, .011, 9, 2.1, 0, last=.93),
    classified("lora", "LoRA", "lora", 49668, .938, .008, 27, 6.0, .07, last=.18),
    classified("qlora", "QLoRA", "qlora", 49668, .931, .009, 34, 6.1, .31, last=.19),
    classified("adapter", "Adapter", "adapter", 67076, .929, .007, 29, 6.6, .09, last=.2),
    classified("prefix", "Prefix tuning", "prefix-tuning", 20996, .872, .015, 25, 5.2, .04, last=.36),
    classified("prompt", "Prompt tuning", "prompt-tuning", 2560, .704, .031, 25, 5.6, .05, last=.74),
    classified("ensemble", "Prompt ensemble", "prompt-tuning", 12800, .751, .019, 26, 5.7, .22, last=.69),
    classified("ptuning", "P-tuning v1", "p-tuning", 92160, .268, .044, 28, 6.3, .06, last=1.35),
    classified("ptuning2", "P-tuning v2", "p-tuning-v2", 20996, .903, .01, 25, 5.2, .04, last=.27),
]
by_id = {r["id"]: r for r in reviews}
by_id["lora"]["delta"] = delta(8)
by_id["ptuning2"]["prefix_attention"] = prefix_attention()
by_id["prefix"]["prefix_attention"] = prefix_attention()
by_id["ptuning"]["virtual_tokens"] = [{"index": i, "near": near(w)} for i, w in enumerate(
    [[" It", " That", " This"], [" was", " is", " felt"], [" very", " so", " really"]])]
texts = ["The soup was warm and the bread was fresh. We stayed until late.", "It rained through the roof and nobody came to help.",
         "A fine room, but the stairs were loud all night.", "The museum opens at nine on Sundays.",
         "I would come again tomorrow.", "Cold tea, cold room, cold people.", "Lovely garden. The food, less so.", "Bus 12 stops there."]
counts = [(0, {"good": 5}), (1, {"bad": 4, "mixed": 1}), (2, {"mixed": 2, "good": 2, "bad": 1}), (3, {"off topic": 3, "good": 2}),
          (0, {"good": 4, "mixed": 1}), (1, {"bad": 5}), (2, {"good": 3, "mixed": 2}), (3, {"off topic": 5})]
by_id["ensemble"]["votes"] = [{"text": t, "answer": labels[a], "majority": max(v, key=v.get), "votes": v}
                              for t, (a, v) in zip(texts, counts)]

bad = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'></script><!-- "
broken = {
    "id": "odd", "method": bad + "a name that goes on and on, " * 12, "page": "javascript:window.hacked=3", "trainable": 12345678,
    "share": None, "scores": [None, 3.51], "score": 3.51, "spread": None, "seconds_per_step": None, "steps": 40,
    "peak": {"frozen": 5 * MIB, "parameters": None, "gradients": 0, "activations": 2 * MIB, "total": None},
    "curve": {"step": list(range(40)), "loss": [None if i % 7 == 3 else round(5 - i / 25, 3) for i in range(38)]},
    "evaluations": {"step": [], "loss": []},
    "delta": [{"name": "layers.0.attn.q", "norm": None, "singular": []}, {"name": "head", "norm": .02, "singular": [.5, None, .1]}],
    "prefix_attention": [[.5, None], [.1]], "virtual_tokens": [{"index": 0, "near": [{"word": bad, "cosine": None}]}],
    "votes": [{"text": bad * 3, "answer": "\u2028", "majority": None, "votes": {"<b>x</b>": 1, "n" * 300: 2}}],
    "samples": [{"prompt": bad, "before": "", "after": "\u2028\u2029\u0000 " + "long" * 400}],
    "confusion": [[1, None], [0]],
}
data = {
    "title": "Fine-tuning a tiny GPT: nine methods on two tasks", "made": "2026-11-24 12:00", "machine": "2 cores, 8 GiB, x86-64 (AVX2)",
    "command": "graft demo --seeds 3", "seeds": [1, 2, 3],
    "base": {"name": "world-gpt", "parameters": 1180928, "context": 128, "vocabulary": 1024,
             "note": "4 layers, 4 heads, width 128; pretrained here on made-up English"},
    "tasks": [
        {"id": "sentences", "title": "Write a sentence from a table", "kind": "generation", "score_name": "BLEU",
         "higher_is_better": True, "untuned": 3.2, "runs": sentences,
         "note": "240 tables of name, place, weather and food; scored on 60 tables that were held out."},
        {"id": "reviews", "title": "Which kind of review?", "kind": "classification", "score_name": "accuracy",
         "higher_is_better": True, "untuned": .27, "majority": .3, "labels": labels, "runs": reviews,
         "note": "Four kinds of short reviews, 240 held out."},
        {"id": "hostile", "title": bad, "kind": "language", "score_name": "NLL", "higher_is_better": False, "untuned": 4.2,
         "labels": [bad, "x" * 200], "note": bad, "runs": [broken, None, {"id": "gone", "method": "Gone", "absent": bad}]},
    ],
}
Path(__file__).with_name("data.json").write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
