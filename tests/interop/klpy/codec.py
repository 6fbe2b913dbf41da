# SPDX-License-Identifier: BSD-2-Clause
"""Keys, envelopes, bindings, receipts, volumes: the bytes of klp.md and compute.md."""

import base64
import hashlib
import io
import json
import os
import stat
import struct
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed, decode_dss_signature, encode_dss_signature)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
T_MANIFEST = "application/vnd.klp.manifest+json"
T_BINDING = "application/vnd.klp.binding"
T_RECEIPT = "application/vnd.klp.receipt"
T_APPROVAL = "application/vnd.klp.approval"
LAYERS = ("user pid mount net ipc uts cgroup caps no_new_privs seccomp landlock memory cpu pids "
          "rlimits readonly_root lsm bpf io").split()


def sha256(b):
    return hashlib.sha256(b).digest()


def pae(kind, payload):
    kind = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def jcs(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tagged_hash(tag, msg):
    t = sha256(tag.encode())
    return sha256(t + t + msg)


class SecpKey:
    """A secp256k1 key with ECDSA, low S."""

    def __init__(self, secret=None):
        if secret is None:
            self.private = ec.generate_private_key(ec.SECP256K1())
        else:
            self.private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256K1())
        self.public = compressed(self.private.public_key())
        self.fp = secp_fp(self.public)

    def sign_digest(self, digest):
        r, s = decode_dss_signature(self.private.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        return r.to_bytes(32, "big") + min(s, N - s).to_bytes(32, "big")

    def sign(self, kind, payload):
        return self.sign_digest(sha256(pae(kind, payload)))

    def urn(self, kind="human", namespace="kindai"):
        return f"urn:klp:{namespace}:{kind}:{self.fp.hex()}"

    def text(self):
        return "pubkey:ecc-secp256k1:" + self.public.hex()

    def secret(self):
        return self.private.private_numbers().private_value.to_bytes(32, "big")


class RnsKey:
    """The Ed25519 key of a Reticulum identity, of a peer that is pinned by its hash."""

    def __init__(self, identity):
        self.identity = identity
        self.fp = ed_fp(identity.get_public_key()[32:])

    def sign(self, kind, payload):
        return self.identity.sign(pae(kind, payload))

    urn = SecpKey.urn


def compressed(public_key):
    return public_key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def secp_fp(public):
    return sha256(b"\xe7\x01" + public)


def ed_fp(public):
    return sha256(b"\xed\x01" + public)


def secp_verify_digest(public, digest, sig):
    r, s = int.from_bytes(sig[:32], "big"), int.from_bytes(sig[32:], "big")
    if len(sig) != 64 or s > N // 2 or not 0 < r < N or s == 0:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), public).verify(
            encode_dss_signature(r, s), digest, ec.ECDSA(Prehashed(hashes.SHA256())))
        return True
    except (InvalidSignature, ValueError):
        return False


def secp_verify(public, kind, payload, sig):
    return secp_verify_digest(public, sha256(pae(kind, payload)), sig)


def ed_verify(public, kind, payload, sig):
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(sig, pae(kind, payload))
        return True
    except (InvalidSignature, ValueError):
        return False


# ---- envelopes ----

def envelope_json(kind, payload, key):
    return jcs({"payloadType": kind, "payload": base64.b64encode(payload).decode(),
                "signatures": [{"keyid": key.fp.hex(), "sig": base64.b64encode(key.sign(kind, payload)).decode()}]})


def envelope_binary(msgpack, kind, payload, key):
    return msgpack.packb(["KE1", kind, payload, [[key.fp[:4], key.sign(kind, payload)]]])


def envelope_open(msgpack, raw):
    """(type, payload, [signature]) of either form."""
    if raw[:1] == b"{":
        e = json.loads(raw)
        return e["payloadType"], base64.b64decode(e["payload"], validate=True), [
            base64.b64decode(s["sig"], validate=True) for s in e["signatures"]]
    magic, kind, payload, sigs = msgpack.unpackb(raw)
    if magic != "KE1":
        raise ValueError("not an envelope")
    return kind, payload, [s[1] for s in sigs]


