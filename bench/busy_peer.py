"""The cases of busy.cpp by PyTorch: takes the same orders on its stdin (serve.h)."""
from serve import learner, serve, train

from transformers import GPT2Config, GPT2LMHeadModel

SMALL = dict(vocab_size=512, n_positions=64)
CASES = {  # the model's sizes, rows, tokens of each
    "2x64": (dict(n_layer=2, n_embd=64, n_head=2, **SMALL), 8, 64),
    "4x128": (dict(n_layer=4, n_embd=128, n_head=4, **SMALL), 8, 64),
    "124M-lora": ({}, 4, 64),
    "124M-full": ({}, 4, 64),
}
used = None


def use(name):
    global used
    used = None
    sizes, rows, tokens = CASES[name]
    config = GPT2Config(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **sizes)

    def make():
        model = GPT2LMHeadModel(config).train()
        if not name.endswith("-lora"):
            return model
        from peft import LoraConfig, get_peft_model

        return get_peft_model(model, LoraConfig(r=8, lora_alpha=16, fan_in_fan_out=True, task_type="CAUSAL_LM"))

    used = learner(make, rows, tokens, config.vocab_size)


serve("PyTorch", use, lambda what: train(*used))
