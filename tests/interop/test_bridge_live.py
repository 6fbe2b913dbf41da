# SPDX-License-Identifier: BSD-2-Clause
"""The bridge of bridge/ with peers that live in it, over TCP: bridges, and RNS as programs."""

import hashlib
import os
import time

import lib
import waiting
from bridgepipe import Bridge, same
from lib import check


class Live:
    """A bridge with a peer in it; its commands take no handle here."""

    def __init__(self, ctx, port=None, local=None, **more):
        self.bridge = Bridge(ctx.args.build)
        if local is not None:
            self.start = self.bridge("wire_start_local_client",
                                     shared_instance_port=local["shared_instance_port"])
            return
        what = dict({"network_name": "", "passphrase": ""}, **more)
        self.start = self.bridge("wire_start_tcp_server", **what) if port is None else \
            self.bridge("wire_start_tcp_client", target_host="127.0.0.1", target_port=port, **what)

    def __call__(self, command, **params):
        return self.bridge("wire_" + command, handle=self.start["handle"], **params)

    def refuses(self, command, word="", **params):
        self.bridge.refuses("wire_" + command, word, handle=self.start["handle"], **params)

    def stop(self):
        for _ in range(2):
            same(self("stop")["stopped"], True, "stopped")
        self.bridge.stop()


NAME = {"app_name": "interop", "aspects": ["peer"]}
WAIT = {"timeout_ms": 10000}


def link_works(a, b, at, link):
    """at: of a listener of a; link: b's to it."""
    same(b("link_status", **link)["status_name"], "ACTIVE", "initiator")
    same(a("listener_link_status", **at, **WAIT)["status_name"], "ACTIVE", "listener")
    b("link_send", data="aabb", **link)
    same(a("link_poll", **at, **WAIT)["packets"], ["aabb"], "over the link")
    same(a("link_poll", timeout_ms=0, **at)["packets"], [], "drained")
    keys = b.bridge("wire_identity_keypair")
    a("register_request_handler", path="/q", response="0909", allow="list",
      allowed_identity_hashes=[keys["hash"]], **at)
    same(b("link_request", path="/q", data="33", timeout_ms=300, **link)["response"], None,
         "not for a stranger")
    same(b("link_identify", private_key=keys["private_key"], **link)["identity_hash"],
         keys["hash"], "who")
    got = b("link_request", path="/q", data="33", **link, **WAIT)
    same((got["status"], got["response"]), ("ready", "0909"), "request")
    log = a("get_request_log", path="/q", **at)
    same((log["count"], log["entries"][0]["data"], log["entries"][0]["remote_identity_hash"]),
         (1, "33", keys["hash"]), "log")
    same([a("get_request_log", path=p, **at)["count"] for p in ("/q", "/none")], [log["count"], 0], "it stays")
    same([a("deregister_request_handler", path=p, **at)["deregistered"] for p in ("/q", "/q", "/none")],
         [True, False, False], "no handler any more")
    check(b("link_request", path="/q", data="aa", timeout_ms=300, **link)["status"] != "ready", "nobody answers")
    same(a("get_request_log", path="/q", **at)["count"], log["count"], "nor is asked")
    data = os.urandom(20000).hex()
    same(b("resource_send", data=data, **link, **WAIT)["success"], True, "resource")
    same(a("resource_poll", **at, **WAIT)["resources"], [data], "resource")
    for i in range(3):
        sent = b("channel_send", data=f"0{i}", **link, **WAIT)
        same((sent["sent"], sent["delivered"], sent["sequence"]), (True, True, i), "channel")
    same(a("channel_received", **link, **WAIT)["messages"], ["00", "01", "02"], "channel")
    same(a("channel_received", timeout_ms=0, **link)["messages"], [], "drained")
    same(a("listener_channel_rx", **at), {"next_rx_sequence": 3, "next_sequence": 0, "rx_ring": 0},
         "receiver")
    now = b("channel_window", **link)
    same((now["tx_ring"], now["next_sequence"], now["mdu"]), (0, 3, now["outlet_mdu"] - 6), "window")
    big = b("channel_send", data="00" * (now["mdu"] + 1), **link, timeout_ms=0)
    same((big["rejected"], big["ce_type"]), (True, 5), "too big")
    for rtt, want in ((0.1, (2, 2, 5, 4)), (1.5, (1, 1, 1, 1))):
        got = b("channel_profile", rtt=rtt, **link)
        same(tuple(got["window" + k] for k in ("", "_min", "_max", "_flexibility")), want, "profile")
    got = b("channel_timeout_formula", rtt=0.2, tries=3, ring_depth=2, **link)["timeout"]
    check(abs(got - 1.5 ** 2 * 0.5 * 3.5) < 1e-9, "time to wait")
    same(b("link_key_material", **link)["derived_key_present"], True, "keys")
    same(b("link_set_watchdog", keepalive_s=7, stale_time_s=14, **link),
         {"keepalive_s": 7.0, "stale_time_s": 14.0}, "watchdog")
    b("link_teardown", **link)
    same(b("link_key_material", **link)["derived_key_present"], False, "no keys")
    gone = a("link_await_status", target_status="CLOSED", **link, **WAIT)
    same((gone["reached"], gone["teardown_reason_name"], gone["mtu"]),
         (True, "INITIATOR_CLOSED", None), "closed")
    b.refuses("link_send", data="aa", **link)


