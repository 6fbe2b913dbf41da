/* SPDX-License-Identifier: BSD-2-Clause */
/* Roots of sigstore as a document of an authority. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#include "common/attested.h"
#include "common/util.h"
#include "tests/unit/lawkit.h"
#include "tests/unit/vec.h"
#include "trust/doc/jdoc.h"
#include "trust/doc/rootsdoc.h"

#define PATH "roots.json"
#define URI "klp://test.kos/" PATH
#define DAY 86400
/* when the bundle of the vectors was signed, and a little more */
#define SIGNED UINT32_C(1796071781)

static json_t *doc;
static const char *roots_text, *image_hex;

static const char with_roots[] = "{\"documents\":{"
    "\"core.json\":{\"role\":\"revocation-list\","
    "\"type\":\"klp.revocation-list\",\"max\":1048576},"
    "\"" PATH "\":{\"role\":\"revocation-list\","
    "\"type\":\"klp.sigstore-roots\",\"max\":%d}}}";

static const char policy[] = "image_policy:\n  - image: '*'\n    any_of:\n"
    "      - keyless: {roots: '" URI "', issuer: 'https://accounts.example',"
    " subject: person@example.org}\n";

/* ---- what an authority publishes ---- */

static struct kit_root root = {.issued = 1000000000, .expires = UINT32_MAX};
static char root_more[400];

static void
put_root(struct place *p, int max)
{
	static uint8_t buf[8192];
	struct id32 id;

	(void)snprintf(root_more, sizeof(root_more), with_roots, max);
	root.more = root_more;
	kit_dir_put(&p->klp, "authorities/test.kos.root.json", buf,
	    kit_root(buf, sizeof(buf), &root, &id));
}

struct published {
	uint32_t head, head_issued, head_life, version, issued, life;
	unsigned signers; /* 0: as it should be */
	const char *text; /* NULL: the vectors' */
	const char *uri;  /* NULL: URI */
};

static size_t
envelope(uint8_t *out, size_t cap, const struct published *d)
{
	struct env_signed sigs[KIT_KEYS];
	const char *text = d->text == NULL ? roots_text : d->text;
	json_t *o, *t = json_loads(text, 0, NULL);
	size_t n;
	char *payload;

	/* one that is no good as well, so not by rootsdoc_make() */
	o = json_pack("{s:s,s:s,s:I,s:I,s:I,s:o}", "_type", ROOTSDOC_TYPE,
	    "uri", d->uri == NULL ? URI : d->uri, "version",
	    (json_int_t)d->version, "issued", (json_int_t)d->issued, "expires",
	    (json_int_t)d->issued + d->life, "trusted_root", t);
	assert_non_null(o);
	payload = jdoc_canonical(o, &n);
	assert_non_null(payload);
	json_decref(o);
	n = env_build_json(out, cap, TYPE_ROOTSDOC, payload, n, sigs,
	    kit_sign(sigs, d->signers == 0 ? 1 : d->signers, TYPE_ROOTSDOC,
	    payload, n));
	assert_true(n > 0);
	free(payload);
	return n;
}

static void
put(struct place *p, const struct published *d)
{
	static uint8_t buf[1 << 20], list[4096], head[8192];
	struct head h = {.root_version = 1, .version = d->head,
	    .issued = d->head_issued,
	    .expires = d->head_issued + d->head_life};
	struct id32 id;
	size_t n = envelope(buf, sizeof(buf), d);

	kit_dir_put(&p->klp, "documents/test.kos/" PATH, buf, n);
	kit_names(&h, PATH, d->version, buf, n);
	n = kit_list(list, sizeof(list), NULL, 1, 1795000000, UINT32_MAX, NULL,
	    0, 1);
	kit_dir_put(&p->klp, "documents/test.kos/" KIT_LIST, list, n);
	kit_names(&h, KIT_LIST, 1, list, n);
	(void)kit_root(head, sizeof(head), &root, &id);
	memcpy(h.atag, id.b, sizeof(h.atag));
	n = kit_head(head, sizeof(head), &h, 1);
	kit_dir_put(&p->klp, "documents/test.kos/head", head, n);
}

