/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/binding.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "transport/engine/engine.h"
#include "trust/doc/binding.h"

/*
 * The one thing that the node's Reticulum identity signs for another program:
 * a binding statement of klp.md 5, in which it is named itself. The message is
 * built here from fields; nobody hands over bytes to sign.
 */
#define BINDING_TYPE "application/vnd.klp.binding"

static bool
sound(const struct msg_B_SIGN *m, int64_t now_s)
{
	return (m->flags & ~BINDING_FLAG_BIP340) == 0 &&
	    (m->secp[0] == 2 || m->secp[0] == 3) &&
	    m->not_after > m->not_before &&
	    m->not_after - m->not_before <= BINDING_LIFE_MAX &&
	    m->not_before <= now_s + BINDING_EARLY && m->not_after > now_s;
}

void
binding_sign(struct engine *e, const struct msg_B_SIGN *m)
{
	uint8_t buf[64 + BINDING_STATEMENT_LEN];
	struct msg_B_SIGNED reply = {0};
	struct wr w;
	char head[64];
	int n;

	if (!sound(m, clock_wall_us() / MONO_SECOND)) {
		e->counts.bindings_refused++;
		log_warnx("keys", "a binding is not signed: it is not one for "
		    "this identity");
		return;
	}
	n = snprintf(head, sizeof(head), "DSSEv1 %zu %s %d ",
	    strlen(BINDING_TYPE), BINDING_TYPE,
	    BINDING_STATEMENT_LEN);
	w = wr_make(buf, sizeof(buf));
	wr_bytes(&w, head, (size_t)n);
	wr_bytes(&w, "KB01", 4);
	wr_u8(&w, m->flags);
	wr_bytes(&w, m->secp, sizeof(m->secp));
	wr_bytes(&w, e->identity_public, RNS_KEY);
	wr_u32(&w, m->serial);
	wr_u32(&w, m->not_before);
	wr_u32(&w, m->not_after);
	reply.serial = m->serial;
	if (!wr_ok(&w) || rns_identity_sign(reply.sig, e->identity, buf,
	    w.len) != RNS_OK) {
		e->counts.bindings_refused++;
		log_warnx("keys", "a binding is not signed: signing failed");
		return;
	}
	if (program_send_B_SIGNED(&e->program, &reply, NULL, 0) < 0)
		engine_send_failed(PROGRAM_KEYS);
	else
		log_notice("keys", "binding signed serial=%u", m->serial);
}