def live(ctx):
    """A bridge at each end, with an access code between them."""
    code = {"network_name": "n", "passphrase": "p", "ifac_size": 128}
    a = Live(ctx, **code)
    b = Live(ctx, a.start["port"], **code)
    key = a("rpc_authkey")
    same(key["rpc_key"], hashlib.sha256(bytes.fromhex(key["transport_private_key"])).hexdigest(), "of programs")
    a.refuses("link_status", link_id="00" * 16)
    a.refuses("link_poll", destination_hash="00" * 16)
    a.bridge.refuses("wire_link_status", "handle", handle="none", link_id="00" * 16)
    heard = a("listen", proof_strategy="all", enable_ratchets=True, **NAME)
    at = {"destination_hash": heard["destination_hash"]}
    same(b("poll_path", **at, **WAIT), {"found": True, "hops": 1}, "path")
    same(b("identity_recall", **at, **WAIT)["hash"], heard["identity_hash"], "identity")
    same(b("get_adopted_ratchet", **at)["ratchet_id"], heard["current_ratchet_id"], "ratchet")
    same(b("send_opportunistic", data="0102", **at, **NAME, **WAIT)["status"], "delivered", "proof")
    same(a("opportunistic_poll", **at, **WAIT)["packets"], ["0102"], "packet")
    a("set_proof_strategy", strategy="none", **at)
    sent = b("send_packet", data="03", create_receipt=True, **at, **NAME)
    same(a("opportunistic_poll", **at, **WAIT)["packets"], ["03"], "packet")
    same(b("packet_receipt_status", receipt_id=sent["receipt_id"], timeout_ms=100)["delivered"],
         False, "not proved")
    for how in ("wrong_length_short", "wrong_length_mid", "wrong_length_long", "forged_implicit",
                "forged_explicit", "wrong_hash_explicit"):
        got = b("inject_crafted_proof", receipt_id=sent["receipt_id"], variant=how)
        same((got["validated"], got["status_name"]), (False, "SENT"), how)
    b.refuses("inject_crafted_proof", receipt_id=sent["receipt_id"], variant="none")
    for plant, good in (("mismatch", False), ("match", True), ("none", True)):
        got = a("known_key_validate", plant=plant, **NAME)
        same((got["validated"], got["planted_public_key"] == got["public_key"]), (good, plant == "match"), plant)
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    link_works(a, b, at, link)
    for end in (a, b):
        end.stop()


