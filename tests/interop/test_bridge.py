# SPDX-License-Identifier: BSD-2-Clause
"""The bridge of bridge/: against the vectors, and against RNS as a library."""

import hashlib
import json
import os
import subprocess
import time

import lib
import waiting
from bridgepipe import Bridge
from lib import check

VECTORS = os.path.join(lib.HERE, "..", "vectors")


def vectors(name):
    with open(os.path.join(VECTORS, name + ".json")) as f:
        return json.load(f)


def same(got, want, what):
    check(got == want, f"{what}: {got!r}, not {want!r}")


# ---- what a line is ----


def lines(ctx):
    """Lines that are none, commands that are none; then it still serves."""
    b = Bridge(ctx.args.build)
    for raw in (b"", b"{", b"hello", b"[1]", b"\xff\xfe", b'"x"'):
        a = b.line(raw)
        same((a["id"], a["success"]), ("parse_error", False), f"{raw!r}")
    a = b.line(b'{"id": 7, "command": "no_such_thing", "params": {}}')
    same(a, {"id": 7, "success": False, "error": "Unknown command: no_such_thing"}, "unknown")
    a = b.line(b'{"id": "x", "params": {}}')
    same(a["success"], False, "no command")
    b.refuses("sha256")
    b.refuses("sha256", data="0")
    b.refuses("sha256", data="zz")
    b.refuses("sha256", data=5)
    big = os.urandom(1 << 20)
    same(b("sha256", data=big.hex(), more=1)["hash"], hashlib.sha256(big).hexdigest(), "2 MB")
    b.stop()
    b = Bridge(ctx.args.build)
    b.proc.kill()
    b.proc.wait()
    b.proc.stdin.close()
    b.proc.stdout.close()


def listed(ctx):
    """Every command of the table: one that is not built is unknown."""
    b = Bridge(ctx.args.build)
    out = subprocess.run([b.path, "--list"], check=True, capture_output=True, text=True).stdout
    table = [line.split(None, 2) for line in out.splitlines()]
    missing = [row[0] for row in table if row[1] == "no"]
    for row in table:
        same(len(row), 3 if row[1] == "no" else 2, f"{row[0]}: why not")
    same(len(table), 269, "commands in the table")
    for name in missing:
        b.refuses(name, f"Unknown command: {name}")
    print(f"#   {len(table) - len(missing)} of {len(table)} commands; not built: "
          + " ".join(missing))
    b.stop()


# ---- against the vectors ----


def of_crypto(b):
    v = vectors("crypto")
    for x in v["hashes"]:
        same(b("sha256", data=x["data"])["hash"], x["sha256"], "sha256")
        same(b("sha512", data=x["data"])["hash"], x["sha512"], "sha512")
        same(b("truncated_hash", data=x["data"])["hash"], x["truncated16"], "truncated")
    for x in v["hkdf"]:
        same(b("hkdf", length=int(x["length"]), ikm=x["ikm"], salt=x["salt"] or "",
               info=x["context"])["derived_key"], x["okm"], "hkdf")
    b.refuses("hkdf", length=0, ikm="00")
    for x in v["pkcs7"]:
        same(b("pkcs7_pad", data=x["data"])["padded"], x["padded"], "pad")
        same(b("pkcs7_unpad", data=x["padded"])["unpadded"], x["data"], "unpad")
    b.refuses("pkcs7_unpad", data="11" * 16)
    for x in v["tokens"]:
        # the reference looks at one byte of the padding, the library at all
        if not x["valid"] or "-> accepted" in (x.get("note") or ""):
            b.refuses("token_decrypt", key=x["key"], token=x["token"])
            continue
        same(b("token_decrypt", key=x["key"], token=x["token"])["plaintext"], x["plaintext"],
             "token")
        same(b("token_verify_hmac", key=x["key"], token=x["token"])["valid"], True, "hmac")
        mode = x["mode"].replace("-", "_")
        body = b("aes_encrypt", plaintext=x["plaintext"], key=x["aes_key"], iv=x["iv"], mode=mode)
        same(x["token"][32:-64], body["ciphertext"], "aes")
        same(b("aes_decrypt", ciphertext=body["ciphertext"], key=x["aes_key"], iv=x["iv"],
               mode=mode)["plaintext"], x["plaintext"], "aes back")
    b.refuses("token_encrypt", key="00" * 48, plaintext="")
    b.refuses("token_verify_hmac", key="00" * 64, token="00" * 32)
    b.refuses("token_generate_key", "token mode", mode="AES_512_CBC")
    same(len(b("token_generate_key")["key"]), 128, "key")
    for x in v["x25519"]:
        same(b("x25519_generate", seed=x["a_private"]),
             {"private_key": x["a_private"], "public_key": x["a_public"]}, "x25519")
        same(b("x25519_exchange", private_key=x["a_private"],
               peer_public_key=x["b_public"])["shared_secret"], x["shared"], "exchange")
    b.refuses("x25519_generate", seed="00" * 31)
    b.refuses("ed25519_sign", private_key="00" * 33, message="")
    b.refuses("crypto_provider_op", op="x25519_exchange", provider="internal",
              private_key="01" * 32, peer_public_key="00" * 32)
    b.refuses("aes_256_cbc_encrypt", plaintext="00" * 16, key="00" * 16, iv="00" * 16)


