/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/unit/fakehost.h"

/*
 * The documents of the pretended trust: byte i of each is i; klp://test.kos/big
 * has WORLD_DOCUMENT of them in version 3, a root and a head 100, deltas lead
 * from 1 to 3, and the set has 40 entries.
 */
static void
give(struct world *w, const struct msg_V_GIVE *m, struct msg_V_GIVEN *v)
{
	uint8_t bytes[PROTO_SLICE];
	uint32_t len = m->what == GIVE_DOC ? WORLD_DOCUMENT : 100;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + m->offset);
	v->version = 3;
	v->len = len;
	v->got = len;
	memset(v->sha.b, 7, sizeof(v->sha.b));
	if (m->what == GIVE_DOC)
		v->got = m->offset >= len ? 0 :
		    MIN_OF(m->n, len - (uint32_t)m->offset);
	if (m->what == GIVE_DELTA) { /* two frames, of 3 and of 2 bytes */
		memcpy(bytes, "\0\3abc\0\2de", 9);
		v->got = 9;
	}
	if (m->what == GIVE_SET) {
		v->got = MIN_OF(m->n, 40u) * 17;
		v->end = v->got == 40 * 17;
	}
	v->status = m->has_have && m->version >= 3 ? ST_NOT_MODIFIED :
	    len > m->max ? ST_TOO_LARGE : v->got == 0 ? ST_NOT_FOUND : ST_OK;
	if (v->status != ST_OK)
		v->got = 0;
	fake_post(w, 0, IPC_V_GIVEN, v, sizeof(*v), bytes, v->got);
}

void
fake_V_LOWER(void *ctx, const struct msg_V_LOWER *m)
{
	(void)ctx;
	(void)m;
}

void
fake_V_WHY(void *ctx, const struct msg_V_WHY *m)
{
	(void)ctx; /* node.sock is not there to ask */
	(void)m;
}

void
fake_V_GIVE(void *ctx, const struct msg_V_GIVE *m)
{
	struct msg_V_GIVEN v = {.qid = m->qid, .status = ST_NOT_FOUND};
	struct world *w = ctx;

	if (w->trust_silent)
		return;
	if (m->what == GIVE_DOC ? strcmp(m->uri, "klp://test.kos/big") == 0 :
	    m->atag[0] == 1)
		give(w, m, &v);
	else
		fake_post(w, 0, IPC_V_GIVEN, &v, sizeof(v), NULL, 0);
}
