"""The cases of busy.cpp by PyTorch: takes the same orders on its stdin (serve.h)."""
import gc
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from transformers import GPT2Config, GPT2LMHeadModel

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
gc.disable()
SMALL = dict(vocab_size=512, n_positions=64)
CASES = {  # the model's sizes, rows, tokens of each
    "2x64": (dict(n_layer=2, n_embd=64, n_head=2, **SMALL), 8, 64),
    "4x128": (dict(n_layer=4, n_embd=128, n_head=4, **SMALL), 8, 64),
    "124M-lora": ({}, 4, 64),
    "124M-full": ({}, 4, 64),
}
model = ids = optimizer = None


def use(name):
    global model, ids, optimizer
    model = optimizer = None
    gc.collect()
    sizes, rows, tokens = CASES[name]
    config = GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **sizes)
    torch.manual_seed(1)
    model = GPT2LMHeadModel(config).train()
    if name.endswith("-lora"):
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, fan_in_fan_out=True, task_type="CAUSAL_LM"))
    ids = torch.tensor([(i * 7919 + 13) % config.vocab_size for i in range(rows * tokens)]).view(rows, tokens)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)


def step():
    loss = model(input_ids=ids, labels=ids).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


for line in sys.stdin:
    words = line.split()
    try:
        if words[0] == "use":
            use(words[1])
            print("ok", flush=True)
        elif words[0] == "time":
            begin, work = time.perf_counter(), time.process_time()
            for _ in range(int(words[2])):
                step()
            print(time.perf_counter() - begin, time.process_time() - work, flush=True)
        elif words[0] == "about":
            print(f"side=PyTorch;torch={torch.__version__}", flush=True)
        else:
            print("error: cannot do", line.strip(), flush=True)
    except Exception as e:  # one bad case does not end a comparison
        print("error:", type(e).__name__, str(e).replace("\n", " ")[:200], flush=True)