# ---- binding (klp.md 5) ----

def binding_make(key, identity, serial=None, not_before=None, not_after=None):
    """identity: an RNS.Identity with its private key."""
    now = int(time.time())
    serial = now if serial is None else serial
    not_before = now - 60 if not_before is None else not_before
    not_after = now + 90 * 86400 if not_after is None else not_after
    st = b"KB01" + b"\0" + key.public + identity.get_public_key() + struct.pack(">III", serial, not_before, not_after)
    return st + key.sign(T_BINDING, st) + identity.sign(pae(T_BINDING, st))


def binding_check(raw, rns_public, now=None):
    """The secp256k1 key, or None."""
    now = time.time() if now is None else now
    if len(raw) != 242 or raw[:4] != b"KB01" or raw[4] != 0:
        return None
    st, secp, rns = raw[:114], raw[5:38], raw[38:102]
    _, nb, na = struct.unpack(">III", raw[102:114])
    if rns != rns_public or nb > now + 300 or now >= na or not 0 < na - nb <= 400 * 86400:
        return None
    if not secp_verify(secp, T_BINDING, st, raw[114:178]) or not ed_verify(rns[32:], T_BINDING, st, raw[178:242]):
        return None
    return secp


def binding_tlv(raw):
    """Announce form: 113 bytes."""
    return b"KB\x01" + raw[4:5] + raw[5:38] + raw[102:114] + raw[114:178]


def tlv(*items):
    return b"".join(struct.pack(">BH", t, len(v)) + v for t, v in items)


def tlv_parse(raw):
    out, i = {}, 0
    while i < len(raw):
        t, n = struct.unpack(">BH", raw[i:i + 3])
        if i + 3 + n > len(raw) or t in out:
            raise ValueError("bad TLV")
        out[t] = raw[i + 3:i + 3 + n]
        i += 3 + n
    return out


def challenge_digest(link_id, n, m, initiator, responder):
    return tagged_hash("klp/challenge/v1", link_id + n + m + initiator + responder)


# ---- approval (klp.md 6.1) ----

def approval_frame(job, approve=True, issued=None, expires=None):
    issued = int(time.time()) if issued is None else issued
    expires = issued + 86400 if expires is None else expires
    return b"KP" + struct.pack(">BB", 1, 1 if approve else 0) + job + struct.pack(">II", issued, expires)


def approval_make(job, *keys, **kw):
    frame = approval_frame(job, **kw)
    return frame + bytes([len(keys)]) + b"".join(k.fp[:4] + k.sign(T_APPROVAL, frame) for k in keys)


# ---- behaviour contract (klp.md 6.2) ----

T_CONTRACT = "application/vnd.klp.behavior-contract+json"


def contract(key, image, now=None, **more):
    """The envelope, JSON form. image: digest."""
    now = int(time.time()) if now is None else now
    doc = {"_type": "klp.behavior-contract", "agent": key.urn("agent"), "version": 1, "image": "sha256:" + image.hex(),
           "issued": now - 60, "expires": now + 86400, **more}
    return envelope_json(T_CONTRACT, jcs({k: v for k, v in doc.items() if v is not None}), key)


# ---- receipt (compute.md 7) ----

def root_of(tag, items):
    """items: [(path, sha256, size)]"""
    h = hashlib.sha256(tag)
    for path, digest, size in sorted((p.encode(), d, s) for p, d, s in items):
        h.update(struct.pack(">H", len(path)) + path + digest + struct.pack(">Q", size))
    return h.digest()


def outputs_root(items):
    return root_of(b"klp/outputs/v1", items)


def logs_root(out, err):
    return root_of(b"klp/logs/v1", [("stdout", *out), ("stderr", *err)])


