/* SPDX-License-Identifier: BSD-2-Clause */
/* Volumes in chunks as a peer sees them: list, chunks, the whole, refusals. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/layers.h"
#include "tests/unit/nodekit.h"
#include "transport/core/base/crypt.h"
#include "trust/doc/chunks.h"

/* The volume of nodekit in three chunks, two of them the same. */
#define N 3
#define CHUNK (sizeof(tar) / N)
static uint8_t list[CHUNK_HEAD + N * CHUNK_ENTRY];
static struct id32 list_sha, chunk[N];
static uint64_t list_size, total;

static void
make_list(void)
{
	for (size_t i = 0; i < sizeof(tar); i++)
		tar[i] = (uint8_t)(i % CHUNK + (i < 2 * CHUNK ? 0 : 7));
	list_size = sizeof(list);
	total = sizeof(tar);
	for (unsigned i = 0; i < N; i++) {
		crypt_sha256(&chunk[i], tar + i * CHUNK, CHUNK);
		chunk_list_entry(list + CHUNK_HEAD + i * CHUNK_ENTRY,
		    &chunk[i], CHUNK);
	}
	chunk_list_head(list, N, sizeof(tar));
	crypt_sha256(&list_sha, list, sizeof(list));
}

static void
in_chunks(struct manifest *m)
{
	with_volumes(m);
	for (unsigned i = 0; i < 2; i++) {
		struct manifest_volume *v = &m->volume[i];

		v->blob.size = total;
		v->has_chunks = true;
		v->chunks.sha256 = list_sha;
		v->chunks.size = list_size;
	}
}

/* A module whose bytes are those of the volumes. */
static void
module_in_chunks(struct manifest *m)
{
	in_chunks(m);
	m->has |= HAS_WASM;
	m->image[0] = '\0';
	m->wasm = m->volume[0].blob;
	m->module.has_chunks = true;
	m->module.chunks = m->volume[0].chunks;
	m->has &= ~(uint32_t)HAS_VOLUMES;
	m->nvolumes = 0;
}

static struct proto_ans *
put(const struct id32 *sha, uint64_t n, uint64_t o, const uint8_t *p,
    size_t len)
{
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = sha->b,
	    .offset = o, .n = n, .body = {p, len}};

	return world_call(&w, 1, &q);
}

static void
took(const struct proto_ans *a, uint64_t want)
{
	uint64_t have;

	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_have(&have, a));
	assert_int_equal(have, want);
}

/* What the answer to submit names, in its order. */
static void
names(const struct proto_ans *a, unsigned n, ...)
{
	struct proto_submitted s;
	const uint8_t *d;
	va_list ap;

	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_submitted(&s, a));
	assert_int_equal(s.nmissing, n);
	assert_false(s.more);
	va_start(ap, n);
	while (n-- > 0) {
		assert_true(plist_next(&s.missing, &d));
		assert_memory_equal(d, va_arg(ap, const struct id32 *)->b, 32);
	}
	va_end(ap);
}

static int
begin(void **state)
{
	int rc = setup(state);

	make_list();
	return rc;
}

static void
test_whole(void **state)
{
	struct id32 id;

	(void)state;
	names(submit(1, 0x41, 1, in_chunks, &id), 1, &list_sha);
	/* neither chunks nor anything else before the list is here */
	refused(put(&chunk[0], CHUNK, 0, tar, CHUNK), "not_wanted", 0);
	assert_int_equal(put(&list_sha, sizeof(list) - 1, 0, list, 5)->status,
	    ST_MALFORMED);
	took(put(&list_sha, sizeof(list), 0, list, 50), 50);
	took(put(&list_sha, sizeof(list), 50, list + 50, sizeof(list) - 50),
	    sizeof(list));
	/* each once */
	names(submit(1, 0x41, 1, in_chunks, &id), 2, &chunk[0], &chunk[2]);
	took(put(&chunk[2], CHUNK, 0, tar + 2 * CHUNK, 10), 10);
	state_is(&id, "queued", "inputs");
	names(submit(1, 0x41, 1, in_chunks, &id), 2, &chunk[0], &chunk[2]);
	took(put(&chunk[2], CHUNK, 10, tar + 2 * CHUNK + 10, CHUNK - 10),
	    CHUNK);
	names(submit(1, 0x41, 1, in_chunks, &id), 1, &chunk[0]);
	assert_int_equal(put(&chunk[0], CHUNK + 1, 0, tar, 1)->status,
	    ST_MALFORMED);
	took(put(&chunk[0], CHUNK, 0, tar, CHUNK), CHUNK);
	/* the volume is whole: the last chunk once more does no harm */
	took(put(&chunk[0], CHUNK, 0, tar, CHUNK), CHUNK);
	names(submit(1, 0x41, 1, in_chunks, &id), 0);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
	took(put(&chunk[2], CHUNK, 0, tar + 2 * CHUNK, CHUNK), CHUNK);
	/* the same volume once more: nothing is asked for */
	names(submit(1, 0x41, 2, in_chunks, &id), 0);
}

