# SPDX-License-Identifier: BSD-2-Clause
"""The bridge of bridge/: against the vectors, and against RNS as a library."""

import hashlib
import json
import os
import subprocess
import time

import lib
from bridgepipe import Bridge, same
from lib import check

VECTORS = os.path.join(lib.HERE, "..", "vectors")


def vectors(name):
    with open(os.path.join(VECTORS, name + ".json")) as f:
        return json.load(f)


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
        if not x["valid"]:
            b.refuses("token_decrypt", key=x["key"], token=x["token"])
            continue
        same(b("token_decrypt", key=x["key"], token=x["token"])["plaintext"], x["plaintext"],
             "token")
        same(b("token_verify_hmac", key=x["key"], token=x["token"])["valid"], True, "hmac")
        if not x.get("iv"):  # padding that no sender makes
            continue
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
    a = b("destination_group_encrypt", plaintext="0102", create_keys=True, **name)
    same((a["roundtrip"], a["has_key"]), ("0102", True), "group")
    b.refuses("destination_group_encrypt", plaintext="0102", **name)
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


def described(b):
    """What is said of an interface, by its type and what its section has."""
    def made(kind, **fields):
        return b("discovery_build_announce_appdata", interface_type=kind, stamp_value=1, fields=dict(fields, name="x"))

    def heard(kind, **fields):
        got = b("discovery_receive_announce", app_data=made(kind, **fields)["app_data"], required_value=1)
        return got["info"] if got["accepted"] else None

    radio = {"frequency": 868000000, "bandwidth": 125000}
    same(heard("TCPClientInterface", kiss_framing=True, modulation="gfsk", **radio)["type"], "KISSInterface", "a modem")
    weave = heard("WeaveInterface", modulation="lora", **radio)
    same((weave["frequency"], weave["modulation"], weave.get("channel")), (868000000, "lora", None), "no channel")
    same(heard("WeaveInterface", channel=11, **radio)["channel"], 11, "a channel")
    b32 = "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq"
    got = heard("I2PInterface", connectable=True, b32=b32)
    same((got["reachable_on"], f"peers = {b32}.b32.i2p" in got["config_entry"]), (b32, True), "I2P")
    for fields in ({"connectable": True}, {"b32": b32}):
        check(heard("I2PInterface", **fields) is None, "nobody could connect to it")
    for kind, fields in (("TCPClientInterface", {}), ("TCPServerInterface", {"port": 1}),
                         ("TCPServerInterface", {"port": 1, "reachable_on": "no host!"}),
                         ("BackboneInterface", {"reachable_on": "example.org"})):
        check(made(kind, **fields)["aborted"], f"{kind} {fields} is not offered")
    server = {"port": 1, "reachable_on": "example.org", "ifac_netname": "n", "ifac_netkey": "k"}
    for more, names in (({}, b""), ({"publish_ifac": True}, b"\x07\xa1n\x08\xa1k")):
        packed = bytes.fromhex(made("TCPServerInterface", **server, **more)["packed_info"])
        check(packed.endswith(b"\x06\x01" + names), f"{more}: {packed}")
    check(heard("TCPServerInterface", latitude="north", **server) is None, "a place that is none")


def crafted(b):
    """Records that were changed, judged, kept; and the parts that a record is judged by."""
    ours = {"interface_type": "TCPServerInterface", "stamp_value": 6,
            "fields": {"name": "x", "reachable_on": "example.org", "port": 4242}}
    for change, good in (({}, True), ({"drop_field": 0}, False), ({"drop_field": 0xFE}, False),
                         ({"set_fields": [{"key": 0xFF, "kind": "str", "value": "other"}]}, True),
                         ({"set_fields": [{"key": 3, "kind": "str", "value": "north"}]}, False),
                         ({"set_fields": [{"key": 0xFE, "kind": "bytes", "value": "00"}]}, False),
                         ({"set_fields": [{"key": 2, "kind": "str", "value": "no host!"}]}, False),
                         ({"set_interface_type": "UDPInterface"}, False)):
        got = b("discovery_craft_announce", **ours, **change)
        check(got["stamp_value"] >= 6 and got["stamp_size"] == 32, "a stamp")
        same(b("discovery_receive_announce", app_data=got["app_data"],
               required_value=6)["accepted"], good, str(change))
    for address, ip, ygg, host in (("192.0.2.1", True, False, False), ("2001:db8::1", True, False, False),
                                   ("200::1", True, True, False), ("3ff::1", True, True, False),
                                   ("400::1", True, False, False), ("example.org", False, False, True),
                                   ("example.org.", False, False, True), ("a..", False, False, False),
                                   ("a.1", False, False, False), ("-a.org", False, False, False)):
        same(b("discovery_validate_address", address=address),
             {"is_ip_address": ip, "is_ygg_ipv6": ygg, "is_hostname": host}, address)
    for name, clean, said in (("  Hello   World  ", "Hello World", "Hello   World"),
                              ("!!!Name!!!", "Name", "!!!Name!!!"), ("!!!", "", "!!!"),
                              ("a\r\nb", "ab", "ab")):
        same(b("discovery_sanitize_name", name=name), {"sanitize_name": clean, "sanitize": said}, name)
    who = {"announce_identity_priv": "11" * 64}
    got = b("discovery_store_record", name="one", repeat=3, **who)
    same((got["heard_count"], got["listed_names"]), (2, ["one"]), "heard again")
    same(b("discovery_store_record", name="one", list_sources=["00" * 16], **who)["listed_names"], [],
         "of no source")
    same(b("discovery_store_record", name="one", list_sources=[got["announce_identity_hash"]],
           **who)["listed_names"], ["one"], "of a source")
    got = b("discovery_inject_records", records=[
        {"name": "old", "age_seconds": 3 * 86400 + 60}, {"name": "gone", "age_seconds": 8 * 86400},
        {"name": "new", "age_seconds": 60, "value": 3}, {"name": "better", "age_seconds": 90, "value": 9},
        {"name": "silent", "age_seconds": 86400 + 60}])
    same([(x["name"], x["status"]) for x in got["listed"]],
         [("better", "available"), ("new", "available"), ("silent", "unknown"), ("old", "stale")], "in order")
    same(any(b("discovery_feature_defaults").values()), False, "all off")


def made(ctx):
    b = Bridge(ctx.args.build)
    for part in (built, destinations, remembered, offers, described, crafted):
        part(b)
    same(b("packet_constants")["link_mdu"], 431, "constants")
    same(b("packet_context_constants")["LRPROOF"], 255, "contexts")
    same(b("interface_default_ifac_size")["default_ifac_size"],
         {**dict.fromkeys(("TCPServerInterface", "TCPClientInterface", "UDPInterface"), 16),
          **dict.fromkeys(("SerialInterface", "KISSInterface", "AX25KISSInterface", "RNodeInterface",
                           "PipeInterface"), 8)}, "access codes")
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
]
