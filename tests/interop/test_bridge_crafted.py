# SPDX-License-Identifier: BSD-2-Clause
"""The bridge of bridge/: what it makes and damages to feed its own node."""

from bridgepipe import same
from lib import check
from test_bridge_live import NAME, WAIT, Live


def requests(a):
    for how, good in (("valid64", True), ("valid67", True), ("size_63", False),
                      ("size_66", False), ("size_0", False), ("bad_mode", False)):
        for hops in (0, 3):
            got = a("inject_crafted_link_request", variant=how, hops=hops)
            same((got["accepted"], got["inbound_link_created"]), (good, good), how)
            same((got["mtu"], got["mode"], got["establishment_timeout"]),
                 (500, 1, 6 * max(1, hops) + 360) if good else (None,) * 3, how)
    got = a("link_request_payload", **NAME)
    same(got["pub_bytes"] + got["sig_pub_bytes"] + got["signalling_bytes"],
         got["request_data_hex"], "its parts")
    same((got["len"], got["mtu"], got["mode"], got["signalling_bytes"]),
         (67, 500, 1, "2001f4"), "payload")
    for accepts in (True, False):
        got = a("link_accept_gate", accepts=accepts)
        same((got["link_created"], got["links_after"] - got["links_before"]),
             (accepts, int(accepts)), "its gate")
    a.refuses("inject_crafted_link_request", variant="nothing")


def link_proofs(b):
    # a forged proof leaves the link as it was, for the genuine one
    for how, status in (("valid", "ACTIVE"), ("forged_signature", "PENDING"),
                        ("wrong_signed_data", "PENDING"), ("mode_mismatch", "CLOSED"),
                        ("wrong_size", "PENDING"), ("non_pending", "CLOSED")):
        got = b("inject_crafted_lrproof", variant=how)
        same((got["status_name"], got["activated"]), (status, how == "valid"), how)


def proofs(a):
    for how, status, length in (("valid_explicit", 2, 96), ("valid_implicit", 2, 64),
                                ("forged_explicit", 1, 96), ("wrong_hash_explicit", 1, 96)):
        got = a("inject_single_proof_format", variant=how)
        same((got["status"], got["proof_len"]), (status, length), how)
    for how, status, length in (("valid_explicit", 2, 96), ("implicit_valid_sig", 1, 64),
                                ("implicit_random", 1, 64), ("wrong_length_short", 1, 32)):
        got = a("inject_crafted_link_proof", variant=how)
        same((got["status"], got["proof_len"]), (status, length), "of a link: " + how)


def resources(a):
    for how, before, after in (("valid", 0, 1), ("forged_map_hash", 0, 0), ("beyond_window", 0, 0),
                               ("duplicate_filled", 1, 1)):
        got = a("inject_crafted_resource_part", variant=how)
        same((got["parts_before"], got["parts_after"], got["total_parts"]), (before, after, 8), how)
    for how, good, length in (("valid", True, 64), ("wrong_proof", False, 64),
                              ("wrong_length_short", False, 32), ("wrong_length_long", False, 96)):
        got = a("inject_crafted_resource_proof", variant=how)
        same((got["concluded"], got["proof_len"]), (good, length), how)
    for how, status in (("valid", "COMPLETE"), ("corrupt", "CORRUPT")):
        got = a("inject_corrupt_assembled_resource", variant=how)
        same((got["status_name"], got["proof_sent"]), (status, how == "valid"), how)
    for how in ("garbage", "missing_key"):
        same(a("inject_malformed_resource_adv", variant=how)["inbound_started"], False, how)
    got = a("inject_duplicate_resource_adv")
    same((got["first_accepted"], got["second_created"], got["incoming_count"]),
         (True, False, 1), "told twice")
    got = a("resource_late_after_cancel")
    check(got["receiver_received_before"] > 0 and got["sender_sent_before"] > 0, f"it was under way: {got}")
    same([got[k] for k in ("receiver_received_after_late_part", "receiver_height_after_late_hmu",
                           "sender_sent_after_late_request", "receiver_status", "sender_status",
                           "sender_status_after_late_proof", "control_status_after_proof")],
         [got["receiver_received_before"], got["receiver_height_before"], got["sender_sent_before"], "FAILED", "FAILED",
          "FAILED", "COMPLETE"], "what comes late changes nothing")
    got = a("inject_hashmap_update")
    same((got["height_after_advert"], got["height_after_first"], got["height_after_duplicate"]),
         (74, 81, 81), "more of its map")


