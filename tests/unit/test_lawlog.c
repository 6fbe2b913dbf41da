/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logs of an authority, as judges have them (klp.md 8): what the operator has
 * put there, what they show each other, and a log that shows two faces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/util.h"
#include "tests/unit/lawkit.h"
#include "tests/unit/logkit.h"
#include "trust/doc/fingerprint.h"
#include "trust/doc/merkle.h"
#include "trust/doc/tlogedge.h"

#define ORIGIN "log.example/board"
#define MOST 300

/* ---- two trees of image records, alike up to `apart` ---- */

static struct fingerprint print_of[MOST];
static char *record[2][MOST];
static size_t record_len[2][MOST];
static struct id32 leaf[2][MOST];
static const unsigned apart = 10;
static uint8_t secret[64];
static struct vkey vkey;

static void
make_records(void)
{
	uint8_t seed[32], pub[32];

	memcpy(seed, kit_secret(0).raw, sizeof(seed));
	(void)crypto_sign_seed_keypair(pub, secret, seed);
	assert_true(vkey_set(&vkey, ORIGIN, SNOTE_ED25519, pub));
	for (unsigned of = 0; of < 2; of++)
		for (unsigned i = 0; i < MOST; i++) {
			struct fingerprint f = {.of = FINGERPRINT_IMAGE,
			    .issued = KIT_T0 - 1000 + (i >= apart ? of : 0)};

			f.image.b[0] = (uint8_t)i;
			f.image.b[1] = (uint8_t)(i >> 8);
			print_of[i] = f;
			record[of][i] = fingerprint_put(&f,
			    &record_len[of][i]);
			merkle_leaf(&leaf[of][i], record[of][i],
			    record_len[of][i]);
		}
}

