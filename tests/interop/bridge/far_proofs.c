/* SPDX-License-Identifier: BSD-2-Clause */
/* Proofs of packets, genuine and damaged, and what their senders make of it. */
#include <string.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/far.h"
#include "tests/interop/bridge/peer.h"
#include "transport/core/base/packet.h"
#include "transport/core/link/link.h"

/* Sends a packet that asks for a proof; the proof that comes back. */
static struct bytes
proved(struct call *c, struct far *f, bool link)
{
	struct rns_cmd cmd = {.type = link ? RNS_CMD_LINK_SEND :
	    RNS_CMD_PACKET};

	cmd.packet.dest = link ? f->id : f->dest;
	cmd.packet.data = (const uint8_t *)"proved";
	cmd.packet.len = 6;
	cmd.packet.receipt = true;
	cmd.packet.tag = 1;
	must(c, rns_submit(f->near, &cmd, mono_here()), "packet");
	far_hear(f->far, far_next(c, f->near, PACKET_DATA, CTX_NONE));
	return far_next(c, f->far, PACKET_PROOF, CTX_NONE);
}

static void
put_outcome(struct call *c, struct far *f, const char *how, struct bytes raw)
{
	int status = 1; /* SENT */
	struct rns_event ev;

	far_hear(f->near, raw);
	while (rns_next_event(f->near, &ev))
		if (ev.type == RNS_EV_RECEIPT)
			status = (int)ev.receipt.status;
	put_str(c, "variant", how);
	put_bool(c, "validated", status == RNS_RECEIPT_DELIVERED);
	put_int(c, "status", status);
	put_str(c, "status_name", status == 1 ? "SENT" :
	    status == RNS_RECEIPT_DELIVERED ? "DELIVERED" : "FAILED");
	put_int(c, "proof_len", (int64_t)raw.n - HEADER_1_LEN);
	put_int(c, "expl_length", PROOF_EXPLICIT_LEN);
	put_int(c, "impl_length", PROOF_IMPLICIT_LEN);
}

void
cmd_wire_inject_single_proof_format(struct call *c)
{
	const char *how = arg_str(c, "variant");
	struct bytes raw;
	struct far f;

	(void)peer_of(c);
	far_start(c, &f, false);
	f.far->cfg.implicit_proof = strcmp(how, "valid_implicit") == 0;
	raw = proved(c, &f, false);
	if (raw.n == 0)
		fail(c, "RuntimeError: it was not proved");
	if (strcmp(how, "forged_explicit") == 0)
		raw.p[raw.n - 1] ^= 1;
	else if (strcmp(how, "wrong_hash_explicit") == 0)
		raw.p[HEADER_1_LEN] ^= 1;
	else if (strncmp(how, "valid_", 6) != 0)
		fail(c, "ValueError: unknown variant");
	put_outcome(c, &f, how, raw);
}

void
cmd_wire_inject_crafted_link_proof(struct call *c)
{
	const char *how = arg_str(c, "variant");
	struct bytes raw;
	struct far f;

	(void)peer_of(c);
	far_start(c, &f, true);
	raw = proved(c, &f, true);
	if (raw.n != HEADER_1_LEN + PROOF_EXPLICIT_LEN)
		fail(c, "RuntimeError: a proof of another length");
	if (strcmp(how, "implicit_valid_sig") == 0) {
		memmove(raw.p + HEADER_1_LEN, raw.p + HEADER_1_LEN + 32,
		    RNS_SIG);
		raw.n = HEADER_1_LEN + PROOF_IMPLICIT_LEN;
	} else if (strcmp(how, "implicit_random") == 0) {
		rand_fill(NULL, raw.p + HEADER_1_LEN, RNS_SIG);
		raw.n = HEADER_1_LEN + PROOF_IMPLICIT_LEN;
	} else if (strcmp(how, "wrong_length_short") == 0) {
		raw.n = HEADER_1_LEN + 32;
	} else if (strcmp(how, "valid_explicit") != 0) {
		fail(c, "ValueError: unknown variant");
	}
	put_outcome(c, &f, how, raw);
}
