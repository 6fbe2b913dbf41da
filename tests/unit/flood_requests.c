/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile requests by the million, while somebody else's jobs run:
 * flood_requests [REQUESTS [SEED]]. Peers with identities and without, links
 * that come and go; requests of every path with what an attacker knows in them
 * (ids and digests of others, sizes and offsets at the ends of their range),
 * as they should be and with bytes changed, cut or added; first under the
 * budgets of a peer, then without any. Every job of the other peer is done, in
 * its time, and memory stays bounded. Prints one line of TAP for each claim.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"
#include "trust/doc/manifest_record.h"

#define REQUESTS 100000
#define HONEST 0x41	/* on link 1 */
#define LINKS 24	/* the attackers', from 10 on; each third anonymous */
#define STEP 16		/* requests between two moments */
#define STEP_MS 20
#define JOBS 100	/* of the other: its budget is 120 an hour */
#define JOB_MS 60000	/* it is done by then, whatever waits beside it */
#define KNOWN 64	/* ids and digests that the attackers know */
#define ROOM (64u << 20)

struct flood {
	uint64_t rng;
	struct id32 known[KNOWN];
	size_t nknown;
	uint32_t nonce;
	uint64_t statuses[16];
	unsigned jobs, done, late;
	uint64_t most;
};
static struct flood f;

/* splitmix64 */
static uint64_t
word(void)
{
	uint64_t z = f.rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t
number(uint32_t below)
{
	return (uint32_t)(word() % below);
}

static void
bytes(uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)word();
}

static void
learn(const struct id32 *id)
{
	f.known[f.nknown++ % KNOWN] = *id;
}

static const struct id32 *
some_id(void)
{
	static struct id32 made;
	size_t n = MIN_OF(f.nknown, (size_t)KNOWN);

	if (n > 0 && number(4) != 0)
		return &f.known[number((uint32_t)n)];
	bytes(HASH_BYTES(made));
	return &made;
}

static uint64_t
some_size(void)
{
	static const uint64_t ends[] = {0, 1, 2, 511, 512, 1024, 2999, 3000,
	    3001, PROTO_SLICE - 1, PROTO_SLICE, PROTO_SLICE + 1, 1u << 30,
	    UINT64_C(1) << 32, (UINT64_C(1) << 53) - 1, UINT64_C(1) << 53,
	    UINT64_MAX};

	return number(3) == 0 ? word() : ends[number(NELEM(ends))];
}

/* ---- what a manifest can say ---- */

static void
some_manifest(struct manifest *m)
{
	uint32_t what = (uint32_t)word();

	put_u32(m->nonce + 4, ++f.nonce);
	if ((what & 1) != 0)
		with_volumes(m);
	if ((what & 2) != 0)
		review(m);
	if ((what & 12) == 12)
		m->deadline = unix_now() + number(100);
	if ((what & 48) == 48)
		m->not_after = (uint32_t)word();
	if ((what & 192) == 192) {
		m->has |= HAS_LIMITS;
		for (unsigned i = 0; i < LIMIT_COUNT; i++)
			m->limit[i] = number(2) == 0 ? 0 : some_size();
	}
	if ((what & 0x300) == 0x300 && m->nvolumes > 1) {
		m->volume[1].blob.sha256 = *some_id();
		m->volume[1].blob.size = some_size();
	}
}

static void
fresh(struct manifest *m)
{
	put_u32(m->nonce + 4, ++f.nonce);
}

/* ---- requests ---- */

static size_t
request(enum proto_path path, uint8_t who, uint8_t *out, size_t cap)
{
	static const char *const uris[] = {"klp://trust.kos/graph.json",
	    "klp://x/y?v=1", "klp://", "", "klp://revoked.kos/core.json#/a"};
	static uint8_t body[4096];
	uint8_t binding[IPC_BINDING], proof[96];
	struct proto_req q = {.path = path, .id = some_id()->b,
	    .digest = some_id()->b, .n = some_size(), .offset = some_size(),
	    .stream = (uint8_t)number(4), .after = some_size(),
	    .has_since = number(2) == 0, .since = some_size(),
	    .atag = some_id()->b, .ptag = some_id()->b,
	    .id16 = some_id()->b, .version = some_size(),
	    .has_have = number(2) == 0, .has_max = number(2) == 0,
	    .max = some_size()};
	struct wr w_ = wr_make(out, cap);
	struct id32 id;

	bytes(binding, sizeof(binding));
	bytes(proof, sizeof(proof));
	q.nonce = proof;
	q.proof = number(3) == 0 ? proof : NULL;
	q.uri = pstr_of(uris[number(NELEM(uris))]);
	q.binding = number(3) == 0 ? binding : NULL;
	if (path == PATH_SUBMIT) {
		q.envelope = (struct pbin){env,
		    envelope(who, (uint8_t)number(256), some_manifest, &id)};
		learn(&id);
	} else if (path == PATH_BLOB_HAVE) {
		struct id32 d[8];

		for (unsigned i = 0; i < 8; i++)
			d[i] = *some_id();
		proto_req_put_have(&w_, d, number(9));
		return w_.len;
	} else if (path == PATH_BLOB_PUT) {
		q.body = (struct pbin){number(2) == 0 ? tar : body,
		    number(sizeof(tar) + 1)};
		if (number(2) == 0) {
			q.digest = tar_sha.b;
			q.n = sizeof(tar);
			q.offset = number(sizeof(tar));
		}
	}
	q.frame = (struct pbin){body, number(300)};
	bytes(body, 300);
	proto_req_put(&w_, &q);
	return wr_ok(&w_) ? w_.len : 0;
}

