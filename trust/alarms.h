/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_ALARMS_H
#define WARREN_TRUST_ALARMS_H

#include <stdint.h>

#include "common/ipc_msg.h"
#include "node/config/hubconf.h"
#include "trust/verdict.h"

/*
 * Whose an alarm is that came as a packet of its own (klp.md 7): of those whom
 * hub.accept names and nobody else. It names its key by four bytes; the key is
 * that of a binding, shown here or heard in an announce. Pure.
 */
#define ALARMS_CHECKS 4 /* ours: signatures of announces, a second */

struct alarms {
	const struct hub_conf *hub; /* borrowed; NULL: no hub */
	/* what was heard of each of hub->accept */
	struct alarm_sender {
		struct hub_peer as; /* whom it was heard for */
		bool has;
		struct hash16 rns;
		struct fp fp;
		struct klp_key key;
		uint32_t serial, not_before, not_after;
	} heard[HUB_PEERS_MAX];
	int64_t second;
	unsigned checks;
};

/* The first time, and when node.yaml was read again. */
void alarms_use(struct alarms *, const struct hub_conf *);
/* now: unix seconds. */
void alarms_heard(struct alarms *, const struct msg_M_HEARD *, uint32_t now);
/* NULL: out->ok; or a literal that says why not. */
const char *alarms_check(const struct alarms *, const struct verdicts *,
    struct msg_V_ALERTED *out, const struct msg_V_ALERT *, uint32_t now);

#endif