def of_identities(b):
    v = vectors("identities")
    for x in v["identities"]:
        a = b("identity_from_private_key", private_key=x["private_key"])
        same((a["public_key"], a["hash"], a["hexhash"]),
             (x["public_key"], x["hash"], x["hexhash"]), "identity")
        path = b("identity_to_file", private_key=x["private_key"])["path"]
        same(b("identity_from_file", path=path), dict(a, found=True), "file")
        os.unlink(path)
        same(b("identity_from_file", path=path), {"found": False}, "no file")
        same(b("ed25519_generate", seed=x["ed25519_seed"])["public_key"], x["ed25519_public"],
             "ed25519")
    for x in v["signatures"]:
        same(b("identity_verify", public_key=x["public_key"], message=x["message"],
               signature=x["signature"])["valid"], x["valid"], "signature")
        if x["valid"]:
            same(b("identity_sign", private_key=x["private_key"],
                   message=x["message"])["signature"], x["signature"], "sign")
    for x in v["encryption"]:
        ratchets = x.get("ratchets") or [r for r in [x.get("ratchet_private")] if r]
        a = b("ratchet_decrypt", private_key=x["private_key"], ciphertext=x["token"],
              ratchet_privates=ratchets, enforce_ratchets=x.get("enforce_ratchets", False))
        same(a["plaintext"], x["plaintext"] if x["valid"] else None, "decrypt")
        if x["valid"] and x.get("ratchet_public"):
            same(a["latest_ratchet_id"], b("ratchet_id", ratchet_public=x["ratchet_public"])
                 ["ratchet_id"], "ratchet id")
    same(b("identity_decrypt", private_key=v["identities"][0]["private_key"],
           ciphertext="00")["plaintext"], None, "short")
    for op in ("decrypt", "sign", "encrypt"):
        same(b("identity_keyless_op", op=op, data="00")["raised"], "KeyError", op)


def of_destinations(b):
    v = vectors("destinations")
    for x in v["destinations"]:
        name = ".".join([x["app_name"]] + x["aspects"])
        same(b("name_hash", name=name)["hash"], x["name_hash"], "name hash")
        if not x["identity_hash"]:
            continue
        same(b("hash_from_name_and_identity", full_name=name,
               identity_hash=x["identity_hash"])["destination_hash"], x["hash"], "hash")
        same(b("destination_hash", app_name=x["app_name"], aspects=x["aspects"],
               identity_hash=x["identity_hash"])["destination_hash"], x["hash"], "hash")
    for x in v["invalid_names"]:
        b.refuses("destination_hash", app_name=x["app_name"], aspects=x["aspects"],
                  identity_hash="00" * 16)
    same(b("app_and_aspects_from_name", full_name="a.b.c"),
         {"app_name": "a", "aspects": ["b", "c"]}, "name")


def of_packets(b):
    v = vectors("packets")
    for x in v["packets"] + v["hash_invariance"] + v["packed"] + v["edge_cases"]:
        a = b("packet_unpack", raw=x["raw"])
        valid = x["valid"] and x["data"] != ""  # 1.5 takes none without data
        same(a["unpacked"], valid, f"{x['raw'][:80]} unpacks")
        if not valid:
            continue
        for key in ("header_type", "context_flag", "transport_type", "destination_type",
                    "packet_type", "hops", "transport_id", "destination_hash", "context", "data"):
            same(a[key], x[key], key)
        same(a["hash"], x["packet_hash"], "hash")
        same(b("packet_hash", raw=x["raw"])["hash"], x["packet_hash"], "hash")


