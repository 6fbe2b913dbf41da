/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Documents from web servers, with the test as warren-egress: what is asked for
 * and in which order, what a server that lies gets (its reason is told, what is
 * known goes on to count), and when who is asked again.
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

#include "common/clock.h"
#include "common/ipc.h"
#include "common/util.h"
#include "tests/unit/lawplace.h"
#include "trust/doc/delta.h"
#include "trust/law.h"

#define A "https://a.test/klp"
#define B "https://b.test:8443/x"

static struct place here;

/* ---- two web servers ---- */

struct page {
	uint8_t p[8192];
	size_t len;
};

static struct web {
	const char *url;
	struct page root2, head, list;
	struct page delta[3]; /* from version 1, 2, 3 */
	enum fetch_end end; /* of all that it is asked; FETCH_OK: as it is */
} webs[2] = {{.url = A}, {.url = B}};

static struct msg_FETCH asked;
static bool is_asked, no_egress;
static char order[2048]; /* what was asked for, a space behind each */
static enum event_kind last_event;
static unsigned events;

static int
fetch(void *ctx, const struct msg_FETCH *m)
{
	(void)ctx;
	if (no_egress)
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
	events++;
}

static const struct page *
page_of(const struct web *w, const char *file)
{
	if (strcmp(file, "head") == 0)
		return &w->head;
	if (strcmp(file, KIT_LIST) == 0)
		return &w->list;
	for (unsigned i = 0; i < NELEM(w->delta); i++) {
		char name[64];

		(void)snprintf(name, sizeof(name), KIT_LIST ".%u.delta",
		    i + 1);
		if (strcmp(file, name) == 0)
			return &w->delta[i];
	}
	return strcmp(file, "2.root.json") == 0 ? &w->root2 : NULL;
}

static void
answer(void)
{
	struct msg_FETCHED m = {.seq = asked.seq, .end = FETCH_ABSENT};
	const struct page *p = NULL;
	int fd = -1;

	for (size_t i = 0; i < NELEM(webs); i++) {
		size_t n = strlen(webs[i].url);

		if (strncmp(asked.url, webs[i].url, n) != 0)
			continue;
		assert_memory_equal(asked.url + n, "/test.kos/", 10);
		(void)snprintf(order + strlen(order), sizeof(order) -
		    strlen(order), "%c:%s ", 'a' + (int)i, asked.url + n + 10);
		p = page_of(&webs[i], asked.url + n + 10);
		if (webs[i].end != FETCH_OK) {
			m.end = (uint8_t)webs[i].end;
			m.wait_s = 1;
			(void)snprintf(m.why, sizeof(m.why), "end %u", m.end);
			p = NULL;
		}
	}
	is_asked = false;
	if (p != NULL && p->len > 0) {
		m.end = FETCH_OK;
		m.len = (uint32_t)p->len;
		assert_true(asked.max >= p->len);
		fd = memfd_sealed("page", p->p, p->len);
	}
	(void)law_fetched(here.l, &m, fd);
}

static void
go_on(void)
{
	for (unsigned i = 0; i < 500; i++) {
		if (is_asked)
			answer();
		(void)law_fetch(here.l);
		if (law_busy(here.l))
			(void)law_work(here.l, NOW);
		else if (!is_asked)
			return;
	}
	fail_msg("no end: %s", order);
}

/* The first of them, and no answer yet. */
static void
until_asked(void)
{
	law_fetch_now(here.l);
	(void)law_fetch(here.l);
	for (unsigned i = 0; i < 50 && !is_asked; i++)
		(void)law_work(here.l, NOW);
	assert_true(is_asked);
}

/* All of them are asked; what they were asked for. */
static const char *
round_of(void)
{
	order[0] = '\0';
	law_fetch_now(here.l);
	go_on();
	return order;
}

/* ---- what they have ---- */

static const struct kit_root root = {.issued = 1000000000,
	.expires = UINT32_MAX};

