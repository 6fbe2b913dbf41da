# SPDX-License-Identifier: BSD-2-Clause
"""The bridge of bridge/: nodes whose interfaces are queues in memory."""

import os

from bridgepipe import Bridge, same
from lib import check

REQUESTS = "6b9f66014d9853faab220fba47d02761"  # rnstransport.path.request


class Mock:
    """One node; its commands take no handle here."""

    def __init__(self, bridge, ifs="ab", transport=True, modes=None, **more):
        self.bridge = bridge
        self.seed = os.urandom(64).hex()
        started = bridge("behavioral_start", identity_seed=self.seed, enable_transport=transport,
                         **more)
        self.handle, self.hash = started["handle"], started["identity_hash"]
        self.ifs, self.hashes = {}, {}
        for name in ifs:
            self.attach(name, mode=(modes or {}).get(name, "FULL"))

    def __call__(self, command, **params):
        return self.bridge("behavioral_" + command, handle=self.handle, **params)

    def refuses(self, command, word="", **params):
        self.bridge.refuses("behavioral_" + command, word, handle=self.handle, **params)

    def attach(self, name, **more):
        got = self("attach_mock_interface", **dict({"name": name, "mode": "FULL", "mtu": 500},
                                                   **more))
        self.ifs[name], self.hashes[name] = got["iface_id"], got["interface_hash"]
        return got

    def inject(self, name, raw):
        self("inject", iface_id=self.ifs[name], raw=raw)

    def sent(self, name):
        return self("drain_tx", iface_id=self.ifs[name])["packets"]

    def now(self, dest):
        """What waits to be passed on leaves at once."""
        same(self("set_announce_timestamp", dest=dest, retransmit_timeout=0)["set"], True, dest)
        self("force_cull")

    def learn(self, name, raw, dest):
        """An announce, passed on until nothing of it is left to send."""
        self.inject(name, raw)
        while self("read_announce_table", dest=dest)["found"]:
            self.now(dest)
        for other in self.ifs:
            self.sent(other)

    def path(self, dest):
        return self("read_path_table", dest=dest)

    def stop(self):
        for _ in range(2):
            same(self("stop")["stopped"], True, "stopped")


def announce(b, hops=0, via=None, key=None, **more):
    """A fresh one: (raw, destination, what its maker said)."""
    a = b("announce_build", **dict({"private_key": key or os.urandom(64).hex(),
                                    "app_name": "bridge", "aspects": ["mock"]}, **more))
    head = "51" if via else "01"
    return f"{head}{hops:02x}{via or ''}{a['raw'][4:]}", a["destination_hash"], a


def heard(b):
    m = Mock(b, bitrate=10**9, announce_cap=1)
    raw, dest, a = announce(b, hops=2, via="11" * 16, app_data="aabb")
    same(m.path(dest), {"found": False}, "no path")
    m.inject("a", raw)
    path = m.path(dest)
    same((path["hops"], path["next_hop"], path["receiving_interface"], path["random_blobs"],
          path["receiving_interface_hash"]),
         (3, "11" * 16, "MockInterface[a]", [a["random_hash"]], m.hashes["a"]), "path")
    same(path["packet_hash"], b("packet_hash", raw=raw)["hash"], "its announce")
    check(abs(path["expires"] - path["timestamp"] - 7 * 86400) < 1, "a week")
    wait = m("read_announce_table", dest=dest)
    same((wait["retries"], wait["hops"], wait["local_rebroadcasts"], wait["block_rebroadcasts"],
          wait["received_from"], wait["attached_interface"]), (0, 3, 0, False, "11" * 16, None),
         "it waits")
    check(0 <= wait["retransmit_timeout"] - wait["timestamp"] < 0.6, "half a second at most")
    m.now(dest)
    sent = m.sent("b")
    same([(p[:4], p[4:36], p[36:]) for p in sent], [("5103", m.hash, raw[36:])], "passed on")
    same(m.sent("a") and m("read_announce_table", dest=dest)["retries"], 1, "once")
    m.inject("b", "5103" + "22" * 16 + raw[36:])
    same(m("read_announce_table", dest=dest)["local_rebroadcasts"], 1, "a neighbour did")
    m.now(dest)
    same((len(m.sent("b")), m("read_announce_table", dest=dest)), (1, {"found": False}), "twice")
    same(m("read_announce_rate", dest=dest), {"found": False}, "no rate")
    m.stop()