def programs(ctx):
    """A program behind a bridge, a stranger in front of it: both find and reach each other."""
    a = Live(ctx, share_instance=True, share_instance_type="tcp")
    b = Live(ctx, a.start["port"])
    c = Live(ctx, local=a.start)
    same((a("transport_enabled")["is_shared_instance"],
          c("transport_enabled")["is_connected_to_shared_instance"]), (True, True), "who is what")
    for near, far in ((b, c), (c, b)):
        heard = near("listen", **NAME)
        at = {"destination_hash": heard["destination_hash"]}
        # who serves programs does not count as a hop of its own
        same(far("poll_path", **at, **WAIT), {"found": True, "hops": 1}, "path")
        link = {"link_id": far("link_open", **at, **NAME, **WAIT)["link_id"]}
        far("link_send", data="0a", **link)
        same(near("link_poll", **at, **WAIT)["packets"], ["0a"], "through it")
        far("link_teardown", **link)
    for end in (b, c, a):
        end.stop()


def files(ctx):
    """What goes with a resource, who may refuse it, and one that is taken back."""
    a = Live(ctx)
    b = Live(ctx, a.start["port"])
    at = {"destination_hash": a("listen", resource_strategy="app", **NAME)["destination_hash"]}
    b("poll_path", **at, **WAIT)
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    small, large = os.urandom(3000).hex(), os.urandom(5000).hex()
    sent = b("resource_send", data=small, metadata="0102", **link, **WAIT)
    same((sent["success"], sent["total_segments"], sent["has_metadata"]), (True, 1, True), "taken")
    got = a("resource_receiver_status", **at, **WAIT)
    same((got["found"], got["status_name"], got["data"], got["metadata"]),
         (True, "COMPLETE", small, "0102"), "with its metadata")
    same(b("resource_send", data=large, **link, **WAIT)["success"], False, "refused")
    same(a("resource_receiver_status", **at)["resource_count"], 1, "not begun")
    a("register_request_handler", path="/f", response_file=large, response_metadata="aa", allow="all", **at)
    got = b("link_request", path="/f", data="", **link, **WAIT)
    same((got["status"], got["response"], got["response_metadata"]), ("ready", large, "aa"), "a file")
    many = {"app_name": "interop", "aspects": ["many"]}
    wide = {"destination_hash": a("listen", **many)["destination_hash"]}
    b("poll_path", **wide, **WAIT)
    other = {"link_id": b("link_open", **wide, **many, **WAIT)["link_id"]}
    sent = b("resource_send", data=os.urandom(3000000).hex(), wait=False, **other)
    got = a("resource_receiver_status", **wide, **WAIT)
    same((got["found"], got["resource_count"], got["status_name"], got["data"]), (True, 1, "TRANSFERRING", None),
         "on its way")
    got = b("resource_cancel", resource_id=sent["resource_id"], **other)
    same((got["cancelled"], got["status"]), (True, 7), "taken back")
    lost = b("channel_send", data="aa", drop_acks=True, timeout_ms=300, **link)
    check(not lost["delivered"] and lost["tries"] > 1, "said again")
    same(b("channel_send", data="bb", **link, **WAIT)["delivered"], True, "proofs come again")
    same(a("channel_received", **link, **WAIT)["messages"], ["aa", "bb"], "each once")
    b("link_teardown", **link)
    got = b("channel_window", **link)
    same((got["next_sequence"], got["message_handlers"], got["tx_ring"]), (2, 0, 0), "what was of it")
    got = b("channel_send", data="cc", **link)
    same((got["sent"], got["ce_type"]), (False, 3), "no more")
    for end in (b, a):
        end.stop()