/* A list of this version and a head of that one, on this server. */
static void
publish(struct web *w, uint32_t head, uint32_t list, uint32_t issued,
    unsigned signers)
{
	struct rev_entry e = {.kind = REV_RNS, .id = {(uint8_t)list}};
	struct head h = {.root_version = 1, .version = head, .issued = issued,
	    .expires = KIT_T0 + 86400};
	static uint8_t buf[8192];
	struct id32 id;

	w->list.len = kit_list(w->list.p, sizeof(w->list.p), NULL, list,
	    KIT_T0, KIT_T0 + 86400, &e, 1, 1);
	kit_names(&h, KIT_LIST, list, w->list.p, w->list.len);
	(void)kit_root(buf, sizeof(buf), &root, &id);
	memcpy(h.atag, id.b, sizeof(h.atag));
	w->head.len = kit_head(w->head.p, sizeof(w->head.p), &h, signers);
}

static struct msg_V_AUTHORITY
line(void)
{
	struct msg_V_AUTHORITY m;

	assert_true(law_line(here.l, 0, &m));
	return m;
}

static void
failed(const char *url, const char *why)
{
	struct msg_V_AUTHORITY m = line();

	if (strncmp(m.failed, url, strlen(url)) != 0 ||
	    strstr(m.failed, why) == NULL)
		fail_msg("\"%s\" instead of %s: %s", m.failed, url, why);
}

/* ---- tests ---- */

static void
test_fetched(void **state)
{
	struct msg_V_AUTHORITY m;

	(void)state;
	publish(&webs[0], 1, 1, KIT_T0, 1);
	assert_string_equal(round_of(), "a:2.root.json a:head a:" KIT_LIST " "
	    "a:" KIT_LIST ".1.delta b:2.root.json b:head ");
	m = line();
	assert_int_equal(m.version, 1);
	assert_int_equal(m.checked, NOW);
	assert_string_equal(m.from, A);
	/* the second has nothing, which keeps nobody from anything */
	failed(B, "head: is not there");
	webs[1] = (struct web){.url = B, .head = webs[0].head,
	    .list = webs[0].list};
	assert_string_equal(round_of(), "a:2.root.json a:head a:" KIT_LIST
	    ".1.delta b:2.root.json b:head b:" KIT_LIST ".1.delta ");
	assert_string_equal(line().failed, "");
	/* kept: another life knows it without asking anybody */
	lawplace_again(&here);
	assert_int_equal(line().version, 1);
	assert_int_equal(line().checked, 0);
}

/* The highest that is valid wins, whoever is asked first. */
static void
test_mirrors(void **state)
{
	(void)state;
	publish(&webs[0], 3, 3, KIT_T0, 1);
	publish(&webs[1], 5, 4, KIT_T0, 1);
	(void)round_of();
	assert_int_equal(line().version, 4);
	assert_string_equal(line().from, B);
	(void)round_of();
	failed(A, "head: older");
	assert_int_equal(line().version, 4);
	webs[0].end = FETCH_UNREACHABLE;
	publish(&webs[1], 6, 5, KIT_T0, 1);
	(void)round_of();
	assert_int_equal(line().version, 5);
	/* and what came by hand before is older without a word */
	kit_dir_put(&here.klp, "documents/test.kos/head", webs[0].head.p,
	    webs[0].head.len);
	events = 0;
	(void)law_look(here.l, NOW, true);
	assert_int_equal(events, 0);
	assert_int_equal(line().version, 5);
}