def transfers(a):
    for how, status, gone in (("misaligned_hmu", "FAILED", True), ("aligned", "TRANSFERRING", False),
                              ("aligned_scope", "TRANSFERRING", False)):
        got = a("inject_crafted_resource_request", variant=how)
        same((got["status_name"], got["cancelled"]), (status, gone), how)
    same((got["part_index"], got["scope_before"], got["scope_after"]), (148, 0, 72), "its scope")
    got = a("inject_crafted_resource_request", variant="serve_all")
    same((got["served_indices"], got["identical_on_resend"], got["status_name"]),
         (list(range(8)), True, "AWAITING_PROOF"), "all of them")
    got = a("inject_crafted_resource_request", variant="duplicate")
    same((got["first_served"], got["second_served"], got["deduped"]), (8, 8, True), "asked twice")
    got = a("resource_outgoing_queue_state")
    same((got["ready_empty"], got["ready_with_one"], got["second_status_name"]),
         (True, False, "QUEUED"), "one at a time")
    got = a("resource_window_inheritance")
    same((got["default_window"], got["completed_1"], got["window2_initial"]), (4, True, 6), "window")
    got = a("resource_receiver_request_state", n=3)
    same((got["received_count"], got["consecutive_height_initial"],
          got["consecutive_height_after"]), (3, -1, 2), "in a row")
    got = a("resource_part_count_derivation")
    same((got["sender_parts"], got["adv_n_genuine"], got["adv_n_tampered"]), (8, 8, 13), "told")
    same((got["receiver_total_parts"], got["derived_expected"]), (8, 8), "counted")
    for how, waits in (("initial", False), ("after_parts", False), ("exhausted", True)):
        got = a("resource_request_next_content", variant=how)
        same(got["requested"], got["expected"], how)
        same((got["exhausted"], got["waiting_for_hmu"], got["second_request_emitted"]),
             (waits, waits, False), how)
    same(got["hashmap_height"], 74, "the map so far")
    got = a("resource_receiver_proof_count")
    same((got["proofs_before_final"], got["proofs_after_assembly"]), (0, 1), "one proof")


def packing(a):
    b = a.bridge
    for sequence, data in ((5, "0a0b"), (65535, "")):
        same(b("wire_channel_envelope_pack", msgtype=0x101, sequence=sequence, data=data)["raw"],
             f"0101{sequence:04x}{len(data) // 2:04x}{data}", "envelope")
    for raw, row in (("80030a0b", (3, True, "0a0b")), ("3fff01", (0x3fff, False, "01")),
                     ("8000", (0, True, ""))):
        got = b("wire_buffer_pack", unpack_raw=raw)
        same((got["stream_id"], got["eof"], got["data"], got["compressed"]), row + (False,), raw)
        same(b("wire_buffer_pack", stream_id=row[0], eof=row[1], data=row[2])["raw"], raw, "packed")
    for how in ({"stream_id": 0x4000, "data": "0a"}, {"unpack_raw": "c0030a0b"},
                {"unpack_raw": "80"}):
        check(b("wire_buffer_pack", **how)["error"], f"a mistake: {how}")
    got = a("link_type_gate")
    same([got[kind]["link_created"] for kind in ("single", "plain", "group")],
         [True, False, False], "links")
    got = a("link_identify_pending", private_key="01" * 64)
    same((got["refused"], got["identify_packet_sent"], got["status_name"]),
         (True, False, "PENDING"), "too early")


def looked_at(a, b, at, link):
    got = b("channel_emit_capture", data="0a0b", **link, **WAIT)
    same((got["context"], got["packet_type"], got["delivered"]), (14, 0, True), "a message")
    check(len(got["packet_hash"]) == 64, "its hash")
    got = b("channel_spurious_proof", **link, **WAIT)
    same((got["delivered"], got["link_closed"], got["tx_ring_final"]), (True, False, 0), "twice")
    same(got["window_after_duplicate"], got["window_before"], "counts once")
    log = a("listener_proof_log", **at)
    same((log["contexts"], log["channel_proofs"]), ([14, 14], 2), "proved")
    a("register_request_handler", path="/said", response="0a0b", allow="all", **at)
    got = b("capture_response_packet", path="/said", data="01", **link, **WAIT)
    same((got["response"], [x["context"] for x in got["captured"]]), ("0a0b", [10]), "an answer")
    check(got["captured"][0]["plaintext"].endswith("c4020a0b"), "and what stands in it")
    for ms in (None, 5000):
        got = b("link_request_timeout", path="/said", timeout_ms=ms, **link)
        want = ms / 1000 if ms else 6 * got["rtt"] + 11.25
        check(abs(got["receipt_timeout"] - want) < 1e-3, f"{got} for {ms}")
        check(abs(got["response_max_grace_time"] - 10) < 1e-3, "beside the round trip")
    same(b("last_keepalive", **link)["payload"], None, "none yet")
    got = a("send_keepalive_probe", **link)
    same((got["answered"], got["last_inbound_advanced"], got["last_data_advanced"]),
         (True, True, False), "a keepalive is no data")
    same(a("last_keepalive", **link)["payload"], got["response"], "the answer")


def crafted(ctx):
    a = Live(ctx)
    b = Live(ctx, a.start["port"])
    at = {"destination_hash": a("listen", **NAME)["destination_hash"]}
    same(b("poll_path", **at, **WAIT)["found"], True, "path")
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    requests(a)
    link_proofs(b)
    proofs(a)
    resources(a)
    transfers(a)
    packing(a)
    looked_at(a, b, at, link)
    got = b("link_teardown_emission", **link)
    same((got["pending_linkclose_emitted"], got["active_linkclose_emitted"],
          got["active_status_before"]), (0, 1, "ACTIVE"), "who says that it ends")
    gone = a("listener_link_status", **at)
    check(gone["status_name"] in ("ACTIVE", "CLOSED"), f"the other end: {gone}")
    for end in (a, b):
        end.stop()


TESTS = []

LONG = [
    ("bridge: live, what it damages", crafted),
]
