/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/ipc.h"
#include "common/mpk.h"
#include "common/util.h"
#include "node/proto/proto_put.h"
#include "node/proto/proto_req.h"
#include "tests/unit/lawkit.h"
#include "trust/doc/delta.h"
#include "trust/doc/frame.h"

/* ---- a node and its judge ---- */

struct place giver, taker;

struct msg_M_ASK asked;
bool is_asked, no_transport;
char order[4096];
enum event_kind last_event;
struct msg_V_VERIFY verify_asked;
bool verify_is, no_verifier;
size_t verify_len;

static int
ask(void *ctx, const struct msg_M_ASK *m)
{
	(void)ctx;
	if (no_transport)
		return -1;
	assert_false(is_asked); /* one question at a time */
	asked = *m;
	is_asked = true;
	return 0;
}

static void
event(void *ctx, enum event_kind kind, unsigned severity, const char *code,
    const char *text)
{
	(void)ctx;
	(void)severity;
	(void)code;
	(void)text;
	last_event = kind;
}

static int
kit_verify(void *ctx, const struct msg_V_VERIFY *m, const void *text,
    size_t len)
{
	(void)ctx;
	(void)text;
	if (no_verifier)
		return -1;
	assert_false(verify_is); /* one question at a time */
	verify_is = true;
	verify_asked = *m;
	verify_len = len;
	return 0;
}

/* ---- between them ---- */

enum mesh_end mesh;
bool slow_way;
uint32_t piece;
unsigned busy;
size_t busy_after;
enum lie lie;
void (*twist_set)(struct proto_meta *, struct pbin *);

static void
twist(struct proto_meta *meta, struct pbin *b)
{
	static uint8_t bytes[PROTO_SLICE + 4], sha[32], other;

	memcpy(bytes, b->p, b->n);
	switch (lie) {
	case LIE_LONGER:
		meta->len += 1 << 22;
		break;
	case LIE_SHORTER:
		meta->len = 1;
		break;
	case LIE_OTHER:
		other++;
		meta->sha = memset(sha, other, sizeof(sha));
		break;
	case LIE_EMPTY:
		b->n = 0;
		break;
	case LIE_FLIP:
		bytes[b->n / 2] ^= 1;
		break;
	case LIE_MORE:
		bytes[b->n++] = 0;
		break;
	default:
		break;
	}
	b->p = bytes;
}

static void
body(struct wr *w, const struct msg_V_GIVEN *v, enum proto_path path,
    const uint8_t *p, size_t len)
{
	struct proto_meta meta = {.has_v = true, .v = v->version,
	    .has_len = true, .len = v->len, .sha = v->sha.b,
	    .has_end = path == PATH_SET, .end = v->end};
	struct pbin b = {p, len};
	struct proto_deltas d = {0};
	struct rd r = rd_make(p, len), one;
	uint16_t n;

	if (path == PATH_SET && twist_set != NULL)
		twist_set(&meta, &b);
	if (path != PATH_DELTA) {
		twist(&meta, &b);
		proto_ans_head(w, lie == LIE_STATUS ? 77 : ST_OK, &meta);
		mpk_put_bin(w, b.p, b.n);
		return;
	}
	proto_ans_head(w, ST_OK, &meta);
	while (rd_u16(&r, &n) && rd_sub(&r, n, &one))
		d.frame[d.n++] = (struct pbin){one.p, n};
	proto_put_deltas(w, &d);
}