static void
test_lies(void **state)
{
	static const struct {
		uint32_t head, list, issued;
		unsigned signers;
		const char *why;
		enum event_kind event;
	} lies[] = {
	    {4, 4, KIT_T0, 1, "head: older than the one", EVK_ROLLBACK},
	    {5, 5, KIT_T0 + 1, 1, "head: another of this", EVK_EQUIVOCATION},
	    {6, 6, KIT_T0, 4, "head: fewer keys", EVK_AUTHORITY},
	    {6, 4, KIT_T0, 1, KIT_LIST ": older", EVK_ROLLBACK},
	    {6, 6, NOW + 301, 1, "head: issued in the future", EVK_AUTHORITY},
	};
	static const enum fetch_end ends[] = {FETCH_REFUSED, FETCH_NAME,
	    FETCH_UNREACHABLE, FETCH_TLS, FETCH_HTTP, FETCH_REDIRECT,
	    FETCH_SIZE, FETCH_SLOW, FETCH_BROKEN, FETCH_OWN};
	char text[64];

	(void)state;
	webs[1].end = FETCH_UNREACHABLE;
	publish(&webs[0], 5, 5, KIT_T0, 1);
	(void)round_of();
	assert_int_equal(line().version, 5);
	for (size_t i = 0; i < NELEM(lies); i++) {
		publish(&webs[0], lies[i].head, lies[i].list, lies[i].issued,
		    lies[i].signers);
		(void)round_of();
		failed(A, lies[i].why);
		assert_int_equal(line().version, 5);
		/* the other one was told before, and nothing is told twice */
		assert_int_equal(last_event, lies[i].event);
		events = 0;
		(void)round_of();
		assert_int_equal(events, 0);
	}
	for (size_t i = 0; i < NELEM(ends); i++) {
		webs[0].end = ends[i];
		events = 0;
		(void)round_of();
		(void)snprintf(text, sizeof(text), "2.root.json: end %u",
		    ends[i]);
		failed(A, text);
		assert_int_equal(line().version, 5);
		(void)round_of();
		assert_int_equal(events, 1);
	}
	/* left alone for a while: what was said of it stands */
	webs[0].end = FETCH_LATER;
	(void)round_of();
	failed(A, text);
	assert_int_equal(events, 1);
	webs[0].end = FETCH_OK;
	publish(&webs[0], 7, 7, KIT_T0, 1);
	(void)round_of();
	assert_int_equal(line().version, 7);
}

/* Bytes that are none: cut, changed, of something else. */
static void
test_bytes(void **state)
{
	static const struct kit_root forged = {.version = 2,
	    .issued = 1000000000, .expires = UINT32_MAX, .signers = 2};
	struct web good;
	struct id32 id;

	(void)state;
	webs[1].end = FETCH_UNREACHABLE;
	publish(&webs[0], 1, 1, KIT_T0, 1);
	(void)round_of();
	publish(&webs[0], 2, 2, KIT_T0, 1);
	good = webs[0];
	for (size_t n = 1; n < good.head.len; n += 7) {
		webs[0].head.len = n;
		(void)round_of();
		failed(A, "head: ");
		webs[0].head = good.head;
		webs[0].head.p[n] ^= 1;
		(void)round_of();
		failed(A, "head: ");
		webs[0].head = good.head;
	}
	webs[0].list.len--;
	(void)round_of();
	failed(A, KIT_LIST ": not the bytes");
	webs[0].list.len = 0;
	(void)round_of();
	failed(A, KIT_LIST ": is named by the head and is not here");
	webs[0].list = good.list;
	webs[0].root2.len = kit_root(webs[0].root2.p,
	    sizeof(webs[0].root2.p), &forged, &id);
	(void)round_of();
	failed(A, "2.root.json: ");
	assert_int_equal(line().version, 1);
	webs[0].root2.len = 0;
	(void)round_of();
	assert_int_equal(line().version, 2);
}

