# SPDX-License-Identifier: BSD-2-Clause
"""Bundles that a key has signed and a log has, and their lies, of a world of sigworld.py, as a file for unit tests:

  sigkeyed.py DIR FILE"""

import base64
import copy
import hashlib
import json
import sys
import tempfile

from cryptography.hazmat.primitives.asymmetric import ed25519

from sigworld import DAY, HOUR, NOW, Cases, World, b64, der, entry, flip, p256, pem, pem_of, rsa_key, spki, vectors


def keyed(cases):
    """Signed by a key, and in a log: rows have the key in the place of issuer and subject."""
    w, key, other = cases.w, p256(), p256()
    pair = (key, spki(key))

    def add(name, bundle, ok, key=key, **more):
        cases.add(name, bundle, ok, **more)
        cases.list[-1]["key"] = pem_of(spki(key)).decode()

    def bundle(*args, key_cert=pair, **more):
        return w.bundle(*args, key_cert=key_cert, **more)

    def changed(name, change, *args, **more):
        b = bundle(*args, **more)
        change(entry(b), b)
        add(name, b, False)

    def again(name, change, log, *args, **more):
        """The log has something else of it."""
        b = bundle(*args, log=log, **more)
        body = json.loads(base64.b64decode(entry(b)["canonicalizedBody"]))
        change(body["spec"])
        b["verificationMaterial"]["tlogEntries"] = [log.entry(body, NOW)]
        add(name, b, False)

    add("key, message, log v1", bundle(), True)
    add("key, message, log v2", bundle(log=w.v2), True)
    add("key, message, log v1 and a timestamp", bundle(stamps=[w.clock]), True)
    add("key, statement, log v1", bundle("dsse"), True)
    add("key, statement, log v2", bundle("dsse", log=w.v2), True)
    add("key, statement, intoto", bundle("dsse", kind="intoto"), True)
    add("key, statement as hashedrekord", bundle("dsse", kind="hashedrekord"), True)
    add("key, a dsse entry of Rekor v2", bundle("dsse", log=w.v2, kind="dsse"), False)
    rsa_pair = rsa_key()
    add("RSA key, message", bundle(key_cert=(rsa_pair, spki(rsa_pair))), True, key=rsa_pair)
    ed = ed25519.Ed25519PrivateKey.generate()
    add("Ed25519 key, statement", bundle("dsse", key_cert=(ed, spki(ed))), True, key=ed)
    add("another key", bundle(), False, key=other)
    b = bundle()
    b["verificationMaterial"]["tlogEntries"] = []
    add("key, no entry", b, False)
    del b["verificationMaterial"]["tlogEntries"]
    add("key, no entries", b, False)
    b = bundle()
    b["verificationMaterial"]["tlogEntries"] *= 2
    add("key, an entry twice", b, False)
    add("key, another log", bundle(log=w.other_log), False)
    b, swapped = bundle(), bundle()
    b["verificationMaterial"]["tlogEntries"] = swapped["verificationMaterial"]["tlogEntries"]
    add("key, the entry of another good signature", b, False)
    other_sum = hashlib.sha256(b"other").hexdigest()
    b, swapped = bundle(), bundle(total=other_sum)
    b["verificationMaterial"]["tlogEntries"] = swapped["verificationMaterial"]["tlogEntries"]
    add("key, the entry of another artefact", b, False)
    # whoever signs the same again by a key of his own has an entry, too (GHSA-8gw7-4j42-w388)
    b, swapped = bundle(), bundle(key_cert=(other, spki(other)))
    b["verificationMaterial"]["tlogEntries"] = swapped["verificationMaterial"]["tlogEntries"]
    add("key, the entry of another's signature", b, False)
    strange = b64(pem_of(spki(other)))
    again("key, an entry with another key", lambda s: s["signature"]["publicKey"].update(content=strange), w.v1)
    again("key, an entry with a certificate", lambda s: s["signature"]["publicKey"].update(
        content=b64(pem(w.issue(key=key)[1]))), w.v1)
    again("key, a dsse entry with another key", lambda s: s["signatures"][0].update(verifier=strange), w.v1, "dsse")
    again("key, an intoto entry with another key", lambda s: s["content"]["envelope"]["signatures"][0].update(
        publicKey=strange), w.v1, "dsse", kind="intoto")
    again("key, a v2 entry with another key", lambda s: s["hashedRekordV002"]["signature"]["verifier"].update(
        publicKey={"rawBytes": b64(spki(other))}), w.v2)
    again("key, a v2 entry with key and certificate", lambda s: s["hashedRekordV002"]["signature"]["verifier"].update(
        x509Certificate={"rawBytes": b64(der(w.issue(key=key)[1]))}), w.v2)
    again("key, a v2 entry of a statement with another key", lambda s: s["hashedRekordV002"]["signature"][
        "verifier"].update(publicKey={"rawBytes": b64(spki(other))}), w.v2, "dsse")
    changed("key, no proof", lambda e, b: e.pop("inclusionProof"))
    changed("key, a wrong hash in the proof", lambda e, b: e["inclusionProof"]["hashes"].__setitem__(
        0, flip(e["inclusionProof"]["hashes"][0])))
    changed("key, a promise of somebody else", lambda e, b: e["inclusionPromise"].update(
        signedEntryTimestamp=flip(e["inclusionPromise"]["signedEntryTimestamp"], -1)))
    changed("key, another time than promised", lambda e, b: e.update(integratedTime=str(int(e["integratedTime"]) - 9)))
    changed("key, nobody says when", lambda e, b: b["verificationMaterial"].pop("timestampVerificationData"),
            log=w.v2)
    changed("key, a timestamp of something else", lambda e, b: b["verificationMaterial"].update(
        timestampVerificationData={"rfc3161Timestamps": [{"signedTimestamp": w.clock.stamp(b"else")}]}), log=w.v2)
    changed("key, a timestamp twice", lambda e, b: b["verificationMaterial"]["timestampVerificationData"][
        "rfc3161Timestamps"].extend(b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][:1]),
            log=w.v2)
    add("key, a log that counts no more", bundle(), False, roots=w.roots(logs=[
        w.v1.public(end=NOW - HOUR), w.v2.public()]))
    add("key, signed in the future", bundle(when=NOW + 30 * DAY), False)
    return copy.deepcopy(cases.list)


def main():
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as work:
        cases = Cases(World(work))
        vectors(sys.argv[2], "Signatures by a key that are in a log (klp.md 9)", cases, keyed(cases),
                ("name", "bundle", "roots", "key", "sum", "ours"))


if __name__ == "__main__":
    main()
