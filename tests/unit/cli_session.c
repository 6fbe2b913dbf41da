/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cli_session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"

int
session_ask(struct session *s, const struct proto_req *req, struct proto_ans *a,
    void (*progress)(void *, bool, uint64_t, uint64_t), void *arg)
{
	struct wr w = wr_make(s->buf, sizeof(s->buf));
	int rc;

	(void)progress;
	(void)arg;
	s->asked++;
	rc = s->answer(s->arg, req, &w);
	if (rc != CLI_OK)
		return rc;
	assert_true(wr_ok(&w));
	assert_true(proto_ans_get(a, s->buf, w.len));
	return CLI_OK;
}

int
session_refused(struct cli *c, const struct proto_ans *a)
{
	(void)c->verb;
	return a->status == ST_REFUSED ? CLI_REFUSED : CLI_FAILED;
}

bool
session_node_public(const struct session *s, uint8_t pub[RNS_KEY])
{
	memcpy(pub, s->node_pub, RNS_KEY);
	return true;
}

bool
session_unsure(const struct session *s)
{
	return s->unsure;
}

bool
session_interrupted(const struct session *s)
{
	return s->interrupted;
}

int
session_up(struct session *s)
{
	return s->interrupted ? CLI_FAILED : CLI_OK;
}

int
session_stream(struct session *s, uint16_t stream,
    void (*fn)(void *, const uint8_t *, size_t, bool), void *arg)
{
	(void)s->arg;
	(void)stream;
	(void)fn;
	(void)arg;
	return 0;
}

unsigned
session_generation(const struct session *s)
{
	(void)s->arg;
	return 1;
}

int64_t
session_rtt_us(const struct session *s)
{
	(void)s->arg;
	return 1000;
}

void
session_give_back(struct session *s)
{
	(void)s->arg;
}

void
session_to_move(struct session *s, uint64_t bytes)
{
	(void)s->arg;
	(void)bytes;
}

void
session_wake(struct session *s)
{
	(void)s->arg;
}

void
session_give_up(struct session *s)
{
	(void)s->arg;
}

void
session_introduce(struct session *s, int (*fn)(struct cli *, struct session *,
    const struct person *, void *), void *arg)
{
	(void)s->arg;
	(void)fn;
	(void)arg;
}

/* ---- what these tests do not come to ---- */

void
session_run(struct session *s, int64_t us)
{
	(void)us;
	fail_msg("session_run, after %u questions", s->asked);
}

const struct rns *
session_rns(struct session *s)
{
	fail_msg("session_rns, after %u questions", s->asked);
	return NULL;
}

const uint8_t *
session_link_id(const struct session *s)
{
	fail_msg("session_link_id, after %u questions", s->asked);
	return NULL;
}
