/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trust graph over restarts: the signatures of its edges that were found good
 * are kept beside it and need no second check, bound to that very document;
 * what is damaged, or of another one, is passed over. Whether they are used is
 * seen by a lie: a bad signature that the kept file calls good.
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

#include "tests/unit/authkit.h"
#include "tests/unit/vec.h"
#include "trust/doc/digest.h"
#include "trust/doc/envelope.h"
#include "trust/doc/graph.h"
#include "trust/law.h"

#define GRAPH "graph.json"
#define NOW (KIT_T0 + 60)
#define KEPT "klp/graph.signatures"

#define TEXT (6u << 20)
#define ROOT "authorities/test.kos.root.json"

static struct kit_dir klp;
static char own[64]; /* warren/trust */
static int dir;
static struct node_config *conf;
static struct id32 doc, bad_sig;

/* ---- what the authority publishes ---- */

/* From key 1 to that key; not good: the signature is one of nobody. */
static size_t
edge_text(char *out, size_t cap, unsigned to, bool good, const char *comma)
{
	struct edge e = {.source = kit_fp(1), .target = kit_fp(to),
	    .level = 2, .conf = 920, .tags = 1u << TAG_SUBMITTER,
	    .issued = KIT_T0, .expires = KIT_T0 + 86400};
	struct klp_secret secret = kit_secret(1);
	uint8_t statement[EDGE_LEN], sig[SIG_LEN];
	char b64[96], from[128], target[128];
	struct klp_key key = kit_key(1);

	assert_true(urn_make(from, "test", "device", &e.source));
	assert_true(urn_make(target, "test", "device", &e.target));
	edge_put(statement, &e);
	assert_true(pae_sign(sig, &secret, TYPE_EDGE, statement, EDGE_LEN,
	    NULL));
	if (!good) {
		sig[0] ^= 1;
		sigset_digest(&bad_sig, &key, TYPE_EDGE, statement, EDGE_LEN,
		    sig);
	}
	(void)sodium_bin2base64(b64, sizeof(b64), sig, SIG_LEN,
	    sodium_base64_VARIANT_ORIGINAL);
	return (size_t)snprintf(out, cap, "%s{\"confidence\":0.92,"
	    "\"expires\":%u,\"issued\":%u,\"sig\":\"%s\",\"source\":\"%s\","
	    "\"tags\":[\"submitter\"],\"target\":\"%s\",\"trust_level\":2}",
	    comma, e.expires, e.issued, b64, from, target);
}

/* Edges that are left out for their tag; no signature is looked at. */
static size_t
padding(char *out, size_t cap, unsigned edges)
{
	struct fp from = kit_fp(1), to = kit_fp(2);
	char a[128], b[128];
	size_t n = 0;

	assert_true(urn_make(a, "test", "device", &from));
	assert_true(urn_make(b, "test", "device", &to));
	for (unsigned i = 0; i < edges; i++)
		n += (size_t)snprintf(out + n, cap - n, ",{\"source\":\"%s\","
		    "\"tags\":[\"new\"],\"target\":\"%s\"}", a, b);
	return n;
}

/* pad: edges that only make it long. */
static void
publish_padded(uint32_t version, unsigned pad)
{
	static char text[TEXT];
	static uint8_t file[TEXT * 3 / 2], buf[8192];
	char key[KEY_TEXT_MAX], urn[128];
	const struct kit_root r = {.issued = 1000000000, .expires = UINT32_MAX,
	    .more = "{\"documents\":{\"" GRAPH "\":{\"role\":\"head\","
	    "\"type\":\"klp.trust-graph\",\"max\":8388608}}}"};
	struct head h = {.root_version = 1, .version = version,
	    .issued = KIT_T0 + version, .expires = KIT_T0 + 86400};
	struct klp_key k = kit_key(1);
	struct fp fp = kit_fp(1);
	struct env_signed sig[KIT_KEYS];
	struct id32 id;
	size_t n;

	key_text(key, &k);
	assert_true(urn_make(urn, "test", "device", &fp));
	n = (size_t)snprintf(text, sizeof(text),
	    "{\"_type\":\"klp.trust-graph\",\"edges\":[");
	n += edge_text(text + n, sizeof(text) - n, 2, true, "");
	n += edge_text(text + n, sizeof(text) - n, 3, false, ",");
	n += padding(text + n, sizeof(text) - n, pad);
	n += (size_t)snprintf(text + n, sizeof(text) - n, "],\"expires\":%u,"
	    "\"issued\":%u,\"namespace\":\"test\",\"nodes\":[{\"id\":\"%s\","
	    "\"key\":\"%s\"}],\"uri\":\"klp://test.kos/" GRAPH "\","
	    "\"version\":%u}", KIT_T0 + 86400, KIT_T0 + version, urn, key,
	    version);
	n = env_build_json(file, sizeof(file), TYPE_GRAPH, text, n, sig,
	    kit_sign(sig, 1, TYPE_GRAPH, text, n));
	assert_true(n > 0);
	digest_of(&doc, file, n);
	kit_dir_put(&klp, "documents/test.kos/" GRAPH, file, n);
	kit_names(&h, GRAPH, version, file, n);
	n = kit_root(buf, sizeof(buf), &r, &id);
	kit_dir_put(&klp, "authorities/test.kos.root.json", buf, n);
	memcpy(h.atag, id.b, sizeof(h.atag));
	n = kit_head(buf, sizeof(buf), &h, 1);
	kit_dir_put(&klp, "documents/test.kos/head", buf, n);
}