static const struct published plain = {.head = 1, .head_issued = KIT_T0,
    .head_life = DAY, .version = 1, .issued = KIT_T0, .life = 30 * DAY};

/* ---- what comes of it ---- */

static void
look(uint32_t now)
{
	(void)law_look(taker.l, now, true);
}

static uint32_t
rules(void)
{
	struct id32 image;
	size_t n;
	uint64_t serial;
	const struct attested *l = law_attested(taker.l, &n, &serial);

	assert_true(hex_decode(image.b, sizeof(image.b), image_hex,
	    strlen(image_hex)));
	return attested_rules(l, n, &image);
}

static struct msg_V_POLICY
row(unsigned i)
{
	struct msg_V_POLICY m;

	assert_true(law_policy(taker.l, i, &m));
	return m;
}

/* What the folder has now is refused for that, and what counted counts on. */
static void
refused(const char *why, uint32_t version)
{
	const char *said = taker.l->auth[0].said;

	look(NOW);
	if (strstr(said, why) == NULL)
		fail_msg("\"%s\" instead of %s", said, why);
	assert_int_equal(row(0).version, version);
	assert_int_equal(rules(), 1);
}

static int
start(void **state)
{
	const json_t *c = json_array_get(vec_array(doc, "cases"), 0);
	const char *bundle = vec_str(c, "bundle");

	if (setup(state) != 0)
		return -1;
	image_hex = vec_str(c, "sum");
	roots_text = vec_str(json_object_get(doc, "roots"), "roots");
	put_root(&taker, 393216);
	assert_int_equal(mkdirat(taker.klp.fd, "attestations", 0755), 0);
	kit_dir_put(&taker.klp, "attestations/a.json", bundle, strlen(bundle));
	lawplace_judge(&taker, policy);
	return 0;
}

/* Without libcrypto no certificate is looked at. */
static void
can(void **state)
{
	(void)state;
#ifndef HAVE_LIBCRYPTO
	skip();
#endif
}

/* ---- tests ---- */

static void
test_taken(void **state)
{
	struct msg_V_AUTHORITY m;
	struct msg_V_POLICY r;

	can(state);
	/* until it is there, the rule holds for nobody, and that is told */
	assert_int_equal(rules(), 0);
	r = row(0);
	assert_int_equal(r.kind, POLICY_DOCUMENT);
	assert_int_equal(r.entries, 0);
	assert_non_null(strstr(r.why, "no such document"));
	r = row(1);
	assert_int_equal(r.kind, POLICY_RULE);
	assert_int_equal(r.version, 1);
	put(&taker, &plain);
	look(NOW);
	assert_int_equal(rules(), 1);
	r = row(0);
	assert_string_equal(r.name, URI);
	assert_int_equal(r.version, 1);
	assert_int_equal(r.since, KIT_T0);
	assert_int_equal(r.until, KIT_T0 + 30 * DAY);
	assert_false(r.near);
	assert_true(r.entries > 3);
	assert_false(law_policy(taker.l, 1, &r));
	assert_true(law_line(taker.l, 0, &m));
	assert_string_equal(m.path, PATH);
	assert_int_equal(m.version, 1);
	assert_int_equal(m.fresh, FRESH_YES);
	assert_int_equal(m.entries, row(0).entries);
	/* after a restart too, with nothing in the folder */
	(void)unlinkat(taker.klp.fd, "documents/test.kos/" PATH, 0);
	(void)unlinkat(taker.klp.fd, "documents/test.kos/head", 0);
	lawplace_again(&taker);
	assert_int_equal(rules(), 1);
	assert_int_equal(row(0).version, 1);
	/* and when node.yaml asks for something else beside it */
	lawplace_judge(&taker, "revocation_list: " LIST_URI "\n");
	assert_int_equal(rules(), 0);
	assert_false(law_policy(taker.l, 0, &r));
	lawplace_judge(&taker, policy);
	assert_int_equal(rules(), 0); /* it is not kept for nobody */
	put(&taker, &plain);
	look(NOW);
	assert_int_equal(rules(), 1);
}