/* So does a module: compute.md 4.1. */
static void
test_module(void **state)
{
	struct proto_job_status s;
	struct id32 id;

	(void)state;
	w.n.layers |= LAYER_WASM;
	w.n.policy.module_bytes = sizeof(tar) - 1;
	refused(submit(1, 0x41, 1, module_in_chunks, &id), "image", 8);
	w.n.policy.module_bytes = sizeof(tar);
	names(submit(1, 0x41, 2, module_in_chunks, &id), 1, &list_sha);
	refused(put(&chunk[0], CHUNK, 0, tar, CHUNK), "not_wanted", 0);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	names(submit(1, 0x41, 2, module_in_chunks, &id), 2, &chunk[0],
	    &chunk[2]);
	took(put(&chunk[2], CHUNK, 0, tar + 2 * CHUNK, CHUNK), CHUNK);
	state_is(&id, "queued", "inputs");
	took(put(&chunk[0], CHUNK, 0, tar, CHUNK), CHUNK);
	names(submit(1, 0x41, 2, module_in_chunks, &id), 0);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
	/* another module, whose list is none */
	list[0] = 'k';
	crypt_sha256(&list_sha, list, sizeof(list));
	tar[0] ^= 1;
	(void)submit(1, 0x41, 3, module_in_chunks, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	tar[0] ^= 1;
	state_is(&id, "refused", NULL);
	s = status(&id);
	assert_memory_equal(s.reason.p, "volume: module: the chunk list: ",
	    32);
}

static uint32_t
airtime(const struct proto_ans *a)
{
	struct proto_submitted s;

	assert_int_equal(a->status, ST_OK);
	assert_true(proto_get_submitted(&s, a));
	return s.airtime_s;
}

static void
little_log(struct manifest *m)
{
	in_chunks(m);
	m->limit[LIMIT_LOG] = 8;
	m->limit[LIMIT_OUTPUT] = 1024;
}

/* At one byte a second, besides what stands around them. */
static uint32_t
seconds(uint64_t come)
{
	return forecast_s(forecast(&(struct forecast_path){.bitrate = 8}, come,
	    8 + 1024).us);
}

/* What has still to be sent, where that is known. */
static void
test_airtime(void **state)
{
	const uint32_t all = seconds(sizeof(list) + sizeof(tar));
	struct id32 id;

	(void)state;
	world_link(&w, 3, 8);
	world_identify(&w, 3, 0x41);
	w.n.policy.max_airtime_s = all - 1;
	refused(submit(3, 0x41, 1, little_log, &id), "airtime", 11);
	w.n.policy.max_airtime_s = all;
	assert_int_equal(airtime(submit(3, 0x41, 2, little_log, &id)), all);
	took(put(&list_sha, sizeof(list), 0, list, 50), 50);
	assert_int_equal(airtime(submit(3, 0x41, 2, little_log, &id)),
	    seconds(sizeof(list) + sizeof(tar) - 50));
	took(put(&list_sha, sizeof(list), 50, list + 50, sizeof(list) - 50),
	    sizeof(list));
	/* two of the three chunks are the same */
	assert_int_equal(airtime(submit(3, 0x41, 2, little_log, &id)),
	    seconds(2 * CHUNK));
	took(put(&chunk[2], CHUNK, 0, tar + 2 * CHUNK, CHUNK), CHUNK);
	/* another job with it is let in by what lacks */
	w.n.policy.max_airtime_s = seconds(CHUNK);
	assert_int_equal(airtime(submit(3, 0x41, 3, little_log, &id)),
	    seconds(CHUNK));
	w.n.policy.max_airtime_s = seconds(CHUNK) - 1;
	refused(submit(3, 0x41, 4, little_log, &id), "airtime", 11);
}

/* A link that is worse than was said: what a job may need is not exceeded. */
static void
test_airtime_spent(void **state)
{
	struct id32 id, other;
	struct proto_ans *a;
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = list_sha.b,
	    .n = sizeof(list), .offset = 20, .body = {list + 20, 10}};

	(void)state;
	w.n.policy.max_airtime_s = 60;
	names(submit(1, 0x41, 1, in_chunks, &id), 1, &list_sha);
	w.took_ms = 60000;
	took(put(&list_sha, sizeof(list), 0, list, 10), 10);
	state_is(&id, "queued", "inputs");
	names(submit(1, 0x41, 2, in_chunks, &other), 1, &list_sha);
	/* one more of it is too much for the first, the other one waits on */
	w.took_ms = 1;
	took(put(&list_sha, sizeof(list), 10, list + 10, 10), 20);
	state_is(&id, "refused", "airtime: max_airtime");
	state_is(&other, "queued", "inputs");
	w.took_ms = 60500;
	a = world_call(&w, 1, &q);
	refused(a, "airtime", 11);
	assert_int_equal(a->meta.limit, 60);
	assert_int_equal(a->meta.value, 61);
	state_is(&other, "refused", "airtime: max_airtime");
	/* what is whole has come, however long that took */
	w.took_ms = 0;
	names(submit(1, 0x41, 3, in_chunks, &id), 1, &list_sha);
	took(put(&list_sha, sizeof(list), 30, list + 30, sizeof(list) - 30),
	    sizeof(list));
	took(put(&chunk[0], CHUNK, 0, tar, CHUNK), CHUNK);
	w.took_ms = 90000;
	took(put(&chunk[2], CHUNK, 0, tar + 2 * CHUNK, CHUNK), CHUNK);
	w.took_ms = 0;
	world_run(&w, 100);
	state_is(&id, "done", NULL);
}