/* Egress is not there, comes, and falls with a question. */
static void
test_egress_gone(void **state)
{
	(void)state;
	publish(&webs[0], 1, 1, KIT_T0, 1);
	no_egress = true;
	assert_string_equal(round_of(), "");
	assert_int_equal(line().version, 0);
	failed(A, "warren-egress is not there");
	no_egress = false;
	until_asked();
	law_unfetched(here.l, false);
	is_asked = false;
	/* soon again, and nobody's failure */
	assert_true(mono_sub(here.l->auth[0].src->s[0].next, clock_mono()) <=
	    5 * MONO_SECOND);
	assert_int_equal(here.l->auth[0].src->s[0].failures, 0);
	/* what comes late belongs to nobody */
	answer();
	webs[1] = (struct web){.url = B, .head = webs[0].head,
	    .list = webs[0].list};
	(void)round_of();
	assert_int_equal(line().version, 1);
	assert_string_equal(line().failed, "");
}

/* Other servers in node.yaml while a question is out. */
static void
test_other_servers(void **state)
{
	static const char yaml[] = "revocation_list: klp://test.kos/" KIT_LIST
	    "\nklp: {gateways: [\"" B "\"]}\n";
	struct node_config *other = NULL;
	struct mistakes bad = {0};

	(void)state;
	publish(&webs[0], 1, 1, KIT_T0, 1);
	publish(&webs[1], 2, 2, KIT_T0, 1);
	assert_int_equal(node_config_parse(&other, yaml, sizeof(yaml) - 1,
	    &bad), 0);
	until_asked();
	law_configure(here.l, other);
	answer();
	(void)law_look(here.l, NOW, true);
	order[0] = '\0';
	go_on();
	assert_string_equal(order, "b:2.root.json b:head b:" KIT_LIST " b:"
	    KIT_LIST ".2.delta ");
	assert_int_equal(line().version, 2);
	law_configure(here.l, here.conf);
	node_config_free(other);
}

/* A root names servers by itself; odd ones are passed over. */
static void
test_transports(void **state)
{
	static const struct kit_root named = {.issued = 1000000000,
	    .expires = UINT32_MAX, .more = "{\"transports\":[{\"rns\":{}},"
	    "{\"https\":\"http://x\"},{\"https\":7},\"" A "\","
	    "{\"https\":\"https://x/?\"},{\"https\":\"" B "\"}]}"};
	static uint8_t buf[8192];
	struct root r;
	struct id32 id;
	size_t n = kit_root(buf, sizeof(buf), &named, &id);

	(void)state;
	assert_null(root_first(&r, &id, buf, n));
	assert_int_equal(r.nhttps, 1);
	assert_string_equal(r.https[0], B);
	kit_dir_put(&here.klp, "authorities/test.kos.root.json", buf, n);
	(void)law_look(here.l, NOW, true);
	/* of both it is asked once */
	assert_string_equal(round_of(), "a:2.root.json a:head b:2.root.json "
	    "b:head ");
}

/* ---- deltas ---- */

/* From that version on: so many keys are revoked, these and those before. */
static void
publish_delta(struct page *out, uint32_t from, unsigned action,
    unsigned signers, uint8_t flip)
{
	struct rev_entry e[4] = {{.kind = REV_RNS, .id = {1}}};
	static uint8_t buf[8192], frame[DELTA_BYTES];
	struct env_signed sigs[KIT_KEYS];
	struct delta d = {.from = from, .to = from + 1, .issued = KIT_T0,
	    .n = 1};
	struct id32 id;
	size_t n;

	for (uint32_t i = 1; i <= from; i++)
		e[i] = (struct rev_entry){.kind = REV_KEY, .reason = 1,
		    .suspended = i == from && action == DELTA_SUSPEND,
		    .id = {(uint8_t)(0xa0 + i)}};
	qsort(e, from + 1, sizeof(*e), rev_cmp);
	revlist_digest(&d.after, e, from + 1);
	d.after.b[5] ^= flip;
	(void)kit_root(buf, sizeof(buf), &root, &id);
	memcpy(d.atag, id.b, sizeof(d.atag));
	head_ptag(d.ptag, KIT_LIST);
	d.op[0].action = (uint8_t)action;
	d.op[0].kind = REV_KEY;
	d.op[0].reason = 1;
	d.op[0].id[0] = (uint8_t)(0xa0 + from);
	n = delta_put(frame, sizeof(frame), &d);
	assert_int_equal(n, DELTA_FRAME(1));
	out->len = frame_put(out->p, sizeof(out->p), frame, n, sigs,
	    kit_sign(sigs, signers, TYPE_DELTA, frame, n));
	assert_true(out->len > 0);
}

