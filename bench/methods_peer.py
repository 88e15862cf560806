"""The same as methods_bench.cpp by PEFT 0.21 on transformers 4.57: takes the same orders on its stdin (serve.h)."""
import resource

from serve import learner, serve, torch, train

from peft import IA3Config, LoraConfig, PrefixTuningConfig, PromptEncoderConfig, PromptTuningConfig, get_peft_model
from transformers import GPT2Config, GPT2LMHeadModel

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
used = None


def use(name):
    global used
    used = None
    method, tokens = name.split("/")

    def make():
        model = GPT2LMHeadModel(GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)).train()
        return get_peft_model(model, METHODS[method]()) if METHODS[method] else model

    used = learner(make, 4, int(tokens), 50257)


def run(what):
    if what == "step":
        return train(*used)
    model, ids, _ = used
    with torch.no_grad():
        model(input_ids=ids, labels=ids)


def learning():
    return sum(p.numel() for p in used[0].parameters() if p.requires_grad)


def memory():
    train(*used)
    train(*used)
    return f"resident={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}"


serve("PEFT", use, run, check=learning, memory=memory, list=lambda: " ".join(METHODS))
