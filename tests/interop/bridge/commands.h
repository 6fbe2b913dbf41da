/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_INTEROP_BRIDGE_COMMANDS_H
#define WARREN_TESTS_INTEROP_BRIDGE_COMMANDS_H

#include "tests/interop/bridge/call.h"

/* The table of all commands; first those that are built. */
#define BRIDGE_COMMANDS(X) \
	/* cryptography */ \
	X(x25519_generate) \
	X(x25519_public_from_private) \
	X(x25519_exchange) \
	X(ed25519_generate) \
	X(ed25519_sign) \
	X(ed25519_verify) \
	X(sha256) \
	X(sha512) \
	X(truncated_hash) \
	X(hmac_sha256) \
	X(hkdf) \
	X(pkcs7_pad) \
	X(pkcs7_unpad) \
	X(aes_encrypt) \
	X(aes_decrypt) \
	X(aes_256_cbc_encrypt) \
	X(aes_256_cbc_decrypt) \
	X(token_encrypt) \
	X(token_decrypt) \
	X(token_verify_hmac) \
	X(token_generate_key) \
	X(crypto_provider_op) \
	/* identities */ \
	X(identity_from_private_key) \
	X(identity_hash) \
	X(identity_encrypt) \
	X(identity_decrypt) \
	X(identity_sign) \
	X(identity_verify) \
	X(identity_to_file) \
	X(identity_from_file) \
	X(identity_random_hash) \
	X(identity_remember) \
	X(identity_keyless_op) \
	X(ratchet_id) \
	X(ratchet_public_from_private) \
	X(ratchet_encrypt) \
	X(ratchet_decrypt) \
	/* names and destinations */ \
	X(name_hash) \
	X(destination_hash) \
	X(hash_from_name_and_identity) \
	X(app_and_aspects_from_name) \
	X(destination_expand_name) \
	X(destination_construct) \
	X(destination_announce_attempt) \
	X(destination_set_proof_strategy_raw) \
	X(destination_rotate_ratchets) \
	X(destination_group_encrypt) \
	X(destination_default_app_data) \
	X(destination_register_request_handler_validate) \
	/* packets */ \
	X(packet_build) \
	X(packet_build_raw_header2) \
	X(packet_unpack) \
	X(packet_hash) \
	X(packet_resend_observe) \
	X(packet_constants) \
	X(packet_context_constants) \
	/* announces */ \
	X(announce_build) \
	X(announce_validate) \
	X(announce_queue_constants) \
	X(wire_known_key_validate) \
	/* framing, compression, constants of interfaces */ \
	X(hdlc_escape) \
	X(hdlc_frame) \
	X(kiss_frame) \
	X(hdlc_deframe) \
	X(kiss_deframe) \
	X(hdlc_deframe_stream) \
	X(kiss_deframe_stream) \
	X(bz2_compress) \
	X(bz2_decompress) \
	X(auto_discovery_token) \
	X(interface_hw_mtu) \
	X(interface_optimise_mtu) \
	X(interface_default_ifac_size) \
	/* configuration */ \
	X(config_parse_interface) \
	/* discovery */ \
	X(discovery_stamp) \
	X(discovery_build_announce_appdata) \
	X(discovery_receive_announce) \
	X(discovery_craft_announce) \
	X(discovery_validate_address) \
	X(discovery_sanitize_name) \
	X(discovery_store_record) \
	X(discovery_inject_records) \
	X(discovery_feature_defaults) \
	/* transport with interfaces in memory */ \
	X(behavioral_start) \
	X(behavioral_stop) \
	X(behavioral_attach_mock_interface) \
	X(behavioral_detach_interface) \
	X(behavioral_inject) \
	X(behavioral_drain_tx) \
	X(behavioral_force_cull) \
	X(behavioral_read_path_table) \
	X(behavioral_set_path_timestamp) \
	X(behavioral_set_path_expires) \
	X(behavioral_mark_path_unresponsive) \
	X(behavioral_read_announce_table) \
	X(behavioral_set_announce_timestamp) \
	X(behavioral_read_announce_rate) \
	X(behavioral_hold_and_release_announce) \
	X(behavioral_read_reverse_table) \
	X(behavioral_seed_reverse_table) \
	X(behavioral_read_link_table) \
	X(behavioral_seed_link_table) \
	X(behavioral_packet_filter) \
	X(behavioral_inbound_remembered) \
	X(behavioral_ifac_mask) \
	X(behavioral_synthesize_tunnel) \
	X(behavioral_read_tunnels) \
	X(behavioral_request_path) \
	X(behavioral_register_destination) \
	X(behavioral_read_destination_deliveries) \
	X(behavioral_register_announce_handler) \
	X(behavioral_read_announce_handler_calls) \
	X(behavioral_blackhole_identity) \
	X(behavioral_unblackhole_identity) \
	X(behavioral_read_blackhole_table) \
	X(behavioral_blackhole_list_handler) \
	X(behavioral_blackhole_reload) \
	X(behavioral_blackhole_clear) \
	X(behavioral_blackhole_storage_files) \
	X(behavioral_blackhole_clear_storage) \
	X(behavioral_blackhole_rename_storage) \
	X(behavioral_blackhole_set_sources) \
	/* live: start, stop, posture */ \
	X(wire_start_tcp_server) \
	X(wire_start_tcp_client) \
	X(wire_start_local_client) \
	X(wire_stop) \
	X(wire_transport_enabled) \
	X(wire_first_hop_timeout) \
	X(wire_instance_posture) \
	X(wire_rpc_authkey) \
	X(wire_interface_bitrate) \
	X(wire_interface_hw_mtu) \
	X(wire_ifac_compute) \
	X(wire_ifac_signature) \
	/* live: announces and paths */ \
	X(wire_announce) \
	X(wire_poll_path) \
	X(wire_request_path) \
	X(wire_read_path_entry) \
	X(wire_read_path_random_hash) \
	X(wire_tx_bytes) \
	X(wire_get_received_packets) \
	X(wire_identity_recall) \
	X(wire_reannounce) \
	X(wire_has_announce_table_entry) \
	X(wire_has_discovery_path_request) \
	X(wire_read_announce_table_timestamp) \
	X(wire_inject_raw_frame) \
	/* live: destinations, packets, proofs */ \
	X(wire_listen) \
	X(wire_set_proof_strategy) \
	X(wire_set_proof_implicit) \
	X(wire_send_packet) \
	X(wire_send_opportunistic) \
	X(wire_opportunistic_poll) \
	X(wire_packet_receipt_status) \
	X(wire_group_create) \
	X(wire_group_encrypt) \
	X(wire_group_decrypt) \
	X(wire_plain_encrypt) \
	X(wire_plain_decrypt) \
	X(wire_inject_single_proof_format) \
	X(wire_inject_crafted_link_proof) \
	X(wire_send_packet_with_proof_request) \
	X(wire_send_undecryptable) \
	X(wire_inject_crafted_proof) \
	/* live: ratchets */ \
	X(wire_identity_keypair) \
	X(wire_ratchet_keypair) \
	X(wire_identity_encrypt) \
	X(wire_identity_decrypt) \
	X(wire_get_adopted_ratchet) \
	X(wire_read_ratchets) \
	X(wire_set_ratchet_interval) \
	X(wire_rotate_ratchet) \
	X(wire_destination_latest_ratchet_id) \
	X(wire_encrypt_to_remote) \
	X(wire_destination_decrypt) \
	/* live: links */ \
	X(wire_link_open) \
	X(wire_link_send) \
	X(wire_link_poll) \
	X(wire_link_status) \
	X(wire_listener_link_status) \
	X(wire_link_await_status) \
	X(wire_link_teardown) \
	X(wire_link_set_watchdog) \
	X(wire_link_set_rtt) \
	X(wire_link_mtu) \
	X(wire_link_identify) \
	X(wire_link_key_material) \
	X(wire_link_signalling_bytes) \
	X(wire_inject_crafted_link_identify) \
	X(wire_send_forged_link_close) \
	X(wire_inject_tampered_link_data) \
	X(wire_inject_closed_link_data) \
	X(wire_send_over_closed_link) \
	X(wire_send_oversize_link_packet) \
	X(wire_capture_lrproof_frame) \
	X(wire_send_keepalive_probe) \
	X(wire_inject_crafted_link_request) \
	X(wire_link_request_payload) \
	X(wire_inject_crafted_lrproof) \
	X(wire_link_type_gate) \
	X(wire_link_identify_pending) \
	X(wire_link_accept_gate) \
	X(wire_link_teardown_emission) \
	X(wire_last_keepalive) \
	X(wire_send_link_data) \
	X(wire_known_destinations_roundtrip) \
	X(wire_ratchet_file_roundtrip) \
	X(wire_discovery_autoconnect_gate) \
	X(wire_interface_transport_defaults) \
	/* live: requests */ \
	X(wire_register_request_handler) \
	X(wire_deregister_request_handler) \
	X(wire_get_request_log) \
	X(wire_link_request) \
	X(wire_capture_response_packet) \
	X(wire_link_request_timeout) \
	X(wire_link_request_large) \
	/* live: channel */ \
	X(wire_channel_send) \
	X(wire_channel_received) \
	X(wire_channel_window) \
	X(wire_channel_profile) \
	X(wire_channel_timeout_formula) \
	X(wire_listener_channel_rx) \
	X(wire_channel_envelope_pack) \
	X(wire_buffer_pack) \
	X(wire_channel_emit_capture) \
	X(wire_channel_spurious_proof) \
	X(wire_listener_proof_log) \
	X(wire_channel_inject) \
	/* live: resources */ \
	X(wire_resource_constants) \
	X(wire_resource_decompress_limit) \
	X(wire_resource_send) \
	X(wire_resource_poll) \
	X(wire_resource_cancel) \
	X(wire_resource_receiver_status) \
	X(wire_inject_crafted_resource_part) \
	X(wire_inject_crafted_resource_proof) \
	X(wire_inject_corrupt_assembled_resource) \
	X(wire_inject_malformed_resource_adv) \
	X(wire_inject_duplicate_resource_adv) \
	X(wire_inject_hashmap_update) \
	X(wire_inject_crafted_resource_request) \
	X(wire_resource_outgoing_queue_state) \
	X(wire_resource_window_inheritance) \
	X(wire_resource_receiver_request_state) \
	X(wire_resource_receiver_proof_count) \
	X(wire_resource_part_count_derivation) \
	X(wire_resource_request_next_content) \
	X(wire_resource_create) \
	X(wire_resource_late_after_cancel) \
	/* live: buffer */ \
	X(wire_buffer_stream) \
	X(wire_buffer_received)