def receipt_make(key, outcome, code, attempts, layers, job, image, outputs, logs, started, wall, cpu, mem,
                 bytes_in, bytes_out):
    f = b"KR" + struct.pack(">BBiBI", 1, outcome, code, attempts, layers) + job + image + outputs + logs
    f += bytes(64) + struct.pack(">IIIIIIII", started, wall, cpu, mem, bytes_in, bytes_out, 0, 0) + key.fp[:16]
    assert len(f) == 253
    return f + key.sign(T_RECEIPT, f)


def receipt_open(raw, public):
    """Version 1, or 2: runner and its version behind the counters."""
    more = {b"KR\x01": 0, b"KR\x02": 7}.get(raw[:3])
    if more is None or len(raw) != 317 + more or raw[237 + more:253 + more] != secp_fp(public)[:16]:
        return None
    if not secp_verify(public, T_RECEIPT, raw[:253 + more], raw[253 + more:]):
        return None
    r = {"runner": 0, "runner_version": (0, 0, 0)}
    if more:
        r["runner"], *version = struct.unpack(">B3H", raw[237:244])
        r["runner_version"] = tuple(version)
        if r["runner"] == 0:
            return None
    r["outcome"], r["code"], r["attempts"], r["layers"] = struct.unpack(">BiBI", raw[3:13])
    for i, name in enumerate(("job", "image", "outputs", "logs", "policy", "trail")):
        r[name] = raw[13 + 32 * i:45 + 32 * i]
    (r["started"], r["wall_ms"], r["cpu_ms"], r["memory_kb"], r["bytes_in"], r["bytes_out"],
     r["bpf_events"], r["bpf_lost"]) = struct.unpack(">8I", raw[205:237])
    return r


# what of a receipt nobody can know who has the job, its logs and its outputs (compute.md 3.4); version 2 is 7 longer
KEPT = ((0, 13), (45, 77), (141, 237), (253, 317))


def receipt_short(raw):
    return b"".join(raw[a:b] for a, b in KEPT)


def receipt_restore(short, job, outputs, logs, public):
    n = {b"\1": 141, b"\2": 148}[short[2:3]]
    assert len(short) == n + 64, "a short receipt"
    return short[:13] + job + short[13:45] + outputs + logs + short[45:n] + secp_fp(public)[:16] + short[n:]


# ---- normalised tar (compute.md 2.2) ----

def _header(path, mode, kind, size, link=b""):
    name, prefix = path, b""
    if len(name) > 100:
        cut = next(i for i, c in enumerate(path) if c == 0x2f and len(path) - i - 1 <= 100)
        prefix, name = path[:cut], path[cut + 1:]
    h = bytearray(512)

    def put(at, b):
        h[at:at + len(b)] = b
    put(0, name)
    put(100, b"%06o \0" % mode)
    put(108, b"000000 \0")
    put(116, b"000000 \0")
    put(124, b"%011o " % size)
    put(136, b"%011o " % 0)
    put(148, b" " * 8)
    put(156, kind)
    put(157, link)
    put(257, b"ustar\x0000")
    put(329, b"000000 \0")
    put(337, b"000000 \0")
    put(345, prefix)
    put(148, b"%06o\0 " % sum(h))
    return bytes(h)


def _left_out(rel, st, path):
    try:
        if any(c < 32 or c == 127 for c in rel) or not rel.decode():
            return "name"
    except UnicodeDecodeError:
        return "name"
    if stat.S_ISLNK(st.st_mode):
        to = os.readlink(path)
        return "link" if to.startswith("/") or to.split("/").count("..") > rel.count(b"/") else None
    if not stat.S_ISDIR(st.st_mode) and not stat.S_ISREG(st.st_mode):
        return "type"
    return "set-id" if stat.S_ISREG(st.st_mode) and st.st_mode & 0o6000 else None