static void
test_refused(void **state)
{
	struct published d = plain;
	char *text = strdup(roots_text), *member;

	can(state);
	d.head = d.version = 5;
	put(&taker, &d);
	look(NOW);
	assert_int_equal(rules(), 1);
	assert_int_equal(row(0).version, 5);
	/* a head that is older, then a document in a newer one */
	d.head = 4;
	put(&taker, &d);
	refused("older than the one that is known", 5);
	d.head = 6;
	d.version = 4;
	put(&taker, &d);
	refused(PATH ": older than the one that is known", 5);
	/* another head of that version */
	d = plain;
	d.head = 5;
	d.version = 9;
	put(&taker, &d);
	refused("its authority has signed both", 5);
	/* keys that have no such role */
	d.head = 6;
	d.version = 6;
	d.signers = 1u << 3;
	put(&taker, &d);
	refused(PATH ": fewer keys of its role", 5);
	d.signers = 0;
	/* over */
	d.issued = KIT_T0 - 40 * DAY;
	put(&taker, &d);
	refused(PATH ": has expired", 5);
	d.issued = KIT_T0 + DAY;
	put(&taker, &d);
	refused(PATH ": issued in the future", 5);
	d.issued = KIT_T0;
	/* of another place */
	d.uri = "klp://test.kos/other.json";
	put(&taker, &d);
	refused(PATH ": its uri is that of another document", 5);
	d.uri = NULL;
	/* what is not known in it */
	member = strstr(text, "hashAlgorithm");
	assert_non_null(member);
	memcpy(member, "hashAlgorithn", 13);
	d.text = text;
	put(&taker, &d);
	refused(PATH ": tlogs, entry 1: an unknown member hashAlgorithn", 5);
	d.text = "{}";
	put(&taker, &d);
	refused(PATH ": no trusted root", 5);
	d.text = NULL;
	/* what is good again is taken */
	put(&taker, &d);
	look(NOW);
	assert_int_equal(row(0).version, 6);
	assert_int_equal(rules(), 1);
	free(text);
}

static void
test_large(void **state)
{
	struct published d = plain;

	(void)state;
	/* the root says how long it may be, and never more than the type's */
	put_root(&taker, 2000);
	lawplace_judge(&taker, policy);
	put(&taker, &d);
	look(NOW);
	assert_non_null(strstr(taker.l->auth[0].said, PATH ": "));
	assert_int_equal(row(0).version, 0);
	assert_int_equal(rules(), 0);
}

static void
test_age(void **state)
{
	struct published d = plain;

	can(state);
	put(&taker, &d);
	look(NOW);
	assert_int_equal(rules(), 1);
	assert_int_equal(law_policy_next(taker.l), KIT_T0 + DAY);
	/* the head has expired: what was signed before goes on to count */
	look(KIT_T0 + 2 * DAY);
	assert_int_equal(row(0).fresh, FRESH_STALE);
	assert_int_equal(last_event, EVK_AUTHORITY);
	assert_int_equal(rules(), 1);
	last_event = EVK_STOP;
	look(KIT_T0 + DAY + 7 * DAY - 1);
	assert_int_equal(last_event, EVK_STOP);
	assert_int_equal(rules(), 1);
	/* then nothing does */
	look(KIT_T0 + DAY + 7 * DAY);
	assert_int_equal(rules(), 0);
	assert_int_equal(row(0).fresh, FRESH_NO);
	assert_non_null(strstr(row(0).why, "its grace is over"));
	assert_int_equal(row(1).kind, POLICY_RULE);
	/* a restart does not make it fresh */
	lawplace_again_at(&taker, KIT_T0 + 9 * DAY);
	assert_int_equal(rules(), 0);
	/* nor does a clock that was set back: the new head is of that time */
	d.head = 2;
	d.head_issued = KIT_T0 + 9 * DAY;
	put(&taker, &d);
	look(KIT_T0 + 9 * DAY + 60);
	assert_int_equal(rules(), 1);
	assert_int_equal(row(0).fresh, FRESH_YES);
	/* a week before its own end that is told, once */
	last_event = EVK_STOP;
	d.head = 3;
	d.head_issued = KIT_T0 + 24 * DAY;
	put(&taker, &d);
	look(KIT_T0 + 24 * DAY + 60);
	assert_true(row(0).near);
	assert_int_equal(row(0).until, KIT_T0 + 30 * DAY);
	assert_string_equal(row(0).what, "the document expires");
	assert_int_equal(last_event, EVK_AUTHORITY);
	last_event = EVK_STOP;
	look(KIT_T0 + 24 * DAY + 120);
	assert_int_equal(last_event, EVK_STOP);
	assert_true(row(0).near);
}