def forgotten(b):
    m = Mock(b, modes={"b": "ROAMING"})
    raw, dest, _ = announce(b)
    m.inject("a", raw)
    now = m.path(dest)["timestamp"]
    for age, there in ((6 * 86400, True), (8 * 86400, False)):
        same(m("set_path_timestamp", dest=dest, timestamp=now - age)["set"], True, "set")
        check(abs(m.path(dest)["timestamp"] - now + age) < 1e-3, "its age")
        m("force_cull")
        same(m.path(dest)["found"], there, f"after {age} s")
    same(m("set_path_timestamp", dest=dest, timestamp=0)["set"], False, "none is there")
    same(m("mark_path_unresponsive", dest=dest)["marked"], False, "none is there")
    # an older announce is nothing new, unless the path does not work
    key = os.urandom(64).hex()
    raw, dest, _ = announce(b, key=key, emission_ts=1000)
    far, _, _ = announce(b, key=key, hops=3, emission_ts=1000)
    m.inject("a", raw)
    m.inject("b", far)
    same(m.path(dest)["hops"], 1, "the near one")
    same(m("mark_path_unresponsive", dest=dest)["marked"], True, "marked")
    m.inject("b", far)
    same(m.path(dest)["hops"], 4, "the far one")
    older, _, _ = announce(b, key=key, hops=6, emission_ts=900)
    m.inject("a", older)
    same(m.path(dest)["hops"], 4, "an old one")
    same(m("set_path_expires", dest=dest, expires=1)["set"], True, "over")
    m.inject("a", older)
    same(m.path(dest)["hops"], 7, "an old one, where there is none any more")
    raw, dest, _ = announce(b)
    m.inject("b", raw)
    same(m("detach_interface", iface_id=m.ifs["b"])["detached"], True, "detached")
    same(m.path(dest), {"found": False}, "its paths are gone")
    m.refuses("inject", "detached", iface_id=m.ifs["b"], raw=raw)
    m.stop()


def rated(b):
    m = Mock(b, announce_rate_target=3600, announce_rate_grace=1, announce_rate_penalty=60)
    key = os.urandom(64).hex()
    for n in range(4):
        raw, dest, _ = announce(b, key=key, emission_ts=1000 + n)
        m.inject("a", raw)
    rate = m("read_announce_rate", dest=dest)
    same((rate["found"], rate["rate_violations"], len(rate["timestamps"])), (True, 2, 4), "rate")
    check(abs(rate["blocked_until"] - rate["last"] - 3660) < 1e-3, "blocked")
    m.stop()
    m = Mock(b)
    near = [announce(b, hops=n) for n in (5, 2, 8)]
    got = m("hold_and_release_announce", iface_id=m.ifs["a"], announces=[x[0] for x in near])
    same((sorted(got["held_before"]), sorted(got["held_after"]), got["released"]),
         (sorted(x[1] for x in near), sorted([near[0][1], near[2][1]]), [near[1][1]]), "held")
    same(got["hops"], {x[1]: n for x, n in zip(near, (5, 2, 8))}, "their hops")
    same(m.path(near[1][1])["found"], True, "it came in")
    m.stop()


