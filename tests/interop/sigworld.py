# SPDX-License-Identifier: BSD-2-Clause
"""A world of sigstore for tests: who certifies, logs of certificates and of signatures, and who tells the time.

  sigworld.py DIR [--vectors FILE]
  sigworld.py DIR --sum HEX       a bundle of PERSON for what has this SHA-256, and its roots alone

makes it with fresh keys and writes into DIR bundles, good ones and lies, files of roots, and cases.json: a list of
{"name", "bundle", "roots", "issuer", "subject", "sum", "ours", "theirs", "note"}; ours and theirs: whether Warren and
whether sigstore is to take it, and where the two differ why. With --vectors the same is also written as one file for
unit tests. Needs the package cryptography and the program openssl."""

import base64
import copy
import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

UTC = datetime.timezone.utc
NOW = datetime.datetime.now(UTC).replace(microsecond=0)
INTOTO = "application/vnd.in-toto+json"
ISSUER = "https://accounts.example"
PERSON = "person@example.org"
WORKFLOW = "https://forge.example/org/repo/.github/workflows/release.yml@refs/tags/v1"
SCT_OID = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
OLD_OID = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
NEW_OID = ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
NAME_OID = ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
MINUTE, HOUR, DAY, YEAR = (datetime.timedelta(seconds=s) for s in (60, 3600, 86400, 365 * 86400))
ARTIFACT = b'{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}'
SUM = hashlib.sha256(ARTIFACT).hexdigest()


def b64(data):
    return base64.b64encode(data).decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def der(cert):
    return cert.public_bytes(serialization.Encoding.DER)


def pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM)


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def utf8(text):
    data = text.encode()
    return b"\x0c" + (bytes([len(data)]) if len(data) < 128 else b"\x81" + bytes([len(data)])) + data


def sign(key, data):
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(data)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    hashed = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}[key.key_size]()
    return key.sign(data, ec.ECDSA(hashed))


def p256():
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits=2048, exponent=65537):
    return rsa.generate_private_key(exponent, bits)


