/* SPDX-License-Identifier: BSD-2-Clause */
/* What is sent of a volume in chunks, to nodes of both kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <nettle/sha2.h>

#include "common/mpk.h"
#include "common/util.h"
#include "node/cli/pack.h"
#include "node/cli/upload.h"
#include "node/proto/proto_get.h"
#include "node/proto/proto_put.h"
#include "tests/unit/vec.h"

#define N 2500 /* more than one answer names */
#define NAMED 1024

/* A node, and what it has of one volume. */
static struct node {
	bool merges; /* the volume's bytes count for its chunks */
	bool list;
	bool here[N];
	uint32_t part[N]; /* bytes of one that is not here yet */
	uint64_t whole; /* the volume as one, of a node that does not merge */
	bool done;
	uint64_t sent;
	unsigned requests, rounds;
} nd;

static bool stranger; /* it asks for what is none of the job's */
static struct manifest m;
static struct blob_ref whole, list_of;
static bool as_module; /* what is sent: a module, or a volume */
static unsigned place; /* ... and its place: manifest_input() */
static struct chunk_table t;
static uint8_t list[CHUNK_HEAD + N * CHUNK_ENTRY];
static struct upload u;

static int
setup(void **state)
{
	const char *why;
	struct chunk_list l;
	uint64_t total = 0;

	(void)state;
	memset(&nd, 0, sizeof(nd));
	for (uint32_t i = 0; i < N; i++) {
		uint32_t size = 3000 + i * 37 % 20000;
		struct id32 d = {0};

		put_u32(d.b, i * 2654435761u);
		d.b[31] = 1;
		chunk_list_entry(list + CHUNK_HEAD + i * CHUNK_ENTRY, &d, size);
		total += size;
	}
	chunk_list_head(list, N, total);
	assert_true(chunk_list_read(&l, list, sizeof(list), &why));
	assert_true(chunk_table_make(&t, &l, &why));
	memset(&m, 0, sizeof(m));
	place = as_module ? MANIFEST_VOLUMES : 0;
	m.nvolumes = !as_module;
	m.has = as_module ? HAS_WASM : 0;
	m.volume[0].has_chunks = m.module.has_chunks = true;
	memset(&whole.sha256, 0x77, 32);
	whole.size = total;
	m.volume[0].blob = m.wasm = whole;
	memset(&list_of.sha256, 0x88, 32);
	list_of.size = sizeof(list);
	m.volume[0].chunks = m.module.chunks = list_of;
	memset(&u, 0, sizeof(u));
	upload_init(&u, &m);
	u.v[place].t = &t;
	return 0;
}

static int
setup_volume(void **state)
{
	as_module = false;
	return setup(state);
}

static int
setup_module(void **state)
{
	as_module = true;
	return setup(state);
}

static int
teardown(void **state)
{
	(void)state;
	chunk_table_free(&t);
	return 0;
}

/* The answer to submit, as bytes; false: nothing lacks. */
static bool
answer(uint64_t *bytes)
{
	static uint8_t buf[65536];
	static struct id32 missing[NAMED];
	static const uint8_t id[32];
	struct proto_submitted s = {.id = id, .missing_put = missing,
	    .image = id}, v;
	struct wr w = wr_make(buf, sizeof(buf));
	struct proto_ans a;

	s.state = pstr_of("queued");
	if (!nd.list) {
		missing[s.nmissing++] = list_of.sha256;
	} else {
		for (uint32_t i = 0; i < N && !nd.done && !s.more; i++) {
			if (nd.here[i])
				continue;
			if (s.nmissing == NAMED)
				s.more = true;
			else
				missing[s.nmissing++] = *chunk_digest(&t.l, i);
		}
	}
	mpk_put_array(&w, 3);
	mpk_put_uint(&w, 0);
	mpk_put_map(&w, 0);
	proto_put_submitted(&w, &s);
	assert_true(wr_ok(&w));
	assert_true(proto_ans_get(&a, buf, w.len));
	assert_true(proto_get_submitted(&v, &a));
	nd.rounds++;
	assert_true(upload_round(&u, &v.missing, v.more, bytes) != stranger);
	return s.nmissing > 0;
}

