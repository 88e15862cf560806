"""graft's tokenizer beside Hugging Face's, on one thread each and in turns, by processor time: the same tokenizer.json, the same text.
usage: python tokenizer_peer.py TOKENIZER_BENCH TOKENIZER.json TEXT [ROUNDS]      (wants tokenizers 0.22.2)
Each round times graft, then Hugging Face, then the other way about; what is printed are ratios within a round: their middle, and from the
least to the largest. Exit code 1 if the ids differ."""
import os
os.environ["RAYON_NUM_THREADS"], os.environ["TOKENIZERS_PARALLELISM"] = "1", "false"
import resource, statistics, subprocess, sys, time
from tokenizers import Tokenizer, __version__


def fnv(ids):
    state = 0xCBF29CE484222325
    for i in ids:
        state = (state ^ i) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


program, file, path = sys.argv[1:4]
rounds = int(sys.argv[4]) if len(sys.argv) > 4 else 7
text = open(path, encoding="utf-8", newline="").read()
lines = text.split("\n")
lines = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
tokenizer = Tokenizer.from_file(file)
tokenizer.encode_special_tokens = True  # names of special tokens are text, as in graft's encode()
ours = subprocess.Popen([program, file, path, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def order(what):
    print(what, file=ours.stdin, flush=True)
    return ours.stdout.readline().split()


def encode(how):
    if how == "whole":
        return tokenizer.encode(text, add_special_tokens=False).ids
    return [i for line in lines for i in tokenizer.encode(line, add_special_tokens=False).ids]


def theirs(how):  # the ids as a list, as graft gives them
    start = time.process_time()
    if how == "whole":
        tokenizer.encode(text, add_special_tokens=False).ids
    else:
        for line in lines:
            tokenizer.encode(line, add_special_tokens=False).ids
    return time.process_time() - start


whole, by_line = encode("whole"), encode("lines")
equal = order("check") == [str(x) for x in (len(whole), fnv(whole), len(by_line), fnv(by_line))]
del by_line
count = len(whole)
del whole
print(f"{len(text.encode()) / 1e6:.2f} MB, {count} ids, {'equal' if equal else 'NOT EQUAL'}; tokenizers {__version__}, one thread, {rounds} rounds")
for how in ("whole", "lines"):
    pairs = []
    for i in range(2 * rounds):
        if i % 2 == 0:
            a = float(order(how)[0]); b = theirs(how)
        else:
            b = theirs(how); a = float(order(how)[0])
        pairs.append((a, b))
    ratios = sorted(b / a for a, b in pairs)
    rate = lambda seconds: len(text.encode()) / seconds / 1e6
    print(f"{how:6} graft {rate(min(a for a, _ in pairs)):6.1f} MB/s   Hugging Face {rate(min(b for _, b in pairs)):6.1f} MB/s (best of each)   "
          f"times as fast: {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
print(f"peak memory: graft {float(order('peak')[0]) / 1e6:.0f} MB, Hugging Face {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6:.0f} MB (with Python)")
ours.stdin.close()
sys.exit(0 if equal and ours.wait() == 0 else 1)
