/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "node/work/peers.h"
#include "node/work/serve.h"
#include "tests/unit/fakehost.h"
#include "trust/doc/manifest_record.h"

/* What a peer asks of the pretended world, and its answer. */

uint32_t
world_send_bytes(struct world *w, uint8_t link, enum proto_path path,
    const uint8_t *p, size_t n)
{
	struct msg_T_REQUEST m = {.link = {{link}}, .len = (uint32_t)n,
	    .took_ms = w->took_ms};
	uint32_t id = ++w->next_request;

	put_u32(m.request.b, id);
	proto_path_hash(&m.path_hash, path);
	node_time(&w->n, w->now, w->wall_us);
	serve_request(&w->n, &m, p, n);
	return id;
}

uint32_t
world_ask(struct world *w, uint8_t link, const struct proto_req *q)
{
	static uint8_t buf[PROTO_REQUEST_MAX];
	struct wr out = wr_make(buf, sizeof(buf));

	proto_req_put(&out, q);
	assert_true(wr_ok(&out));
	return world_send_bytes(w, link, q->path, buf, out.len);
}

struct proto_ans *
world_answer(struct world *w, uint32_t request)
{
	for (unsigned i = 0; i < w->nreplies; i++) {
		if (get_u32(w->replies[i].request.b) == request)
			return &w->replies[i].a;
	}
	return NULL;
}

/* Answers of the call before are not needed any more. */
void
world_drop_answers(struct world *w)
{
	for (unsigned i = 0; i < w->nreplies; i++)
		free(w->replies[i].data);
	w->nreplies = 0;
}

static struct proto_ans *
answer_to(struct world *w, uint32_t id)
{
	for (int i = 0; i < 100 && world_answer(w, id) == NULL; i++)
		world_run(w, 0);
	return world_answer(w, id);
}

struct proto_ans *
world_call(struct world *w, uint8_t link, const struct proto_req *q)
{
	world_drop_answers(w);
	return answer_to(w, world_ask(w, link, q));
}

struct proto_ans *
world_call_bytes(struct world *w, uint8_t link, enum proto_path path,
    const uint8_t *p, size_t n)
{
	world_drop_answers(w);
	return answer_to(w, world_send_bytes(w, link, path, p, n));
}

/* ---- who asks, and for what ---- */

void
world_link(struct world *w, uint8_t link, uint64_t bitrate)
{
	struct msg_T_LINK m = {.link = {{link}}, .bitrate = bitrate};

	node_time(&w->n, w->now, w->wall_us);
	peers_link(&w->n, &m);
}

void
world_identify(struct world *w, uint8_t link, uint8_t who)
{
	struct msg_T_IDENTIFIED m = {.link = {{link}}, .rns_public = {who},
	    .rns_hash = {{who}}};

	node_time(&w->n, w->now, w->wall_us);
	peers_identified(&w->n, &m);
}

void
world_close(struct world *w, uint8_t link)
{
	struct msg_T_CLOSED m = {.link = {{link}}};

	peers_closed(&w->n, &m.link);
}

size_t
world_manifest(struct manifest *m, uint8_t who, uint8_t nonce, uint32_t now,
    uint8_t *out, size_t cap)
{
	manifest_init(m);
	m->has = HAS_COMMAND;
	world_fp(&m->submitter, who);
	assert_true(urn_make(m->submitter_urn, "kindai", "human",
	    &m->submitter));
	m->nonce[0] = nonce;
	m->not_after = now + 3600;
	m->deadline = now + 7200;
	(void)snprintf(m->image, sizeof(m->image), "test:1");
	assert_true(text_list_add(&m->command, "/bin/true", 9));
	return manifest_record_put(out, cap, m);
}
