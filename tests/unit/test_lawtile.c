/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log on a web server that grows (klp.md 8): its tiles are asked for and prove
 * it, or the reason is told and what was known stands. The test is
 * warren-egress.
 */
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

#include "common/ipc.h"
#include "common/util.h"
#include "tests/unit/lawplace.h"
#include "tests/unit/logkit.h"
#include "trust/lawio.h"

#define A "https://a.test/klp"

static struct place here;
static struct msg_FETCH asked;
static bool is_asked;
static char order[4096]; /* what of logs was asked for, a space behind each */
static enum event_kind last_event;

/* ---- the web server ---- */

/* What is at each place of a log: size 0: nothing. */
static struct {
	int of;
	uint64_t size;
	unsigned key;
} has[1 + LOGKIT_KEYS];
static char place[1 + LOGKIT_KEYS][40];
static bool no_partial; /* the log has gone on: whole tiles alone */
static int bad_at;	/* the n-th tile from here on; -1: none */
static enum { SHORT, LONG, FLIP, EMPTY, END } bad;
static enum fetch_end bad_end;
static uint8_t head[8192], list[8192], body[TLOG_TILE_BYTES + SNOTE_MAX];
static size_t head_len, list_len;

static int
fetch(void *ctx, const struct msg_FETCH *m)
{
	(void)ctx;
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

static size_t
tile_of(int i, const char *file)
{
	char path[TLOG_PATH_MAX];
	struct id32 *h = (struct id32 *)body;

	for (uint32_t level = 0; level < 3; level++)
		for (uint64_t n = 0; tlog_width(has[i].size, level, n) > 0;
		     n++) {
			unsigned w = logkit_tile(has[i].of, has[i].size, level,
			    n, h);

			tlog_path(path, level, n, w);
			if (strcmp(file, path) == 0)
				return no_partial && w < TLOG_TILE ? 0 :
				    w * sizeof(*h);
			tlog_path(path, level, n, TLOG_TILE);
			if (no_partial && strcmp(file, path) == 0) {
				(void)logkit_tile(has[i].of, LOGKIT_MOST,
				    level, n, h);
				return TLOG_TILE_BYTES;
			}
		}
	return 0;
}

/* The bytes of a file; 0: there is none. */
static size_t
file_of(const char *file)
{
	if (strcmp(file, "head") == 0)
		return memcpy(body, head, head_len), head_len;
	if (strcmp(file, KIT_LIST) == 0)
		return memcpy(body, list, list_len), list_len;
	for (int i = 0; i < (int)NELEM(has); i++) {
		size_t n = strlen(place[i]);

		if (has[i].size == 0 || strncmp(file, place[i], n) != 0 ||
		    file[n] != '/')
			continue;
		if (strcmp(file + n, "/checkpoint") == 0)
			return logkit_note((char *)body, has[i].of,
			    has[i].size, has[i].key);
		if (strncmp(file + n, "/tile/", 6) == 0)
			return tile_of(i, file + n + 1);
	}
	return 0;
}

static void
spoil(struct msg_FETCHED *m, size_t *len)
{
	switch (bad) {
	case SHORT:
		*len -= 32;
		break;
	case LONG:
		*len += 32;
		break;
	case FLIP:
		body[*len / 2] ^= 1;
		break;
	case EMPTY:
		*len = 0;
		break;
	case END:
		m->end = (uint8_t)bad_end;
		(void)snprintf(m->why, sizeof(m->why), "end %u", m->end);
		break;
	}
}

static void
answer(void)
{
	const char *file = asked.url + strlen(A "/test.kos/");
	size_t len = file_of(file);
	struct msg_FETCHED m = {.seq = asked.seq,
	    .end = len > 0 ? FETCH_OK : FETCH_ABSENT};
	int fd = -1;

	if (strncmp(file, "log/", 4) == 0)
		(void)snprintf(order + strlen(order), sizeof(order) -
		    strlen(order), "%s ", file + 4);
	if (strstr(file, "/tile/") != NULL) {
		assert_true(asked.max % 32 == 0 && asked.max <=
		    TLOG_TILE_BYTES && len <= asked.max);
		if (bad_at >= 0 && bad_at-- == 0)
			spoil(&m, &len);
	}
	if (m.end == FETCH_OK && len > 0)
		fd = memfd_sealed("page", body, len);
	m.len = (uint32_t)len;
	is_asked = false;
	(void)law_fetched(here.l, &m, fd);
}

static bool
step(void)
{
	if (is_asked)
		answer();
	(void)law_fetch(here.l);
	if (law_busy(here.l))
		(void)law_work(here.l, NOW);
	return law_busy(here.l) || is_asked;
}

/* All is asked; what of logs. */
static const char *
round_of(void)
{
	order[0] = '\0';
	law_fetch_now(here.l);
	for (unsigned i = 0; i < 500; i++)
		if (!step())
			return order;
	fail_msg("no end: %s", order);
	return NULL;
}

static uint64_t
seen(unsigned i)
{
	const struct logbook *b = here.l->auth[0].log;

	return b == NULL || b->n <= i ? 0 : b->log[i].head.size;
}

static void
said(const char *why)
{
	if (strstr(here.l->auth[0].log_said, why) == NULL)
		fail_msg("\"%s\" instead of %s", here.l->auth[0].log_said, why);
}

static unsigned
asks(const char *what)
{
	unsigned n = 0;

	for (const char *p = order; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

/* ---- tests ---- */

/* As it grows: what is asked for, and never what was verified before. */
static void
test_grows(void **state)
{
	(void)state;
	has[0].size = 300;
	assert_string_equal(round_of(), "checkpoint ");
	assert_int_equal(seen(0), 300);
	has[0].size = 700;
	/* the edge from above, and the tile in which it ended before */
	assert_string_equal(round_of(), "checkpoint tile/1/000.p/2 "
	    "tile/0/002.p/188 tile/0/001 ");
	assert_int_equal(seen(0), 700);
	assert_string_equal(here.l->auth[0].log_said, "");
	has[0].size = 701;
	assert_string_equal(round_of(), "checkpoint tile/0/002.p/189 ");
	assert_int_equal(seen(0), 701);
	has[0].size = 66000;
	assert_string_equal(round_of(), "checkpoint tile/2/000.p/1 "
	    "tile/1/001.p/1 tile/0/257.p/208 tile/1/000 tile/0/002 ");
	assert_int_equal(seen(0), 66000);
	/* it is known after a restart, and asked for again by nobody */
	assert_string_equal(round_of(), "checkpoint ");
	assert_int_equal(seen(0), 66000);
	assert_string_equal(here.l->auth[0].log_said, "");
	assert_int_equal(seen(1), 0);
}

/* Whole tiles stand where there were partial ones. */
static void
test_gone_on(void **state)
{
	(void)state;
	has[0].size = 300;
	(void)round_of();
	has[0].size = 700;
	no_partial = true;
	assert_string_equal(round_of(), "checkpoint tile/1/000.p/2 tile/1/000 "
	    "tile/0/002.p/188 tile/0/002 tile/0/001 ");
	assert_int_equal(seen(0), 700);
}

static void
test_fork(void **state)
{
	(void)state;
	has[0].size = 300;
	(void)round_of();
	has[0].size = 2000;
	(void)round_of();
	/* a tile of the walk before is as wide, and not what it was */
	has[0].of = 1;
	has[0].size = 2001;
	assert_string_equal(round_of(), "checkpoint tile/0/007.p/209 "
	    "tile/1/000.p/7 tile/0/007.p/209 ");
	assert_true(here.l->auth[0].log->log[0].forked);
	assert_int_equal(last_event, EVK_EQUIVOCATION);
	assert_int_equal(seen(0), 2000);
	/* and that is the end of it */
	has[0].of = 0;
	has[0].size = 4000;
	assert_string_equal(round_of(), "checkpoint ");
	assert_int_equal(seen(0), 2000);
}

/* Another tree from where nobody has looked yet: that is no fork. */
static void
test_older(void **state)
{
	(void)state;
	has[0].size = 2000;
	(void)round_of();
	has[0].size = 900;
	assert_string_equal(round_of(), "checkpoint ");
	assert_int_equal(seen(0), 2000);
	assert_false(here.l->auth[0].log->log[0].forked);
	said("it is older than what was seen");
}

/* Every tile, in every way: a reason, and what was known stands. */
static void
test_lies(void **state)
{
	static const enum fetch_end ends[] = {FETCH_ABSENT, FETCH_REFUSED,
	    FETCH_NAME, FETCH_UNREACHABLE, FETCH_TLS, FETCH_HTTP,
	    FETCH_REDIRECT, FETCH_SIZE, FETCH_SLOW, FETCH_BROKEN, FETCH_OWN,
	    FETCH_LATER};
	char none[200];

	(void)state;
	has[0].size = 300;
	(void)round_of();
	has[0].size = 66000;
	for (bad = SHORT; bad <= END; bad++)
		for (int at = 0; at < 5; at++)
			for (size_t e = 0; e < (bad == END ? NELEM(ends) : 1);
			     e++) {
				lawtile_free(&here.l->auth[0]);
				bad_at = at;
				bad_end = ends[e];
				here.l->auth[0].log_said[0] = '\0';
				(void)round_of();
				assert_int_equal(seen(0), 300);
				if (bad == END && ends[e] == FETCH_ABSENT)
					continue;
				(void)snprintf(none, sizeof(none), "%s: ", A);
				said(none);
				said("log/tile/");
				said(bad == FLIP && at < 3 ? "do not give the "
				    "root" : bad == FLIP ? "not what the tile "
				    "above" : bad == END ? "end " :
				    bad == LONG && at > 2 ? "too large" :
				    "not as wide");
				assert_false(here.l->auth[0].log->log[0].forked);
			}
	bad_at = -1;
	(void)round_of();
	assert_int_equal(seen(0), 66000);
	assert_string_equal(here.l->auth[0].log_said, "");
}

/*
 * What was verified before it failed is not asked for again, nor is what failed
 * kept, be it not to be had or another tile than it ought to be.
 */
static void
resumes(unsigned how)
{
	has[0].size = 300;
	(void)round_of();
	has[0].size = 66000;
	bad_at = 4;
	bad = how;
	bad_end = FETCH_UNREACHABLE;
	(void)round_of();
	assert_int_equal(asks("tile/"), 5);
	assert_string_equal(round_of(), "checkpoint tile/0/001 ");
	assert_int_equal(seen(0), 66000);
}

static void
test_resumes(void **state)
{
	(void)state;
	resumes(END);
}

static void
test_resumes_lie(void **state)
{
	(void)state;
	resumes(FLIP);
}

/* Egress falls in the midst of it, or the servers are others: begun anew. */
static void
test_given_up(void **state)
{
	(void)state;
	has[0].size = 300;
	(void)round_of();
	has[0].size = 66000;
	order[0] = '\0';
	law_fetch_now(here.l);
	while (strstr(order, "tile/1/001") == NULL)
		assert_true(step());
	is_asked = false;
	law_unfetched(here.l, false);
	assert_string_equal(round_of(), "checkpoint tile/2/000.p/1 "
	    "tile/1/001.p/1 tile/0/257.p/208 tile/1/000 tile/0/001 ");
	assert_int_equal(seen(0), 66000);
}

/* node.yaml is read again in the midst of it: it goes on. */
static void
test_configured(void **state)
{
	(void)state;
	has[0].size = 300;
	(void)round_of();
	has[0].size = 66000;
	order[0] = '\0';
	law_fetch_now(here.l);
	while (strstr(order, "tile/1/001") == NULL)
		assert_true(step());
	law_configure(here.l, here.conf);
	for (unsigned i = 0; i < 500 && step(); i++)
		continue;
	assert_int_equal(asks("checkpoint"), 1);
	assert_int_equal(asks("tile/"), 5);
	assert_int_equal(seen(0), 66000);
}

/* Several logs of one authority: each for itself, whatever another does. */
static void
test_several(void **state)
{
	struct logbook *b;

	(void)state;
	for (unsigned i = 0; i < LOGKIT_KEYS; i++) {
		has[1 + i].size = 100 + i;
		has[1 + i].key = i;
	}
	(void)round_of();
	assert_int_equal(asks("checkpoint"), 1 + LOGKIT_KEYS);
	b = here.l->auth[0].log;
	assert_int_equal(b->n, LOGKIT_KEYS);
	for (unsigned i = 0; i < LOGKIT_KEYS; i++)
		assert_int_equal(seen(i), 100 + i);
	/* the first goes on, the second forks, the third has gone */
	has[1].size = 700;
	has[2].of = 1;
	has[2].size = 2000;
	has[3].size = 0;
	(void)round_of();
	assert_int_equal(seen(0), 700);
	assert_int_equal(seen(1), 2000);
	has[2].of = 0;
	(void)round_of();
	assert_true(b->log[1].forked);
	assert_false(b->log[0].forked || b->log[2].forked);
	has[3].size = 300;
	has[1].size = 701;
	(void)round_of();
	assert_int_equal(seen(0), 701);
	assert_int_equal(seen(2), 300);
	/* at the place of all, too, whoever lies there */
	has[0] = has[3];
	has[0].size = 400;
	(void)round_of();
	assert_int_equal(seen(2), 400);
}

/* ---- around them ---- */

static void
begin(unsigned logs)
{
	static const char yaml[] = "revocation_list: klp://test.kos/" KIT_LIST
	    "\nklp: {gateways: [\"" A "\"]}\n";
	static char more[4096];
	struct kit_root root = {.issued = 1000000000, .expires = UINT32_MAX,
	    .more = more};
	struct head h = {.root_version = 1, .version = 1, .issued = KIT_T0,
	    .expires = KIT_T0 + 86400};
	struct rev_entry e = {.kind = REV_RNS, .id = {1}};
	struct klp_key k = kit_key(0);
	char text[KEY_TEXT_MAX], hex[65];
	struct id32 id;
	struct fp fp;

	memset(has, 0, sizeof(has));
	is_asked = no_partial = false;
	bad_at = -1;
	key_text(text, &k);
	hex_encode(hex, HASH_BYTES(kit_fp(0)));
	logkit_roles(more, sizeof(more), logs, text, hex);
	lawplace_make(&here, yaml, &(struct law_ops){NULL, event, fetch, NULL,
	    NULL});
	kit_dir_put(&here.klp, "authorities/test.kos.root.json", body,
	    kit_root(body, sizeof(body), &root, &id));
	memcpy(h.atag, id.b, sizeof(h.atag));
	list_len = kit_list(list, sizeof(list), NULL, 1, KIT_T0, KIT_T0 + 86400,
	    &e, 1, 1);
	kit_names(&h, KIT_LIST, 1, list, list_len);
	head_len = kit_head(head, sizeof(head), &h, 1);
	(void)snprintf(place[0], sizeof(place[0]), "log");
	for (unsigned i = 0; i < LOGKIT_KEYS; i++) {
		k = logkit_key(i);
		key_fp(&fp, &k);
		memcpy(place[1 + i], "log/", 4);
		hex_encode(place[1 + i] + 4, fp.b, 16);
	}
	lawplace_again(&here);
	last_event = 0;
}

static int
setup(void **state)
{
	(void)state;
	begin(1);
	return 0;
}

static int
setup_several(void **state)
{
	(void)state;
	begin(LOGKIT_KEYS);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lawplace_remove(&here);
	return 0;
}

static int
group(void **state)
{
	(void)state;
	logkit_make();
	return 0;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_grows), TEST(test_gone_on), TEST(test_fork),
	    TEST(test_older), TEST(test_lies), TEST(test_resumes),
	    TEST(test_resumes_lie),
	    TEST(test_given_up), TEST(test_configured),
	    cmocka_unit_test_setup_teardown(test_several, setup_several,
		teardown),
	};

	if (sodium_init() < 0 || !secp_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, group, NULL);
}
