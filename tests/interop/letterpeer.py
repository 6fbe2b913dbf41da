# SPDX-License-Identifier: BSD-2-Clause
"""A submitter that has nothing but stock LXMF: jobs as letters (docs/spec/lxmf.md 5), written by the specification alone.

  letterpeer.py RNSDIR STORAGE SECRET

Prints JSON lines, reads words:
  announce                        itself
  enforce                         a packet to it counts only when it is encrypted to a ratchet that it has announced
  node HASH                       the propagation node from now on
  learn HASH                      keep the key of a destination that announces itself, for when it is away
  submit HOW HASH IMAGE TEXT      a job `sh -c TEXT` by letter; HOW: propagated, direct, opportunistic
  again HOW HASH                  its letter as another message
  ask HOW HASH PATH ID            job/status, job/result, job/cancel
  sync                            ask the propagation node for messages
"""

import os
import sys

import LXMF
import RNS
from RNS.vendor import umsgpack as msgpack

from apppeerlib import recalled, say, words
from klpy import codec

HOW = {"direct": LXMF.LXMessage.DIRECT, "propagated": LXMF.LXMessage.PROPAGATED,
       "opportunistic": LXMF.LXMessage.OPPORTUNISTIC}


class Submitter:
    def __init__(self, folder, storage, secret):
        os.makedirs(storage, exist_ok=True)
        RNS.Reticulum(folder, loglevel=4)
        kept = os.path.join(storage, "identity")
        self.identity = RNS.Identity.from_file(kept) if os.path.exists(kept) else RNS.Identity()
        self.identity.to_file(kept)
        self.key = codec.SecpKey(bytes.fromhex(secret))
        self.router = LXMF.LXMRouter(identity=self.identity, storagepath=storage)
        self.me = self.router.register_delivery_identity(self.identity, display_name="submitter")
        self.router.register_delivery_callback(self.came)
        self.data = None
        self.contacts = os.path.join(storage, "contacts")
        os.makedirs(self.contacts, exist_ok=True)

    def learn(self, dest):
        identity = recalled(bytes.fromhex(dest))
        if identity is not None:
            with open(os.path.join(self.contacts, dest), "wb") as f:
                f.write(identity.get_public_key())
        say(event="learned" if identity is not None else "unknown", dest=dest)

    def known(self, dest):
        kept = os.path.join(self.contacts, dest.hex())
        if not os.path.exists(kept):
            return recalled(dest)
        identity = RNS.Identity(create_keys=False)
        with open(kept, "rb") as f:
            identity.load_public_key(f.read())
        return identity

    def came(self, m):
        if m.fields.get(LXMF.FIELD_CUSTOM_TYPE) not in ("klp/v1", b"klp/v1"):
            say(event="message", text=m.content_as_string())
            return
        letter = msgpack.unpackb(m.fields[LXMF.FIELD_CUSTOM_DATA])
        status, meta, body = letter["a"]
        out = {"event": "answer", "path": letter["p"], "status": status, "code": meta.get("code"), "re": letter["re"].hex(),
               "valid": m.signature_validated, "id": letter["id"].hex() if "id" in letter else None,
               "message": m.hash.hex(), "by": "packet" if m.method == LXMF.LXMessage.OPPORTUNISTIC else "other",
               "ratchet": bool(m.ratchet_id), "blobs": [b.decode(errors="replace") for b in letter.get("x", [])]}
        if letter["p"] == "/klp/v1/job/result" and status == 0:
            node = codec.binding_check(letter["b"], self.known(m.source_hash).get_public_key())
            receipt = codec.receipt_open(body["r"], node)
            out.update(outcome=receipt["outcome"], code=receipt["code"], job=receipt["job"].hex())
        elif body and "missing" in body:
            out.update(missing=[d.hex() for d in body["missing"]], state=body["state"])
        elif body and "state" in body:
            out.update(state=body["state"])
        say(**out)

    def send(self, how, dest, path, data, blobs=()):
        identity = self.known(dest)
        if identity is None:
            say(event="unknown", dest=dest.hex())
            return
        to = RNS.Destination(identity, RNS.Destination.OUT, RNS.Destination.SINGLE, "lxmf", "delivery")
        letter = {"p": path, "d": data}
        if blobs:
            letter["x"] = list(blobs)
        m = LXMF.LXMessage(to, self.me, "", fields={LXMF.FIELD_CUSTOM_TYPE: "klp/v1",
                                                    LXMF.FIELD_CUSTOM_DATA: msgpack.packb(letter)},
                           desired_method=HOW[how])
        m.register_delivery_callback(lambda m: say(event="sent", id=m.hash.hex(), state=m.state,
                                                   ratchet=RNS.Identity.get_ratchet(dest) is not None))
        m.register_failed_callback(lambda m: say(event="failed", state=m.state))
        self.router.handle_outbound(m)

    def submit(self, how, dest, image, text):
        payload, _ = codec.manifest(self.key, None, image, ["/bin/sh", "-c", text], retries=1)
        self.data = {"m": codec.envelope_binary(msgpack, codec.T_MANIFEST, payload, self.key),
                     "b": codec.binding_make(self.key, self.identity)}
        say(event="job", id=codec.sha256(payload).hex())
        self.send(how, dest, "/klp/v1/job/submit", self.data)


def main():
    s = Submitter(*sys.argv[1:4])
    say(event="ready", dest=s.me.hash.hex())
    for word, *more in words():
        if word == "announce":
            s.router.announce(s.me.hash)
        elif word == "enforce":
            say(event="enforced", done=bool(s.me.enforce_ratchets()))
        elif word == "node":
            recalled(bytes.fromhex(more[0]))
            s.router.set_outbound_propagation_node(bytes.fromhex(more[0]))
        elif word == "learn":
            s.learn(more[0])
        elif word == "submit":
            s.submit(more[0], bytes.fromhex(more[1]), more[2], " ".join(more[3:]))
        elif word == "again":
            s.send(more[0], bytes.fromhex(more[1]), "/klp/v1/job/submit", s.data)
        elif word == "ask":
            s.send(more[0], bytes.fromhex(more[1]), more[2], {"id": bytes.fromhex(more[3])})
        elif word == "sync":
            s.router.request_messages_from_propagation_node(s.identity)


main()