def link_hears(a, b, at, link):
    """What a link takes, genuine and damaged, at the end that listens."""
    for how, good in (("none", True), ("ciphertext", False), ("hmac", False), ("truncate", False),
                      ("foreign_interface", False)):
        got = a("inject_tampered_link_data", data="0a0b", corruption=how, **link)
        same((got["delivered"], got["link_active"]), (good, True), how)
    same(a("link_poll", **at, **WAIT)["packets"], ["0a0b"], "the good one")
    for how in ("forged_signature", "wrong_signed_data", "wrong_length"):
        same(a("inject_crafted_link_identify", variant=how, **link)["adopted"], False, how)
    got = a("inject_crafted_link_identify", variant="valid", **link)
    same((got["adopted"], got["remote_identity_after"]), (True, got["claimed_identity_hash"]),
         "identified")
    same(b("inject_crafted_link_identify", variant="valid", **link)["adopted"], False, "initiator")
    for stream, data, with_data in ((0, os.urandom(5000), False), (7, b"again" * 2000, True)):
        sent = b("buffer_stream", data=data.hex(), stream_id=stream, eof_with_data=with_data,
                 **link, **WAIT)
        rows = sent["manifest"]
        same((sent["written"], sent["eof"], sent["tx_ring_after"]), (len(data), True, 0), "stream")
        same([row["eof"] for row in rows], [False] * (len(rows) - 1) + [True], "the last one")
        same(rows[0]["compressed"], with_data, "packed")
        check(all(row["bytes"] <= sent["max_data_len"] for row in rows), "their length")
        got = a("buffer_received", stream_id=stream, **at, **WAIT)
        same((got["data"], got["eof"]), (data.hex(), True), "stream")
        same(a("buffer_received", stream_id=stream, **at)["data"], "", "drained")
    bomb = b("buffer_stream", bomb=True, bomb_decompressed_len=16385, stream_id=9, **link, **WAIT)
    same((bomb["tx_ring_after"], bomb["manifest"][0]["compressed"]), (0, True), "it was taken")
    got = a("buffer_received", stream_id=9, **at, **WAIT)
    same((got["data"], got["eof"], got["aborted"]), ("", False, True), "and broke its stream off")
    check(got["error"], "with a reason")
    base = a("listener_channel_rx", **at)["next_rx_sequence"]
    order = [{"sequence": base + n, "data": f"{n:02x}"} for n in (2, 0, 0, 1, 60)]
    order += [{"sequence": base + 3, "data": "aa", "msgtype": 0x0202}, {"sequence": 0, "raw": "0101"}]
    same(a("channel_inject", envelopes=order, **link)["injected"],
         [x["sequence"] for x in order], "fed")
    same(a("channel_received", **link, **WAIT)["messages"], ["00", "01", "02"], "in order")
    same(a("listener_channel_rx", **at)["next_rx_sequence"], base + 4, "four in all")
    mdu = b("link_status", **link)["mdu"]
    for size, good in ((mdu, True), (mdu + 1, False)):
        got = b("send_oversize_link_packet", size=size, **link)
        same((got["sent"], got["rejected"], got["raw_len"] is not None), (good, not good, good),
             f"{size} bytes")
        check(not good or got["raw_len"] <= got["mtu"], "in the MTU")
    got = a("send_forged_link_close", forged_id="00" * 16, **link)
    same((got["torn_down"], got["status_after"]), (False, 2), "of another")
    got = a("send_forged_link_close", forged_id=link["link_id"], **link)
    same((got["torn_down"], got["status_name_after"]), (True, "CLOSED"), "of this one")
    got = a("send_over_closed_link", data="00", **link)
    same((got["sent"], got["bytes_transmitted"], got["link_status"]), (False, 0, 4), "closed")
    a.refuses("channel_inject", envelopes=[], **link)


def hostile(ctx):
    """Links that hear what no peer says."""
    a = Live(ctx)
    b = Live(ctx, a.start["port"])
    at = {"destination_hash": a("listen", buffer_stream_ids=[7, 9], **NAME)["destination_hash"]}
    same(b("poll_path", **at, **WAIT)["found"], True, "path")
    link_hears(a, b, at, {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]})
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    a("set_proof_strategy", strategy="app", **at)
    got = a("inject_closed_link_data", **link)
    same((got["delivered_before"], got["delivered"], got["link_closed"]), (True, False, True),
         "after its end")
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    a.stop()
    gone = b("link_await_status", target_status="CLOSED", **link, **WAIT)
    same(gone["teardown_reason_name"], "DESTINATION_CLOSED", "who stops ends its links")
    b.stop()


