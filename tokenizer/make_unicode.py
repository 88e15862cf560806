#!/usr/bin/env python3
"""Writes unicode_ranges.cpp: the letters, numbers, white space and punctuation of Unicode 16 as ranges of code points.

Run it with unicodedata2 16.0.0 (PyPI):  python3 tokenizer/make_unicode.py
With tokenizers 0.22.2 as well, --check compares every code point with what that library does with it.

Why Unicode 16: the regular expressions of tokenizers 0.22.2 know that version. Its Digits pre-tokenizer does not use them
but Rust's char::is_numeric, which knows the numbers of Unicode 17 too: 13 more, listed here by hand as `later_numbers`.
"""
import os
import sys

import unicodedata2 as unicode

assert unicode.unidata_version == "16.0.0", unicode.unidata_version

SPACES = set([*range(0x9, 0xE), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
LATER_NUMBERS = set([*range(0x11DE0, 0x11DEA), *range(0x16FF4, 0x16FF7)])
POINTS = [p for p in range(0x110000) if not 0xD800 <= p < 0xE000]
LETTERS = {p for p in POINTS if unicode.category(chr(p))[0] == "L"}
NUMBERS = {p for p in POINTS if unicode.category(chr(p))[0] == "N"}
MARKS = {p for p in POINTS if unicode.category(chr(p))[0] == "P"}


def ranges(points):
    out = []
    for p in sorted(points):
        if out and out[-1][1] == p - 1:
            out[-1][1] = p
        else:
            out.append([p, p])
    return out


def array(name, points):
    items, lines, line = ["{0x%X, 0x%X}" % tuple(r) for r in ranges(points)], [], "   "
    for item in items:
        if len(line) + len(item) + 2 > 126:
            lines.append(line)
            line = "   "
        line += " " + item + ","
    return "const Ranges %s = {\n%s\n};\n" % (name, "\n".join(lines + [line]))


def check():
    """Each class by a text that falls apart, or does not, because of it."""
    from tokenizers import __version__, pre_tokenizers

    assert __version__ == "0.22.2", __version__
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    digits = pre_tokenizers.Digits(individual_digits=True)
    pieces = lambda text: len(byte_level.pre_tokenize_str(text))
    wrong = []
    for p in POINTS:
        c = chr(p)
        letter, number, space = p in LETTERS, p in NUMBERS, p in SPACES
        if (pieces("a" + c) == 1) != letter: wrong.append((p, "letter"))
        if (pieces("1" + c) == 1) != number: wrong.append((p, "number"))
        if (pieces("!" + c) == 1) != (not letter and not number and not space): wrong.append((p, "space"))
        if (len(digits.pre_tokenize_str("a" + c)) == 2) != (number or p in LATER_NUMBERS): wrong.append((p, "digits"))
    for p, what in wrong[:50]:
        print("U+%04X: not the same %s" % (p, what))
    print("%d code points compared, %d differences" % (len(POINTS), len(wrong)))
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(check())
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "unicode_ranges.cpp"), "w") as out:
        out.write("// Unicode 16 as ranges {first, last} of code points. Written by make_unicode.py: change that, not this.\n"
                  '#include "tokenizer/inside/unicode.h"\n\nnamespace graft::unicode {\n\n// clang-format off\n')
        out.write("\n".join([array("letters", LETTERS), array("numbers", NUMBERS), array("spaces", SPACES),
                             "/// Numbers since Unicode 17, which only Hugging Face's Digits knows.\n" +
                             array("later_numbers", LATER_NUMBERS),
                             "/// Punctuation, which llama.cpp splits off if a file does not name a pre-tokenizer.\n" + array("marks", MARKS)]))
        out.write("// clang-format on\n\n}  // namespace graft::unicode\n")
