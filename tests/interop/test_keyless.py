# SPDX-License-Identifier: BSD-2-Clause
"""Keyless signatures of images: a world of sigstore of our own and its lies (sigworld.py), before us and before
sigstore for Python; and the suite of sigstore's clients, where its folder is named by SIGSTORE_CONFORMANCE."""

import hashlib
import json
import os
import subprocess

import lib
from lib import check
from test_tools import extra

IDENTITY = ("https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/"
            "extremely-dangerous-oidc-beacon.yml@refs/heads/main")
ISSUER = "https://token.actions.githubusercontent.com"


def answers(argv, questions):
    r = subprocess.run(argv, input="".join(json.dumps(q) + "\n" for q in questions), capture_output=True, text=True,
                       timeout=300)
    check(r.returncode == 0, f"{argv}: {r.stderr[-2000:]}")
    return [json.loads(line) for line in r.stdout.splitlines()]


def ours(ctx, questions):
    return answers([os.path.join(ctx.args.build, "tests", "interop", "keylesspeer")], questions)


def lacks(ctx):
    """Why nothing can be asked; None: it can."""
    if subprocess.run([os.path.join(ctx.args.build, "tests", "interop", "keylesspeer"), "--can"]).returncode != 0:
        return "a build without libcrypto"
    return None


def world(ctx):
    """The cases of a world that is made for this run; None: there is no `cryptography`."""
    if subprocess.run([ctx.args.python, "-c", "import cryptography.x509"], capture_output=True).returncode != 0:
        return None
    folder = ctx.dir("world")
    subprocess.run([ctx.args.python, os.path.join(lib.HERE, "sigworld.py"), folder], check=True, timeout=120)
    with open(os.path.join(folder, "cases.json")) as f:
        return json.load(f)


def compare(rows, key, got):
    check(len(got) == len(rows), f"{len(got)} answers to {len(rows)} questions")
    wrong = [f"{r['name']}: {g}" for r, g in zip(rows, got) if g["ok"] != r[key]]
    check(not wrong, "\n".join(wrong))


def alone(ctx):
    """We take what is good, and no lie; why is told of each by words."""
    if lacks(ctx):
        return lacks(ctx)
    rows = world(ctx)
    if rows is None:
        return "the Python package cryptography is not there"
    got = ours(ctx, rows)
    compare(rows, "ours", got)
    check(sum(not r["ours"] for r in rows) >= 30, "fewer than thirty lies")
    check(all(g["why"] for g in got if not g["ok"]), "a refusal without a reason")


def keyed(ctx):
    """By a key and in a log: what is good, and no lie."""
    if lacks(ctx):
        return lacks(ctx)
    if subprocess.run([ctx.args.python, "-c", "import cryptography.x509"], capture_output=True).returncode != 0:
        return "the Python package cryptography is not there"
    folder = ctx.dir("keyed")
    path = os.path.join(folder, "keyed.json")
    subprocess.run([ctx.args.python, os.path.join(lib.HERE, "sigkeyed.py"), folder, path], check=True,
                   timeout=120)
    with open(path) as f:
        doc = json.load(f)
    rows = []
    for i, c in enumerate(doc["cases"]):
        row = dict(c, now=doc["now"])
        for member, text in (("bundle", c["bundle"]), ("roots", doc["roots"][c["roots"]])):
            row[member] = os.path.join(folder, "%d.%s" % (i, member))
            with open(row[member], "w") as f:
                f.write(text)
        rows.append(row)
    got = ours(ctx, rows)
    compare(rows, "ours", got)
    check(sum(not r["ours"] for r in rows) >= 20, "fewer than twenty lies")
    check(all(g["why"] for g in got if not g["ok"]), "a refusal without a reason")


def together(ctx):
    """So does sigstore, or the difference has its reason in the row."""
    if lacks(ctx):
        return lacks(ctx)
    rows, python = world(ctx), extra(ctx, "sigstore")
    if python is None or rows is None:
        return "sigstore could not be installed with pip"
    compare(rows, "ours", ours(ctx, rows))
    compare(rows, "theirs", answers([python, os.path.join(lib.HERE, "sigpeer.py")], rows))
    for r in rows:
        check(r["ours"] == r["theirs"] or r["note"], f"{r['name']}: a difference without a reason")