static size_t
spoil(uint8_t *p, size_t n, size_t cap)
{
	switch (number(6)) {
	case 0:
		return number((uint32_t)n + 1);
	case 1:
		for (uint32_t i = number(6); n > 0 && i > 0; i--)
			p[number((uint32_t)n)] = (uint8_t)word();
		return n;
	case 2:
		for (uint32_t i = number(6); n > 0 && i > 0; i--)
			p[number((uint32_t)MIN_OF(n, (size_t)40))] ^=
			    (uint8_t)(1u << number(8));
		return n;
	case 3:
		bytes(p, MIN_OF((size_t)number(64), cap));
		return number(64);
	default:
		return n; /* as it should be */
	}
}

static void
hostile(void)
{
	static uint8_t buf[PROTO_REQUEST_MAX];
	uint8_t link = (uint8_t)(10 + number(LINKS));
	uint8_t who = (uint8_t)(0x60 + link % 8);
	enum proto_path path = (enum proto_path)number(PATH_COUNT);
	size_t n = request(path, who, buf, sizeof(buf));

	/* as another than its link says, now and then */
	n = spoil(buf, n, sizeof(buf));
	(void)world_send_bytes(&w, link, path, buf, n);
	if (number(50) == 0) {
		world_close(&w, link);
		world_link(&w, link, 1 + word() % 1000000);
		if (link % 3 != 0)
			world_identify(&w, link, who);
	}
}

static void
answers(void)
{
	for (unsigned i = 0; i < w.nreplies; i++)
		f.statuses[MIN_OF(w.replies[i].a.status, UINT64_C(15))]++;
	world_drop_answers(&w);
}

/* ---- the other peer ---- */

static void
job(void)
{
	static const struct id32 none;
	struct id32 id = none;
	struct proto_ans *a = submit(1, HONEST, 1, fresh, &id);
	struct proto_job_status s;
	int64_t ms = 0;

	f.jobs++;
	if (a == NULL || a->status != ST_OK)
		return;
	learn(&id);
	for (; ms < JOB_MS; ms += 200) {
		world_run(&w, 200);
		a = about(1, PATH_STATUS, &id);
		if (a != NULL && a->status == ST_OK &&
		    proto_get_status(&s, a) && pstr_is(s.state, "done"))
			break;
	}
	f.late += ms >= JOB_MS;
	f.done += ms < JOB_MS && s.outcome.kind == OUT_EXITED;
}

static bool
claim(bool ok, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%s flood_requests: ", ok ? "ok" : "not ok");
	(void)vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	return ok;
}

/* A node that begins anew, under the budgets of a peer or without any. */
static void
begin(bool budgets)
{
	(void)setup(NULL);
	if (!budgets) {
		w.policy.bytes_per_minute = 0;
		w.policy.requests_per_minute = 0;
		w.policy.jobs_per_hour = 0;
		w.policy.cpu_seconds_per_day = 0;
		world_restart(&w);
		world_up(&w, 2);
		world_link(&w, 1, 10000000);
		world_identify(&w, 1, HONEST);
	}
	w.run_ms = 50;
	for (uint8_t l = 10; l < 10 + LINKS; l++) {
		world_link(&w, l, 1000000);
		if (l % 3 != 0)
			world_identify(&w, l, (uint8_t)(0x60 + l % 8));
	}
	world_run(&w, 1);
}

static void
flood(uint64_t total)
{
	for (uint64_t i = 0; i < total; i++) {
		hostile();
		if (i % STEP == 0) {
			world_run(&w, STEP_MS);
			answers();
		}
		if (i % MAX_OF(total / JOBS, UINT64_C(1)) == 0)
			job();
		if (i % 512 == 0)
			f.most = MAX_OF(f.most, (uint64_t)mallinfo2().uordblks);
	}
	(void)teardown(NULL);
}

int
main(int argc, char *argv[])
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : REQUESTS;
	bool good = true;

	f.rng = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	log_set_level(-1);
	crypt_sha256(&tar_sha, tar, sizeof(tar));
	learn(&tar_sha);
	begin(true);
	flood(total / 2);
	begin(false);
	flood(total - total / 2);
	for (unsigned i = 0; i < 9; i++)
		printf("# status %u: %llu\n", i,
		    (unsigned long long)f.statuses[i]);
	good &= claim(f.done == f.jobs && f.late == 0,
	    "%llu requests, %u jobs of another peer beside them, %u done",
	    (unsigned long long)total, f.jobs, f.done);
	good &= claim(f.most < ROOM, "memory at most %llu kB (bound %u kB)",
	    (unsigned long long)f.most / 1024, ROOM / 1024);
	good &= claim(f.statuses[ST_OK] > 0 && f.statuses[ST_REFUSED] > 0 &&
	    f.statuses[ST_MALFORMED] > 0 && f.statuses[9] == 0,
	    "each kind of answer was met");
	return good ? 0 : 1;
}