def of_announces(b):
    for x in vectors("announces")["announces"]:
        if "known_public_key" in x:
            continue  # remembered()
        a = b("announce_validate", raw=x["raw"])
        same(a["valid"], x["valid"], x["name"])
        if not x["valid"] or "ratchet" not in x:
            continue
        same((a["valid"], a["destination_hash"], a["has_ratchet"], a.get("ratchet")),
             (True, x["destination_hash"], x["ratchet"] is not None, x["ratchet"]), x["name"])
        bad = x["raw"][:-2] + f"{int(x['raw'][-2:], 16) ^ 1:02x}"
        same(b("announce_validate", raw=bad)["valid"], False, "damaged")


def of_framing(b):
    v = vectors("framing")
    for kind in ("hdlc", "kiss"):
        for x in v[f"{kind}_encode"]:
            same(b(f"{kind}_frame", data=x["payload"])["framed"], x["frame"], kind)
            same(b(f"{kind}_deframe", framed=x["frame"])["data"], x["payload"], kind)
        for x in v[f"{kind}_decode"]:
            same(b(f"{kind}_deframe_stream", stream="".join(x["chunks"]),
                   hw_mtu=int(x["hw_mtu"]))["frames"], x["packets"], f"{kind} {x['note']}")
    same(b("hdlc_escape", data="7d7e00")["escaped"], "7d5d7d5e00", "escape")


def replay(ctx):
    b = Bridge(ctx.args.build)
    for part in (of_crypto, of_identities, of_destinations, of_packets, of_announces, of_framing):
        part(b)
    b.stop()


# ---- packets and destinations that the bridge makes ----


def built(b):
    for kind, number in (("single", 0), ("group", 1), ("plain", 2)):
        for context in (0, 1, 8, 9, 250):
            a = b("packet_build", dest_type=kind, packet_type=0, context=context, data="00ff" * 9,
                  context_flag=1, hops=3)
            clear = kind == "plain" or context in (1, 8, 250)
            same((a["destination_type"], a["context"], a["context_flag"], a["hops"],
                  a["data"] == "00ff" * 9), (number, context, 1, 3, clear), f"{kind} {context}")
    a = b("packet_build", dest_type="single", packet_type=1, header_type=2, data="aa",
          transport_id="11" * 16)
    same((a["header_type"], a["transport_id"], a["data"]), (1, "11" * 16, "aa"), "header 2")
    b.refuses("packet_build", dest_type="single", packet_type=1, header_type=2, data="aa")
    b.refuses("packet_build", dest_type="single", packet_type=0, header_type=2, data="aa",
              transport_id="11" * 16)
    b.refuses("packet_build", dest_type="plain", packet_type=0, data="00" * 482)
    a = b("packet_build_raw_header2", packet_type=1, data="aa")
    same(a["error_type"], "OSError", "no transport id")
    for kind, fresh in (("single", True), ("group", True), ("plain", False)):
        a = b("packet_resend_observe", dest_type=kind, data="00")
        same(a["raw_1"] != a["raw_2"] and a["hash_1"] != a["hash_2"], fresh, kind)