/* What was signed after they had expired does not count by them. */
static void
test_late(void **state)
{
	struct published d = plain;

	can(state);
	d.issued = d.head_issued = SIGNED - 2 * DAY;
	put(&taker, &d);
	look(SIGNED - 2 * DAY);
	assert_int_equal(row(0).version, 1);
	assert_int_equal(rules(), 0); /* it is of the future */
	look(SIGNED + 60);
	assert_int_equal(row(0).fresh, FRESH_STALE);
	assert_int_equal(rules(), 0);
	d.head = 2;
	d.head_issued = SIGNED;
	put(&taker, &d);
	look(SIGNED + 60);
	assert_int_equal(row(0).fresh, FRESH_YES);
	assert_int_equal(rules(), 1);
}

/* The authority is taken away, and with it what it says. */
static void
test_gone(void **state)
{
	can(state);
	put(&taker, &plain);
	look(NOW);
	assert_int_equal(rules(), 1);
	assert_int_equal(unlinkat(taker.klp.fd,
	    "authorities/test.kos.root.json", 0), 0);
	lawplace_judge(&taker, policy);
	assert_int_equal(rules(), 0);
	assert_int_equal(row(0).entries, 0);
	put_root(&taker, 393216);
	lawplace_judge(&taker, policy);
	assert_int_equal(rules(), 1);
}

/* From another node, which does not use it itself. */
static void
test_mesh(void **state)
{
	char yaml[600];

	can(state);
	put_root(&giver, 393216);
	lawplace_judge(&giver, "revocation_list: " LIST_URI "\n");
	put(&giver, &plain);
	(void)law_look(giver.l, NOW, true);
	(void)snprintf(yaml, sizeof(yaml), "%sklp: {mirrors: [" NODE "]}\n",
	    policy);
	lawplace_judge(&taker, yaml);
	assert_int_equal(rules(), 0);
	(void)round_of();
	look(NOW);
	assert_int_equal(row(0).version, 1);
	assert_int_equal(rules(), 1);
}

/* By a key, whose signatures must be in a log of such roots. */
static void
test_rows(void **state)
{
	struct msg_V_POLICY r;

	can(state);
	put(&taker, &plain);
	lawplace_judge(&taker, "image_policy:\n"
	    "  - image: 'a/*'\n    any_of:\n"
	    "      - keyless: {roots: none.json, issuer: 'https://a.example', "
	    "subject: me@a.example}\n"
	    "      - klp_role: {authority: test.kos, role: nobody}\n"
	    "  - image: 'b/*'\n    any_of:\n"
	    "      - klp_role: {authority: test.kos, role: head}\n"
	    "  - image: 'c/*'\n    any_of:\n      - verifier: {program: /a}\n"
	    "      - keyless: {roots: '" URI "', issuer: 'https://a.example', "
	    "subject: me@a.example}\n");
	assert_int_equal(row(0).kind, POLICY_FILE);
	assert_int_equal(row(0).entries, 0);
	assert_non_null(strstr(row(0).why, "No such file"));
	assert_int_equal(row(1).kind, POLICY_DOCUMENT);
	assert_true(row(1).entries > 0);
	r = row(2);
	assert_int_equal(r.kind, POLICY_RULE);
	assert_int_equal(r.version, 1);
	assert_string_equal(r.name, "a/*");
	assert_string_equal(r.why, "its roots count for nothing");
	assert_false(law_policy(taker.l, 3, &r));
}

/* ---- its form ---- */

static char *
good(size_t *n)
{
	char why[SIGROOT_WHY_MAX] = "";
	char *p = rootsdoc_make(roots_text, strlen(roots_text), URI, 7, 1, 2, n,
	    why);

	if (p == NULL)
		fail_msg("%s", why);
	return p;
}

static void
no(const char *text, size_t n, const char *with)
{
	char why[SIGROOT_WHY_MAX] = "";
	struct rootsdoc d;

	assert_false(rootsdoc_parse(&d, text, n, why));
	if (strstr(why, with) == NULL)
		fail_msg("\"%s\" instead of %s", why, with);
}