static enum revocation
state_of(uint8_t first)
{
	/* whole ids, of which a delta has half */
	const uint8_t id[32] = {first, [20] = 7};

	return revset_state(&here.l->standing.revoked, REV_KEY, id);
}

static void
test_deltas(void **state)
{
	struct web *w = &webs[0];

	(void)state;
	webs[1].end = FETCH_UNREACHABLE;
	publish(w, 1, 1, KIT_T0, 1);
	publish_delta(&w->delta[0], 1, DELTA_REVOKE, 1, 0);
	publish_delta(&w->delta[1], 2, DELTA_SUSPEND, 1, 0);
	assert_string_equal(round_of(), "a:2.root.json a:head a:" KIT_LIST
	    " a:" KIT_LIST ".1.delta a:" KIT_LIST ".2.delta a:" KIT_LIST
	    ".3.delta b:2.root.json ");
	assert_int_equal(line().version, 3);
	assert_int_equal(line().entries, 3);
	assert_int_equal(state_of(0xa1), REV_REVOKED);
	assert_int_equal(state_of(0xa2), REV_SUSPENDED);
	assert_int_equal(state_of(0xa3), REV_NONE);
	/* it outlives a restart, without anybody being asked */
	lawplace_again(&here);
	assert_int_equal(line().version, 3);
	assert_int_equal(state_of(0xa1), REV_REVOKED);
	/* the list as the head names it is behind: they stay on top */
	assert_string_equal(round_of(), "a:2.root.json a:head a:" KIT_LIST
	    ".3.delta b:2.root.json ");
	assert_int_equal(state_of(0xa2), REV_SUSPENDED);
}

static void
test_deltas_bad(void **state)
{
	struct web *w = &webs[0];
	struct page good;

	(void)state;
	webs[1].end = FETCH_UNREACHABLE;
	publish(w, 1, 1, KIT_T0, 1);
	publish_delta(&w->delta[0], 1, DELTA_REVOKE, 4, 0);
	(void)round_of();
	failed(A, KIT_LIST ".1.delta: fewer keys");
	publish_delta(&w->delta[0], 1, DELTA_REVOKE, 1, 1);
	(void)round_of();
	failed(A, KIT_LIST ".1.delta: its set_digest");
	publish_delta(&w->delta[0], 1, DELTA_LIFT, 1, 0);
	(void)round_of();
	failed(A, KIT_LIST ".1.delta: lifts what is not");
	publish_delta(&w->delta[0], 2, DELTA_REVOKE, 1, 0);
	(void)round_of();
	failed(A, KIT_LIST ".1.delta: for another version");
	publish_delta(&w->delta[0], 1, DELTA_REVOKE, 1, 0);
	good = w->delta[0];
	for (size_t i = 0; i < good.len; i += 3) {
		w->delta[0] = good;
		w->delta[0].len = i;
		(void)round_of();
		assert_int_equal(line().version, 1);
		if (i > DELTA_FRAME(1) && i <= DELTA_FRAME(1) + FP4_LEN)
			continue; /* whose signature it is: a hint */
		w->delta[0] = good;
		w->delta[0].p[i] ^= 4;
		(void)round_of();
		assert_int_equal(line().version, 1);
		failed(A, KIT_LIST ".1.delta: ");
	}
	/* what is kept of one that was good cannot be changed into another */
	w->delta[0] = good;
	(void)round_of();
	assert_int_equal(line().version, 2);
	{
		int fd = openat(here.dir, "klp/test.kos.deltas", O_RDWR);
		uint8_t b;

		assert_int_equal(pread(fd, &b, 1, 70), 1);
		b ^= 1;
		assert_int_equal(pwrite(fd, &b, 1, 70), 1);
		(void)close(fd);
	}
	lawplace_again(&here);
	assert_int_equal(line().version, 1);
	(void)round_of();
	assert_int_equal(line().version, 2);
}