static void
give(const struct proto_req *q, struct wr *w)
{
	static const enum give_what whats[] = {[PATH_ROOT] = GIVE_ROOT,
	    [PATH_HEAD] = GIVE_HEAD, [PATH_GET] = GIVE_DOC,
	    [PATH_DELTA] = GIVE_DELTA, [PATH_SET] = GIVE_SET, [PATH_TLOG] = GIVE_LOG};
	struct msg_V_GIVE m = {.what = (uint8_t)whats[q->path],
	    .version = (uint32_t)q->version, .has_have = q->has_have,
	    .offset = q->offset, .n = (uint32_t)q->n,
	    .max = q->has_max ? q->max : UINT64_MAX};
	struct msg_V_GIVEN v;
	struct proto_meta meta = {.has_s = true, .s = 2};
	uint8_t *p;
	size_t len;

	if (busy > 0 && q->offset >= busy_after) {
		busy--;
		proto_ans_put(w, ST_BUSY, &meta);
		return;
	}
	if (q->id16 != NULL) {
		m.has_id16 = true;
		memcpy(m.id16, q->id16, 16);
	}
	if (q->atag != NULL)
		memcpy(m.atag, q->atag, 8);
	if (q->ptag != NULL)
		memcpy(m.ptag, q->ptag, 4);
	if (piece != 0)
		m.n = MIN_OF(m.n, piece);
	pstr_copy(m.uri, sizeof(m.uri), q->uri);
	len = law_give(giver.l, &m, &v, &p);
	if (v.status == ST_OK)
		body(w, &v, q->path, p, len);
	else
		proto_ans_put(w, v.status, NULL);
	free(p);
}

static void
noted(const struct proto_req *q)
{
	size_t at = strlen(order);

	if (q->path == PATH_GET)
		(void)snprintf(order + at, sizeof(order) - at, "get+%u ",
		    (unsigned)q->offset);
	else if (q->path == PATH_SET)
		(void)snprintf(order + at, sizeof(order) - at, "set%s ",
		    q->id16 != NULL ? "+" : "");
	else
		(void)snprintf(order + at, sizeof(order) - at, "%s:%u ",
		    proto_path(q->path) + 8, (unsigned)q->version);
}

void
answer(void)
{
	static uint8_t buf[PROTO_SLICE + 4096];
	struct msg_M_ANSWER m = {.seq = asked.seq, .end = (uint8_t)mesh};
	struct wr w = wr_make(buf, sizeof(buf));
	struct proto_req q;
	enum proto_path path = PATH_ROOT;
	const char *why;
	uint64_t max;
	int fd = -1;

	is_asked = false;
	while (path < PATH_COUNT && strcmp(proto_path(path), asked.path) != 0)
		path++;
	assert_true(path < PATH_COUNT);
	assert_int_equal(proto_req_get(&q, path, asked.data, asked.data_len,
	    &why, &max), 0);
	noted(&q);
	if (mesh == MESH_OK && slow_way && !asked.slow)
		m.end = MESH_SLOW;
	if (m.end == MESH_OK && lie == LIE_NOISE)
		randombytes_buf(buf, w.len = 40);
	else if (m.end == MESH_OK)
		give(&q, &w);
	if (m.end == MESH_OK) {
		assert_true(wr_ok(&w) && w.len <= asked.max);
		m.len = (uint32_t)w.len;
		fd = memfd_sealed("answer", buf, w.len);
	} else {
		(void)snprintf(m.why, sizeof(m.why), "end %u", m.end);
	}
	(void)law_answered(taker.l, &m, fd);
}

void
go_on(void)
{
	for (unsigned i = 0; i < 3000; i++) {
		if (is_asked)
			answer();
		(void)law_fetch(taker.l);
		if (law_busy(taker.l))
			(void)law_work(taker.l, NOW);
		else if (!is_asked)
			return;
	}
	fail_msg("no end: %s", order);
}

const char *
round_of(void)
{
	order[0] = '\0';
	law_fetch_now(taker.l);
	go_on();
	return order;
}

/* ---- what there is ---- */

struct kit_root lawkit_root = {.issued = 1000000000,
	.expires = UINT32_MAX};
uint8_t page[1 << 17];