static void
test_form(void **state)
{
	char why[SIGROOT_WHY_MAX], *p, *big;
	struct rootsdoc d;
	size_t n;

	(void)state;
	p = good(&n);
	assert_true(rootsdoc_parse(&d, p, n, why));
	assert_string_equal(d.uri, URI);
	assert_int_equal(d.version, 7);
	assert_int_equal(d.issued, 1);
	assert_int_equal(d.expires, 2);
	assert_false(rootsdoc_bare(p, n));
	assert_true(rootsdoc_bare(d.text, d.len));
	assert_true(rootsdoc_bare(roots_text, strlen(roots_text)));
	rootsdoc_clear(&d);
	for (size_t i = 0; i < n; i++)
		assert_false(rootsdoc_parse(&d, p, i, why));
	/* bytes changed: refused, or taken as what it says then */
	for (size_t i = 0; i < n; i += 7) {
		p[i] ^= 1;
		if (rootsdoc_parse(&d, p, n, why))
			rootsdoc_clear(&d);
		p[i] ^= 1;
	}
	big = calloc(1, ROOTSDOC_PAYLOAD + 2);
	assert_non_null(big);
	memset(big, ' ', ROOTSDOC_PAYLOAD + 1);
	memcpy(big, p, n);
	no(big, ROOTSDOC_PAYLOAD + 1, "");
	free(big);
	free(p);
	assert_null(rootsdoc_make("{}", 2, URI, 1, 1, 2, &n, why));
	assert_null(rootsdoc_make("{", 1, URI, 1, 1, 2, &n, why));
	assert_false(rootsdoc_bare("[]", 2));
	assert_false(rootsdoc_bare("{\"mediaType\":7}", 15));
}

static void
test_members(void **state)
{
	static const struct {
		const char *name, *value, *why;
	} rows[] = {
	    {"_type", "\"klp.trust-graph\"", "_type"},
	    {"_type", NULL, "_type"},
	    {"uri", NULL, "uri"},
	    {"uri", "7", "uri"},
	    {"uri", "\"a\\u0000b\"", "uri"},
	    {"version", "\"7\"", "version"},
	    {"version", "4294967296", "version"},
	    {"version", "-1", "version"},
	    {"issued", NULL, "version"},
	    {"expires", "true", "version"},
	    {"crit", "[\"new\"]", "crit"},
	    {"crit", "7", "crit"},
	    {"trusted_root", NULL, "trusted_root"},
	    {"trusted_root", "\"{}\"", "trusted_root"},
	    {"trusted_root", "[]", "trusted_root"},
	    {"trusted_root", "{}", "mediaType"},
	};
	char *p, *text, why[SIGROOT_WHY_MAX];
	struct rootsdoc d;
	size_t n, len;

	(void)state;
	p = good(&n);
	for (size_t i = 0; i < NELEM(rows); i++) {
		json_t *o = json_loadb(p, n, 0, NULL);

		assert_non_null(o);
		if (rows[i].value == NULL)
			(void)json_object_del(o, rows[i].name);
		else
			(void)json_object_set_new(o, rows[i].name,
			    json_loads(rows[i].value, JSON_DECODE_ANY |
				JSON_ALLOW_NUL, NULL));
		text = json_dumps(o, JSON_SORT_KEYS | JSON_COMPACT);
		no(text, strlen(text), rows[i].why);
		free(text);
		json_decref(o);
	}
	/* what is not known and not in crit is passed over */
	text = malloc(n + 20);
	assert_non_null(text);
	len = (size_t)snprintf(text, n + 20, "%.*s,\"zz\":[1]}", (int)n - 1, p);
	assert_true(rootsdoc_parse(&d, text, len, why));
	rootsdoc_clear(&d);
	free(text);
	free(p);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_taken),
	    TEST(test_refused),
	    TEST(test_large),
	    TEST(test_age),
	    TEST(test_late),
	    TEST(test_gone),
	    TEST(test_mesh),
	    TEST(test_rows),
	    TEST(test_form),
	    TEST(test_members),
	};

	doc = vec_load("keyless.json");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