/* Three of three who may do something, at once: not without a person. */
static void
test_deltas_held(void **state)
{
	static uint8_t frame[DELTA_BYTES], buf[8192];
	static char yaml[2048];
	struct rev_entry e[4] = {{.kind = REV_RNS, .id = {1}}};
	struct delta d = {.from = 1, .to = 2, .issued = KIT_T0, .n = 3};
	struct page *out = &webs[0].delta[0];
	struct env_signed sigs[KIT_KEYS];
	struct node_config *pinned = NULL;
	struct mistakes bad = {0};
	char hex[65];
	struct id32 id;
	size_t n;

	(void)state;
	n = (size_t)snprintf(yaml, sizeof(yaml), "revocation_list: klp://"
	    "test.kos/" KIT_LIST "\nklp: {gateways: [\"" A "\"]}\ntrust:\n"
	    "  pins:\n");
	for (unsigned i = 0; i < 3; i++) {
		e[i + 1] = (struct rev_entry){.kind = REV_KEY, .reason = 1,
		    .id = {(uint8_t)(0xa0 + i)}};
		d.op[i].reason = 1;
		d.op[i].id[0] = (uint8_t)(0xa0 + i);
		hex_encode(hex, e[i + 1].id, 32);
		n += (size_t)snprintf(yaml + n, sizeof(yaml) - n, "    - {id: "
		    "\"urn:klp:test:human:%s\", level: 1}\n", hex);
	}
	qsort(e, 4, sizeof(*e), rev_cmp);
	revlist_digest(&d.after, e, 4);
	(void)kit_root(buf, sizeof(buf), &root, &id);
	memcpy(d.atag, id.b, sizeof(d.atag));
	head_ptag(d.ptag, KIT_LIST);
	n = delta_put(frame, sizeof(frame), &d);
	out->len = frame_put(out->p, sizeof(out->p), frame, n, sigs,
	    kit_sign(sigs, 1, TYPE_DELTA, frame, n));
	publish(&webs[0], 1, 1, KIT_T0, 1);
	assert_int_equal(node_config_parse(&pinned, yaml, strlen(yaml), &bad),
	    0);
	law_configure(here.l, pinned);
	(void)law_look(here.l, NOW, true);
	(void)round_of();
	assert_int_equal(line().version, 1);
	assert_int_equal(state_of(0xa1), REV_NONE);
	assert_non_null(strstr(line().held, "3 of 3"));
	hex_encode(hex, HASH_BYTES(d.after));
	kit_dir_put(&here.klp, "documents/test.kos/" KIT_LIST ".confirm", hex, 64);
	(void)round_of();
	assert_int_equal(line().version, 2);
	assert_int_equal(state_of(0xa1), REV_REVOKED);
	assert_string_equal(line().held, "");
	law_configure(here.l, here.conf);
	node_config_free(pinned);
}

/* Brought by hand, beside the list. */
static void
test_deltas_by_hand(void **state)
{
	static struct page p;

	(void)state;
	webs[1].end = FETCH_UNREACHABLE;
	publish(&webs[0], 1, 1, KIT_T0, 1);
	(void)round_of();
	publish_delta(&p, 1, DELTA_REVOKE, 4, 0);
	kit_dir_put(&here.klp, "documents/test.kos/" KIT_LIST ".1.delta", p.p,
	    p.len);
	events = 0;
	(void)law_look(here.l, NOW, true);
	(void)law_look(here.l, NOW, true);
	assert_int_equal(events, 1);
	assert_int_equal(state_of(0xa1), REV_NONE);
	publish_delta(&p, 1, DELTA_REVOKE, 1, 0);
	kit_dir_put(&here.klp, "documents/test.kos/" KIT_LIST ".1.delta", p.p,
	    p.len);
	assert_true(law_look(here.l, NOW, true));
	assert_int_equal(state_of(0xa1), REV_REVOKED);
	assert_int_equal(line().version, 2);
}