def destinations(b):
    name = {"app_name": "warren", "aspects": ["bridge"]}
    own = dict(name, direction="in", type="single")
    a = b("destination_construct", **own)
    same((a["proof_strategy"], a["direction"], a["type"]), (33, 17, 0), "destination")
    for key, value in (("direction", 19), ("type", 9)):
        b.refuses("destination_construct", **dict(own, **{key: value}))
    b.refuses("destination_construct", **dict(own, direction="out"))
    b.refuses("destination_construct", **dict(own, type="plain", identity_private_key="11" * 64))
    same(b("destination_announce_attempt", **own)["ok"], True, "announce")
    for other in ({"type": "group"}, {"type": "plain"},
                  {"direction": "out", "identity_private_key": "11" * 64}):
        b.refuses("destination_announce_attempt", **dict(own, **other))
    for strategy in (33, 34, 35):
        same(b("destination_set_proof_strategy_raw", strategy_value=strategy, **own)
             ["proof_strategy"], strategy, "strategy")
    for strategy in (0, 32, 36):
        b.refuses("destination_set_proof_strategy_raw", strategy_value=strategy, **own)
    same(b("destination_rotate_ratchets", enable=True, **own)["rotated"], True, "rotated")
    b.refuses("destination_rotate_ratchets", **own)
    a = b("destination_group_encrypt", plaintext="0102", **name)
    same((a["roundtrip"], a["has_key"]), ("0102", True), "group")
    b.refuses("destination_group_encrypt", plaintext="0102", create_keys=False, **name)
    for kind in ("bytes", "callable"):
        same(b("destination_default_app_data", default_kind=kind, default_value="01", **own)
             ["app_data"], "01", kind)
        same(b("destination_default_app_data", default_kind=kind, default_value="01",
               override_app_data="02", **own)["app_data"], "02", kind)
    same(b("destination_default_app_data", default_kind="none", **own)
         ["default_app_data_set"], False, "none")
    handler = "destination_register_request_handler_validate"
    same(b(handler, **own)["handler_count"], 1, "handler")
    for wrong in ({"path": ""}, {"generator_valid": False}, {"allow": 3}, {"allow": -1}):
        b.refuses(handler, **own, **wrong)


def remembered(b):
    x = next(x for x in vectors("announces")["announces"] if "known_public_key" in x)
    b("identity_remember", packet_hash="00" * 32, app_data=None,
      destination_hash=x["raw"][4:36], public_key=x["known_public_key"])
    same(b("announce_validate", raw=x["raw"])["valid"], False, x["name"])
    keys = [b("identity_from_private_key", private_key=os.urandom(64).hex()) for _ in range(2)]
    dest = os.urandom(16).hex()
    plant = {"packet_hash": "00" * 32, "destination_hash": dest, "app_data": None}
    same(b("identity_remember", public_key=keys[0]["public_key"], **plant)["recalled"], True,
         "remembered")
    a = b("identity_remember", public_key="00" * 63, **plant)
    same((a["ok"], a["error"], a["public_key_len"]), (False, "TypeError", 63), "no key")
    private = os.urandom(64).hex()
    a = b("announce_build", private_key=private, app_name="a", aspects=[], emission_ts=1700000000)
    same(a["random_hash"][10:], f"{1700000000:010x}", "its time")
    b("identity_remember", public_key=keys[1]["public_key"],
      **dict(plant, destination_hash=a["destination_hash"]))
    same(b("announce_validate", raw=a["raw"])["valid"], False, "of another key")


def offers(b):
    """Offers of others from the vectors; ours, read again."""
    taken = 0
    for x in vectors("discovery-1.5")["announces"]:
        got = b("discovery_receive_announce", app_data=x["app_data"], required_value=0)
        taken += got["accepted"]
        if got["accepted"]:
            rows = {json.dumps(k): v for k, v in x["info"]["map"]}
            same((got["info"]["type"], got["info"]["transport"], got["info"]["reachable_on"],
                  got["info"]["port"], got["info"]["transport_id"]),
                 (rows["0"], rows["1"], rows["2"], rows["6"], rows["254"]["bin"]), x["note"])
    check(taken > 0, "some are taken")
    fields = {"name": "x", "reachable_on": "example.org", "port": 4242, "latitude": 1.5}
    ours = {"interface_type": "BackboneInterface", "stamp_value": 6, "fields": fields}
    made = b("discovery_build_announce_appdata", **ours)
    same(made["app_data"], "00" + made["packed_info"] + made["stamp"], "what it is made of")
    same(made["infohash"], hashlib.sha256(bytes.fromhex(made["packed_info"])).hexdigest(), "hash")
    who = {"announce_identity_priv": "11" * 64}
    got = b("discovery_receive_announce", app_data=made["app_data"], required_value=6, **who)
    info = got["info"]
    same((info["type"], info["name"], info["reachable_on"], info["port"], info["latitude"],
          info["longitude"], info["stamp"], info["network_id"], info["transport_id"]),
         ("BackboneInterface", "x", "example.org", 4242, 1.5, None, made["stamp"],
          got["announce_identity_hash"], made["transport_id"]), "read again")
    check(6 <= info["value"], "its worth")
    for source, good in ((got["announce_identity_hash"], True), ("00" * 16, False)):
        same(b("discovery_receive_announce", app_data=made["app_data"], required_value=6,
               discovery_sources=[source], **who)["accepted"], good, "source")
    for bad in (made["app_data"][:-2], made["app_data"][:66], "00"):
        same(b("discovery_receive_announce", app_data=bad, required_value=6)["accepted"], False, "cut")
    same(b("discovery_receive_announce", app_data=made["app_data"], required_value=60)["accepted"],
         False, "worth too little")
    same(b("discovery_build_announce_appdata", **dict(ours, interface_type="UDPInterface")),
         {"aborted": True, "app_data": None}, "no such type")
    same(b("discovery_build_announce_appdata", encrypt=True, **ours)["aborted"], True, "for nobody")
    key = {"network_identity_priv": "22" * 64}
    made = b("discovery_build_announce_appdata", encrypt=True, **ours, **key)
    same(made["flags"], 2, "sealed")
    for more, good in (({}, False), (key, True), ({"network_identity_priv": "33" * 64}, False)):
        same(b("discovery_receive_announce", app_data=made["app_data"], required_value=6,
               **more)["accepted"], good, "opened")


