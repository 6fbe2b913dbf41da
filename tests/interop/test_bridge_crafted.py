# SPDX-License-Identifier: BSD-2-Clause
"""The bridge of bridge/: what it makes and damages to feed its own node."""

from lib import check
from test_bridge import NAME, WAIT, Live, same


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


def crafted(ctx):
    a = Live(ctx)
    b = Live(ctx, a.start["port"])
    at = {"destination_hash": a("listen", **NAME)["destination_hash"]}
    same(b("poll_path", **at, **WAIT)["found"], True, "path")
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    requests(a)
    link_proofs(b)
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