def tar_pack(folder, left=None):
    """left: a list takes (name, reason) of what a job's outputs cannot hold; without it that is an error."""
    members = []
    for base, dirs, files in os.walk(folder):
        for n in dirs + files:
            p = os.path.join(base, n)
            members.append((os.path.relpath(os.fsencode(p), os.fsencode(folder)), p))
    out = io.BytesIO()
    for rel, p in sorted(members):
        st = os.lstat(p)
        if left is not None:
            reason = _left_out(rel, st, p)
            if reason:
                left.append((rel, reason))
            if reason and reason != "set-id":
                continue
        if stat.S_ISLNK(st.st_mode):
            out.write(_header(rel, 0o777, b"2", 0, os.readlink(p).encode()))
        elif stat.S_ISDIR(st.st_mode):
            out.write(_header(rel + b"/", st.st_mode & 0o777, b"5", 0))
        elif stat.S_ISREG(st.st_mode):
            data = open(p, "rb").read()
            out.write(_header(rel, st.st_mode & 0o777, b"0", len(data)) + data + bytes(-len(data) % 512))
        else:
            raise ValueError(f"{p}: not a file, folder or link")
    out.write(bytes(1024))
    return out.getvalue()


def tar_unpack(raw, folder):
    import tarfile
    os.makedirs(folder, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as t:
        for m in t.getmembers():
            m.mode |= 0o700 if m.isdir() else 0o600
            t.extract(m, folder, set_attrs=True, filter="fully_trusted") if hasattr(tarfile, "data_filter") \
                else t.extract(m, folder)


# ---- chunks (compute.md 3.3) ----

GEAR = [int.from_bytes(hashlib.sha256(b"klp/gear/v1" + bytes([i])).digest()[:8], "big") for i in range(256)]


def chunks_cut(data):
    out, at = [], 0
    while at < len(data):
        n = min(len(data) - at, 32768)
        fp, length = 0, n
        for i in range(2048, n):
            fp = (fp * 2 + GEAR[data[at + i]]) & 0xffffffffffffffff
            if fp < (1 << 49 if i < 8192 else 1 << 53):
                length = i + 1
                break
        out.append(data[at:at + length])
        at += length
    return out


def chunk_list(chunks):
    return b"KCL1" + struct.pack(">IQ", len(chunks), sum(map(len, chunks))) + \
        b"".join(sha256(c) + struct.pack(">H", len(c)) for c in chunks)


def chunk_list_read(raw):
    """[(digest, size)], or None."""
    if len(raw) < 16 or len(raw) > 4 << 20 or raw[:4] != b"KCL1":
        return None
    count, total = struct.unpack(">IQ", raw[4:16])
    if len(raw) != 16 + 34 * count:
        return None
    out = [(raw[i:i + 32], int.from_bytes(raw[i + 32:i + 34], "big")) for i in range(16, len(raw), 34)]
    return out if all(1 <= n <= 32768 for _, n in out) and sum(n for _, n in out) == total else None


# ---- manifest (compute.md 2.1) ----

def manifest(key, node_urn, image, command, volumes=(), limits=None, env=None, now=None, deadline=3600, chunked=False,
             **more):
    """volumes: [(target, mode, tar)]. Returns (payload, {sha256: tar, or with chunked also of lists and chunks})."""
    now = int(time.time() if now is None else now)
    p = {"_type": "klp.manifest", "submitter": key.urn(), "nonce": os.urandom(16).hex(),
         "not_after": now + min(deadline, 3600), "deadline": now + deadline, "image": image,
         "cap_drop": ["ALL"], "read_only_fs": True, "limits": limits or {}, "network": "isolated", "retries": 0,
         "seccomp_profile": "default",
         "trust": {"level": "low", "requires_review": False},
         "volumes": [{"target": t, "mode": m, "sha256": sha256(b).hex(), "size": len(b)} for t, m, b in volumes]}
    if command:
        p["command"] = command
    if env:
        p["env"] = env
    if node_urn:
        p["node"] = node_urn
    blobs = {sha256(b): b for _, _, b in volumes}
    for v, (_, _, b) in zip(p["volumes"], volumes):
        if chunked:
            chunks = chunks_cut(b)
            names = chunk_list(chunks)
            v["chunks"] = {"sha256": sha256(names).hex(), "size": len(names)}
            blobs.update({sha256(c): c for c in [names, *chunks]})
    p.update(more)
    return jcs(p), blobs