def made(ctx):
    b = Bridge(ctx.args.build)
    for part in (built, destinations, remembered, offers):
        part(b)
    same(b("packet_constants")["link_mdu"], 431, "constants")
    same(b("packet_context_constants")["LRPROOF"], 255, "contexts")
    same(b("interface_default_ifac_size")["default_ifac_size"],
         {"TCPServer": 16, "TCPClient": 16, "UDP": 16, "Pipe": 8}, "access codes")
    same(b("interface_optimise_mtu", bitrate=62500)["hw_mtu"], 1024, "MTU")
    same(b("interface_optimise_mtu", bitrate=62499)["hw_mtu"], None, "MTU")
    same(b("interface_hw_mtu", type="AutoInterface")["hw_mtu"], 1196, "MTU")
    text = "61" * 5000
    a = b("bz2_compress", data=text)
    same(b("bz2_decompress", compressed=a["compressed"])["decompressed"], text, "bz2")
    same(b("auto_discovery_token", group_id=b"reticulum".hex(), link_local_addr="fe80::1")
         ["token"], hashlib.sha256(b"reticulumfe80::1").hexdigest(), "token")
    made_of = {"material": "aa" * 32, "cost": 8, "expand_rounds": 2}
    a = b("discovery_stamp", op="generate", **made_of)
    check(a["value"] >= 8 and a["valid"] and len(a["stamp"]) == 64, "a stamp")
    for i in range(32):
        product = hashlib.sha256(b"work" + bytes([i] * 32)).digest()
        a = b("discovery_stamp", op="valid", workblock=b"work".hex(), stamp=f"{i:02x}" * 32, cost=3)
        zeros = 256 - int.from_bytes(product, "big").bit_length()
        same((a["value"], a["valid"]), (zeros, zeros >= 3), "its value")
    b.stop()


# ---- configuration ----


def section(b, text, **more):
    name = more.pop("name", "x")
    head = more.pop("head", "")
    return b("config_parse_interface", interface_name=name, config_text=head + f"[interfaces]\n"
             f"[[{name}]]\ntype = ConfigParseProbeInterface\nenabled = yes\n{text}\n")