def details(key):
    """What a file of roots says of a log's key."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "PKIX_ED25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "PKIX_RSA_PKCS1V15_%d_SHA256" % key.key_size
    return {256: "PKIX_ECDSA_P256_SHA_256", 384: "PKIX_ECDSA_P384_SHA_384", 521: "PKIX_ECDSA_P521_SHA_512"}[key.key_size]


class Authority:
    """A root and one between, as Fulcio has them."""

    def __init__(self, name, start=NOW - YEAR, end=NOW + YEAR, permit=None, eku=ExtendedKeyUsageOID.CODE_SIGNING,
                 keys=None):
        self.root_key, self.key = keys or [ec.generate_private_key(ec.SECP384R1()) for _ in range(2)]
        self.root = self.ca(name + "-root", self.root_key, name + "-root", self.root_key, start, end, 1)
        self.between = self.ca(name, self.key, name + "-root", self.root_key, start, end, 0, permit, eku)

    @staticmethod
    def ca(subject, key, issuer, issuer_key, start, end, length, permit=None, eku=None):
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (subject, issuer)]
        b = (x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).public_key(key.public_key())
             .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)
             .add_extension(x509.BasicConstraints(True, length), True)
             .add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), True)
             .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
             .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False))
        if permit is not None:
            b = b.add_extension(x509.NameConstraints([x509.RFC822Name(permit)], None), True)
        if eku is not None:
            b = b.add_extension(x509.ExtendedKeyUsage([eku]), False)
        return b.sign(issuer_key, hashes.SHA384())

    def chain(self):
        return [self.between, self.root]


class Log:
    """Rekor: v1 signs by P-256 and says when, v2 by Ed25519 and does not."""

    def __init__(self, name, version, key=None):
        self.name, self.version = name, version
        self.key = key or (p256() if version == 1 else ed25519.Ed25519PrivateKey.generate())
        # as it is named: of Ed25519 by the rule of signed notes
        self.id = hashlib.sha256(spki(self.key) if version == 1 else name.encode() + b"\n\x01" + self.key.public_key()
                                 .public_bytes_raw()).digest()
        self.leaves = [hashlib.sha256(b"\0entry %d" % i).digest() for i in range(11)]

    @staticmethod
    def node(a, b):
        return hashlib.sha256(b"\1" + a + b).digest()

    def root(self, leaves):
        if len(leaves) == 1:
            return leaves[0]
        k = 1 << (len(leaves) - 1).bit_length() - 1
        return self.node(self.root(leaves[:k]), self.root(leaves[k:]))

    def path(self, leaves, i):
        if len(leaves) == 1:
            return []
        k = 1 << (len(leaves) - 1).bit_length() - 1
        if i < k:
            return self.path(leaves[:k], i) + [self.root(leaves[k:])]
        return self.path(leaves[k:], i - k) + [self.root(leaves[:k])]

    def checkpoint(self, text, key=None, name=None):
        return "%s\n— %s %s\n" % (text, name or self.name, b64(self.id[:4] + sign(key or self.key, text.encode())))

    def entry(self, body, when, key=None):
        text = compact(body)
        leaves = self.leaves + [hashlib.sha256(b"\0" + text.encode()).digest(), self.leaves[0], self.leaves[1]]
        at, size, root = len(self.leaves), len(leaves), self.root(leaves)
        origin = self.name + " - 1193050959916656506" if self.version == 1 else self.name
        head = "%s\n%d\n%s\n" % (origin, size, b64(root))
        e = {"logIndex": str(at + 1000 * (self.version == 1)), "logId": {"keyId": b64(self.id)},
             "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
             "inclusionProof": {"logIndex": str(at), "rootHash": b64(root), "treeSize": str(size),
                                "hashes": [b64(h) for h in self.path(leaves, at)],
                                "checkpoint": {"envelope": self.checkpoint(head, key)}},
             "canonicalizedBody": b64(text.encode())}
        if self.version == 1:
            e["integratedTime"] = str(int(when.timestamp()))
            self.promise(e, key)
        return e

    def promise(self, e, key=None):
        text = compact({"body": e["canonicalizedBody"], "integratedTime": int(e["integratedTime"]),
                        "logID": self.id.hex(), "logIndex": int(e["logIndex"])})
        e["inclusionPromise"] = {"signedEntryTimestamp": b64(sign(key or self.key, text.encode()))}

    def public(self, start=NOW - YEAR, end=None):
        valid = {"start": stamp(start)}
        if end is not None:
            valid["end"] = stamp(end)
        return {"baseUrl": "https://" + self.name, "hashAlgorithm": "SHA2_256",
                "publicKey": {"rawBytes": b64(spki(self.key)), "validFor": valid,
                              "keyDetails": details(self.key)},
                "logId": {"keyId": b64(self.id)}}


class Clock:
    """An authority of timestamps, by the openssl program: the time is now."""

    def __init__(self, folder, name):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder)
        self.root_key, self.key = p256(), p256()
        self.root = Authority.ca(name, self.root_key, name, self.root_key, NOW - YEAR, NOW + YEAR, 0)
        self.serve(name)

    def other(self, name):
        """Another authority below the same root."""
        o = copy.copy(self)
        o.folder = os.path.join(self.folder, name)
        os.makedirs(o.folder)
        o.key = p256()
        o.serve(name)
        return o

    def serve(self, name):
        ski = x509.SubjectKeyIdentifier.from_public_key(self.root_key.public_key())
        self.cert = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME,
                                                                                          name + "-tsa")]))
                     .issuer_name(self.root.subject).public_key(self.key.public_key())
                     .serial_number(x509.random_serial_number()).not_valid_before(NOW - YEAR)
                     .not_valid_after(NOW + YEAR).add_extension(x509.BasicConstraints(False, None), True)
                     .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), True)
                     .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), False)
                     .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True)
                     .sign(self.root_key, hashes.SHA256()))
        self.write("tsa.pem", pem(self.cert))
        self.write("key.pem", self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                     serialization.NoEncryption()))
        self.write("serial", b"01\n")
        self.write("conf", b"[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ncrypto_device = builtin\n"
                   b"signer_cert = tsa.pem\nsigner_key = key.pem\nsigner_digest = sha256\n"
                   b"default_policy = 1.3.6.1.4.1.57264.2\ndigests = sha256\nordering = yes\ntsa_name = no\n"
                   b"ess_cert_id_chain = no\ness_cert_id_alg = sha256\n")

    def write(self, name, data):
        with open(os.path.join(self.folder, name), "wb") as f:
            f.write(data)

    def stamp(self, data, cert=True):
        self.write("data", data)
        for words in (["-query", "-data", "data", "-sha256", "-out", "q"] + ["-cert"] * cert,
                      ["-reply", "-config", "conf", "-section", "t", "-queryfile", "q", "-out", "r"]):
            subprocess.run(["openssl", "ts", *words], cwd=self.folder, check=True, capture_output=True)
        with open(os.path.join(self.folder, "r"), "rb") as f:
            return b64(f.read())

    def public(self, start=NOW - YEAR, end=None):
        valid = {"start": stamp(start)}
        if end is not None:
            valid["end"] = stamp(end)
        return {"subject": {"organization": "o", "commonName": "c"}, "validFor": valid,
                "certChain": {"certificates": [{"rawBytes": b64(der(c))} for c in (self.cert, self.root)]}}


class World:
    def __init__(self, folder):
        self.fulcio, self.other_ca = Authority("fulcio"), Authority("elsewhere")
        self.ct, self.other_ct = p256(), p256()
        self.v1, self.v2 = Log("rekor.example", 1), Log("log2.rekor.example", 2)
        self.other_log = Log("rekor.example", 1)
        self.clock, self.other_clock = Clock(folder, "clock"), Clock(folder, "otherclock")

    # ---- certificates ----

    def sct(self, cert, issuer, key, when, other_id=None):
        tbs = cert.tbs_precertificate_bytes
        ms = int(when.timestamp() * 1000)
        data = (b"\0\0" + ms.to_bytes(8, "big") + b"\0\1" + hashlib.sha256(spki_of(issuer)).digest() +
                len(tbs).to_bytes(3, "big") + tbs + b"\0\0")
        sig = sign(key, data)
        how = b"\4\1" if isinstance(key, rsa.RSAPrivateKey) else b"\4\3"
        one = (b"\0" + (other_id or hashlib.sha256(spki(key)).digest()) + ms.to_bytes(8, "big") + b"\0\0" + how +
               len(sig).to_bytes(2, "big") + sig)
        listed = len(one).to_bytes(2, "big") + one
        listed = len(listed).to_bytes(2, "big") + listed
        size = len(listed).to_bytes(2, "big").lstrip(b"\0")
        return b"\4" + (size if len(listed) < 128 else bytes([0x80 + len(size)]) + size) + listed

    def issue(self, ca=None, san=None, issuer=ISSUER, old=True, new=True, start=None, end=None, ct=None, sct=True,
              usage=True, eku=ExtendedKeyUsageOID.CODE_SIGNING, key=None, is_ca=False, wrong_sct=False, extra=None,
              old_text=None, ct_id=None):
        """A key and its certificate."""
        ca, key = ca or self.fulcio, key or p256()
        start = start or NOW - MINUTE
        san = [x509.RFC822Name(PERSON)] if san is None else san
        b = (x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(ca.between.subject)
             .public_key(key.public_key()).serial_number(x509.random_serial_number())
             .not_valid_before(start).not_valid_after(end or start + 10 * MINUTE)
             .add_extension(x509.KeyUsage(usage, False, not usage, False, False, is_ca, is_ca, False, False), True)
             .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
             .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), False))
        if is_ca:
            b = b.add_extension(x509.BasicConstraints(True, None), True)
        if eku is not None:
            b = b.add_extension(x509.ExtendedKeyUsage([eku]), False)
        if san:
            b = b.add_extension(x509.SubjectAlternativeName(san), True)
        if old:
            b = b.add_extension(x509.UnrecognizedExtension(OLD_OID, (old_text or issuer).encode()), False)
        if new:
            b = b.add_extension(x509.UnrecognizedExtension(NEW_OID, utf8(issuer)), False)
        for oid, value, critical in extra or []:
            b = b.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(oid), value), critical)
        if not sct:
            return key, b.sign(ca.key, hashes.SHA384())
        bare = b.add_extension(x509.UnrecognizedExtension(SCT_OID, b"\4\2\0\0"), False).sign(ca.key, hashes.SHA384())
        value = self.sct(bare, self.other_ca.between if wrong_sct else ca.between, ct or self.ct, start,
                         ct_id or hashlib.sha256(spki(self.ct)).digest() if ct else None)
        return key, b.add_extension(x509.UnrecognizedExtension(SCT_OID, value), False).sign(ca.key, hashes.SHA384())

    # ---- bundles ----

    @staticmethod
    def statement(digest=SUM):
        return compact({"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "i", "digest":
                        {"sha256": digest}}], "predicateType": "https://slsa.dev/provenance/v1",
                        "predicate": {"runDetails": {"builder": {"id": "https://builder.example/1"}}}}).encode()

    @staticmethod
    def pae(payload):
        return b"DSSEv1 %d %s %d %s" % (len(INTOTO), INTOTO.encode(), len(payload), payload)

    def body(self, kind, version, cert, sig, digest):
        """What the log keeps. digest: of the artifact, or of the payload."""
        bare = isinstance(cert, bytes)  # a key's SubjectPublicKeyInfo
        cert_pem = b64(pem_of(cert) if bare else pem(cert))
        key_2 = {"keyDetails": "PKIX_ECDSA_P256_SHA_256", "publicKey" if bare else "x509Certificate":
                 {"rawBytes": b64(cert if bare else der(cert))}}
        old = {"algorithm": "sha256", "value": digest.hex()}
        new = {"algorithm": "SHA2_256", "digest": b64(digest)}
        spec = {
            ("hashedrekord", 1): lambda: {"data": {"hash": old}, "signature": {
                "content": b64(sig), "publicKey": {"content": cert_pem}}},
            ("hashedrekord", 2): lambda: {"hashedRekordV002": {"data": new, "signature": {
                "content": b64(sig), "verifier": key_2}}},
            ("dsse", 1): lambda: {"envelopeHash": old, "payloadHash": old, "signatures": [
                {"signature": b64(sig), "verifier": cert_pem}]},
            ("dsse", 2): lambda: {"dsseV002": {"payloadHash": new, "signatures": [
                {"content": b64(sig), "verifier": key_2}]}},
            ("intoto", 1): lambda: {"content": {"hash": old, "payloadHash": old, "envelope": {
                "payloadType": INTOTO, "signatures": [{"publicKey": cert_pem, "sig": b64(b64(sig).encode())}]}}},
        }[kind, version]()
        number = "0.0.2" if version == 2 or kind == "intoto" else "0.0.1"
        return {"apiVersion": number, "kind": kind, "spec": spec}

    def bundle(self, form="message", log=None, key_cert=None, when=None, stamps=None, kind=None, media="v0.3", total=SUM,
               scheme=None, **issue):
        key, cert = key_cert or self.issue(**issue)
        log, when = log or self.v1, when or NOW
        b = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json" if media == "v0.3" else
             "application/vnd.dev.sigstore.bundle+json;version=" + media}
        if form == "message":
            digest = bytes.fromhex(total)
            sig = (key.sign(digest, scheme or padding.PKCS1v15(), Prehashed(hashes.SHA256()))
                   if isinstance(key, rsa.RSAPrivateKey) else key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
            b["messageSignature"] = {"messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)},
                                     "signature": b64(sig)}
        else:
            payload = self.statement()
            sig = sign(key, self.pae(payload))
            # Rekor v2 has statements as hashedrekord alone
            kind = kind or ("hashedrekord" if log.version == 2 else "dsse")
            digest = hashlib.sha256(self.pae(payload) if kind == "hashedrekord" else payload).digest()
            b["dsseEnvelope"] = {"payload": b64(payload), "payloadType": INTOTO, "signatures": [{"sig": b64(sig)}]}
        kind = kind or "hashedrekord"
        m = b["verificationMaterial"] = {"tlogEntries": [log.entry(self.body(kind, log.version, cert, sig, digest), when)]}
        if isinstance(cert, bytes):
            m["publicKey"] = {"hint": b64(hashlib.sha256(cert).digest())}
        elif media == "v0.3":
            m["certificate"] = {"rawBytes": b64(der(cert))}
        else:
            m["x509CertificateChain"] = {"certificates": [{"rawBytes": b64(der(cert))}]}
        clocks = [self.clock] * (log.version == 2) if stamps is None else stamps
        if clocks:
            m["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": c.stamp(sig)}
                                                                    for c in clocks]}
        return b

    # ---- roots ----

    def roots(self, ca=None, logs=None, ct=None, tsa=None, ca_valid=None, more=()):
        """more: further authorities, each with its validFor."""
        valid = {"start": stamp(NOW - YEAR)} if ca_valid is None else ca_valid
        ct_key = ct or self.ct
        return {"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [self.v1.public(), self.v2.public()] if logs is None else logs,
                "certificateAuthorities": [{
                    "subject": {"organization": "o", "commonName": "c"}, "uri": "https://fulcio.example",
                    "certChain": {"certificates": [{"rawBytes": b64(der(c))} for c in a.chain()]},
                    "validFor": v} for a, v in [(ca or self.fulcio, valid), *more]],
                "ctlogs": [{"baseUrl": "https://ct.example", "hashAlgorithm": "SHA2_256",
                            "publicKey": {"rawBytes": b64(spki(ct_key)), "keyDetails": details(ct_key),
                                          "validFor": {"start": stamp(NOW - YEAR)}},
                            "logId": {"keyId": b64(hashlib.sha256(spki(ct_key)).digest())}}],
                "timestampAuthorities": [self.clock.public()] if tsa is None else tsa}


def pem_of(key):
    return serialization.load_der_public_key(key).public_bytes(serialization.Encoding.PEM,
                                                               serialization.PublicFormat.SubjectPublicKeyInfo)


def spki_of(cert):
    return cert.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def entry(b):
    return b["verificationMaterial"]["tlogEntries"][0]


def flip(text, at=0):
    """Base64 of the same bytes but for one bit."""
    data = bytearray(base64.b64decode(text))
    data[at] ^= 1
    return b64(bytes(data))


class Cases:
    def __init__(self, world):
        self.w, self.list = world, []
        self.roots = {"roots": world.roots()}

    def add(self, name, bundle, ok, theirs=None, roots=None, subject=PERSON, issuer=ISSUER, total=SUM, note=""):
        if roots is not None:
            self.roots[name] = roots
        self.list.append({"name": name, "bundle": bundle if isinstance(bundle, str) else json.dumps(bundle),
                          "roots": name if roots is not None else "roots", "issuer": issuer, "subject": subject,
                          "sum": total, "ours": ok, "theirs": ok if theirs is None else theirs, "note": note})

    # ---- good ones ----

    def good(self):
        w = self.w
        self.add("message, log v1", w.bundle(), True)
        self.add("message, log v2", w.bundle(log=w.v2), True)
        self.add("message, log v1 and a timestamp", w.bundle(stamps=[w.clock]), True)
        self.add("message, bundle 0.2", w.bundle(media="0.2"), True)
        self.add("message, bundle 0.1", w.bundle(media="0.1"), True)
        self.add("statement, log v1", w.bundle("dsse"), True)
        self.add("statement, log v2", w.bundle("dsse", w.v2), True)
        self.add("statement, intoto", w.bundle("dsse", w.v1, kind="intoto"), True, False,
                 note="entries of that kind are none of sigstore's for Python")
        self.add("a workflow", w.bundle(san=[x509.UniformResourceIdentifier(WORKFLOW)]), True, subject=WORKFLOW)
        self.add("a workflow by a pattern", w.bundle(san=[x509.UniformResourceIdentifier(WORKFLOW)]), True, False,
                 subject="https://forge.example/org/repo/.github/workflows/*@refs/tags/*",
                 note="its policy has no patterns")
        self.add("the old issuer alone", w.bundle(new=False), True)
        self.add("the new issuer alone", w.bundle(old=False), True, False, note="its Identity reads the old one")
        self.add("a username", w.bundle(san=[x509.OtherName(NAME_OID, utf8("user!example"))]), True, False,
                 subject="user!example", note="it compares the bytes of ASN.1")
        self.add("two clocks, one unknown", w.bundle(log=w.v2, stamps=[w.other_clock, w.clock]), True)
        narrow = Authority("narrow", permit="example.org")
        self.add("within the constraints", w.bundle(ca=narrow), True, roots=w.roots(ca=narrow))

    # ---- lies ----

    def somebody(self):
        w = self.w
        self.add("another person", w.bundle(san=[x509.RFC822Name("other@example.org")]), False)
        self.add("another issuer", w.bundle(issuer="https://elsewhere.example"), False)
        self.add("two issuers", w.bundle(old_text="https://elsewhere.example"), False, theirs=False)
        self.add("no issuer", w.bundle(old=False, new=False), False)
        self.add("no name", w.bundle(san=[]), False)
        self.add("two names", w.bundle(san=[x509.RFC822Name(PERSON), x509.RFC822Name("other@example.org")]), False,
                 True, note="it takes any of them")
        self.add("a name of a host", w.bundle(san=[x509.DNSName("example.org")]), False, subject="example.org")
        self.add("a longer name", w.bundle(san=[x509.RFC822Name(PERSON + ".evil.example")]), False)

    def certificate(self):
        w = self.w
        self.add("another CA", w.bundle(ca=w.other_ca), False)
        self.add("expired before", w.bundle(start=NOW - DAY, end=NOW - DAY + 10 * MINUTE), False)
        self.add("not valid yet", w.bundle(start=NOW + HOUR), False)
        self.add("expired before the timestamp", w.bundle(log=w.v2, start=NOW - DAY, end=NOW - HOUR), False)
        self.add("good in the log, expired at the timestamp", w.bundle(
            when=NOW - DAY + MINUTE, stamps=[w.clock], start=NOW - DAY, end=NOW - HOUR), False)
        self.add("no SCT", w.bundle(sct=False), False)
        self.add("SCT of another log", w.bundle(ct=w.other_ct), False)
        self.add("SCT for another issuer", w.bundle(wrong_sct=True), False)
        self.add("not for code", w.bundle(eku=ExtendedKeyUsageOID.CLIENT_AUTH), False)
        self.add("for anything", w.bundle(eku=None), False)
        self.add("not for signatures", w.bundle(usage=False), False)
        self.add("a CA's own", w.bundle(is_ca=True), False)
        self.add("an unknown critical extension", w.bundle(extra=[("1.3.6.1.4.1.55555.1", b"\5\0", True)]), False)
        narrow, wrong = Authority("narrow", permit="example.com"), Authority("wrong", eku=ExtendedKeyUsageOID.SERVER_AUTH)
        self.add("outside the constraints", w.bundle(ca=narrow), False, roots=w.roots(ca=narrow))
        self.add("a CA that is not for code", w.bundle(ca=wrong), False, True, roots=w.roots(ca=wrong),
                 note="it asks the last certificate alone")
        late = Authority("late", start=NOW - 2 * YEAR, end=NOW - YEAR)
        self.add("an expired CA", w.bundle(ca=late), False, roots=w.roots(ca=late))
        self.add("a CA that counts no more", w.bundle(), False, roots=w.roots(ca_valid={
            "start": stamp(NOW - YEAR), "end": stamp(NOW - HOUR)}), theirs=True,
            note="it does not hold the time of signing against the root's span of the CA")
        b = w.bundle(media="0.2")
        b["verificationMaterial"]["x509CertificateChain"]["certificates"].append({"rawBytes": b64(der(w.fulcio.root))})
        self.add("the root comes along", b, False, True, note="it warns")
        b = w.bundle()
        b["verificationMaterial"]["certificate"]["rawBytes"] = b64(der(w.issue()[1]))
        self.add("another certificate", b, False)
        b = w.bundle()
        b["verificationMaterial"]["certificate"]["rawBytes"] = b64(base64.b64decode(
            b["verificationMaterial"]["certificate"]["rawBytes"]) + b"\0\0\0")
        self.add("bytes behind the certificate", b, False)
        b = w.bundle()
        del b["verificationMaterial"]["certificate"]
        self.add("no certificate", b, False)

    def kinds(self):
        """Keys of other kinds: who signs, the CA, the logs, and their bounds."""
        w = self.w
        ecdsa = "it takes ECDSA alone from a certificate"
        self.add("an RSA key", w.bundle(key=rsa_key()), True, False, note=ecdsa)
        self.add("an RSA key of 3072, PSS", w.bundle(key=rsa_key(3072), scheme=padding.PSS(
            padding.MGF1(hashes.SHA256()), 32)), True, False, note=ecdsa)
        self.add("a statement by RSA", w.bundle("dsse", key=rsa_key()), True, False, note=ecdsa)
        self.add("an RSA key of 1024", w.bundle(key=rsa_key(1024)), False)
        self.add("an RSA key with the exponent 3", w.bundle(key=rsa_key(exponent=3)), False)
        self.add("a P-384 key", w.bundle("dsse", key=ec.generate_private_key(ec.SECP384R1())), True, False,
                 note="4.5.1 knows it over SHA-256")
        self.add("an Ed25519 key", w.bundle("dsse", key=ed25519.Ed25519PrivateKey.generate()), True, False, note=ecdsa)
        ca = Authority("rsa", keys=[rsa_key(), rsa_key()])
        self.add("a CA by RSA", w.bundle(ca=ca), True, roots=w.roots(ca=ca))
        weak = Authority("weak", keys=[rsa_key(), rsa_key(1024)])
        self.add("a CA by RSA of 1024", w.bundle(ca=weak), False, roots=w.roots(ca=weak))
        for bits in (2048, 4096):
            log = Log("rsa.rekor.example", 1, rsa_key(bits))
            self.add("a log by RSA of %d" % bits, w.bundle(log=log), True, roots=w.roots(logs=[log.public()]))
        log = Log("weak.rekor.example", 1, rsa_key(1024))
        public = log.public()
        public["publicKey"]["keyDetails"] = "PKIX_RSA_PKCS1V5"
        self.add("a log by RSA of 1024", w.bundle(log=log), False, roots=w.roots(logs=[public]))
        log = Log("p384.rekor.example", 1, ec.generate_private_key(ec.SECP384R1()))
        self.add("a log by P-384", w.bundle(log=log), True, roots=w.roots(logs=[log.public()]))
        ct = rsa_key()
        roots, ct_id = w.roots(ct=ct), hashlib.sha256(spki(ct)).digest()
        self.add("certificates seen by RSA", w.bundle(ct=ct, ct_id=ct_id), True, roots=roots)
        roots = copy.deepcopy(roots)
        roots["ctlogs"][0]["publicKey"].update({"keyDetails": "PKCS1_RSA_PKCS1V5", "rawBytes": b64(
            ct.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1))})
        self.add("certificates seen by RSA, PKCS #1", w.bundle(ct=ct, ct_id=ct_id), True, roots=roots)

    def pinned(self):
        """Several authorities and logs with their spans, and roots that are refused as a whole."""
        w = self.w
        old, until = Authority("old"), {"start": stamp(NOW - YEAR), "end": stamp(NOW - DAY)}
        since = {"start": stamp(NOW - DAY)}
        self.add("of two CAs the newer", w.bundle(), True, roots=w.roots(ca=old, ca_valid=until, more=[
            (w.fulcio, since)]))
        self.add("of two CAs one that is over", w.bundle(ca=old), False, theirs=True, roots=w.roots(
            ca=old, ca_valid=until, more=[(w.fulcio, since)]),
            note="it does not hold the time of signing against the root's span of the CA")
        self.add("of two CAs the older, then", w.bundle(ca=old, when=NOW - 2 * DAY + MINUTE, start=NOW - 2 * DAY), True,
                 roots=w.roots(ca=old, ca_valid=until, more=[(w.fulcio, since)]))
        self.add("the same CA in two spans", w.bundle(), True, roots=w.roots(ca_valid=until, more=[(w.fulcio, since)]))
        roots = w.roots()
        roots["mediaType"] = "application/vnd.dev.sigstore.trustedroot.v0.2+json"
        self.add("roots of v0.2", w.bundle(), True, False, roots=roots, note="4.5.1 reads v0.1 alone")
        for name, change in (
                ("roots of v0.9", lambda r: r.update(mediaType="application/vnd.dev.sigstore.trustedroot.v0.9+json")),
                ("roots with an unknown member", lambda r: r.update(revokedKeys=[])),
                ("a log with an unknown member", lambda r: r["tlogs"][0].update(expires="2021-01-01T00:00:00Z")),
                ("a CA with an unknown member", lambda r: r["certificateAuthorities"][0].update(not_for=["x"])),
                ("a log of an unknown hash", lambda r: r["tlogs"][0].update(hashAlgorithm="SHA9_256")),
                ("a key of an unknown kind", lambda r: r["tlogs"][0]["publicKey"].update(keyDetails="PKIX_ML_DSA_99"))):
            roots = w.roots()
            change(roots)
            self.add(name, w.bundle(), False, roots=roots)
        roots = w.roots()
        roots["tlogs"][0]["publicKey"]["keyDetails"] = "PKIX_ECDSA_P384_SHA_384"
        self.add("a key of another kind than said", w.bundle(), False, roots=roots)

    def signature(self):
        w = self.w
        b = w.bundle()
        b["messageSignature"]["signature"] = flip(b["messageSignature"]["signature"], -1)
        self.add("another signature", b, False)
        self.add("of another artefact", w.bundle(), False, total=hashlib.sha256(b"other").hexdigest())
        b = w.bundle()
        b["messageSignature"]["messageDigest"]["digest"] = b64(hashlib.sha256(b"other").digest())
        self.add("a digest that was changed", b, False, total=hashlib.sha256(b"other").hexdigest())
        b = w.bundle("dsse")
        b["dsseEnvelope"]["payload"] = b64(w.statement(hashlib.sha256(b"other").hexdigest()))
        self.add("another statement", b, False, total=hashlib.sha256(b"other").hexdigest())
        b = w.bundle("dsse")
        b["dsseEnvelope"]["signatures"] *= 2
        self.add("a signature twice", b, False)
        # signed again by the same key: good, but not what the log has
        pair = w.issue()
        b, other = w.bundle(key_cert=pair), w.bundle(key_cert=pair)
        b["messageSignature"]["signature"] = other["messageSignature"]["signature"]
        self.add("another good signature than the log's", b, False)
        pair = w.issue()
        b, other = w.bundle("dsse", key_cert=pair), w.bundle("dsse", key_cert=pair)
        b["dsseEnvelope"] = other["dsseEnvelope"]
        self.add("another good envelope than the log's", b, False)

    def the_log(self):
        w = self.w
        self.add("another log", w.bundle(log=w.other_log), False)
        b = w.bundle()
        e = w.v1.entry(json.loads(base64.b64decode(entry(b)["canonicalizedBody"])), NOW, key=w.other_log.key)
        b["verificationMaterial"]["tlogEntries"] = [e]
        self.add("another log by this one's name", b, False)
        b = w.bundle()
        b["verificationMaterial"]["tlogEntries"] = []
        self.add("no entry", b, False)
        b = w.bundle()
        b["verificationMaterial"]["tlogEntries"] *= 2
        self.add("an entry twice", b, False)
        b, other = w.bundle(), w.bundle()
        b["verificationMaterial"]["tlogEntries"] = other["verificationMaterial"]["tlogEntries"]
        self.add("the entry of another bundle", b, False)
        b = w.bundle()
        entry(b)["inclusionProof"]["hashes"][0] = flip(entry(b)["inclusionProof"]["hashes"][0])
        self.add("a wrong hash in the proof", b, False)
        b = w.bundle()
        entry(b)["inclusionProof"]["hashes"].pop()
        self.add("a hash less in the proof", b, False)
        b = w.bundle()
        entry(b)["inclusionProof"]["logIndex"] = "3"
        self.add("another place in the log", b, False)
        b = w.bundle()
        del entry(b)["inclusionProof"]
        self.add("no proof", b, False)
        b = w.bundle(media="0.1")
        del entry(b)["inclusionProof"]
        self.add("a promise without a proof", b, False)
        b = w.bundle()
        del entry(b)["inclusionProof"]["checkpoint"]
        self.add("no checkpoint", b, False)
        b = w.bundle()
        text = entry(b)["inclusionProof"]["checkpoint"]["envelope"]
        entry(b)["inclusionProof"]["checkpoint"]["envelope"] = text.replace("\n14\n", "\n15\n")
        self.add("a checkpoint of another size", b, False)
        b = w.bundle()
        head = text.split("\n\n")[0].split("\n")
        entry(b)["inclusionProof"]["checkpoint"]["envelope"] = w.v1.checkpoint("\n".join(
            [head[0], head[1], b64(b"x" * 32)]) + "\n")
        self.add("a checkpoint of another tree", b, False)
        b = w.bundle()
        head = entry(b)["inclusionProof"]["checkpoint"]["envelope"].split("\n\n")[0] + "\n"
        entry(b)["inclusionProof"]["checkpoint"]["envelope"] = w.v1.checkpoint(head, w.other_log.key)
        self.add("a checkpoint by another key", b, False)
        b = w.bundle()
        entry(b)["inclusionPromise"]["signedEntryTimestamp"] = flip(
            entry(b)["inclusionPromise"]["signedEntryTimestamp"], -1)
        self.add("a promise of somebody else", b, False)
        b = w.bundle()
        entry(b)["integratedTime"] = str(int(entry(b)["integratedTime"]) - 30)
        self.add("another time than promised", b, False)
        b = w.bundle()
        entry(b)["kindVersion"]["version"] = "0.0.2"
        self.add("another version than the entry's", b, False)
        b = w.bundle()
        entry(b)["logIndex"] = "-1"
        self.add("a place below zero", b, False)
        b = w.bundle()
        body = json.loads(base64.b64decode(entry(b)["canonicalizedBody"]))
        body["spec"]["signature"]["publicKey"]["content"] = b64(pem(w.issue()[1]))
        b["verificationMaterial"]["tlogEntries"] = [w.v1.entry(body, NOW)]
        self.add("an entry with another certificate", b, False)
        self.add("a log that counts no more", w.bundle(), False, True, roots=w.roots(logs=[
            w.v1.public(end=NOW - HOUR), w.v2.public()]),
            note="it does not hold the time against the root's span of the log")
        self.add("a log in two spans", w.bundle(), True, roots=w.roots(logs=[
            w.v1.public(end=NOW - HOUR), w.v1.public(start=NOW - HOUR), w.v2.public()]))
        b = w.bundle("dsse", w.v1, kind="intoto")
        body = json.loads(base64.b64decode(entry(b)["canonicalizedBody"]))
        body["spec"]["content"]["payloadHash"]["value"] = "0" * 64
        b["verificationMaterial"]["tlogEntries"] = [w.v1.entry(body, NOW)]
        self.add("an intoto entry of another statement", b, False)
        b = w.bundle("dsse", w.v2)
        body = json.loads(base64.b64decode(entry(b)["canonicalizedBody"]))
        body["spec"]["hashedRekordV002"]["data"]["digest"] = b64(b"\0" * 32)
        b["verificationMaterial"]["tlogEntries"] = [w.v2.entry(body, NOW)]
        self.add("a v2 entry of another statement", b, False)
        self.add("a dsse entry of Rekor v2", w.bundle("dsse", w.v2, kind="dsse"), False)

    def time(self):
        w = self.w
        b = w.bundle(log=w.v2)
        del b["verificationMaterial"]["timestampVerificationData"]
        self.add("nobody says when", b, False)
        self.add("another clock", w.bundle(log=w.v2, stamps=[w.other_clock]), False)
        b = w.bundle(log=w.v2)
        b["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [
            {"signedTimestamp": w.clock.stamp(b"something else")}]}
        self.add("a timestamp of something else", b, False)
        b = w.bundle(log=w.v2)
        stamps = b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
        stamps[0]["signedTimestamp"] = flip(stamps[0]["signedTimestamp"], -1)
        self.add("a timestamp that was changed", b, False)
        self.add("a clock that counts no more", w.bundle(log=w.v2), False, roots=w.roots(tsa=[
            w.clock.public(end=NOW - HOUR)]))
        self.add("another clock below the same root", w.bundle(log=w.v2, stamps=[w.clock.other("second")]), False)
        self.add("no clock among the roots", w.bundle(log=w.v2), False, roots=w.roots(tsa=[]))
        b = w.bundle(log=w.v2)
        stamps = b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
        b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] = stamps * 40
        self.add("forty timestamps", b, False)
        b = w.bundle(log=w.v2)
        b["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"] *= 2
        self.add("a timestamp twice", b, False)
        b = w.bundle(log=w.v2)
        entry(b)["integratedTime"] = str(int(NOW.timestamp()))
        del b["verificationMaterial"]["timestampVerificationData"]
        self.add("a time that nobody has signed", b, False)
        self.add("signed in the future", w.bundle(when=NOW + 30 * DAY, start=NOW + 30 * DAY - MINUTE), False, True,
                 note="it does not look at a clock")

    def form(self):
        b = self.w.bundle()
        b["mediaType"] = "application/vnd.dev.sigstore.bundle.v9+json"
        self.add("another version of bundles", b, False)
        text = json.dumps(self.w.bundle())
        self.add("a bundle that was cut", text[:-40], False)
        b = self.w.bundle()
        b["dsseEnvelope"] = self.w.bundle("dsse")["dsseEnvelope"]
        self.add("a signature and an envelope", b, False)

    def all(self):
        self.good()
        for rows in (self.somebody, self.certificate, self.kinds, self.pinned, self.signature, self.the_log, self.time,
                     self.form):
            rows()
        return copy.deepcopy(self.list)


# what unit tests are given of it
VECTORS = ["message, log v1", "message, log v2", "statement, log v1", "statement, log v2",
           "statement, intoto", "a workflow", "two issuers", "two names", "SCT of another log", "no SCT",
           "a CA that is not for code", "outside the constraints", "good in the log, expired at the timestamp",
           "another good signature than the log's", "a wrong hash in the proof", "a timestamp of something else",
           "a time that nobody has signed", "another clock below the same root", "a log in two spans",
           "signed in the future", "an entry with another certificate", "an RSA key", "an RSA key of 3072, PSS",
           "an RSA key of 1024", "a P-384 key", "an Ed25519 key", "a CA by RSA", "a log by RSA of 4096",
           "a log by P-384", "certificates seen by RSA, PKCS #1", "of two CAs the newer",
           "of two CAs one that is over", "of two CAs the older, then", "roots of v0.2"]


def vectors(path, what, cases, rows, members):
    names = {r["roots"] for r in rows}
    with open(path, "w") as f:
        json.dump({"_": what + " of a world that tests/interop/sigworld.py made.", "now": int(NOW.timestamp()) + 60,
                   "roots": {n: json.dumps(r) for n, r in cases.roots.items() if n in names},
                   "cases": [{k: r[k] for k in members} for r in rows]}, f, indent=1)


def main():
    folder = sys.argv[1]
    with tempfile.TemporaryDirectory(dir=folder) as work:
        if "--sum" in sys.argv:
            w = World(work)
            for name, value in (("bundle.json", w.bundle(total=sys.argv[sys.argv.index("--sum") + 1])),
                                ("roots.json", w.roots())):
                with open(os.path.join(folder, name), "w") as f:
                    json.dump(value, f)
            return
        cases = Cases(World(work))
        rows = cases.all()
    if "--vectors" in sys.argv:
        kept = [r for r in rows if r["name"] in VECTORS]
        vectors(sys.argv[sys.argv.index("--vectors") + 1], "Keyless signatures (klp.md 9)", cases, kept,
                ("name", "bundle", "roots", "issuer", "subject", "sum", "ours"))
    for name, roots in cases.roots.items():
        with open(os.path.join(folder, "%s.root.json" % name.replace(" ", "_").replace(",", "")), "w") as f:
            json.dump(roots, f)
    for i, row in enumerate(rows):
        path = os.path.join(folder, "%03d.json" % i)
        with open(path, "w") as f:
            f.write(row["bundle"])
        row["bundle"] = path
        row["roots"] = os.path.join(folder, "%s.root.json" % row["roots"].replace(" ", "_").replace(",", ""))
    with open(os.path.join(folder, "cases.json"), "w") as f:
        json.dump(rows, f)


if __name__ == "__main__":
    main()
