"""What the peers in Python have in common: PyTorch at our number of threads, one training step, and the orders of serve.h."""
import gc
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
gc.disable()


def train(model, ids, optimizer):
    loss = model(input_ids=ids, labels=ids).loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def learner(make, rows, tokens, words):
    """make() with fixed ids [rows, tokens] below `words`, and AdamW over all that learns."""
    gc.collect()
    torch.manual_seed(1)
    model = make()
    ids = torch.tensor([(i * 7919 + 13) % words for i in range(rows * tokens)]).view(rows, tokens)
    return model, ids, torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)


def serve(side, use, run, **orders):
    """Answers stdin line by line: `use NAME`, `time WHAT TIMES` and `about`; orders: what else can be asked for."""
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "use":
                use(words[1])
                print("ok", flush=True)
            elif words[0] == "time":
                begin, work = time.perf_counter(), time.process_time()
                for _ in range(int(words[2])):
                    run(words[1])
                print(time.perf_counter() - begin, time.process_time() - work, flush=True)
            elif words[0] == "about":
                print(f"side={side};torch={torch.__version__}", flush=True)
            elif words[0] in orders:
                print(orders[words[0]](), flush=True)
            else:
                print("error: cannot do", line.strip(), flush=True)
        except Exception as e:  # one bad case does not end a comparison
            print("error:", type(e).__name__, str(e).replace("\n", " ")[:200], flush=True)