def configuration(ctx):
    b = Bridge(ctx.args.build)
    a = section(b, "")
    same((a["mode_name"], a["mode"], a["configured_bitrate"], a["bitrate"], a["announce_cap"]),
         ("full", 1, None, 62500, 0.02), "defaults")
    same((a["ifac_size"], a["default_ifac_size"], a["ifac_active"], a["ifac_netname"],
          a["discoverable"], a["discovery_announce_interval"]), (16, 16, False, None, False, None),
         "defaults")
    for word, mode in (("full", 1), ("ptp", 2), ("pointtopoint", 2), ("ap", 3),
                       ("access_point", 3), ("accesspoint", 3), ("roaming", 4), ("boundary", 5),
                       ("gateway", 6), ("gw", 6), ("point_to_point", 1), ("what", 1)):
        same(section(b, f"mode = {word}")["mode"], mode, word)
        same(section(b, f"mode = roaming\ninterface_mode = {word}")["mode"], mode, word)
    same(section(b, "bitrate = 4")["configured_bitrate"], None, "bitrate")
    same(section(b, "bitrate = 5")["bitrate"], 5, "bitrate")
    for cap, want in ((50, 0.5), (0, 0.02), (150, 0.02)):
        same(section(b, f"announce_cap = {cap}")["announce_cap"], want, f"cap {cap}")
    for bits, want in ((64, 8), (512, 64), (7, 16)):
        same(section(b, f"ifac_size = {bits}")["ifac_size"], want, f"{bits} bits")
    a = section(b, "networkname = a\nnetwork_name = b\npassphrase = c")
    same((a["ifac_netname"], a["ifac_netkey"], a["ifac_active"]), ("b", "c", True), "names")
    same(section(b, "network_name =")["ifac_active"], False, "an empty name")
    a = section(b, "discoverable = true")
    same((a["discoverable"], a["discovery_announce_interval"]), (True, 21600), "discoverable")
    for minutes, seconds in ((1, 300), (10, 600)):
        same(section(b, f"discoverable = true\nannounce_interval = {minutes}")
             ["discovery_announce_interval"], seconds, "interval")
    same(section(b, "ic_burst_freq = 7.5\nic_max_held_announces = 9")["ic_burst_freq"], 7.5, "ic")
    b.refuses("config_parse_interface", interface_name="y", config_text="[interfaces]\n")
    b.stop()


# ---- against RNS, which is asked as a library ----


def reference(ctx):
    """What one side makes at random, the other opens, both ways."""
    import RNS
    b = Bridge(ctx.args.build)
    for _ in range(20):
        ref = RNS.Identity()
        private, public = ref.get_private_key().hex(), ref.get_public_key().hex()
        text = os.urandom(40)
        same(b("identity_hash", public_key=public)["hash"], ref.hash.hex(), "hash")
        same(b("identity_decrypt", private_key=private,
               ciphertext=ref.encrypt(text).hex())["plaintext"], text.hex(), "from RNS")
        token = b("identity_encrypt", public_key=public, plaintext=text.hex())["ciphertext"]
        same(ref.decrypt(bytes.fromhex(token)), text, "to RNS")
        sig = b("identity_sign", private_key=private, message=text.hex())["signature"]
        check(ref.validate(bytes.fromhex(sig), text), "RNS takes the signature")
        same(b("identity_verify", public_key=public, message=text.hex(),
               signature=ref.sign(text).hex())["valid"], True, "signature of RNS")
        same(b("destination_expand_name", app_name="a", aspects=["b"], identity_private_key=private)
             ["name"], RNS.Destination.expand_name(ref, "a", "b"), "name")
        same(b("destination_hash", app_name="a", aspects=["b"], identity_hash=ref.hash.hex())
             ["destination_hash"], RNS.Destination.hash(ref, "a", "b").hex(), "hash")
    b.stop()


# ---- live peers ----


class Live:
    """A bridge with a peer in it; its commands take no handle here."""

    def __init__(self, ctx, port=None, **more):
        self.bridge = Bridge(ctx.args.build)
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
    same(a("get_request_log", path="/q", **at)["count"], 0, "drained")
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
    link = {"link_id": b("link_open", **at, **NAME, **WAIT)["link_id"]}
    link_works(a, b, at, link)
    for end in (a, b):
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


def stop_at_once(ctx):
    """The end of input ends it within the time that a suite gives."""
    b = Bridge(ctx.args.build)
    b("sha256", data="")
    start = time.time()
    b.stop()
    check(time.time() - start < 5, "it ends within 5 s")


TESTS = [
    ("bridge: lines that are none", lines),
    ("bridge: the table of commands", listed),
    ("bridge: the vectors", replay),
    ("bridge: what it makes", made),
    ("bridge: configuration", configuration),
    ("bridge: with RNS, both ways", reference),
    ("bridge: end of input", stop_at_once),
    ("bridge: live, at both ends", live),
    ("bridge: live, frames and settings", frames),
]

LONG = [
    ("bridge: live, links that hear anything", hostile),
    ("bridge: live, ratchets and groups", ratchets),
    ("bridge: live, tables", tables),
    ("bridge: live, proofs and parts", proofs),
    ("bridge: live, a third one", taps),
    ("bridge: live, RNS serves", stock_serves("python")),
    ("bridge: live, 1.4.2 serves", stock_serves("python_old")),
    ("bridge: live, RNS visits", stock_visits("python")),
    ("bridge: live, 1.4.2 visits", stock_visits("python_old")),
]