/* The beginning of the volume that a node which merges has. */
static uint64_t
beginning(void)
{
	for (uint32_t i = 0; i < N; i++)
		if (!nd.here[i])
			return t.at[i] + nd.part[i];
	return t.l.total;
}

static uint64_t
put_volume(uint64_t at, size_t n)
{
	uint64_t have = nd.merges ? beginning() : nd.whole;

	if (at > have || at + n <= have)
		return have;
	if (!nd.merges) {
		nd.whole = at + n;
		nd.done = nd.whole == t.l.total;
		return nd.whole;
	}
	for (uint32_t i = 0; i < N && t.at[i] < at + n; i++) {
		uint64_t end = MIN_OF(at + n, t.at[i + 1]);

		if (nd.here[i] || end <= t.at[i] + nd.part[i] ||
		    at > t.at[i] + nd.part[i])
			continue;
		nd.part[i] = (uint32_t)(end - t.at[i]);
		nd.here[i] = nd.part[i] == chunk_size(&t.l, i);
	}
	return beginning();
}

static uint64_t
put(const struct id32 *sha, uint64_t size, uint64_t at, size_t n)
{
	uint32_t k, i;

	nd.requests++;
	nd.sent += n;
	if (id32_eq(sha, &list_of.sha256)) {
		assert_int_equal(size, sizeof(list));
		nd.list = at + n == sizeof(list);
		return at + n;
	}
	assert_true(nd.list);
	if (id32_eq(sha, &whole.sha256)) {
		assert_int_equal(size, t.l.total);
		return put_volume(at, n);
	}
	assert_true(chunk_find(&t, sha, &k));
	i = t.order[k];
	assert_int_equal(size, chunk_size(&t.l, i));
	if (!nd.here[i] && at <= nd.part[i] && at + n > nd.part[i])
		nd.part[i] = (uint32_t)(at + n);
	nd.here[i] = nd.here[i] || nd.part[i] == size;
	return nd.here[i] ? size : nd.part[i];
}

static unsigned unanswered; /* each so often a slice has no answer */

/* All of it, with slices of this size; a link that breaks each so often. */
static void
run(size_t slice, unsigned breaks)
{
	uint64_t bytes, before, done = 0, first = 0;
	size_t n;

	while (answer(&bytes)) {
		assert_true(nd.rounds < 20);
		first = MAX_OF(first, done + bytes);
		assert_true(first <= t.l.total + sizeof(list));
		while (upload_next(&u, slice, &n)) {
			uint64_t have;

			assert_true(n <= slice && nd.requests < 100000);
			have = put(&u.sha, u.size, u.have, n);
			if (n > 0 && unanswered > 0 &&
			    nd.requests % unanswered == 0 &&
			    !id32_eq(&u.sha, &list_of.sha256)) {
				upload_ask(&u);
				continue;
			}
			if (breaks > 0 && nd.requests % breaks == 0) {
				upload_broke(&u);
				/* sometimes the answer is lost with it */
				if (nd.requests % (2 * breaks) == 0)
					continue;
			}
			done += upload_had(&u, have, &before);
		}
	}
	for (uint32_t i = 0; i < N && !nd.done; i++)
		assert_true(nd.here[i]);
	assert_true(done <= first);
}

static void
lack(uint32_t from, uint32_t to)
{
	while (from < to)
		nd.here[from++] = false;
}

static uint64_t
bytes(uint32_t from, uint32_t to)
{
	return t.at[to] - t.at[from];
}