static void
publish(uint32_t version)
{
	publish_padded(version, 0);
}

/* ---- lives of warren-trust ---- */

static void
no_event(void *ctx, enum event_kind kind, unsigned severity, const char *code,
    const char *text)
{
	(void)ctx;
	(void)kind;
	(void)severity;
	(void)code;
	(void)text;
}

/* How many edges count in one that begins now. */
static uint32_t
life(void)
{
	const struct law_ops ops = {NULL, no_event, NULL, NULL,
	    NULL};
	struct bindstore *store = bindstore_new(8);
	struct law *l = law_new(dup(klp.fd), dir, store, &ops);
	uint32_t n;

	assert_non_null(l);
	law_configure(l, conf);
	(void)law_look(l, NOW, true);
	assert_non_null(l->graph);
	n = graph_edges(l->graph);
	law_free(l);
	bindstore_free(store);
	return n;
}

static uint8_t *
kept(size_t *n)
{
	static uint8_t buf[4096];
	int fd = openat(dir, KEPT, O_RDONLY);
	ssize_t got = read(fd, buf, sizeof(buf));

	assert_true(got > 0);
	(void)close(fd);
	*n = (size_t)got;
	return buf;
}

static void
keep(const uint8_t *p, size_t n)
{
	int fd = openat(dir, KEPT, O_WRONLY | O_TRUNC | O_CREAT, 0600);

	assert_int_equal(write(fd, p, n), n);
	(void)close(fd);
}

/* The lie, as put() writes it. */
static uint8_t *
lie(const struct id32 *of, size_t *n)
{
	struct sigset *s = sigset_new(1);
	uint8_t *p;

	assert_true(sigset_add(s, &bad_sig));
	assert_int_equal(sigset_close(s, SIZE_MAX), 0);
	p = sigset_put(s, of, n);
	sigset_free(s);
	assert_non_null(p);
	return p;
}

static void
test_kept(void **state)
{
	struct sigset *s;
	uint8_t *p;
	size_t n;

	(void)state;
	publish(1);
	assert_int_equal(life(), 1);
	p = kept(&n);
	s = sigset_get(p, n, &doc);
	assert_non_null(s);
	assert_false(sigset_has(s, &bad_sig));
	assert_int_equal(n, sigset_file_bytes(1));
	sigset_free(s);
	/* used: the lie is believed, and the good edge checked again */
	p = lie(&doc, &n);
	keep(p, n);
	assert_int_equal(life(), 2);
	free(p);
}