size_t
publish_more(uint32_t root_version, uint32_t version, unsigned n,
    uint32_t issued, unsigned signers)
{
	struct rev_entry *e = calloc(n, sizeof(*e));
	struct head h = {.root_version = root_version, .version = version,
	    .issued = issued, .expires = KIT_T0 + 86400};
	static uint8_t buf[8192];
	struct id32 id;
	size_t len;

	for (unsigned i = 0; i < n; i++)
		e[i] = (struct rev_entry){.kind = REV_RNS, .id = {(uint8_t)(1 +
		    i / 256), (uint8_t)i}};
	len = kit_list(page, sizeof(page), NULL, version, KIT_T0,
	    KIT_T0 + 86400, e, n, 1);
	kit_dir_put(&giver.klp, "documents/test.kos/" KIT_LIST, page, len);
	kit_names(&h, KIT_LIST, version, page, len);
	(void)kit_root(buf, sizeof(buf), &lawkit_root, &id);
	memcpy(h.atag, id.b, sizeof(h.atag));
	kit_dir_put(&giver.klp, "documents/test.kos/head", buf,
	    kit_head(buf, sizeof(buf), &h, signers));
	free(e);
	(void)law_look(giver.l, NOW, true);
	return len;
}

size_t
publish(uint32_t version, unsigned n)
{
	return publish_more(1, version, n, KIT_T0, 1);
}

struct msg_V_AUTHORITY
line(struct place *p)
{
	struct msg_V_AUTHORITY m;

	assert_true(law_line(p->l, 0, &m));
	return m;
}

void
failed(const char *why)
{
	struct msg_V_AUTHORITY m = line(&taker);

	if (strstr(m.failed, why) == NULL ||
	    strstr(m.failed, SOURCE_RNS NODE) == NULL)
		fail_msg("\"%s\" instead of %s", m.failed, why);
}

/* ---- deltas and the set ---- */

uint32_t delta_issued;

size_t
delta(uint8_t *out, size_t cap, uint32_t from, const struct rev_entry *e,
    size_t n, unsigned signers)
{
	static uint8_t frame[DELTA_BYTES], buf[8192];
	static struct rev_entry sorted[1024];
	struct env_signed sigs[KIT_KEYS];
	struct delta d = {.from = from, .to = from + 1, .issued = delta_issued,
	    .n = 1};
	struct id32 id;
	size_t len;

	memcpy(sorted, e, n * sizeof(*e));
	qsort(sorted, n, sizeof(*sorted), rev_cmp);
	revlist_digest(&d.after, sorted, n);
	(void)kit_root(buf, sizeof(buf), &lawkit_root, &id);
	memcpy(d.atag, id.b, sizeof(d.atag));
	head_ptag(d.ptag, KIT_LIST);
	d.op[0].action = DELTA_REVOKE;
	d.op[0].kind = e[n - 1].kind;
	d.op[0].reason = e[n - 1].reason;
	memcpy(d.op[0].id, e[n - 1].id, 16);
	len = delta_put(frame, sizeof(frame), &d);
	return frame_put(out, cap, frame, len, sigs,
	    kit_sign(sigs, signers, TYPE_DELTA, frame, len));
}

void
publish_deltas(unsigned n)
{
	struct rev_entry e[64] = {{.kind = REV_RNS, .id = {1, 0}}};
	uint8_t out[DELTA_BYTES];
	char name[64];

	publish(1, 1);
	for (uint32_t i = 1; i <= n; i++) {
		e[i] = (struct rev_entry){.kind = REV_KEY, .reason = 1,
		    .id = {(uint8_t)(0xa0 - i)}};
		(void)snprintf(name, sizeof(name), "documents/test.kos/"
		    KIT_LIST ".%u.delta", i);
		kit_dir_put(&giver.klp, name, out, delta(out, sizeof(out), i,
		    e, i + 1, 1));
	}
	(void)law_look(giver.l, NOW, true);
}

/* ---- around them ---- */

int
setup(void **state)
{
	const struct law_ops ops = {NULL, event, NULL, ask, kit_verify};

	(void)state;
	mesh = MESH_OK;
	lie = NO_LIE;
	twist_set = NULL;
	slow_way = is_asked = no_transport = false;
	piece = busy = 0;
	lawkit_root.more = NULL;
	busy_after = 0;
	delta_issued = KIT_T0;
	lawplace_make(&giver, "revocation_list: " LIST_URI "\n", &ops);
	lawplace_make(&taker, "revocation_list: " LIST_URI "\n"
	    "klp: {mirrors: [" NODE "]}\n", &ops);
	return 0;
}

int
teardown(void **state)
{
	(void)state;
	lawplace_remove(&giver);
	lawplace_remove(&taker);
	return 0;
}