/* Those that are not built, and why. */
#define BRIDGE_MISSING(X) \
	/* what the daemon does, not the library */ \
	X(discovery_announce_identity, \
	    "who signs offers is the daemon's choice") \
	X(wire_start_pipe_peer, "the daemon starts programs") \
	X(wire_start_pipe_tcp_relay, "the daemon starts programs") \
	X(wire_mgmt_destinations, "the daemon's own destinations") \
	X(wire_identity_ratchet_persist, "the daemon writes and reads files") \
	/* what the library has no counterpart for */ \
	X(wire_set_interface_mode, "the mode of an interface stays") \
	X(wire_set_retained_ratchets, "the count is set with the destination") \
	X(wire_link_phy_stats_gate, "no radio, no signal strength") \
	X(wire_set_race_inducer, "one thread, no races to induce") \
	X(wire_channel_register, "any type below 0xf000; no classes") \
	X(wire_channel_handler_chain, "one reader of messages; no callbacks") \
	X(wire_packet_receipt_generation, "contexts are the library's choice") \
	X(wire_packet_receipt_timeout, "nothing goes to who is not known") \
	X(wire_resource_force_collision, \
	    "the map is made anew inside one call") \
	X(wire_resource_progress, "events tell bytes, not a share") \
	/* not written yet */ \
	X(destination_path_response_cache, "needs a clock that it moves") \
	X(wire_resource_send_bomb, "needs an advertisement made by hand") \
	X(wire_inject_resource_adv_flags, \
	    "needs an advertisement made by hand")

#define DECLARE(name) command_fn cmd_##name;
BRIDGE_COMMANDS(DECLARE)
#undef DECLARE

/* Of one section, used by others. */
struct bytes encrypt_to(struct call *, const uint8_t pub[RNS_KEY],
    const uint8_t *ratchet, struct bytes);
struct bytes decrypt_by(struct call *, struct bytes ratchets, bool enforce,
    int *used);
/* The call's offer; false: of a type that is not offered. */
struct offer;
bool offer_of(struct call *, struct offer *);
/* Packed, and changed as the call says. */
struct wr;
void offer_craft(struct call *, struct wr *, const struct offer *);
/* Searches for a stamp worth the call's stamp_value. */
void stamp_find(struct call *, const struct id32 *info, uint8_t out[32]);
/* Waits for the first of a list, as long as the call says, and empties it. */
void poll_list(struct call *, const char *key, json_t *);

#endif