/* Another person who names it sends all of it. */
static void
test_not_known(void **state)
{
	struct id32 id;

	(void)state;
	test_whole(state);
	world_link(&w, 2, 0);
	world_identify(&w, 2, 0x42);
	names(submit(2, 0x42, 3, in_chunks, &id), 1, &list_sha);
}

static void
test_bad_list(void **state)
{
	struct proto_job_status s;
	struct id32 id;

	(void)state;
	/* a list of something else, whose digest is right */
	list[0] = 'k';
	crypt_sha256(&list_sha, list, sizeof(list));
	(void)submit(1, 0x41, 1, in_chunks, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	state_is(&id, "refused", NULL);
	s = status(&id);
	assert_memory_equal(s.reason.p, "volume: /v0: the chunk list: ", 29);
	assert_int_equal(w.n.count.blobs_bad, 1);
	assert_int_equal(peer_next(&w.n, NULL)->count[PEER_BLOBS_BAD], 1);
	names(submit(1, 0x41, 1, in_chunks, &id), 0);
	assert_true(pstr_is(status(&id).state, "refused"));
	/* of another size than the volume */
	list[0] = 'K';
	crypt_sha256(&list_sha, list, sizeof(list));
	total = sizeof(tar) - 1;
	(void)submit(1, 0x41, 2, in_chunks, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	state_is(&id, "refused", NULL);
}

static void
test_bad_whole(void **state)
{
	struct id32 id;

	(void)state;
	/* the manifest signs another volume than the chunks make */
	crypt_sha256(&chunk[1], tar + 2 * CHUNK, CHUNK);
	chunk_list_entry(list + CHUNK_HEAD + CHUNK_ENTRY, &chunk[1], CHUNK);
	crypt_sha256(&list_sha, list, sizeof(list));
	(void)submit(1, 0x41, 1, in_chunks, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	took(put(&chunk[0], CHUNK, 0, tar, CHUNK), CHUNK);
	took(put(&chunk[2], CHUNK, 0, tar + 2 * CHUNK, CHUNK), CHUNK);
	state_is(&id, "refused", "volume: not the whole");
	assert_int_equal(peer_next(&w.n, NULL)->count[PEER_BLOBS_BAD], 1);
}

static void
test_bad_chunk(void **state)
{
	uint8_t wrong[CHUNK] = {0};
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, in_chunks, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	refused(put(&chunk[0], CHUNK, 0, wrong, CHUNK), "digest", 0);
	assert_int_equal(peer_next(&w.n, NULL)->count[PEER_BLOBS_BAD], 1);
	state_is(&id, "queued", "inputs");
	names(submit(1, 0x41, 1, in_chunks, &id), 2, &chunk[0], &chunk[2]);
	/* a cancelled job wants nothing any more */
	(void)about(1, PATH_CANCEL, &id);
	refused(put(&chunk[0], CHUNK, 0, tar, CHUNK), "not_wanted", 0);
}

/* Nothing to send yet is not nothing to send. */
static void
test_later(void **state)
{
	struct proto_ans *a;
	struct id32 id;

	(void)state;
	w.volumes_later = true;
	(void)submit(1, 0x41, 1, in_chunks, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	a = submit(1, 0x41, 1, in_chunks, &id);
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, "load"));
	assert_int_equal(a->meta.s, 1);
	/* a new job is not taken before it can be answered */
	a = submit(1, 0x41, 2, in_chunks, &id);
	assert_int_equal(a->status, ST_BUSY);
	assert_int_equal(w.n.jobs.count, 1);
	w.volumes_later = false;
	names(submit(1, 0x41, 2, in_chunks, &id), 2, &chunk[0], &chunk[2]);
	assert_int_equal(w.n.jobs.count, 2);
}

/* A node takes the volume as one blob, too. */
static void
test_as_one(void **state)
{
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, in_chunks, &id);
	took(put(&tar_sha, sizeof(tar), 0, tar, sizeof(tar)), sizeof(tar));
	names(submit(1, 0x41, 1, in_chunks, &id), 0);
	world_run(&w, 100);
	state_is(&id, "done", NULL);
}

static void
in_chunks_long(struct manifest *m)
{
	in_chunks(m);
	m->deadline += 2 * JOB_INPUT_IDLE_S;
}

/* Hours without a byte of any chunk; a chunk keeps it waiting. */
static void
test_idle(void **state)
{
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, in_chunks_long, &id);
	took(put(&list_sha, sizeof(list), 0, list, sizeof(list)),
	    sizeof(list));
	world_run(&w, (JOB_INPUT_IDLE_S - 600) * INT64_C(1000));
	took(put(&chunk[0], CHUNK, 0, tar, 10), 10);
	world_run(&w, (JOB_INPUT_IDLE_S - 600) * INT64_C(1000));
	state_is(&id, "queued", "inputs");
	world_run(&w, 700 * 1000);
	state_is(&id, "cancelled", "inputs");
}

