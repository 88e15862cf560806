"""The same as generate_bench.cpp by llama.cpp (llama-cpp-python 0.3.36): MODEL.gguf [PROMPT-LENGTH [NEW-TOKENS]]."""
import json
import os
import resource
import sys
import time

from llama_cpp import Llama

model, prompt, more = sys.argv[1], int((sys.argv[2:3] or [256])[0]), int((sys.argv[3:4] or [100])[0])
threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
start = time.perf_counter()
llama = Llama(model_path=model, n_ctx=prompt + more + 16, n_threads=threads, n_threads_batch=threads, n_batch=512, verbose=False)
ids = [100 + (i * 7919) % 40000 for i in range(prompt)]
greedy = dict(top_k=1, temp=0.0, repeat_penalty=1.0)
llama.eval([1, 2, 3, 4])
llama.sample(**greedy)
llama.reset()
begin = time.perf_counter()
llama.eval(ids)
token = llama.sample(**greedy)
first = time.perf_counter()
for _ in range(more):
    llama.eval([token])
    token = llama.sample(**greedy)
last = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(dict(side="llama.cpp", threads=threads, load_s=round(begin - start, 3), prompt=round(prompt / (first - begin), 2),
                      decode=round(more / (last - first), 2), peak_mib=round(peak, 1))))