def relayed(b):
    """A packet and a link request for a destination behind b."""
    m = Mock(b, bitrate=10**9, announce_cap=1)
    raw, dest, _ = announce(b)
    m.learn("b", raw, dest)
    m.inject("a", "50" + "00" + m.hash + dest + "00" + "5a" * 40)
    sent = m.sent("b")
    same(sent, ["0001" + dest + "00" + "5a" * 40], "passed on")
    key = b("packet_hash", raw=sent[0])["hash"][:32]
    way = m("read_reverse_table", key=key)
    same((way["received_if"], way["outbound_if"], way["received_if_name"]),
         (m.ifs["a"], m.ifs["b"], "MockInterface[a]"), "the way back")
    same([x["key"] for x in m("read_reverse_table")["entries"]], [key], "all of them")
    proof = "0300" + key + "00" + "77" * 64
    m.inject("b", proof)
    same((m.sent("a"), m("read_reverse_table", key=key)), (["0301" + proof[4:]],
         {"found": False}), "the proof")
    for age, there in ((400, True), (500, False)):
        m("seed_reverse_table", key="ab" * 16, rcvd_iface_id=m.ifs["a"],
          outb_iface_id=m.ifs["b"], timestamp_age_s=age)
        m("force_cull")
        same(m("read_reverse_table", key="ab" * 16)["found"], there, f"after {age} s")
    m.inject("a", "52" + "00" + m.hash + dest + "00" + os.urandom(64).hex())
    link = m("read_link_table")
    same((link["destination_hash"], link["validated"], link["hops"], link["remaining_hops"],
          link["received_if"], link["next_hop_if"]), (dest, False, 1, 1, m.ifs["a"], m.ifs["b"]),
         "a link")
    same(m("read_link_table", link_id=link["link_id"])["found"], True, "by its id")
    seed = {"nh_iface_id": m.ifs["b"], "rcvd_iface_id": m.ifs["a"], "rem_hops": 1, "hops": 1}
    for n, (age, proof, valid, there) in enumerate(((10, 5, False, True), (10, -5, False, False),
                                                    (850, 5, True, True), (950, 5, True, False))):
        m("seed_link_table", dest=f"{n:032x}", validated=valid, timestamp_age_s=age,
          proof_timeout_in_s=proof, **seed)
        m("force_cull")
        same(m("read_link_table", link_id=f"{n:032x}")["found"], there, f"link {n}")
    over = f"{2:032x}"
    m.inject("a", "0c00" + over + "00" + "5a" * 40)
    same(m.sent("b")[-1], "0c01" + over + "00" + "5a" * 40, "over a link")
    m.stop()


def filtered(b):
    m = Mock(b, transport=False)

    def takes(raw, **more):
        got = m("packet_filter", raw=raw, **dict({"remember": False}, **more))
        return got["accepted"], got["remembered"]

    data = "0000" + "ab" * 16 + "00" + "5a" * 20
    same(takes(data), (True, False), "new")
    same(takes(data, remember=True), (True, True), "new, still")
    same(takes(data), (False, False), "a copy")
    same(takes("5000" + "cd" * 16 + data[4:]), (False, False), "for another")
    for hops, good in ((0, True), (1, True), (2, False)):
        same(takes(f"08{hops:02x}" + "ab" * 16 + "00" + "5a" * 20)[0], good, f"PLAIN {hops}")
    same(takes("0900" + "ab" * 16 + "00" + "5a" * 20)[0], False, "an announce of PLAIN")
    m.refuses("packet_filter", raw="00", remember=False)
    for raw, grew in (("0000" + "ac" * 16 + "00" + "5b" * 20, True),
                      ("0000" + "ac" * 16 + "00" + "5b" * 20, False), ("00", False)):
        got = m("inbound_remembered", iface_id=m.ifs["a"], raw=raw)
        same((got["hashlist_grew"], got["unpackable"], got["in_hashlist"]),
             (grew, len(raw) > 2, len(raw) > 2), "remembered")
    m.stop()
    m = Mock(b, ifs="", transport=False, connected_to_shared_instance=True)
    for _ in range(2):
        same(takes(data, remember=True), (True, False), "attached: all, and nothing is kept")
    m.stop()


