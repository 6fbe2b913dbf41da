# SPDX-License-Identifier: BSD-2-Clause
"""Odd files of `config`: what the reference's own reader reads, ours reads, and alike."""

import json
import os
import random
import subprocess

import lib
from lib import check

BLANKS = [" ", "\t", "  ", "", "\u00a0", "\u2003", "\x1f", "\x0b", "\x0c", "\u3000", "\x1d", "\x85"]
WORDS = ["a", "b", "key", "yes", "No", "TRUE", "0", "1", "-7", "+3", "1_000", "4.5", "1e3", "inf", "caf\u00e9",
         "x.y", "a b", "%(a)s", "%(key)s", "%(none)s", "100%", "%", "%%", "$a", "${a}", "[x]", "]", "[", "{", "\\", "\\n",
         "99999999999999999999", "0x10", "007", "None", "=", "==", ":", ";", "\u20ac", "-", "_", "1_", "_1", ".5", "5."]
QUOTES = ['"', "'", '"""', "'''", '""', "''", '"a"', "'b'", "'a\"b'", '"it\'s"', '"a, b"', "'#'", '" 7 "', '"a"b"c"', "\"'"]
MARKS = [",", "#", ", ", " #", " # x", ",,", " ,", "=", "]", "\"", "'"]
ENDS = ["\n"] * 8 + ["\r\n", "\r\n", "\r", "\n\n", "\x0b\n", "\u2028", ""]

