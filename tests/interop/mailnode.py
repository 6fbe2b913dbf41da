# SPDX-License-Identifier: BSD-2-Clause
"""An independent compute node that is reached by LXMF messages (docs/spec/lxmf.md 5): klpy.node behind the public lxmf.

  mailnode.py RNSDIR STORAGE      with the same keys for the same STORAGE

Prints JSON lines, reads words:
  announce          klp.node, once
  node HASH         the propagation node from now on
  sync              ask it for messages
  refuse            what comes from now on
"""

import json
import os
import sys

import LXMF
import RNS
from RNS.vendor import umsgpack as msgpack

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from apppeer import Heard, recalled, say, words  # noqa: E402
from klpy import codec  # noqa: E402
from klpy.node import Node  # noqa: E402
from waiting import until  # noqa: E402


def key_of(storage):
    path = os.path.join(storage, "mesh")
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.write(b"\1" + os.urandom(31))  # below the order of the curve
    with open(path, "rb") as f:
        return codec.SecpKey(f.read())


class Mail:
    def __init__(self, storage):
        kept = os.path.join(storage, "identity")
        identity = RNS.Identity.from_file(kept) if os.path.exists(kept) else RNS.Identity()
        identity.to_file(kept)
        self.node = Node(identity, key_of(storage), "mailnode")
        self.node.dest.set_default_app_data(self.node.app_data)  # of answers to path requests as well
        self.router = LXMF.LXMRouter(identity=identity, storagepath=storage)
        self.me = self.router.register_delivery_identity(identity, display_name="node")
        self.router.register_delivery_callback(self.message)
        self.identity = identity

    def sender(self, m, letter):
        """Whose key the binding is of; it must have signed the message."""
        who = RNS.Identity(create_keys=False)
        binding = letter["d"]["b"]
        who.load_public_key(binding[38:102])
        good = who.validate(m.signature, m.packed[:32] + m.packed[96:] + m.hash)
        same = RNS.Destination.hash(who, "lxmf", "delivery") == m.source_hash
        return who if good and same else None

    def message(self, m):
        letter = msgpack.unpackb(m.fields[0xFC])
        who = self.sender(m, letter)
        say(event="letter", path=letter["p"], type=m.fields[0xFB], signed=who is not None,
            inputs=len(letter.get("x", [])))
        d = letter["d"]
        owner = codec.secp_fp(codec.binding_check(d["b"], who.get_public_key()))
        for b in letter.get("x", []):
            self.node.blobs[owner, codec.sha256(b)] = b
        answer = self.node.answer("job/submit", d, None, who)
        if answer[0] != 0 or answer[2]["missing"]:
            job = answer[2]["id"] if answer[2] else codec.sha256(codec.envelope_open(msgpack, d["m"])[1])
            self.reply(m, who, job, "/klp/v1/job/submit", answer, [])
            return
        job = self.node.jobs[answer[2]["id"]]
        until(job.over, "the end of the job")
        blobs = [job.out[1], job.out[2]] + [self.node.blobs[owner, o[1]] for o in job.outputs]
        self.reply(m, who, job.id, "/klp/v1/job/result",
                   self.node.answer("job/result", {"id": job.id}, None, who), blobs)

    def reply(self, m, who, job, path, answer, blobs):
        letter = {"p": path, "a": answer, "re": m.hash, "id": job, "b": self.node.binding, "x": blobs, "zz": 1}
        to = RNS.Destination(who, RNS.Destination.OUT, RNS.Destination.SINGLE, "lxmf", "delivery")
        out = LXMF.LXMessage(to, self.me, "", fields={0xFB: "klp/v1", 0xFC: msgpack.packb(letter)},
                             desired_method=LXMF.LXMessage.PROPAGATED)
        out.register_delivery_callback(lambda m: say(event="answered", path=path))
        out.register_failed_callback(lambda m: say(event="failed"))
        self.router.handle_outbound(out)


def main():
    folder, storage = sys.argv[1:3]
    os.makedirs(storage, exist_ok=True)
    RNS.Reticulum(folder, loglevel=4)
    mail = Mail(storage)
    RNS.Transport.register_announce_handler(Heard("lxmf.propagation"))
    say(event="ready", dest=mail.node.dest.hash.hex(), address=mail.me.hash.hex())
    for word, *more in words():
        if word == "announce":
            mail.node.announce()
        elif word == "node":
            recalled(bytes.fromhex(more[0]))
            mail.router.set_outbound_propagation_node(bytes.fromhex(more[0]))
        elif word == "sync":
            mail.router.request_messages_from_propagation_node(mail.identity)
        elif word == "refuse":
            mail.node.accept = False


if __name__ == "__main__":
    main()