def asked(b):
    m = Mock(b, bitrate=10**9, announce_cap=1)
    raw, dest, _ = announce(b)
    m("request_path", iface_id=m.ifs["a"], dest=dest, tag="0f" * 16)
    same((m.sent("a"), m.sent("b")), (["0800" + REQUESTS + "00" + dest + m.hash + "0f" * 16], []),
         "asked on one")
    m.learn("a", raw, dest)
    m.inject("b", "0800" + REQUESTS + "00" + dest + "33" * 16 + "0e" * 16)
    got = m("read_announce_table", dest=dest)
    same((got["block_rebroadcasts"], got["attached_interface"]), (True, m.ifs["b"]), "an answer")
    m.now(dest)
    same([(p[:36], p[68:70]) for p in m.sent("b")], [("5101" + m.hash, "0b")], "it leaves")
    m.stop()


def tunnels(b):
    m, far = Mock(b), Mock(b)
    got = far("synthesize_tunnel", iface_id=far.ifs["a"])
    packet, = far.sent("a")
    pub = b("identity_from_private_key", private_key=far.seed)["public_key"]
    same(packet[38:][:192], pub + far.hashes["a"], "whose it is")
    same(got["tunnel_id"], b("sha256", data=packet[38:][:192])["hash"], "its id")
    m.inject("b", packet)
    raw, dest, _ = announce(b)
    m.inject("b", raw)
    tunnel, = m("read_tunnels")["tunnels"]
    same((tunnel["tunnel_id"], tunnel["interface_id"], tunnel["num_paths"]),
         (got["tunnel_id"], m.ifs["b"], 1), "tunnel")
    m("detach_interface", iface_id=m.ifs["b"])
    tunnel, = m("read_tunnels")["tunnels"]
    same((tunnel["interface_id"], tunnel["num_paths"], m.path(dest)["found"]), (None, 1, False),
         "it waits")
    m.stop()
    far.stop()


def listeners(b):
    m = Mock(b, transport=False)
    plain = m("register_destination", app_name="bridge", aspects=["p"], type="plain")
    dest = plain["destination_hash"]
    same(dest, b("truncated_hash", data=b("name_hash", name="bridge.p")["hash"])["hash"], "hash")
    m.inject("a", "0800" + dest + "00" + "0102")
    m.inject("a", "0000" + dest + "00" + "0304")
    same(m("read_destination_deliveries", dest=dest), {"count": 1, "deliveries": ["0102"]},
         "of its type alone")
    seed = os.urandom(64).hex()
    dest = m("register_destination", app_name="bridge", aspects=["s"], type="single",
             identity_seed=seed)["destination_hash"]
    pub = b("identity_from_private_key", private_key=seed)["public_key"]
    for n, text in enumerate(("0a0b", "")):
        m.inject("a", "0000" + dest + "00" + b("identity_encrypt", public_key=pub, plaintext=text)
                 ["ciphertext"])
        same(m("read_destination_deliveries", dest=dest)["count"], n + 1, "packets")
    same(m("read_destination_deliveries", dest=dest)["deliveries"][0], "0a0b", "its text")
    everyone = m("register_announce_handler", num_params=3, aspect_filter=None)
    ours = m("register_announce_handler", num_params=4, aspect_filter="bridge.mock",
             receive_path_responses=True)
    other = m("register_announce_handler", num_params=3, aspect_filter="bridge.other")
    broken = m("register_announce_handler", num_params=3, raise_on_call=True)
    same(m("register_announce_handler", num_params=3, omit_aspect_filter=True)["registered"],
         False, "no filter")
    raw, dest, a = announce(b, app_data="aa")
    m.inject("a", raw)
    raw, answer, _ = announce(b)
    m.inject("a", raw[:36] + "0b" + raw[38:])
    calls = [[c["destination_hash"] for c in m("read_announce_handler_calls",
              handler_id=h["handler_id"])["calls"]] for h in (everyone, ours, other, broken)]
    same(calls, [[dest], [dest, answer], [], []], "who was told")
    first, second = m("read_announce_handler_calls", handler_id=ours["handler_id"])["calls"]
    same((first["announced_identity_hash"], first["app_data"], first["announce_packet_hash"],
          second["app_data"]), (b("identity_from_private_key", private_key=seed)["hash"]
          and b("truncated_hash", data=a["public_key"])["hash"], "aa",
          b("packet_hash", raw=a["raw"])["hash"], None), "of what")
    m.stop()