def written(ctx):
    """Bundles of v0.1 to v0.3 as sigstore writes them are to us what they were."""
    if lacks(ctx):
        return lacks(ctx)
    rows, python = world(ctx), extra(ctx, "sigstore")
    if python is None or rows is None:
        return "sigstore could not be installed with pip"
    rows = [dict(r, again=r["bundle"] + ".again") for r in rows if r["theirs"]]
    compare(rows, "theirs", answers([python, os.path.join(lib.HERE, "sigpeer.py")], rows))
    kinds = set()
    for r in rows:
        with open(r["again"]) as f:
            kinds.add(json.load(f)["mediaType"])
    check(len(kinds) == 3, f"not all versions: {kinds}")
    compare([dict(r, bundle=r["again"]) for r in rows], "ours", ours(ctx, [dict(r, bundle=r["again"]) for r in rows]))


CHANGED = ("message, bundle 0.1", "message, log v2", "statement, log v1")


def changed(ctx):
    """Each byte of a bundle changed: what we take, sigstore takes, but for a few that are not signed."""
    if lacks(ctx):
        return lacks(ctx)
    rows, python = world(ctx), extra(ctx, "sigstore")
    if python is None or rows is None:
        return "sigstore could not be installed with pip"
    folder, taken, tried = ctx.dir("changed"), [], 0
    for r in (r for r in rows if r["name"] in CHANGED):
        with open(r["bundle"], "rb") as f:
            text = f.read()
        forms = [text[:i] + bytes([text[i] ^ 1 << i % 7]) + text[i + 1:] for i in range(len(text))]
        tried += len(forms)
        for start in range(0, len(forms), 500):
            asked = []
            for i, form in enumerate(forms[start:start + 500]):
                asked.append(dict(r, bundle=os.path.join(folder, str(i))))
                with open(asked[-1]["bundle"], "wb") as f:
                    f.write(form)
            for form, g in zip(forms[start:], ours(ctx, asked)):
                if g["ok"]:
                    taken.append(dict(r, bundle=os.path.join(folder, "taken-%d" % len(taken))))
                    with open(taken[-1]["bundle"], "wb") as f:
                        f.write(form)
    check(tried > 10000, "no bundles")
    got = answers([python, os.path.join(lib.HERE, "sigpeer.py")], taken) if taken else []
    # CMS around a timestamp's signature is not signed itself: libcrypto does not look at all of it, and to it the name
    # of who has issued the signer's certificate, which itself is pinned, is the same in capitals
    frame = [g for q, g in zip(taken, got) if not g["ok"] and ("Invalid Timestamp Response" in g["why"] or (
        q["name"] == "message, log v2" and "not enough sources of verified time" in g["why"]))]
    check(len(frame) <= 24, f"{len(frame)} changes of a timestamp")
    wrong = [f"{q['name']}: {q['bundle']}: {g['why'][:100]}" for q, g in zip(taken, got)
             if not g["ok"] and g not in frame]
    check(not wrong, f"{len(wrong)} of {len(taken)}: " + "\n".join(wrong[:20]))


def suite(ctx):
    """Each bundle of sigstore-conformance, by certificate or by key."""
    if lacks(ctx):
        return lacks(ctx)
    top, python = os.environ.get("SIGSTORE_CONFORMANCE"), extra(ctx, "sigstore")
    if not top:
        return "SIGSTORE_CONFORMANCE names no folder"
    if python is None:
        return "sigstore could not be installed with pip"
    # the roots of the public instance come with its package
    roots = subprocess.run([python, "-c", "import sigstore, os; print(os.path.dirname(sigstore.__file__))"],
                           capture_output=True, text=True, check=True).stdout.strip()
    roots = os.path.join(roots, "_store", "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
    top = os.path.join(top, "test", "assets", "bundle-verify")
    rows = []
    for name in sorted(os.listdir(top)):
        folder = os.path.join(top, name)
        if not os.path.isdir(folder):
            continue

        def there(file, otherwise, folder=folder):
            path = os.path.join(folder, file)
            return path if os.path.exists(path) else otherwise

        def said(file, otherwise):
            path = there(file, None)
            return open(path).read().strip() if path else otherwise
        with open(there("artifact", os.path.join(top, "a.txt")), "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        rows.append({"key": said("key.pub", ""), "name": name, "bundle": os.path.join(folder, "bundle.sigstore.json"), "sum": digest,
                     "roots": there("trusted_root.json", roots), "issuer": said("issuer", ISSUER),
                     "subject": said("identity", IDENTITY), "ours": not name.endswith("_fail")})
    check(len(rows) > 50, "the suite is not there")
    compare(rows, "ours", ours(ctx, rows))


TESTS = [("keyless: what is good, and thirty lies", alone), ("keyless: by a key and in a log", keyed)]
LONG = [("keyless: beside sigstore for Python", together), ("keyless: bundles as sigstore writes them", written),
        ("keyless: each byte changed", changed),
        ("keyless: the suite of sigstore's clients", suite)]