def ratchets(ctx):
    """Own and foreign ratchets, groups, what is in clear; nobody hears it."""
    a = Live(ctx)
    b = Live(ctx, a.start["port"])
    at = {"destination_hash": a("listen", enable_ratchets=True, **NAME)["destination_hash"]}
    same(b("poll_path", **at, **WAIT)["found"], True, "path")
    first = a("read_ratchets", **at)
    same((first["ratchet_count"], first["previous_ratchet_id"], first["ratchet_interval"],
          first["retained_ratchets"]), (1, None, 1800, 512), "ratchets")
    same(a("rotate_ratchet", last_rotation_ago_s=1700, **at)["rotated"], False, "too soon")
    got = a("rotate_ratchet", last_rotation_ago_s=1900, **at)
    same((got["rotated"], got["before_count"], got["after_count"], got["previous_ratchet_id"]),
         (True, 1, 2, first["current_ratchet_id"]), "rotated")
    kept = a("ratchet_file_roundtrip", **at)
    same((kept["reload_ok"], kept["roundtrip_match"], kept["ratchet_count_after"], kept["ratchet_ids"][1]),
         (True, True, 2, first["current_ratchet_id"]), "as the file has them")
    kept = b("known_destinations_roundtrip", **at)
    same((kept["present_before_save"], kept["recall_after_clear_found"], kept["recall_after_load_found"],
          kept["entry_len_after_load"], kept["table_size_after_load"]), (True, False, True, 5, 1), "known, by the file")
    same(b("known_destinations_roundtrip", destination_hash="00" * 16)["recall_after_load_found"], False, "nobody")
    gate = a("discovery_autoconnect_gate")
    same([gate[k]["interfaces_added"] for k in ("wrong_type", "tcp_client", "i2p", "yggdrasil")], [0] * 4, "not dialled")
    same(gate["backbone"]["interfaces_added"], 1, "dialled")
    same(gate["endpoint_hash"], hashlib.sha256(gate["endpoint_spec"].encode()).hexdigest(), "the place")
    same(a("interface_transport_defaults"), {"local_interface_port": 37428, "ar_target": 3600, "ar_penalty": 0,
                                             "ar_grace": 5}, "defaults")
    same(a("set_ratchet_interval", seconds=0, **at), {"ok": False, "ratchet_interval": 1800}, "0")
    same(a("set_ratchet_interval", seconds=60, **at), {"ok": True, "ratchet_interval": 60}, "60")
    # b knows the first one, which a still has
    for use in (True, False):
        sealed = b("encrypt_to_remote", plaintext="0102", use_ratchet=use, **at)
        same(sealed["ratchet_id"], first["current_ratchet_id"] if use else None, "of b")
        got = a("destination_decrypt", ciphertext=sealed["ciphertext"], **at)
        same((got["plaintext"], got["latest_ratchet_id"]), ("0102", sealed["ratchet_id"]), "of a")
    same(a("destination_decrypt", ciphertext="00" * 99, **at)["decrypted"], False, "nonsense")
    got = a("destination_latest_ratchet_id", **at)
    same((got["match"], got["latest_ratchet_id"], got["ratchet_count"]),
         (True, got["current_ratchet_id"], 2), "the latest")
    current = a("reannounce", app_data="aa", **at)["current_ratchet_id"]

    def adopted():
        return b("get_adopted_ratchet", **at)["ratchet_id"] == current

    waiting.until(adopted, "b takes the new one")
    same((b("identity_recall", **at)["app_data"], a("identity_recall", **at)["found"]),
         ("aa", True), "recalled")
    known = b("identity_recall", **at)["hash"]
    same(b("identity_recall", destination_hash=known, from_identity_hash=True)["found"], True,
         "by its identity")
    one, other = a("group_create", **NAME), a("group_create", app_name="g", aspects=[])
    same(len(one["key"]), 128, "key")
    sealed = a("group_encrypt", destination_hash=one["destination_hash"], plaintext="0102")
    for group, text in ((one, "0102"), (other, None)):
        got = a("group_decrypt", destination_hash=group["destination_hash"], **sealed)
        same((got["plaintext"], got["decrypted"]), (text, text is not None), "group")
    for way, key, back in (("encrypt", "plaintext", "ciphertext"),
                           ("decrypt", "ciphertext", "plaintext")):
        same(a("plain_" + way, **{key: "0102"}, **NAME), {back: "0102", "passthrough": True}, way)
    a.stop()
    b.stop()