static enum blob_put
no_room(void *ctx, const struct fp *fp, const struct id32 *sha, uint64_t size,
    uint64_t offset, const uint8_t *data, size_t n, uint64_t *have)
{
	(void)ctx;
	(void)fp->b;
	(void)sha->b;
	(void)size;
	(void)offset;
	(void)data;
	(void)n;
	*have = 0;
	return BLOB_FULL;
}

/* In one's own spool there is no room for long; in that of all, for a while. */
static void
test_full_spool(void **state)
{
	struct proto_req q = {.path = PATH_BLOB_PUT, .digest = tar_sha.b,
	    .n = sizeof(tar), .body = {tar, sizeof(tar)}};
	struct proto_ans *a;
	struct id32 id;

	(void)state;
	(void)submit(1, 0x41, 1, with_volumes, &id);
	w.n.host.blob_put = no_room;
	a = world_call(&w, 1, &q);
	assert_int_equal(a->status, ST_BUSY);
	assert_true(pstr_is(a->meta.code, "disk"));
	w.n.policy.peer_spool = sizeof(tar) - 1;
	a = world_call(&w, 1, &q);
	refused(a, "quota", 0);
	assert_true(pstr_is(a->meta.why, "spool"));
	assert_true(a->meta.value > a->meta.limit);
	/* room for its bytes, but the least that a blob is charged is more */
	assert_true(sizeof(tar) < BLOB_CHARGE_LEAST);
	w.n.policy.peer_spool = BLOB_CHARGE_LEAST - 1;
	refused(world_call(&w, 1, &q), "quota", 0);
}

#define T(x) cmocka_unit_test_setup_teardown(x, begin, teardown)
int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_whole), T(test_module), T(test_airtime), T(test_airtime_spent),
	    T(test_not_known), T(test_bad_list),
	    T(test_bad_whole), T(test_bad_chunk), T(test_later),
	    T(test_as_one), T(test_idle), T(test_full_spool),
	};

	return cmocka_run_group_tests_name("inputs", tests, NULL, NULL);
}