# What somebody has written, or might.
LINES = [
    "a = b\u00a0", "\u00a0a = b", "a\u00a0=\u00a0b", "[s]\u00a0", "[\u00a0s\u00a0]", "[[S [a] b]]", "[ s ]", "[s]]", "[[s]", "[s] # c",
    "[s]# c", "[s] c", "['s']", "[\"s ]\"]", "[ 's' ]", "['s]", "[s']", "['s' t]", "[]", "[ ]", "[''']", "[#]", "[a#b]", "[a,b]", "[a=b]",
    "[[]]", "[ [s] ]", "[s] [t]", "[[s] ]", "[s]\t", "[a]b]", "[a[b]", "[[a]b]]", "[\"a\"b]", "['']", "[\"\"]", "[a'b'c]",
    "passphrase = \"a\"b\"c\"", "p = 'a'b'c'", "p = \"a\"b", "p = \"a\" b", "p = a\"b\"", "p = a\"b", "p = \"a", "p = a\"", "p = \"", "p = ''",
    "p = '''", "p = ''''", "p = '''''", "p = ''''''", "p = '''a'''", "p = '''a'b'''", "p = '''a''' # c", "p = '''a''' c", "p = ''''a'''",
    "p = \"\"\"a\nb\"\"\"", "p = '''a\n# no comment\n'''", "p = '''a\nb''' # c", "p = '''a\nb''' c", "p = '''a\n\n\nb'''\nq = 1", "p = '''a\nq = 1",
    "p = \"a\", 'b', c", "p = a, b # c", "p = a,", "p = ,", "p = , # c", "p = ,a", "p = a,,b", "p = a, ,b", "p = 'a',", "p = 'a' ,", "p = 'a' , 'b'",
    "p = \"a,b\", c", "p = a'b, c", "p = a b, c d", "p = 'a'b, c", "p = a, 'b", "p = a, b'", "p = a, 'b'c", "p = #", "p = # c", "p = a#b", "p = a #b",
    "p = 'a'#b", "p = 'a' #b", "p = \"a#b\"", "p = \"a # b", "p = a\\", "p = a = b", "p == b", "p =", "p", "= b", " = b", "'p' = b", "\"p\" = b",
    "'p = b", "'p'q = b", "p'q = b", "'p=q' = b", "''= b", "p q = b", "p[0] = b", "[p = b", "#p = b", " # p = b", ";p = b", "p: b", "p : b = c",
    "p = a\np = b", "[s]\n[s]", "s = 1\n[s]", "[s]\np = 1\n[[p]]", "[s]\n[[t]]\n[[t]]", "[s]\n[[[t]]]", "[[s]]", "[s]\n[[t]]\n[[[u]]]\n[[v]]\n[w]",
    "[s]\n[[t]]\na = 1\n[u]\na = 2", "a = %(b)s\nb = 1", "a = %(a)s", "a = %(b)s\nb = %(a)s", "a = %(c)s", "a = %()s", "a = %(b", "a = %(b)", "a = %(b)d\nb=1",
    "b = 1\n[s]\na = %(b)s", "[DEFAULT]\nb = 2\n[s]\na = %(b)s", "[s]\na = %(b)s\n[[DEFAULT]]\nb = 3", "a = %(b)s, %(c)s\nb = 1\nc = 2", "a = x%(b)sy%(b)s\nb = 1",
    "a = %(b)s\nb = 1, 2", "a = %(b)s\nb = '''x\ny'''", "a = '%(b)s'\nb = \"q\"", "a = %%(b)s\nb = 1", "a = %(%(b)s)s\nb = c\nc = 1", "a = %( b )s\nb = 1",
    "a = %(b)s\n'b' = 1", "a = $b\nb = 1", "a = ${b}\nb = 1", "a = 1 \t", "\ta = 1", "a\t=\t1", "a = \x0b1\x0c", "a = 1\x1c", "a = 1\x1e2", "a = 1\x852", "a = 1\u20282",
    "a = \"1\u2028\"", "a = 1\r", "a = 1\r\rb = 2", "a = 1\r\n\r\nb = 2", "a = \"yes\"", "a = ' yes '", "a = ' 5 '", "a = '\t5'", "a = '5\u00a0'", "a = ' 5.5 '", "a = 1__0", "a = 1_0.5_0",
    "a = -5", "a = - 5", "a = +5", "a = ++5", "a = 5L", "a = 1e400", "a = -1e400", "a = nan", "a = Infinity", "a = 1e", "a = .", "a = 1.", "a = 0x1p3", "a = 1,5", "a = 1e-400", "a = 00", "a = -0",
    "a = \u2028", "a = '\u00e9'", "\u00e9 = 1", "[\u00e9]", "a = \ufeff", "a = \u200b1", "a = \x01", "a = \x7f", "a = y", "a = ON", "a = oN", "a = oFf", "a = t", "a = yes no",
    "a\u2003= 1", "a = 1\u2003# c", "a = 1\u3000,\u30002", "[\u2003s\u2003]", "\u2003[s]", "[s]\u2003# c", "a = '1'\u2003# c", "a = '1'\u2003,2", "a =\u2003", "# \u2028a = 1", "a = '''\u2028'''",
]


def value(r):
    out = r.choice(BLANKS)
    for _ in range(r.choice([0, 1, 1, 1, 2, 2, 3, 4])):
        out += r.choice(r.choice([WORDS, WORDS, QUOTES, MARKS])) + r.choice(BLANKS[:4] + [r.choice(BLANKS)])
    return out


def name(r):
    return r.choice(["a", "b", "key", "s", "t", "DEFAULT", "a b", "caf\u00e9", "'q'", "\"q r\"", "s [x] y", "#", "x'y", "", "1"])


def line(r):
    kind = r.random()
    if kind < 0.62:
        return r.choice(BLANKS) + name(r) + r.choice(BLANKS) + r.choice(["="] * 9 + [""]) + value(r)
    if kind < 0.82:
        depth = r.choice([1, 1, 1, 2, 2, 3])
        shut = depth if r.random() < 0.9 else depth + r.choice([-1, 1])
        return (r.choice(BLANKS) + "[" * depth + r.choice(BLANKS) + name(r) + r.choice(BLANKS) + "]" * shut +
                r.choice(BLANKS) + r.choice(["", "", "# c", "x"]))
    if kind < 0.9:
        return r.choice(["", "#", " # c", "#[s]", r.choice(BLANKS)])
    return r.choice(LINES)


