"""The same as methods_bench.cpp by PEFT 0.21 on transformers 4.57: takes the same orders on its stdin (serve.h)."""
import gc
import os
import resource
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"
import torch
from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
gc.disable()
C = dict(task_type="CAUSAL_LM")
METHODS = {
    "full": None,
    "lora": lambda: LoraConfig(r=8, lora_alpha=16, fan_in_fan_out=True, **C),
    "dora": lambda: LoraConfig(r=8, lora_alpha=16, use_dora=True, fan_in_fan_out=True, **C),
    "ia3": lambda: IA3Config(**C),
    "prefix": lambda: PrefixTuningConfig(num_virtual_tokens=10, **C),
    "prompt": lambda: PromptTuningConfig(num_virtual_tokens=20, **C),
    "ptuning": lambda: PromptEncoderConfig(num_virtual_tokens=20, encoder_hidden_size=768, encoder_reparameterization_type="LSTM",
                                           encoder_num_layers=2, **C),
}
model = ids = optimizer = None


def use(name):
    global model, ids, optimizer
    model = optimizer = None
    gc.collect()
    method, T = name.split("/")
    T = int(T)
    torch.manual_seed(1)
    model = GPT2LMHeadModel(GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)).train()
    if METHODS[method]:
        model = get_peft_model(model, METHODS[method]())
    ids = torch.tensor([(i * 7919 + 13) % 50257 for i in range(4 * T)]).view(4, T)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)


def run(step):
    if not step:
        with torch.no_grad():
            model(input_ids=ids, labels=ids)
        return
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
                run(words[1] == "step")
            print(time.perf_counter() - begin, time.process_time() - work, flush=True)
        elif words[0] == "check":
            print(sum(p.numel() for p in model.parameters() if p.requires_grad), flush=True)
        elif words[0] == "memory":
            run(True)
            run(True)
            print(f"resident={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}", flush=True)
        elif words[0] == "list":
            print(*METHODS, flush=True)
        elif words[0] == "about":
            print(f"side=PEFT;torch={torch.__version__}", flush=True)
        else:
            print("error: cannot do", line.strip(), flush=True)
    except Exception as e:  # one bad case does not end a comparison
        print("error:", type(e).__name__, str(e).replace("\n", " ")[:200], flush=True)