def frames(ctx):
    """Access codes; what a peer was told to be; what its tables say."""
    code = {"network_name": "n", "passphrase": "p", "ifac_size": 64}
    a, b = Live(ctx, **code), Live(ctx, bitrate=2000000)
    for how, good in (("masked_full", True), ("masked_short", False), ("plain_on_ifac", False)):
        same(a("inject_raw_frame", variant=how)["learned"], good, how)
    for size in (0, 1, 2, 18):
        for end in (a, b):
            same(end("inject_raw_frame", variant="min_short", trim_to=size)["learned"], False, "cut")
    same(b("inject_raw_frame", variant="plain_on_open")["learned"], True, "open")
    made = a("inject_raw_frame", variant="build_masked")
    for end, good in ((b, False), (a, True)):
        same(end("inject_raw_frame", variant="inject_external", raw=made["raw"],
                 dest_hash=made["dest_hash"])["learned"], good, "of another")
    got = a("ifac_compute", packet_data="0102")
    key = got["ifac_key"]
    pub = a.bridge("identity_from_private_key", private_key=key)["public_key"]
    same(a.bridge("identity_verify", public_key=pub, message="0102", signature=got["signature"])
         ["valid"], True, "signature")
    same((got["ifac"], got["ifac_size"]), (got["signature"][-16:], 8), "the last of it")
    got = a("ifac_signature")
    same(a.bridge("identity_verify", public_key=pub, signature=got["ifac_signature"],
                  message=hashlib.sha256(bytes.fromhex(key)).hexdigest())["valid"], True, "own")
    b.refuses("ifac_compute", "access code", packet_data="00")
    same((a("interface_bitrate")["bitrate"], b("interface_bitrate")["bitrate"]),
         (10000000, 2000000), "bitrate")
    same((a("interface_hw_mtu")["hw_mtu"], b("interface_hw_mtu")["hw_mtu"]), (16384, 4096), "MTU")
    for end in (a, b):
        end.stop()
    who = ["ab" * 16, "cd" * 16, "ab" * 16]
    c = Live(ctx, enable_transport=None, blackhole_sources=who, remote_management_allowed=who[:1],
             enable_remote_management=True, interface_discovery_sources=who[1:2],
             use_implicit_proof=False)
    got = c("instance_posture")
    same((got["transport_enabled"], got["remote_management_enabled"], got["respond_to_probes"],
          got["should_use_implicit_proof"], got["blackhole_sources"],
          got["remote_management_allowed"], got["interface_discovery_sources"]),
         (False, True, False, False, who[:2], who[:1], who[1:2]), "posture")
    for key in ("blackhole_sources", "remote_management_allowed", "interface_discovery_sources"):
        for bad in ("ab" * 15, "zz" * 16):
            c.bridge.refuses("wire_start_tcp_server", network_name="", passphrase="", **{key: [bad]})
    c.stop()


