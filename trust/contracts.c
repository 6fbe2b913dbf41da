/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/contracts.h"

#include <stdio.h>
#include <string.h>

#include "trust/doc/contract.h"
#include "trust/signers.h"

_Static_assert(CONTRACT_RECORD_MAX == IPC_CONTRACT_RECORD, "one size");

static void
say(struct msg_V_CONTRACTED *out, enum contract_status status,
    const char *why)
{
	out->status = (uint8_t)status;
	(void)snprintf(out->why, sizeof(out->why), "%.*s",
	    (int)sizeof(out->why) - 1, why);
}

/* The signer whose word is worth most; false: nobody that is known here. */
static bool
best_signer(const struct verdicts *v, const struct env *e,
    struct msg_V_CONTRACTED *out, const uint8_t brought[RNS_PUBLIC_LEN],
    uint32_t now)
{
	struct signers c;
	uint64_t who;
	bool any = false;

	signers_gather(&c, v, e, brought, now);
	(void)env_signers(e, TYPE_CONTRACT, c.key, c.n, &who, NULL);
	for (size_t i = 0; i < c.n; i++) {
		int level;

		if ((who & UINT64_C(1) << i) == 0)
			continue;
		level = signer_level(v, &c.who[i], "contract.sign", now);
		if (any && level <= out->level)
			continue;
		any = true;
		out->level = level;
		out->signer = c.who[i].fp;
	}
	return any;
}

static void
opened(const struct verdicts *v, struct msg_V_CONTRACTED *out,
    const struct env *e, const struct msg_V_CONTRACT *m, uint32_t now)
{
	const struct signer_id *agent;
	struct signer_id id = {.has_rns = false};
	char why[CONTRACT_WHY];
	const char *late;
	struct contract c;
	size_t n;

	if (!best_signer(v, e, out, m->rns_public, now)) {
		say(out, CONTRACT_BAD, "signature: of nobody that is known here");
		return;
	}
	if (out->level <= -2) {
		say(out, CONTRACT_REVOKED, "its signer is revoked");
		return;
	}
	if (contract_parse(&c, e->payload, e->payload_len, why) != 0) {
		say(out, CONTRACT_BAD, why);
		return;
	}
	if ((late = contract_times(&c, now)) != NULL) {
		say(out, CONTRACT_BAD, late);
		return;
	}
	id.fp = c.agent;
	agent = &id;
	if (signer_level(v, agent, "contract.sign", now) <= -2) {
		say(out, CONTRACT_REVOKED, "its agent is revoked");
		return;
	}
	n = contract_record_put(out->record, sizeof(out->record), &c);
	out->record_len = (uint16_t)n;
	say(out, n > 0 ? CONTRACT_OK : CONTRACT_BAD,
	    n > 0 ? "" : "payload: too many paths and names");
}

void
contract_judge(const struct verdicts *v, struct msg_V_CONTRACTED *out,
    const struct msg_V_CONTRACT *m, const uint8_t *buf, size_t len,
    uint32_t now)
{
	const char *why = "empty, or over 64 KiB";
	struct env e = {.own = NULL};

	memset(out, 0, sizeof(*out));
	out->qid = m->qid;
	if (buf == NULL || env_parse(&e, buf, len, CONTRACT_BYTES,
		CONTRACT_BYTES, &why) != 0) {
		char text[96];

		(void)snprintf(text, sizeof(text), "envelope: %.80s", why);
		say(out, CONTRACT_BAD, text);
	} else {
		opened(v, out, &e, m, now);
	}
	env_clear(&e);
}
