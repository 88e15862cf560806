#!/usr/bin/env python3
"""Models between graft and transformers, both ways:  models.py GRAFT [SmolLM2-135M-Instruct.Q4_1.gguf]

GRAFT is the program graft. Fresh random models go through `graft logits` and `graft convert`; the GGUF file becomes a Hugging
Face folder. Prints a table; the exit code is 1 if anything differs.
Needs torch==2.13.0 (first and alone), then transformers==4.57.6 tokenizers==0.22.2 safetensors==0.8.0 gguf==0.19.0
"""
import json
import os
import re
import subprocess
import sys
import tempfile

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import torch
from safetensors.torch import load_file
from transformers import (AutoTokenizer, GenerationConfig, GPT2Config, GPT2ForSequenceClassification, GPT2ForTokenClassification, GPT2LMHeadModel, LlamaConfig,
                          LlamaForCausalLM, LlamaForSequenceClassification, LlamaForTokenClassification)

GPT2 = dict(vocab_size=83, n_positions=40, n_embd=24, n_layer=3, n_head=3, pad_token_id=2, attn_pdrop=0.25)
LLAMA = dict(vocab_size=83, hidden_size=24, intermediate_size=52, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, head_dim=4, max_position_embeddings=40, pad_token_id=2, attention_dropout=0.15)
CLASSIFIER = dict(num_labels=7, problem_type="multi_label_classification")
CASES = {  # name: class, configuration
    "gpt2": (GPT2LMHeadModel, GPT2Config(**GPT2)),
    "gpt2 classifier": (GPT2ForSequenceClassification, GPT2Config(**GPT2, **CLASSIFIER)),
    "gpt2 token classifier": (GPT2ForTokenClassification, GPT2Config(**GPT2, **CLASSIFIER)),
    "llama": (LlamaForCausalLM, LlamaConfig(**LLAMA)),
    "llama tied": (LlamaForCausalLM, LlamaConfig(**LLAMA, tie_word_embeddings=True)),
    "llama classifier": (LlamaForSequenceClassification, LlamaConfig(**LLAMA, **CLASSIFIER)),
    "llama token classifier": (LlamaForTokenClassification, LlamaConfig(**LLAMA, **CLASSIFIER)),
}
KEPT = ["attn_pdrop", "attention_dropout", "problem_type"]  # graft uses none of them
failed = False


def report(what, value, bound):
    global failed
    ok = value <= bound
    failed |= not ok
    print(f"{'ok  ' if ok else 'FAIL'}  {what:48} {value:.1e} (at most {bound:.0e})")


def graft(*arguments):
    done = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"graft {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def graft_logits(model, ids, scratch):
    ids_file, out = os.path.join(scratch, "ids.json"), os.path.join(scratch, "out.safetensors")
    with open(ids_file, "w") as f:
        json.dump({"ids": ids.tolist()}, f)
    graft("logits", "--model", model, "--ids", ids_file, "--out", out)
    return load_file(out)["logits"]


def logits(cls, folder, ids):
    with torch.no_grad():
        return cls.from_pretrained(folder, dtype=torch.float32).eval()(ids).logits


def apart(a, b):
    return (a - b).abs().max().item() if a.shape == b.shape else float("inf")


def random_model(cls, config, seed):
    model = cls(config)
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            r = torch.randn(p.shape, generator=g)
            p.copy_(1 + 0.2 * r if p.dim() == 1 and name.endswith("weight") else 0.3 * r)
    return model


def random_models(scratch):
    for seed, (name, (cls, config)) in enumerate(CASES.items(), 100):
        for dtype, kind in (("F32", torch.float32), ("BF16", torch.bfloat16)):
            folder = os.path.join(scratch, f"{name} {dtype}")
            random_model(cls, config, seed).to(kind).save_pretrained(folder)
            ids = torch.randint(3, 83, (3, 11), generator=torch.Generator().manual_seed(seed))
            theirs = logits(cls, folder, ids)
            report(f"{name} {dtype}: graft logits", apart(graft_logits(folder, ids, scratch), theirs), 1e-4)
            graft("convert", "--model", folder, "--out", folder + " copy", "--dtype", dtype)
            report(f"{name} {dtype}: graft convert", apart(logits(cls, folder + " copy", ids), theirs), 1e-6)
            copy = cls.config_class.from_pretrained(folder + " copy")
            lost = [k for k in KEPT if getattr(copy, k, None) != getattr(config, k, None)]
            report(f"{name} {dtype}: settings lost {' '.join(lost)}", len(lost), 0)


def small_files(scratch):
    """Chat template, ends and other settings of the files beside a model are the same after `graft convert`."""
    folder, here = os.path.join(scratch, "small"), os.path.dirname(os.path.abspath(__file__))
    random_model(LlamaForCausalLM, LlamaConfig(**{**LLAMA, "vocab_size": 410}), 7).save_pretrained(folder)
    with open(os.path.join(here, "..", "fixtures", "tokenizer.json")) as f:
        tokenizer = json.load(f)["tokenizers"][0]["file"]
    template = ("{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
                "{% if add_generation_prompt %}{{'<|im_start|>assistant\\n'}}{% endif %}")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "pad_token": "[PAD]", "model_max_length": 40,
              "chat_template": template}
    for name, content in (("tokenizer.json", tokenizer), ("tokenizer_config.json", config),
                          ("generation_config.json", {"eos_token_id": [0, 2], "max_new_tokens": 5})):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(content, f)
    chat = [{"role": "user", "content": "the tree"}]
    for name in ("in the config", "in a file"):
        if name == "in a file":
            with open(os.path.join(folder, "chat_template.jinja"), "w") as f:
                f.write(template.replace("assistant", "system"))
        copy = folder + " " + name
        graft("convert", "--model", folder, "--out", copy)
        ours, theirs = AutoTokenizer.from_pretrained(copy), AutoTokenizer.from_pretrained(folder)
        said = [t.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) for t in (ours, theirs)]
        same = [said[0] == said[1], ours.model_max_length == theirs.model_max_length == 40, ours.pad_token_id == theirs.pad_token_id,
                ours("the tree[PAD]")["input_ids"] == theirs("the tree[PAD]")["input_ids"],
                GenerationConfig.from_pretrained(copy).eos_token_id == [0, 2]]
        report(f"small files, the template {name}: lost", same.count(False), 0)


def smollm2(gguf, scratch):
    folder = os.path.join(scratch, "smollm2")
    graft("convert", "--model", gguf, "--out", folder)
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "fixtures", "smollm2.json")) as f:
        prompt = json.load(f)["prompts"][0]
    ids = torch.tensor([prompt["ids"]])
    said = AutoTokenizer.from_pretrained(folder).apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
    report("SmolLM2: the chat template is kept", 0 if "named SmolLM" in said and "<|im_start|>user\nHi" in said else 1, 0)
    report("SmolLM2: logits of GGUF and of the folder", apart(graft_logits(gguf, ids, scratch),
                                                              logits(LlamaForCausalLM, folder, ids)), 1e-3)
    text = os.path.join(scratch, "text.txt")
    with open(text, "w") as f:
        f.write(prompt["text"])
    found = re.search(r"(?:nll|likelihood)\D*([0-9]+\.[0-9]+)", graft("evaluate", "--model", gguf, "--text", text), re.I)
    report("SmolLM2: graft evaluate", abs(float(found.group(1)) - prompt["nll"]) if found else float("inf"), 1e-3)


with tempfile.TemporaryDirectory() as scratch:
    random_models(scratch)
    small_files(scratch)
    if len(sys.argv) > 2:
        smollm2(sys.argv[2], scratch)
sys.exit(failed)
