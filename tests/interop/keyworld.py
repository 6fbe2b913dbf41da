# SPDX-License-Identifier: BSD-2-Clause
"""Signatures of an image by RSA and P-521, as `cosign` publishes them, made by the program openssl.

  keyworld.py FILE

writes tests/vectors/pemkey.json anew: keys, those that are refused with a word of why, and signatures with the names of
the keys whose they are. Takes a minute for the keys of RSA."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

MANIFEST = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}'
SUM = hashlib.sha256(MANIFEST).hexdigest()
INTOTO = "application/vnd.in-toto+json"
RSA = {"rsa2048": 2048, "rsa3072": 3072, "rsa4096": 4096}
REFUSED = [("rsa1024", 1024, 65537, "bits"), ("rsa2040", 2040, 65537, "bits"), ("rsa2056", 2056, 65537, "bits"),
           ("rsa8192", 8192, 65537, "longer"), ("exponent 3", 2048, 3, "exponent"),
           ("exponent 257", 2048, 257, "exponent"), ("exponent 2^31+11", 2048, 2147483659, "exponent"),
           ("exponent of 64 bits", 2048, 18446744073709551557, "exponent")]
PSS = ["-sigopt", "rsa_padding_mode:pss", "-sigopt"]


def b64(data):
    return base64.b64encode(data).decode()


class World:
    def __init__(self, folder):
        self.folder, self.keys = folder, {}

    def openssl(self, *words, data=None):
        return subprocess.run(["openssl", *words], cwd=self.folder, input=data, check=True, capture_output=True).stdout

    def key(self, name, *words):
        self.openssl("genpkey", *words, "-out", name + ".key")
        return self.openssl("pkey", "-in", name + ".key", "-pubout").decode()

    def rsa(self, name, bits, exponent=65537, algorithm="RSA"):
        return self.key(name, "-algorithm", algorithm, "-pkeyopt", f"rsa_keygen_bits:{bits}", "-pkeyopt",
                        f"rsa_keygen_pubexp:{exponent}")

    def sign(self, name, data, *words, md="sha256"):
        with open(os.path.join(self.folder, "data"), "wb") as f:
            f.write(data)
        return self.openssl("dgst", "-" + md, "-sign", name + ".key", *words, "data")


def payload():
    return json.dumps({"critical": {"identity": {"docker-reference": "registry.example/a/b"}, "image":
                                    {"docker-manifest-digest": "sha256:" + SUM},
                                    "type": "cosign container image signature"}, "optional": None},
                      separators=(",", ":")).encode()


def statement():
    return json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "predicateType":
                       "https://slsa.dev/provenance/v0.2", "subject": [{"name": "registry.example/a/b", "digest":
                                                                        {"sha256": SUM}}], "predicate": {}}).encode()


def simple(sig):
    return {"Base64Signature": b64(sig), "Payload": b64(payload())}


def envelope(sig):
    return {"payloadType": INTOTO, "payload": b64(statement()), "signatures": [{"keyid": "", "sig": b64(sig)}]}


def bundle(sig):
    return {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {"publicKey": {
        "hint": "x"}}, "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(
            bytes.fromhex(SUM))}, "signature": b64(sig)}}


def cases(w):
    out = []

    def add(name, text, by):
        out.append({"name": name, "text": json.dumps(text), "by": by})
    pae = b"DSSEv1 %d %s %d %s" % (len(INTOTO), INTOTO.encode(), len(statement()), statement())
    for k in RSA:
        add(k + ", PKCS #1", simple(w.sign(k, payload())), [k])
        add(k + ", PSS", simple(w.sign(k, payload(), *PSS, "rsa_pss_saltlen:digest")), [k])
        add(k + ", envelope", envelope(w.sign(k, pae)), [k])
    k = "rsa2048"
    for salt in ("0", "20", "max"):
        add("PSS, salt " + salt, simple(w.sign(k, payload(), *PSS, "rsa_pss_saltlen:" + salt)), [k])
    add("envelope, PSS", envelope(w.sign(k, pae, *PSS, "rsa_pss_saltlen:digest")), [k])
    add("bundle", bundle(w.sign(k, MANIFEST)), [k])
    add("bundle, PSS", bundle(w.sign(k, MANIFEST, *PSS, "rsa_pss_saltlen:digest")), [k])
    add("over SHA-384", simple(w.sign(k, payload(), md="sha384")), [])
    add("over SHA-512, PSS", simple(w.sign(k, payload(), *PSS, "rsa_pss_saltlen:digest", md="sha512")), [])
    add("over SHA-1", simple(w.sign(k, payload(), md="sha1")), [])
    add("a mask of SHA-1", simple(w.sign(k, payload(), *PSS, "rsa_pss_saltlen:digest", "-sigopt",
                                         "rsa_mgf1_md:sha1")), [])
    add("a payload for an envelope", envelope(w.sign(k, statement())), [])
    add("without padding", simple(w.openssl("pkeyutl", "-decrypt", "-inkey", k + ".key", "-pkeyopt",
                                            "rsa_padding_mode:none", data=b"\0" * 224 + hashlib.sha256(
                                                payload()).digest())), [])
    add("padding without the hash's name", simple(w.openssl("pkeyutl", "-sign", "-inkey", k + ".key", data=hashlib
                                                            .sha256(payload()).digest())), [])
    add("a byte less", simple(w.sign(k, payload())[:-1]), [])
    add("a zero before", simple(b"\0" + w.sign(k, payload())), [])
    add("zeros", simple(b"\0" * 256), [])
    add("one", simple(b"\0" * 255 + b"\1"), [])
    add("P-521", simple(w.sign("p521", payload())), ["p521"])
    add("P-521, SHA-512", simple(w.sign("p521", payload(), md="sha512")), ["p521"])
    add("P-521, bundle", bundle(w.sign("p521", MANIFEST)), ["p521"])
    return out


def main():
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        keys = {k: w.rsa(k, bits) for k, bits in RSA.items()}
        keys["p521"] = w.key("p521", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521")
        refused = [{"name": name, "pem": w.rsa("refused", bits, e), "why": why} for name, bits, e, why in REFUSED]
        refused.append({"name": "for PSS alone", "pem": w.rsa("refused", 2048, algorithm="RSA-PSS"), "why": "none of"})
        refused.append({"name": "PKCS #1", "pem": w.openssl("rsa", "-in", "rsa2048.key", "-RSAPublicKey_out").decode(),
                        "why": "no PEM block"})
        refused.append({"name": "secp256k1", "pem": w.key("k", "-algorithm", "EC", "-pkeyopt",
                                                          "ec_paramgen_curve:secp256k1"), "why": "none of"})
        pkcs1 = {k: w.openssl("rsa", "-in", k + ".key", "-RSAPublicKey_out", "-outform", "DER").hex() for k in RSA}
        with open(sys.argv[1], "w") as f:
            json.dump({"_": "Signatures of images by RSA and P-521 (klp.md 9); tests/interop/keyworld.py made them.",
                       "image": SUM, "keys": keys, "pkcs1": pkcs1, "refused": refused, "cases": cases(w)}, f, indent=1)
            f.write("\n")


if __name__ == "__main__":
    main()