static void
test_passed_over(void **state)
{
	struct id32 other = {.b = {1}};
	uint8_t *p;
	size_t n;

	(void)state;
	publish(1);
	assert_int_equal(life(), 1);
	/* of another document, and so written anew */
	p = lie(&other, &n);
	keep(p, n);
	free(p);
	assert_int_equal(life(), 1);
	p = kept(&n);
	assert_int_equal(n, sigset_file_bytes(1));
	/* every bit of it, every length */
	p = lie(&doc, &n);
	for (size_t i = 0; i < 8 * n; i += 37) {
		p[i / 8] ^= (uint8_t)(1u << i % 8);
		keep(p, n);
		assert_int_equal(life(), 1);
		p[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_null(sigset_get(p, i % n, &doc));
	}
	keep(p, n - 1);
	assert_int_equal(life(), 1);
	free(p);
	/* a new version is kept as its own */
	publish(2);
	assert_int_equal(life(), 1);
	p = lie(&doc, &n);
	keep(p, n);
	assert_int_equal(life(), 2);
	free(p);
}

/* ---- slices ---- */

#define MIB ((size_t)1 << 20)

/* How far what is under way has come, in bytes; and no slice goes further. */
static void
bounded(const struct law *l, size_t was_in, size_t was_out)
{
	if (l->in.open && l->in.n > was_in)
		assert_true(l->in.n - was_in <= MIB);
	if (l->out.open && l->out.at > was_out)
		assert_true(l->out.at - was_out <= MIB);
}

/*
 * A graph of 4 MB: a slice does a MiB of it, what holds meanwhile is the old
 * one, and in the end it is as if it was read at once; also after a restart.
 */
static void
test_slices(void **state)
{
	const struct law_ops ops = {NULL, no_event, NULL, NULL,
	    NULL};
	struct bindstore *store = bindstore_new(8);
	struct law *l;
	unsigned slices[2] = {0, 0}, n = 0;

	(void)state;
	publish(1);
	assert_int_equal(life(), 1);
	publish_padded(2, 14000);
	l = law_new(dup(klp.fd), dir, store, &ops);
	law_configure(l, conf);
	(void)law_look(l, NOW, false);
	for (unsigned i = 0; i < 2; i++) {
		while (law_busy(l)) {
			size_t in = l->in.open ? l->in.n : 0;
			size_t out = l->out.open ? l->out.at : 0;

			(void)law_work(l, NOW);
			bounded(l, in, out);
			slices[i]++;
			n += l->graph != NULL;
		}
		assert_int_equal(graph_edges(l->graph), 1);
		assert_int_equal(graph_head(l->graph)->version, 2);
		law_free(l);
		l = law_new(dup(klp.fd), dir, store, &ops);
		law_configure(l, conf);
		(void)law_look(l, NOW, false);
	}
	/* 6 MB read, hashed, decoded, written; 4 cut, read, checked */
	assert_true(slices[0] >= 3 * 6 + 4 + 8 + 2 * 14000 / 1024);
	assert_true(slices[1] >= 3 * 6 + 8 + 14000 / 1024);
	assert_true(n > 0);
	/* node.yaml is read again in the middle of it: it begins anew */
	for (unsigned i = 0; i < 60; i += 7) {
		for (unsigned k = 0; k < i; k++)
			(void)law_work(l, NOW);
		law_configure(l, conf);
		(void)law_look(l, NOW, false);
	}
	while (law_busy(l))
		(void)law_work(l, NOW);
	assert_int_equal(graph_head(l->graph)->version, 2);
	assert_int_equal(graph_edges(l->graph), 1);
	law_free(l);
	bindstore_free(store);
	assert_int_equal(life(), 1);
}

/*
 * A root that is taken away: at the look of the clock it may be on its way
 * back, after a reload nothing of its authority counts, as after a start.
 */
static void
test_root_gone(void **state)
{
	const struct law_ops ops = {NULL, no_event, NULL, NULL,
	    NULL};
	struct bindstore *store = bindstore_new(8);
	struct law *l;

	(void)state;
	publish(2);
	l = law_new(dup(klp.fd), dir, store, &ops);
	law_configure(l, conf);
	(void)law_look(l, NOW, true);
	assert_non_null(l->standing.now);
	assert_int_equal(renameat(klp.fd, ROOT, klp.fd, ROOT "~"), 0);
	assert_false(law_look(l, NOW, true));
	assert_non_null(l->graph);
	law_configure(l, conf);
	assert_true(law_look(l, NOW, true));
	assert_null(l->graph);
	assert_null(l->standing.now);
	assert_false(l->standing.graph.known);
	/* back: what was known is known again, and nothing older is taken */
	publish(1);
	law_configure(l, conf);
	assert_true(law_look(l, NOW, true));
	assert_int_equal(graph_head(l->graph)->version, 2);
	law_free(l);
	bindstore_free(store);
}

/* Killed while it wrote: half a file of 34 MB does not stay. */
static void
test_half_written(void **state)
{
	static const char half[] = "klp/.0123.999999.tmp";
	int fd;

	(void)state;
	publish(1);
	assert_int_equal(life(), 1);
	fd = openat(dir, half, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(life(), 1);
	assert_int_equal(faccessat(dir, half, F_OK, 0), -1);
}

static int
setup(void **state)
{
	static const char yaml[] = "trust_graph: klp://test.kos/" GRAPH "\n";
	struct mistakes bad = {0};

	(void)state;
	kit_dir_make(&klp);
	(void)snprintf(own, sizeof(own), "/tmp/trust-own-XXXXXX");
	assert_non_null(mkdtemp(own));
	dir = open(own, O_RDONLY | O_DIRECTORY);
	return node_config_parse(&conf, yaml, sizeof(yaml) - 1, &bad);
}

static int
teardown(void **state)
{
	(void)state;
	node_config_free(conf);
	kit_dir_remove(&klp);
	(void)close(dir);
	kit_remove(own);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_passed_over, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_slices, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_root_gone, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_half_written, setup, teardown),
	};

	if (sodium_init() < 0 || !secp_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