/* ---- when, without a clock ---- */

static void
test_times(void **state)
{
	static const char *const urls[] = {A, B, A};
	struct sources *x = sources_new();
	struct mono now = {1000 * MONO_SECOND}, next;
	int64_t least, most;

	(void)state;
	assert_non_null(x);
	assert_false(sources_next(x, &next));
	sources_set(x, urls, 3);
	assert_int_equal(x->n, 2);
	assert_true(sources_next(x, &next));
	assert_true(next.us <= now.us);
	for (unsigned i = 0; i < 20; i++) {
		int64_t wait = MIN_OF(INT64_C(80) << MIN_OF(i, 20u), 17280);

		x->s[1].next.us = INT64_MAX;
		x->s[0].next.us = 0;
		sources_begin(x, now);
		assert_int_equal(x->at, 0);
		assert_false(sources_next(x, &next));
		sources_bad(x, FETCH_TLS, "x", now, i % 2 == 0 ? 0 : 1023);
		least = mono_sub(x->s[0].next, now) / MONO_SECOND;
		/* klp.md 1.5: 60 s, doubling to 6 h, a quarter more or less */
		assert_int_equal(least, i % 2 == 0 ? wait * 3 / 4 :
		    wait * 5 / 4);
	}
	assert_int_equal(mono_sub(x->s[0].next, now) / MONO_SECOND, 21600);
	x->s[0].next.us = 0;
	sources_begin(x, now);
	sources_good(x, 5, now, 300000, 0);
	least = mono_sub(x->s[0].next, now);
	assert_int_equal(x->s[0].failures, 0);
	assert_int_equal(x->s[0].good, 5);
	x->s[0].next.us = 0;
	sources_begin(x, now);
	sources_good(x, 5, now, 300000, 1023);
	most = mono_sub(x->s[0].next, now);
	assert_int_equal(least, 225 * MONO_SECOND);
	assert_int_equal(most, 375 * MONO_SECOND);
	/* known ones stay known, under way or not */
	sources_set(x, urls + 1, 1);
	assert_int_equal(x->n, 1);
	assert_int_equal(x->s[0].next.us, INT64_MAX);
	sources_free(x);
}

/* ---- around them ---- */

static int
setup(void **state)
{
	static const char yaml[] = "revocation_list: klp://test.kos/" KIT_LIST
	    "\nklp: {gateways: [\"" A "\", \"" B "\"]}\n";

	(void)state;
	for (size_t i = 0; i < NELEM(webs); i++)
		webs[i] = (struct web){.url = webs[i].url};
	is_asked = no_egress = false;
	lawplace_make(&here, yaml, &(struct law_ops){NULL, event, fetch, NULL,
	    NULL});
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	lawplace_remove(&here);
	return 0;
}

int
main(void)
{
#define WEB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    WEB_TEST(test_fetched),
	    WEB_TEST(test_mirrors),
	    WEB_TEST(test_lies),
	    WEB_TEST(test_bytes),
	    WEB_TEST(test_egress_gone),
	    WEB_TEST(test_other_servers),
	    WEB_TEST(test_transports),
	    WEB_TEST(test_deltas),
	    WEB_TEST(test_deltas_bad),
	    WEB_TEST(test_deltas_held),
	    WEB_TEST(test_deltas_by_hand),
	    cmocka_unit_test(test_times),
	};

	if (sodium_init() < 0 || !secp_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