static void
folder_make(const struct place *p, const char *name)
{
	char path[300], *at;

	(void)snprintf(path, sizeof(path), "%s/%s", p->klp.path, name);
	for (at = path + strlen(p->klp.path) + 1;
	     (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		(void)mkdir(path, 0755);
		*at = '/';
	}
}

static void
file(const struct place *p, const char *name, const void *bytes, size_t n)
{
	folder_make(p, name);
	kit_dir_put(&p->klp, name, bytes, n);
}

static bool
no_tile(void *ctx, uint32_t level, uint64_t n, const struct id32 *h,
    unsigned width)
{
	(void)ctx;
	(void)level;
	(void)n;
	(void)h;
	(void)width;
	return true;
}

static struct tlog_head
head(int of, unsigned size)
{
	struct tlog_head h = {.origin = ORIGIN, .size = size};
	struct tlog_edge *e = malloc(sizeof(*e));

	tlog_edge_init(e);
	for (unsigned i = 0; i < size; i++)
		assert_true(tlog_edge_add(e, &leaf[of][i], no_tile, NULL));
	tlog_edge_root(e, &h.root);
	free(e);
	return h;
}

static size_t
note(char *out, int of, unsigned size)
{
	struct tlog_head h = head(of, size);
	size_t n = tlog_head_put(out, &h);
	char line[SNOTE_LINE_MAX];
	size_t more = snote_sign(line, &vkey, secret, out, n, 0);

	out[n++] = '\n';
	memcpy(out + n, line, more);
	return n + more;
}

struct writing {
	struct place *p;
	bool tiles;
};

static bool
put_tile(void *ctx, uint32_t level, uint64_t n, const struct id32 *h,
    unsigned width)
{
	struct writing *w = ctx;
	char path[TLOG_PATH_MAX], name[200];

	tlog_path(path, level, n, width);
	(void)snprintf(name, sizeof(name), "documents/test.kos/log/%s", path);
	if (w->tiles)
		file(w->p, name, h, width * sizeof(*h));
	return true;
}

/* klp/documents/test.kos/log, with its tiles or without. */
static void
log_here(struct place *p, int of, unsigned size, bool tiles)
{
	struct tlog_edge *e = malloc(sizeof(*e));
	struct writing w = {p, tiles};
	char text[2048];

	tlog_edge_init(e);
	for (unsigned i = 0; i < size; i++)
		(void)tlog_edge_add(e, &leaf[of][i], put_tile, &w);
	(void)tlog_edge_rest(e, put_tile, &w);
	free(e);
	file(p, "documents/test.kos/log/checkpoint", text,
	    note(text, of, size));
	(void)law_look(p->l, NOW, true);
}

static bool
subtree(void *ctx, unsigned level, uint64_t index, struct id32 *out)
{
	const struct id32 *l = ctx;
	struct merkle m;

	merkle_init(&m, 0);
	for (uint64_t i = index << level; i < (index + 1) << level; i++)
		(void)merkle_add(&m, 0, &l[i]);
	merkle_root(&m, out);
	return true;
}

/* The proof of one in klp/anchors. */
static void
proof_here(struct place *p, int of, unsigned size, unsigned index,
    const char *name)
{
	static char text[TLOG_PROOF_TEXT];
	struct tlog_proof proof = {.index = index};
	const struct tlog_tree tree = {subtree, leaf[of]};
	char ck[2048], path[100];

	proof.note = ck;
	proof.note_len = note(ck, of, size);
	assert_true(tlog_prove(&tree, size, index, proof.hash, &proof.n));
	(void)snprintf(path, sizeof(path), "anchors/%s.tlog-proof", name);
	file(p, path, text, tlog_proof_put(text, &proof));
	(void)snprintf(path, sizeof(path), "anchors/%s.json", name);
	file(p, path, record[of][index], record_len[of][index]);
}

static uint64_t
seen(const struct place *p)
{
	const struct logbook *b = p->l->auth[0].log;

	return b == NULL || b->n == 0 ? 0 : b->log[0].head.size;
}

static bool
forked(const struct place *p)
{
	const struct logbook *b = p->l->auth[0].log;

	return b != NULL && b->n > 0 && b->log[0].forked;
}

static size_t
anchored(const struct place *p)
{
	size_t n;

	(void)law_anchored(p->l, &n);
	return n;
}

static unsigned
evidence(const struct place *p)
{
	char path[100];
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/klp", p->own);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "equivocation-", 13) == 0;
	(void)closedir(d);
	return n;
}

/* ---- the root, with the role log ---- */

static void
root_with(const char *roles)
{
	static char more[1024];
	static uint8_t buf[8192];
	struct id32 id;
	char hex[65];
	size_t n;

	hex_encode(hex, HASH_BYTES(kit_fp(0)));
	(void)snprintf(more, sizeof(more), "{\"roles\":{\"root\":{\"keys\":["
	    "\"%s\"],\"threshold\":1},\"head\":{\"keys\":[\"%s\"],"
	    "\"threshold\":1},\"revocation-list\":{\"keys\":[\"%s\"],"
	    "\"threshold\":1}", hex, hex, hex);
	if (*roles != '\0')
		(void)snprintf(more + strlen(more), sizeof(more) - strlen(more),
		    ",\"%s\":{\"keys\":[\"%s\"],\"threshold\":1}", roles, hex);
	(void)snprintf(more + strlen(more), sizeof(more) - strlen(more), "}}");
	lawkit_root.more = more;
	n = kit_root(buf, sizeof(buf), &lawkit_root, &id);
	kit_dir_put(&giver.klp, "authorities/test.kos.root.json", buf, n);
	kit_dir_put(&taker.klp, "authorities/test.kos.root.json", buf, n);
	lawplace_again(&giver);
	lawplace_again(&taker);
}

static int
begin(void **state)
{
	(void)setup(state);
	root_with("log");
	publish(4, 1);
	last_event = 0;
	return 0;
}

/* ---- tests ---- */

/* Proofs alone are enough, and say which images there are. */
static void
test_proofs(void **state)
{
	(void)state;
	assert_int_equal(anchored(&taker), 0);
	proof_here(&taker, 0, 20, 3, "a");
	proof_here(&taker, 0, 20, 17, "b");
	proof_here(&taker, 0, 20, 3, "again");
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(anchored(&taker), 2);
	assert_memory_equal(&taker.l->anchored[0], &print_of[3].image, 32);
	assert_memory_equal(&taker.l->anchored[1], &print_of[17].image, 32);
	/* by two proofs of one log it is in one log */
	assert_int_equal(taker.l->anchored[0].logs, 1);
	assert_int_equal(seen(&taker), 20);
	/* nothing is new at the next look */
	assert_false(law_look(taker.l, NOW, true));
	lawplace_again(&taker);
	assert_int_equal(anchored(&taker), 2);
	assert_int_equal(seen(&taker), 20);
	/* one is taken away, one is another's */
	(void)unlinkat(taker.klp.fd, "anchors/b.tlog-proof", 0);
	kit_dir_put(&taker.klp, "anchors/a.json", record[0][4],
	    record_len[0][4]);
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(anchored(&taker), 1); /* by "again" */
	(void)unlinkat(taker.klp.fd, "anchors/again.json", 0);
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(anchored(&taker), 0);
}

/* Its key is of no log when the root does not say so. */
static void
test_role(void **state)
{
	(void)state;
	root_with("");
	proof_here(&taker, 0, 20, 3, "a");
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(anchored(&taker), 0);
	root_with("witness");
	assert_int_equal(anchored(&taker), 0);
	root_with("log");
	assert_int_equal(anchored(&taker), 1);
}

static void
test_witnesses(void **state)
{
	(void)state;
	proof_here(&taker, 0, 20, 3, "a");
	taker.conf->log_witnesses = 1;
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(anchored(&taker), 0);
	taker.conf->log_witnesses = 0;
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(anchored(&taker), 1);
}

/* The folder goes on: by its tiles, and not without them. */
static void
test_folder(void **state)
{
	(void)state;
	log_here(&giver, 0, 5, true);
	assert_int_equal(seen(&giver), 5);
	for (unsigned size = 6; size < 14; size++) {
		log_here(&giver, 0, size, true);
		assert_int_equal(seen(&giver), size);
	}
	log_here(&giver, 0, 290, true);
	assert_int_equal(seen(&giver), 290);
	lawplace_again(&giver);
	assert_int_equal(seen(&giver), 290);
	log_here(&taker, 0, 5, false);
	assert_int_equal(seen(&taker), 5);
	log_here(&taker, 0, 9, false);
	assert_int_equal(seen(&taker), 5);
	assert_false(forked(&taker));
	/* an older one is no news */
	log_here(&giver, 0, 20, true);
	assert_int_equal(seen(&giver), 290);
	assert_false(forked(&giver));
	assert_int_equal(last_event, EVK_AUTHORITY);
}

static void
test_folder_fork(void **state)
{
	(void)state;
	log_here(&giver, 0, 20, true);
	log_here(&giver, 1, 30, true);
	assert_true(forked(&giver));
	assert_int_equal(last_event, EVK_EQUIVOCATION);
	assert_int_equal(evidence(&giver), 1);
	/* for good: a restart does not forget it */
	lawplace_again(&giver);
	assert_true(forked(&giver));
	log_here(&giver, 0, 40, true);
	assert_int_equal(seen(&giver), 20);
	assert_int_equal(evidence(&giver), 1);
}

/* From node to node, an hour apart; his tiles are what it takes to go on. */
static void
test_shown(void **state)
{
	(void)state;
	log_here(&giver, 0, 20, true);
	assert_string_equal(round_of(), "root:2 head:0 get+0 delta:4 log:0 ");
	assert_int_equal(seen(&taker), 20);
	log_here(&giver, 0, 77, true);
	/* nobody has asked for it: within the hour it is let alone */
	order[0] = '\0';
	taker.l->auth[0].src->s[0].next = (struct mono){0};
	go_on();
	assert_string_equal(order, "root:2 head:0 delta:4 ");
	assert_int_equal(seen(&taker), 20);
	assert_string_equal(round_of(), "root:2 head:0 delta:4 log:20 ");
	assert_int_equal(seen(&taker), 77);
	assert_string_equal(line(&taker).failed, "");
	lawplace_again(&taker);
	assert_int_equal(seen(&taker), 77);
}

/* Two faces of one log, each shown to one of them. */
static void
test_shown_fork(void **state)
{
	(void)state;
	log_here(&giver, 1, 20, true);
	proof_here(&taker, 0, 15, 12, "a");
	(void)law_look(taker.l, NOW, true);
	assert_int_equal(anchored(&taker), 1);
	(void)round_of();
	assert_true(forked(&taker));
	assert_int_equal(last_event, EVK_EQUIVOCATION);
	assert_int_equal(evidence(&taker), 1);
	assert_int_equal(anchored(&taker), 0);
	/* what else he gives is good: the round is */
	assert_string_equal(line(&taker).failed, "");
	assert_int_equal(line(&taker).version, 4);
}

/* A proof may be the second face itself: those before it fall too. */
static void
test_proof_fork(void **state)
{
	(void)state;
	proof_here(&taker, 0, 20, 3, "a");
	proof_here(&taker, 1, 20, 15, "b");
	(void)law_look(taker.l, NOW, true);
	assert_true(forked(&taker));
	assert_int_equal(anchored(&taker), 0);
	assert_int_equal(evidence(&taker), 1);
}

/* Nobody has a log, or says something else, or nothing in time. */
static void
test_shown_badly(void **state)
{
	(void)state;
	assert_string_equal(round_of(), "root:2 head:0 get+0 delta:4 log:0 ");
	assert_string_equal(line(&taker).failed, "");
	log_here(&giver, 0, 20, false);
	for (enum lie l = NO_LIE + 1; l < LIES; l++) {
		law_fetch_now(taker.l);
		for (int i = 0; i < 200; i++) {
			lie = NO_LIE;
			if (is_asked && strcmp(asked.path, "/klp/v1/log") == 0)
				lie = l;
			if (is_asked)
				answer();
			(void)law_fetch(taker.l);
			if (law_busy(taker.l))
				(void)law_work(taker.l, NOW);
		}
		assert_string_equal(line(&taker).failed, "");
		assert_false(forked(&taker));
	}
	lie = NO_LIE;
	(void)round_of();
	assert_int_equal(seen(&taker), 20);
	/* he has gone on without his tiles: not followed, no fork */
	log_here(&giver, 0, 30, true);
	assert_int_equal(seen(&giver), 30);
	(void)unlinkat(giver.klp.fd, "documents/test.kos/log/tile/0/000.p/30",
	    0);
	(void)round_of();
	assert_int_equal(seen(&taker), 20);
	assert_false(forked(&taker));
}

/* ---- several logs ---- */

/* One of logkit's at its own place, as the giver has it. */
static void
other_log(unsigned key, uint64_t size)
{
	static char text[SNOTE_MAX];
	struct klp_key k = logkit_key(key);
	struct id32 h[TLOG_TILE];
	struct fp fp;
	char hex[33], path[TLOG_PATH_MAX], name[200];
	unsigned width;

	key_fp(&fp, &k);
	hex_encode(hex, fp.b, 16);
	for (uint32_t level = 0; level < 2; level++)
		for (uint64_t n = 0; (width = logkit_tile(0, size, level, n,
			 h)) > 0; n++) {
			tlog_path(path, level, n, width);
			(void)snprintf(name, sizeof(name),
			    "documents/test.kos/log/%s/%s", hex, path);
			file(&giver, name, h, width * sizeof(h[0]));
		}
	(void)snprintf(name, sizeof(name), "documents/test.kos/log/%s/"
	    "checkpoint", hex);
	file(&giver, name, text, logkit_note(text, 0, size, key));
	(void)law_look(giver.l, NOW, true);
}

/* Each is followed for itself, from its folder and from node to node. */
static void
test_several(void **state)
{
	static char more[4096];
	static uint8_t buf[8192];
	struct klp_key k = kit_key(0);
	char text[KEY_TEXT_MAX], hex[65];
	const struct logbook *b;
	struct id32 id;
	size_t n;

	(void)state;
	key_text(text, &k);
	hex_encode(hex, HASH_BYTES(kit_fp(0)));
	logkit_roles(more, sizeof(more), 2, text, hex);
	lawkit_root.more = more;
	n = kit_root(buf, sizeof(buf), &lawkit_root, &id);
	kit_dir_put(&giver.klp, "authorities/test.kos.root.json", buf, n);
	kit_dir_put(&taker.klp, "authorities/test.kos.root.json", buf, n);
	lawplace_again(&giver);
	lawplace_again(&taker);
	publish(4, 1);
	other_log(0, 300);
	other_log(1, 20);
	assert_string_equal(round_of(), "root:2 head:0 get+0 delta:4 log:0 "
	    "log:0 ");
	b = taker.l->auth[0].log;
	assert_int_equal(b->n, 2);
	assert_int_equal(b->log[0].head.size, 300);
	assert_int_equal(b->log[1].head.size, 20);
	other_log(0, 700);
	other_log(1, 21);
	assert_int_equal(giver.l->auth[0].log->log[0].head.size, 700);
	assert_string_equal(round_of(), "root:2 head:0 delta:4 log:300 "
	    "log:20 ");
	assert_int_equal(b->log[0].head.size, 700);
	assert_int_equal(b->log[1].head.size, 21);
	assert_false(b->log[0].forked || b->log[1].forked);
}

/* The same record in the logs of two keys; one forks, and is none any more. */
static void
test_two_vouch(void **state)
{
	static char more[4096], text[TLOG_PROOF_TEXT], ck[SNOTE_MAX];
	static uint8_t buf[8192];
	struct klp_key k = kit_key(0);
	char key[KEY_TEXT_MAX], hex[65], path[40];
	struct tlog_proof proof = {.index = 0};
	struct id32 id;
	size_t n;

	(void)state;
	key_text(key, &k);
	hex_encode(hex, HASH_BYTES(kit_fp(0)));
	logkit_roles(more, sizeof(more), 3, key, hex);
	lawkit_root.more = more;
	n = kit_root(buf, sizeof(buf), &lawkit_root, &id);
	kit_dir_put(&taker.klp, "authorities/test.kos.root.json", buf, n);
	lawplace_again(&taker);
	for (unsigned i = 0; i < 3; i++) {
		/* a log of one entry, and the third has another one */
		struct tlog_head h = {.size = 1,
		    .root = leaf[0][i == 2 ? 5 : 4]};

		proof.note = ck;
		proof.note_len = logkit_sign(ck, &h, i);
		n = tlog_proof_put(text, &proof);
		(void)snprintf(path, sizeof(path), "anchors/%u.tlog-proof", i);
		file(&taker, path, text, n);
		(void)snprintf(path, sizeof(path), "anchors/%u.json", i);
		file(&taker, path, record[0][i == 2 ? 5 : 4],
		    record_len[0][i == 2 ? 5 : 4]);
	}
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(anchored(&taker), 2);
	assert_memory_equal(&taker.l->anchored[0].image, &print_of[4].image,
	    32);
	assert_int_equal(taker.l->anchored[0].logs, 2);
	assert_int_equal(taker.l->anchored[1].logs, 1);
	/* the second shows another entry as its first one */
	proof.note_len = logkit_sign(ck, &(struct tlog_head){.size = 1,
	    .root = leaf[0][6]}, 1);
	n = tlog_proof_put(text, &proof);
	file(&taker, "anchors/3.tlog-proof", text, n);
	file(&taker, "anchors/3.json", record[0][6], record_len[0][6]);
	assert_true(law_look(taker.l, NOW, true));
	assert_int_equal(last_event, EVK_EQUIVOCATION);
	assert_int_equal(anchored(&taker), 2);
	assert_int_equal(taker.l->anchored[0].logs, 1);
}

static int
group(void **state)
{
	(void)state;
	make_records();
	logkit_make();
	return 0;
}

static int
group_end(void **state)
{
	(void)state;
	for (unsigned of = 0; of < 2; of++)
		for (unsigned i = 0; i < MOST; i++)
			free(record[of][i]);
	return 0;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_proofs), TEST(test_role), TEST(test_witnesses),
	    TEST(test_folder), TEST(test_folder_fork), TEST(test_shown),
	    TEST(test_shown_fork), TEST(test_proof_fork),
	    TEST(test_shown_badly), TEST(test_several),
	    TEST(test_two_vouch),
	};

	return cmocka_run_group_tests(tests, group, group_end);
}