def texts():
    """The same in every run: what was written by hand, and 600 of chance."""
    r = random.Random(1)
    out = [t + e for t in LINES for e in ("\n", "")] + ["\ufeffa = 1\n", "\ufeff[s]\na = 1\n", "\ufeff", "", "\n", "\ufeff\ufeffa = 1"]
    out += ["[i]\n" + t + "\nz = 1\n" for t in LINES if t.startswith("[[")]
    for _ in range(600):
        out.append("".join(line(r) + r.choice(ENDS) for _ in range(r.choice([1, 1, 2, 3, 5]))))
    return out


def read_all(argv, paths):
    out = subprocess.run([*argv, *paths], capture_output=True, text=True, timeout=180)
    lines = [json.loads(x) for x in out.stdout.splitlines()]
    check(out.returncode == 0 and len(lines) == len(paths), f"{argv}: {out.stderr[-500:]}")
    return lines


def differences(ours, theirs, where=""):
    """What differs between two sections, and of what kind."""
    for kind in "sections", "entries":
        a, b = ours[kind], theirs[kind]
        for key in sorted(set(a) | set(b)):
            at = f"{where}/{key}"
            if key not in a or key not in b:
                yield f"{at}: only {'theirs' if key in b else 'ours'}"
            elif kind == "sections":
                yield from differences(a[key], b[key], at)
            elif a[key] != b[key]:
                yield f"{at}: {a[key]} {b[key]}"


def odd_files(ctx):
    folder = ctx.dir("texts")
    paths = []
    cases = texts()
    for i, text in enumerate(cases):
        paths.append(os.path.join(folder, str(i)))
        with open(paths[-1], "wb") as f:
            f.write(text.encode())
    ours = read_all([os.path.join(ctx.args.build, "tests", "interop", "confdump")], paths)
    theirs = read_all([ctx.args.python, os.path.join(lib.HERE, "confpeer.py")], paths)
    bad = []
    read = 0
    for text, a, b in zip(cases, ours, theirs):
        if "error" in b and "error" in a:
            continue
        if "error" in a:
            bad.append(f"{text!r}: refused, line {a['error']}; they read {b['section']}")
        elif "error" in b:
            bad.append(f"{text!r}: read as {a['section']}; they say {b['error']}")
        else:
            read += 1
            bad += [f"{text!r}: {d}" for d in differences(a["section"], b["section"])]
    for b in bad:
        print("#  ", b)
    check(not bad, f"{len(bad)} of {len(cases)} texts are read otherwise")
    check(read > len(cases) // 4, f"only {read} of {len(cases)} are read at all")


def first_file(ctx):
    """With no config the reference writes one and runs on it; what we write says the same."""
    theirs, ours = ctx.dir("theirs"), ctx.dir("ours")
    log = open(ctx.folder + "/first.log", "ab")
    for folder, argv in ((theirs, [ctx.args.python, "-m", "RNS.Utilities.rnsd", "--config"]),
                         (ours, [os.path.join(ctx.args.build, "warrend"), "--config"])):
        p = lib.Process([*argv, folder], log)
        lib.must(lambda: os.path.exists(folder + "/config"), "a first config")
        p.stop()
    read = [ctx.args.python, os.path.join(lib.HERE, "confpeer.py")]
    a, b = read_all(read, [ours + "/config", theirs + "/config"])

    def words(section):
        """yes is Yes, and False no."""
        return {"entries": {k: v["text"] if v["bool"] is None else v["bool"] for k, v in section["entries"].items()},
                "sections": {k: words(s) for k, s in section["sections"].items()}}
    check(words(a["section"]) == words(b["section"]), f"ours: {words(a['section'])}; theirs: {words(b['section'])}")


TESTS = [
    ("config: the first one says what the reference's does", first_file),
    ("config: odd files as the reference reads them", odd_files)]