static void
test_all(void **state)
{
	static const size_t slices[] = {2048, 40000, PROTO_SLICE};

	(void)teardown(state); /* each run has its own */
	for (unsigned merges = 0; merges < 2; merges++)
		for (size_t i = 0; i < NELEM(slices); i++)
			for (unsigned breaks = 0; breaks < 8; breaks += 7) {
				(void)setup(state);
				nd.merges = merges;
				run(slices[i], breaks);
				/* nothing twice but what breaks have cost */
				assert_true(nd.sent <= t.l.total +
					sizeof(list) + (breaks == 0 ? 0 :
					    (nd.requests / breaks + 2) *
						slices[i]));
				/* in the volume's order: no request a chunk */
				if (slices[i] == PROTO_SLICE && breaks == 0)
					assert_true(nd.requests < 250);
				(void)teardown(state);
			}
	(void)setup(state);
}

/* What has arrived and is not answered is asked for, and not sent again. */
static void
test_unanswered(void **state)
{
	static const size_t slices[] = {2048, 40000, PROTO_SLICE};

	(void)teardown(state);
	for (unsigned merges = 0; merges < 2; merges++)
		for (size_t i = 0; i < NELEM(slices); i++) {
			(void)setup(state);
			nd.merges = merges;
			unanswered = 3;
			run(slices[i], 0);
			assert_int_equal(nd.sent, t.l.total + sizeof(list));
			unanswered = 1;
			(void)teardown(state);
			(void)setup(state);
			run(slices[i], 0);
			assert_int_equal(nd.sent, t.l.total + sizeof(list));
			unanswered = 0;
			(void)teardown(state);
		}
	(void)setup(state);
}

static void
test_few(void **state)
{
	(void)state;
	for (unsigned merges = 0; merges < 2; merges++) {
		memset(&nd, 0, sizeof(nd));
		nd.merges = merges;
		memset(nd.here, 1, sizeof(nd.here));
		lack(700, 702);
		u.v[place].way = UPLOAD_NEW;
		run(PROTO_SLICE, 0);
		/* the list, and two chunks that are not asked for before */
		assert_int_equal(nd.sent, sizeof(list) + bytes(700, 702));
		assert_int_equal(nd.requests, 4);
	}
}

static void
test_runs(void **state)
{
	(void)state;
	for (unsigned merges = 0; merges < 2; merges++) {
		memset(&nd, 0, sizeof(nd));
		nd.merges = merges;
		memset(nd.here, 1, sizeof(nd.here));
		lack(100, 160);
		lack(2000, 2001);
		lack(2300, 2400);
		u.v[place].way = UPLOAD_NEW;
		run(PROTO_SLICE, 0);
		assert_int_equal(nd.sent, sizeof(list) + bytes(100, 160) +
			bytes(2000, 2001) + bytes(2300, 2400));
		if (merges)
			assert_true(nd.requests < 25);
		else
			assert_true(nd.requests < 2 + 161 + 3);
	}
}

/* More lack than one answer names, with some in between that are here. */
static void
test_many(void **state)
{
	uint64_t want = sizeof(list);

	(void)state;
	for (unsigned merges = 0; merges < 2; merges++) {
		memset(&nd, 0, sizeof(nd));
		nd.merges = merges;
		want = sizeof(list);
		for (uint32_t i = 0; i < N; i++) {
			nd.here[i] = i % 9 == 4;
			want += nd.here[i] ? 0 : chunk_size(&t.l, i);
		}
		u.v[place].way = UPLOAD_NEW;
		run(PROTO_SLICE, 0);
		assert_int_equal(nd.sent, want);
		if (merges)
			assert_true(nd.requests < N / 9 + 50);
	}
}

/* Half of one is there from before. */
static void
test_partial(void **state)
{
	(void)state;
	nd.merges = true;
	nd.part[0] = 1000;
	run(PROTO_SLICE, 0);
	assert_int_equal(nd.sent, sizeof(list) + t.l.total - 1000);
	memset(&nd, 0, sizeof(nd));
	memset(nd.here, 1, sizeof(nd.here));
	lack(50, 51);
	nd.part[50] = 1500;
	u.v[place].way = UPLOAD_NEW;
	/* larger than a slice: it is asked for first */
	run(2048, 0);
	assert_int_equal(nd.sent, sizeof(list) + bytes(50, 51) - 1500);
}

