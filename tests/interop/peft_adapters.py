#!/usr/bin/env python3
"""Adapters written by graft, read by PEFT and AdapterHub; merged models by transformers.

usage: peft_adapters.py WRITE_ADAPTERS      (the program that tests/interop/write_adapters.cpp makes)
For each: no key is missing and none unknown (PEFT only warns of the first and ignores the second), and the logits are
graft's to 1e-4. Needs torch, transformers, peft, safetensors; and adapters 1.3.0 for the bottleneck adapters.
"""
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
logging.disable(logging.WARNING)
import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoModelForTokenClassification

torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = os.path.join(HERE, "..", "fixtures", "models")
TOLERANCE = 1e-4


def class_of(base):
    if "token" in base:
        return AutoModelForTokenClassification
    return AutoModelForSequenceClassification if "classifier" in base else AutoModelForCausalLM


def load(folder):
    return class_of(os.path.basename(folder)).from_pretrained(folder, dtype=torch.float32).eval()


def keys_of(path):
    with safe_open(path, "pt") as f:
        return set(f.keys())


def peft_model(base, folder):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = PeftModel.from_pretrained(load(os.path.join(MODELS, base)), folder).eval()
    problems = [str(w.message)[:200] for w in caught if "adapter keys" in str(w.message)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    has = keys_of(os.path.join(folder, "adapter_model.safetensors"))
    if has != wanted:
        problems.append(f"unknown {sorted(has - wanted)[:3]}, missing {sorted(wanted - has)[:3]}")
    return model, problems


def hub_model(base, folder):
    import adapters
    model = load(os.path.join(MODELS, base))
    adapters.init(model)
    name = model.load_adapter(folder, set_active=True, use_safetensors=True)
    ours = keys_of(os.path.join(folder, "adapter.safetensors"))
    theirs = {n for n, _ in model.named_parameters() if f".adapters.{name}." in n}
    problems = [] if ours == theirs else [f"unknown {sorted(ours - theirs)[:3]}, missing {sorted(theirs - ours)[:3]}"]
    return model.eval(), problems


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as out:
        subprocess.run([sys.argv[1], MODELS, out], check=True)
        cases = sorted(os.listdir(out))
        for case in cases:
            base, name = case.split("--")
            folder = os.path.join(out, case)
            problems = []
            try:
                if name.startswith("merged"):
                    model, info = class_of(base).from_pretrained(os.path.join(folder, "merged"), dtype=torch.float32, output_loading_info=True)
                    model.eval()
                    problems = [f"{what}: {sorted(info[what])[:3]}" for what in ("missing_keys", "unexpected_keys") if info[what]]
                elif name.startswith("hub"):
                    model, problems = hub_model(base, folder)
                else:
                    model, problems = peft_model(base, folder)
                ids = torch.tensor(json.load(open(os.path.join(folder, "ids.json"))))
                with torch.no_grad():
                    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
                expected = load_file(os.path.join(folder, "expected.safetensors"))["logits"]
                if logits.shape != expected.shape:
                    problems.append(f"shape {list(logits.shape)}, ours {list(expected.shape)}")
                else:
                    apart = (logits - expected).abs().max().item()
                    if not apart <= TOLERANCE:
                        problems.append(f"logits differ by {apart:.2e}")
            except Exception as e:
                problems.append(f"{type(e).__name__}: {str(e)[:300]}")
            if problems:
                failed += 1
                print(f"FAIL {case}: {'; '.join(problems)}")
    print(f"adapters: {len(cases) - failed} of {len(cases)} ok")
    sys.exit(failed > 0 or not cases)


main()