def codes(b):
    m = Mock(b, ifs="a")
    got = m.attach("coded", ifac_netname="n", ifac_netkey="k")
    same(got["ifac_size"], 16, "access code")
    raw, dest, _ = announce(b)
    masked = m("ifac_mask", iface_id=m.ifs["coded"], raw=raw)["masked"]
    same((len(masked) - len(raw), int(masked[:2], 16) & 0x80), (32, 0x80), "masked")
    for frame, there in ((raw, False), (masked[:-2] + "00", masked[-2:] == "00"), (masked, True)):
        m.inject("coded", frame)
        same(m.path(dest)["found"], there, "taken")
    m.stop()


def blackhole(b):
    m = Mock(b)
    raw, dest, a = announce(b)
    who = b("truncated_hash", data=a["public_key"])["hash"]
    m.inject("a", raw)
    same(m("blackhole_identity", identity_hash=who, reason="spam")["blackholed"], True, "in")
    same(m("blackhole_identity", identity_hash=who)["blackholed"], False, "is in already")
    same(m.path(dest)["found"], False, "its paths go")
    m.inject("a", raw)
    same(m.path(dest)["found"], False, "nor is it heard")
    entry = {"identity_hash": who, "source": m.hash, "until": None, "reason": "spam"}
    same(m("read_blackhole_table"), {"count": 1, "entries": [entry]}, "table")
    same(m("blackhole_list_handler"), {"count": 1, "entries": [entry], "is_blackhole_table": True},
         "as it is published")
    m("blackhole_identity", identity_hash="ee" * 16, until=1.0)
    files = m("blackhole_storage_files")
    same([f["name"] for f in files["files"]], ["local"], "files")
    same(m("blackhole_clear")["cleared"], True, "memory")
    same(m("read_blackhole_table")["count"], 0, "nobody")
    same(m("blackhole_reload")["count"], 1, "what is not over")
    same(m("blackhole_rename_storage", src="local", dst="ab" * 16)["renamed"], True, "renamed")
    m("blackhole_clear")
    same(m("blackhole_reload")["count"], 0, "of nobody that we trust")
    same(m("blackhole_set_sources", sources=["ab" * 16])["count"], 1, "sources")
    same(m("blackhole_reload")["count"], 1, "of a source")
    same(m("read_blackhole_table")["entries"], [dict(entry, source="ab" * 16)], "its name")
    same(m("unblackhole_identity", identity_hash=who)["lifted"], True, "out")
    m.inject("b", raw)
    same(m.path(dest)["found"], True, "heard again")
    same(m("blackhole_clear_storage")["removed"], 1, "files")
    m.refuses("blackhole_rename_storage", src="../x", dst="y")
    m.stop()
    check(not os.path.exists(files["dir"]), "the folder is gone")


PARTS = (heard, forgotten, rated, relayed, filtered, asked, tunnels, listeners, codes, blackhole)


def mocks(ctx):
    b = Bridge(ctx.args.build)
    for part in PARTS:
        part(b)
    b.refuses("behavioral_inject", "handle", handle="none", iface_id="", raw="")
    b.stop()


TESTS = [("bridge: nodes in memory", mocks)]