/* What is not the job's is nobody's to ask for. */
static void
test_strange(void **state)
{
	uint64_t n;

	(void)state;
	nd.list = true;
	u.v[place].t = NULL;
	stranger = true;
	(void)answer(&n);
	stranger = false;
}

/* ---- cutting ---- */

/* "random n" of the vectors; with what is put in at a place. */
static int
random_file(size_t n, bool inserted)
{
	struct sha256_ctx c;
	uint8_t b[18], d[32];
	int fd = pack_temp();

	assert_true(fd >= 0);
	memcpy(b, "klp/chunk-test", 14);
	for (size_t at = 0; at < n; at += 32) {
		put_u32(b + 14, (uint32_t)(at / 32));
		sha256_init(&c);
		sha256_update(&c, sizeof(b), b);
		sha256_digest(&c, 32, d);
		if (inserted && at == 100000)
			assert_int_equal(write(fd, "!", 1), 1);
		assert_int_equal(write(fd, d, MIN_OF(n - at, (size_t)32)),
		    (ssize_t)MIN_OF(n - at, (size_t)32));
	}
	return fd;
}

static void
test_pack(void **state)
{
	json_t *cut = vec_array(vec_load("compute-chunks.json"), "cut"), *v;
	struct pack_chunks c;
	struct pack p = {.fd = -1};
	uint8_t want[32];
	unsigned seen = 0;
	size_t i;

	(void)state;
	json_array_foreach(cut, i, v) {
		bool more = strstr(vec_str(v, "name"), "inserted") != NULL;

		p.size = (uint64_t)vec_int(v, "size");
		if (p.size <= CHUNKED_FROM)
			continue;
		seen++;
		p.fd = random_file(300000, more);
		assert_true(pack_cut(&c, &p));
		vec_exact(v, "list_sha256", want, 32);
		assert_memory_equal(c.sha256.b, want, 32);
		assert_int_equal(c.len, vec_int(v, "list_size"));
		pack_chunks_free(&c);
		(void)close(p.fd);
	}
	assert_int_equal(seen, 2);
	/* a small one goes as one; a file that became shorter is noticed */
	p.fd = random_file(300000, false);
	p.size = CHUNKED_FROM;
	assert_true(pack_cut(&c, &p));
	assert_null(c.list);
	p.size = 300001;
	assert_false(pack_cut(&c, &p));
	(void)close(p.fd);
	/* more than the window at a time */
	p.fd = random_file(3500000, false);
	p.size = 3500000;
	assert_true(pack_cut(&c, &p));
	assert_int_equal(c.t.at[c.t.l.n], p.size);
	for (uint32_t k = 0; k < c.t.l.n; k++) {
		uint8_t buf[CHUNK_MAX];
		struct sha256_ctx h;
		uint32_t n = chunk_size(&c.t.l, k);

		assert_int_equal(pread(p.fd, buf, n, (off_t)c.t.at[k]), n);
		sha256_init(&h);
		sha256_update(&h, n, buf);
		sha256_digest(&h, 32, want);
		assert_memory_equal(chunk_digest(&c.t.l, k)->b, want, 32);
	}
	pack_chunks_free(&c);
	(void)close(p.fd);
}

#define T(x) \
	cmocka_unit_test_setup_teardown(x, setup_volume, teardown), \
	    {#x " module", x, setup_module, teardown, NULL}
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_all), T(test_unanswered), T(test_few), T(test_runs),
	    T(test_many),
	    T(test_partial), T(test_strange),
	    cmocka_unit_test(test_pack),
	};

	return cmocka_run_group_tests_name("upload", tests, NULL, NULL);
}