def resource_parts(b, link):
    """What a resource is made of, beside what hashlib says."""
    sdu = None
    for data, compress, meta, force in ((os.urandom(3000), True, None, 400),
                                        (b"again" * 900, True, None, None),
                                        (b"again" * 900, False, None, 380),
                                        (os.urandom(100), True, "0102", None)):
        more = {} if force is None else {"force_sdu": force}
        more.update({} if meta is None else {"metadata": meta})
        got = b("resource_create", data=data.hex(), auto_compress=compress, include_parts=True,
                **more, **link)
        whole = b"" if meta is None else b"\0\0\x04\xc4\x02\x01\x02"
        salt = bytes.fromhex(got["random_hash"])
        digest = hashlib.sha256(whole + data + salt).digest()
        same((got["hash"], got["original_hash"], got["truncated_hash"]),
             (digest.hex(), digest.hex(), digest[:16].hex()), "hash")
        same(got["expected_proof"], hashlib.sha256(whole + data + digest).hexdigest(), "proof")
        parts = [bytes.fromhex(x) for x in got["parts"]]
        same(got["hashmap"], b"".join(hashlib.sha256(x + salt).digest()[:4] for x in parts).hex(),
             "map")
        sdu = force or got["sdu"]
        same((got["num_parts"], got["sdu"], sum(len(x) for x in parts), got["total_size"]),
             (-(-got["size"] // sdu), sdu, got["size"], len(whole + data)), "parts")
        same((got["compressed"], got["has_metadata"], got["flags"]),
             (compress and data[:5] == b"again", meta is not None,
              1 | got["compressed"] << 1 | got["has_metadata"] << 5), "flags")
    same(b("resource_send", data="00", **link, **WAIT)["success"], True, "it carries others after")


def proofs(ctx):
    """Proofs on the wire, implicit and explicit; keepalives; resources."""
    a = Live(ctx)
    b = Live(ctx, a.start["port"])
    at = {"destination_hash": a("listen", proof_strategy="all", **NAME)["destination_hash"]}
    same(b("poll_path", **at, **WAIT)["found"], True, "path")
    for implicit, size in ((True, 64), (False, 96)):
        a("set_proof_implicit", enabled=implicit)
        got = b("send_packet_with_proof_request", data="0102", **at, **NAME, **WAIT)
        same((got["delivered"], got["proof_is_implicit"], got["proof_is_explicit"],
              got["proof_len"]), (True, implicit, not implicit, size), "proof")
        who = b("identity_recall", **at)["public_key"]
        same(b.bridge("identity_verify", public_key=who, message=got["proved_packet_hash"],
                      signature=got["proof_data"][-128:])["valid"], True, "signature")
    for how in ("ciphertext", "truncate"):
        sent = b("send_undecryptable", data="04", corruption=how, timeout_ms=200, **at, **NAME)
        same((sent["sent"], sent["delivered"], sent["status"]), (True, False, "pending"), how)
    a("set_proof_strategy", strategy="none", **at)
    got = b("send_packet_with_proof_request", data="03", timeout_ms=200, **at, **NAME)
    same((got["delivered"], got["proof_data"], got["proof_raw"]), (False, None, None), "none")
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    frame = a("capture_lrproof_frame", **at)
    same((frame["link_id"], frame["flags"], frame["packet_type"], frame["context"]),
         (link["link_id"], 15, 3, 255), "the proof of a link")
    a("set_proof_strategy", strategy="app", **at)
    for first, good in (("01", True), ("02", False)):
        sent = b("send_link_data", data=first + "ff", create_receipt=True, **link)
        same(b("packet_receipt_status", receipt_id=sent["receipt_id"], timeout_ms=500)["proved"],
             good, "by who is asked")
    for end, answer in ((a, "fe"), (b, None)):
        got = end("send_keepalive_probe", **link)
        same((got["response"], got["answered"], got["initiator"]),
             (answer, answer is not None, end is b), "keepalive")
    resource_parts(b, link)
    b.stop()
    a.stop()


def tables(ctx):
    """What a relay says of an announce, and of a path that it looks for."""
    a = Live(ctx, mode="gateway")
    b, c = Live(ctx, a.start["port"]), Live(ctx, a.start["port"])
    dest = {"destination_hash": b("announce", app_data="", **NAME)["destination_hash"]}
    nobody = {"destination_hash": "00" * 16}
    same(a("poll_path", **dest, **WAIT)["found"], True, "path")
    for end, key, there in ((a, dest, True), (a, nobody, False)):
        same(end("has_announce_table_entry", **key)["found"], there, "it waits")
        got = end("read_announce_table_timestamp", **key)
        same(got["found"], there, "it waits")
        check(not there or abs(got["timestamp"] / 1000 - time.time()) < 60, "since when")
    same(a("has_discovery_path_request", **nobody)["found"], False, "nobody asked")
    b("request_path", **nobody)
    waiting.until(lambda: a("has_discovery_path_request", **nobody)["found"], "a looks for it")
    for end in (a, b, c):
        end.stop()


def taps(ctx):
    """What a third one hears of two, and another code that hears nothing."""
    a = Live(ctx)
    b, c = Live(ctx, a.start["port"]), Live(ctx, a.start["port"])
    d = Live(ctx, a.start["port"], passphrase="another")
    dest = b("announce", app_data="0102", **NAME)["destination_hash"]
    same(c("poll_path", destination_hash=dest, **WAIT)["hops"], 2, "over the relay")
    same(c("identity_recall", destination_hash=dest, **WAIT)["app_data"], "0102", "app data")
    got = c("get_received_packets", since_seq=0)
    same([(p["packet_type"], p["destination_hash_hex"]) for p in got["packets"]], [(1, dest)],
         "only the announce")
    same(c("get_received_packets", since_seq=got["highest_seq"])["packets"], [], "no more")
    same(d("poll_path", destination_hash=dest, timeout_ms=300)["found"], False, "another code")
    for end in (a, b, c, d):
        end.stop()


def stock_serves(python):
    """RNS answers; the bridge is the server of its interface."""
    def run(ctx):
        b = Live(ctx)
        folder = ctx.stock_dir(lib.config(lib.client("up", b.start["port"])))
        host = ctx.peer(getattr(ctx.args, python), "serve", folder)
        at = {"destination_hash": host.expect(event="ready")["dest"]}

        def heard():
            host.say("announce")
            return b("poll_path", timeout_ms=2000, **at)["found"]

        lib.must(heard, "the announce is heard")
        same(b("identity_recall", **at, **WAIT)["app_data"], b"interop".hex(), "app data")
        same(b("send_opportunistic", data="0102", **at, **NAME, **WAIT)["delivered"], True, "proof")
        same(host.expect(event="packet")["data"], "0102", "packet")
        link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
        keys = b.bridge("wire_identity_keypair")
        b("link_identify", private_key=keys["private_key"], **link)
        same(host.expect(event="identified")["hash"], keys["hash"], "who")
        for size in (10, 20000):
            data = os.urandom(size)
            same(b("link_request", path="/echo", data=data.hex(), **link, **WAIT)["response"],
                 data.hex(), "request")
        data = os.urandom(100000)
        same(b("resource_send", data=data.hex(), **link, timeout_ms=30000)["success"], True,
             "resource")
        same(host.expect(event="resource")["sha256"], hashlib.sha256(data).hexdigest(), "resource")
        b("link_teardown", **link)
        host.expect(event="closed")
        b.stop()
    return run


def stock_visits(python):
    """RNS asks, over one bridge; another listens."""
    def run(ctx):
        words = ["path", "packet", "open", "identify", "resource2m", "close"]
        relay = Live(ctx)
        a = Live(ctx, relay.start["port"])
        at = {"destination_hash": a("listen", proof_strategy="all", **NAME)["destination_hash"]}
        folder = ctx.stock_dir(lib.config(lib.client("up", relay.start["port"])))
        guest = ctx.peer(getattr(ctx.args, python), "visit", folder, at["destination_hash"],
                         *words)
        guest.expect(event="ready")
        guest.say("go")
        for word in words:
            if word == "identify":
                guest.say("go")
            check(guest.expect(60, step=word)["ok"], word)
        check(len(a("opportunistic_poll", **at, **WAIT)["packets"]) >= 1, "packet")
        same(len(a("resource_poll", **at, timeout_ms=30000)["resources"][0]), 2 * 2000000,
             "resource")
        same(a("listener_link_status", **at, **WAIT)["remote_identified"], True, "identified")
        a.stop()
        relay.stop()
    return run


TESTS = [
    ("bridge: live, at both ends", live),
    ("bridge: live, frames and settings", frames),
]

LONG = [
    ("bridge: live, links that hear anything", hostile),
    ("bridge: live, ratchets and groups", ratchets),
    ("bridge: live, tables", tables),
    ("bridge: live, proofs and parts", proofs),
    ("bridge: live, a third one", taps),
    ("bridge: live, programs behind one", programs),
    ("bridge: live, files", files),
    ("bridge: live, RNS serves", stock_serves("python")),
    ("bridge: live, 1.4.2 serves", stock_serves("python_old")),
    ("bridge: live, RNS visits", stock_visits("python")),
    ("bridge: live, 1.4.2 visits", stock_visits("python_old")),
]
