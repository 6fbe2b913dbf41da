/* SPDX-License-Identifier: BSD-2-Clause */
/* Authorities (klp.md 1.2 to 1.4): klp-authority.json, the update algorithm. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "trust/doc/authority.h"
#include "trust/doc/revlist.h"
#include "common/util.h"
#include "tests/unit/authkit.h"
#include "tests/unit/vec.h"

#define FILES 16
#define T0 KIT_T0
#define DAY 86400u


/* A folder, what was kept, and the operation that fails. */
static struct world {
	struct kit_file folder[FILES], kept[FILES * 4];
	uint8_t state[AUTH_STATE_BYTES];
	size_t slen;
	unsigned op, fails; /* the fails-th operation fails; 0: none */
	unsigned commits, settled_yes, settled_no;
	bool hold;
	struct revlist pending, now;
} w;

static struct authority a;
static struct auth_report rep;

/* ---- the world ---- */

/* A world in which everything large takes this many turns more. */
static unsigned slow;

static bool
not_yet(void)
{
	static unsigned turns;

	if (turns++ < slow)
		return true;
	turns = 0;
	return false;
}

static bool
fails(void)
{
	if (++w.op != w.fails)
		return false;
	errno = EIO;
	return true;
}

static void
gone(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (w.folder[i].p != NULL &&
		    strcmp(w.folder[i].name, name) == 0) {
			free(w.folder[i].p);
			w.folder[i].p = NULL;
		}
}

static uint8_t *
io_read(void *ctx, const char *name, size_t max, size_t *len)
{
	(void)ctx;
	if (strcmp(name, KIT_LIST) == 0 && not_yet()) {
		errno = EAGAIN;
		return NULL;
	}
	return fails() ? NULL : kit_give(w.folder, FILES, name, max, len);
}

static uint8_t *
io_blob(void *ctx, const struct id32 *sha, size_t max, size_t *len)
{
	char hex[65];

	(void)ctx;
	hex_encode(hex, HASH_BYTES(*sha));
	if (max != ROOT_BYTES && max != HEAD_BYTES && not_yet()) {
		errno = EAGAIN;
		return NULL;
	}
	return fails() ? NULL : kit_give(w.kept, NELEM(w.kept), hex, max, len);
}

static int
io_keep(void *ctx, const struct id32 *sha, const void *p, size_t len)
{
	char hex[65];

	(void)ctx;
	if (not_yet())
		return 1;
	if (fails())
		return -1;
	hex_encode(hex, HASH_BYTES(*sha));
	kit_put(w.kept, NELEM(w.kept), hex, p, len);
	return 0;
}

static int
io_commit(void *ctx, const void *state, size_t len)
{
	(void)ctx;
	if (fails())
		return -1;
	memcpy(w.state, state, len);
	w.slen = len;
	w.commits++;
	return 0;
}

static void
io_evidence(void *ctx, const struct id32 *sha, const void *p, size_t len)
{
	while (io_keep(ctx, sha, p, len) > 0)
		continue;
}

static enum auth_take
io_take(void *ctx, const struct root_doc *rd, struct env *e,
    struct auth_claim *c, char why[AUTH_WHY])
{
	const char *bad;

	(void)ctx;
	if (not_yet())
		return TAKE_MORE;
	assert_string_equal(rd->type, REVLIST_TYPE);
	revlist_clear(&w.pending);
	bad = revlist_parse(&w.pending, e->payload, e->payload_len);
	if (bad != NULL) {
		(void)snprintf(why, AUTH_WHY, "%s", bad);
		return TAKE_BAD;
	}
	(void)snprintf(c->uri, sizeof(c->uri), "%s", w.pending.uri);
	c->version = w.pending.version;
	c->issued = w.pending.issued;
	c->expires = w.pending.expires;
	(void)snprintf(why, AUTH_WHY, "too many at once");
	return w.hold ? TAKE_HELD : TAKE_GOOD;
}

static void
io_settle(void *ctx, bool yes)
{
	(void)ctx;
	if (!yes) {
		w.settled_no++;
		revlist_clear(&w.pending);
		return;
	}
	w.settled_yes++;
	revlist_clear(&w.now);
	w.now = w.pending;
	memset(&w.pending, 0, sizeof(w.pending));
}

static const struct auth_io io = {NULL, io_read, io_blob, io_keep, io_commit,
    io_evidence, io_take, io_settle};

/* ---- an authority ---- */

static uint8_t buf[1 << 16];
static size_t len;
static struct id32 id;
static struct head head;

static int
clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < FILES; i++)
		free(w.folder[i].p);
	for (size_t i = 0; i < NELEM(w.kept); i++)
		free(w.kept[i].p);
	revlist_clear(&w.now);
	revlist_clear(&w.pending);
	memset(&w, 0, sizeof(w));
	memset(&a, 0, sizeof(a));
	memset(&head, 0, sizeof(head));
	return 0;
}

/* Pins the first root; key 0 holds every role unless r says else. */
static void
pin(const struct kit_root *r)
{
	(void)snprintf(a.name, sizeof(a.name), "test.kos");
	len = kit_root(buf, sizeof(buf), r, &id);
	a.nwant = 0;
	assert_true(authority_want(&a, KIT_LIST));
	assert_null(authority_pin(&a, buf, len));
	assert_true(id32_eq(&a.state.id, &id));
	memcpy(head.atag, id.b, 8);
	head.root_version = 1;
	head.issued = T0;
	head.expires = T0 + DAY;
}

static void
folder(const char *name)
{
	kit_put(w.folder, FILES, name, buf, len);
}

/* A list with so many keys, and a head that names it. */
static void
list(uint32_t version, unsigned entries, unsigned signers)
{
	struct rev_entry e[8] = {{.kind = REV_KEY}};

	for (unsigned i = 0; i < entries; i++)
		e[i].id[0] = (uint8_t)(i + 1);
	len = kit_list(buf, sizeof(buf), NULL, version, T0, T0 + 30 * DAY, e,
	    entries, signers);
	folder(KIT_LIST);
	kit_names(&head, KIT_LIST, version, buf, len);
}

static void
sign_head(uint32_t version, unsigned signers)
{
	head.version = version;
	len = kit_head(buf, sizeof(buf), &head, signers);
	folder("head");
}

static enum auth_end
update(uint32_t now)
{
	authority_update(&a, &io, now, &rep);
	return rep.end;
}

static void
next_root(struct kit_root r, uint32_t version, unsigned signers)
{
	char name[32];

	r.version = version;
	r.signers = signers;
	len = kit_root(buf, sizeof(buf), &r, NULL);
	(void)snprintf(name, sizeof(name), "%u.root.json", version);
	folder(name);
	head.root_version = version;
}

/* As after a restart: the pinned root and what was kept. */
static void
again(const struct kit_root *r)
{
	struct authority b = {.nwant = 0};

	(void)snprintf(b.name, sizeof(b.name), "test.kos");
	assert_true(authority_want(&b, KIT_LIST));
	revlist_clear(&w.now);
	len = kit_root(buf, sizeof(buf), r, NULL);
	assert_null(authority_pin(&b, buf, len));
	authority_load(&b, w.state, w.slen, &io, &rep);
	a = b;
}

/* ---- tests ---- */

static void
test_vectors(void **state)
{
	json_t *v = vec_load("klp-authority.json"), *row;
	uint32_t now = (uint32_t)vec_int(v, "now");
	uint8_t *root = NULL, want[32];
	size_t i, n, rlen = 0;

	(void)state;
	(void)snprintf(a.name, sizeof(a.name), "revoked.kos");
	json_array_foreach(vec_array(v, "files"), i, row)
	{
		const char *path = vec_str(row, "path");
		uint8_t *p = vec_bytes(row, "content", &n);

		if (strncmp(path, "authorities/", 12) == 0) {
			root = p;
			rlen = n;
		} else {
			kit_put(w.folder, FILES, strrchr(path, '/') + 1, p, n);
		}
	}
	assert_true(authority_want(&a, "core.json"));
	assert_null(authority_pin(&a, root, rlen));
	vec_exact(v, "authority_id", want, 32);
	assert_memory_equal(a.state.id.b, want, 32);
	if (update(now) != AUTH_NEW)
		fail_msg("%s: %s", rep.file, rep.why);
	assert_int_equal(w.now.n, 4);
	assert_int_equal(a.state.head_version, 1);
	assert_int_equal(authority_doc(&a, "core.json")->version, 118);
	assert_int_equal(update(now), AUTH_SAME);
	/* a day later the head is no news any more */
	assert_int_equal(update(now + 2 * DAY), AUTH_BAD);
	assert_int_equal(w.commits, 1);
	/* under its hash */
	uri_self(a.name, &a.state.id);
	assert_null(authority_pin(&a, root, rlen));
	a.name[2] ^= 1;
	assert_non_null(authority_pin(&a, root, rlen));
	(void)snprintf(a.name, sizeof(a.name), "other.kos");
	assert_non_null(authority_pin(&a, root, rlen));
}

/* A flipped bit of the head never counts. */
static void
test_flips(void **state)
{
	const struct kit_root r = {.version = 1};

	(void)state;
	pin(&r);
	list(1, 2, 1);
	sign_head(1, 1);
	for (size_t i = 0; i < HEAD_FRAME(1) * 8; i++) {
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
		folder("head");
		assert_int_not_equal(update(T0), AUTH_NEW);
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	folder("head");
	assert_int_equal(update(T0), AUTH_NEW);
}

static void
test_first(void **state)
{
	const struct kit_root r = {.version = 1};

	(void)state;
	pin(&r);
	assert_int_equal(update(T0), AUTH_NONE);
	list(5, 2, 1);
	sign_head(3, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	assert_int_equal(w.now.n, 2);
	assert_int_equal(a.state.floor, T0);
	assert_int_equal(update(T0 + 5), AUTH_SAME);
	assert_int_equal(w.settled_yes, 1);
	/* after a restart, and without the folder */
	gone("head");
	gone(KIT_LIST);
	again(&r);
	assert_int_equal(rep.end, AUTH_NONE);
	assert_int_equal(w.now.n, 2);
	assert_int_equal(a.state.head_version, 3);
	assert_int_equal(authority_doc(&a, KIT_LIST)->expires, T0 + 30 * DAY);
	assert_int_equal(update(T0 + 5), AUTH_NONE);
	/* another root was pinned under the same name: nothing of it counts */
	again(&(struct kit_root){.issued = T0 - 1});
	assert_int_equal(rep.end, AUTH_BAD);
	assert_false(a.state.has_head);
}

static void
test_times(void **state)
{
	const struct kit_root r = {.expires = T0 + 2 * DAY};

	(void)state;
	pin(&r);
	list(1, 1, 1);
	sign_head(1, 1);
	assert_int_equal(update(T0 - 301), AUTH_BAD); /* the root is early */
	assert_int_equal(update(T0 + DAY), AUTH_BAD); /* the head is over */
	assert_int_equal(update(T0 + 2 * DAY), AUTH_BAD); /* the root is */
	assert_int_equal(update(T0 - 300), AUTH_NEW);
	/* a time that lies ahead is no proof that the clock is behind */
	assert_int_equal(a.state.floor, T0 - 300);
	head.issued = T0 + 400;
	sign_head(2, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	assert_int_equal(update(T0 + 100), AUTH_NEW);
	/* valid for more than 14 days */
	head.expires = head.issued + HEAD_LIFE_MAX + 1;
	sign_head(3, 1);
	assert_int_equal(update(T0 + 500), AUTH_BAD);
	head.expires--;
	sign_head(3, 1);
	assert_int_equal(update(T0 + 500), AUTH_NEW);
	/* the list itself */
	len = kit_list(buf, sizeof(buf), NULL, 2, T0, T0 + 100, NULL, 0, 1);
	folder(KIT_LIST);
	kit_names(&head, KIT_LIST, 2, buf, len);
	sign_head(4, 1);
	assert_int_equal(update(T0 + 500), AUTH_BAD);
	assert_string_equal(rep.file, KIT_LIST);
	assert_int_equal(a.state.head_version, 3);
}

static void
test_head(void **state)
{
	const struct kit_root r = {.keys = {1, 1u << 1 | 1u << 2, 1},
	    .threshold = {1, 2, 1}};
	const unsigned both = 1u << 1 | 1u << 2;
	struct id32 sha;
	uint8_t *p;
	size_t n;

	(void)state;
	pin(&r);
	list(5, 1, 1);
	sign_head(3, 1u << 1);
	assert_int_equal(update(T0), AUTH_BAD);
	sign_head(3, 1u << 1 | 1u << 3 | 1u << 0);
	assert_int_equal(update(T0), AUTH_BAD);
	sign_head(3, both);
	assert_int_equal(update(T0), AUTH_NEW);
	/* the same with one signature more is the same */
	sign_head(3, both | 1u << 3);
	assert_int_equal(update(T0), AUTH_SAME);
	/* rollback; then two heads of one version, of which none is followed */
	list(6, 2, 1);
	sign_head(2, both);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	sign_head(3, both);
	assert_int_equal(update(T0), AUTH_EQUIVOCATION);
	assert_int_equal(w.now.n, 1);
	/* both are kept */
	(void)crypto_hash_sha256(sha.b, buf, len);
	free(p = io_blob(NULL, &sha, 4096, &n));
	assert_non_null(p);
	free(p = io_blob(NULL, &a.state.head_sha, 4096, &n));
	assert_non_null(p);
	head.atag[0] ^= 1;
	sign_head(4, both);
	assert_int_equal(update(T0), AUTH_BAD);
	head.atag[0] ^= 1;
	head.root_version = 2;
	sign_head(4, both);
	assert_int_equal(update(T0), AUTH_BAD);
	head.root_version = 1;
	sign_head(4, both);
	assert_int_equal(update(T0), AUTH_NEW);
	assert_int_equal(w.now.n, 2);
	/* a document goes back while the head goes on */
	list(5, 3, 1);
	sign_head(5, both);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	assert_string_equal(rep.file, KIT_LIST);
	/* a head that does not name it */
	head.n = 0;
	sign_head(6, both);
	assert_int_equal(update(T0), AUTH_BAD);
	assert_int_equal(a.state.head_version, 4);
}

static void
test_document(void **state)
{
	const struct kit_root r = {.keys = {1, 1, 1u << 1 | 1u << 2},
	    .threshold = {1, 1, 2}};
	const unsigned both = 1u << 1 | 1u << 2;

	(void)state;
	pin(&r);
	list(5, 1, 1u << 1);
	sign_head(1, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	list(5, 1, both);
	sign_head(1, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	/* not the bytes that the head names, not there, too large */
	list(6, 2, both);
	sign_head(2, 1);
	list(7, 3, both);
	assert_int_equal(update(T0), AUTH_BAD);
	gone(KIT_LIST);
	assert_int_equal(update(T0), AUTH_BAD);
	/* of another version, another place, another authority */
	list(6, 2, both);
	head.docs[0].version = 7;
	sign_head(2, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	len = kit_list(buf, sizeof(buf), "other.kos", 6, T0, T0 + DAY, NULL, 0,
	    both);
	folder(KIT_LIST);
	kit_names(&head, KIT_LIST, 6, buf, len);
	sign_head(2, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	assert_string_equal(rep.why, "its uri is that of another document");
	assert_int_equal(w.now.n, 1);
	/* held by who reads it */
	list(6, 2, both);
	sign_head(2, 1);
	w.hold = true;
	assert_int_equal(update(T0), AUTH_HELD);
	assert_string_equal(rep.why, "too many at once");
	assert_int_equal(w.now.n, 1);
	assert_int_equal(a.state.head_version, 1);
	w.hold = false;
	assert_int_equal(update(T0), AUTH_NEW);
	assert_int_equal(w.now.n, 2);
}

static void
test_walk(void **state)
{
	struct kit_root r1 = {.keys = {1, 1, 1}};
	struct kit_root r2 = {.keys = {6, 1, 1}, .threshold = {2, 1, 1}};
	struct kit_root r3 = {.keys = {8, 1, 1}};

	(void)state;
	pin(&r1);
	list(5, 1, 1);
	sign_head(9, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	/* single-sided, from either side; too few of the new ones */
	next_root(r2, 2, 6);
	sign_head(10, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	next_root(r2, 2, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	next_root(r2, 2, 1 | 2);
	assert_int_equal(update(T0), AUTH_BAD);
	/* skipped */
	gone("2.root.json");
	next_root(r3, 3, 1 | 6 | 8);
	head.root_version = 2;
	sign_head(10, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	assert_int_equal(a.state.root_version, 1);
	/* a version under the name of another */
	next_root(r3, 3, 1 | 6 | 8);
	kit_put(w.folder, FILES, "2.root.json", buf, len);
	assert_int_equal(update(T0), AUTH_BAD);
	/* two at once */
	next_root(r2, 2, 1 | 6);
	next_root(r3, 3, 6 | 8);
	sign_head(10, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	assert_int_equal(a.state.root_version, 3);
	assert_string_equal(rep.why, "");
	/* another authority's root does not follow */
	r3.name = "evil.kos";
	next_root(r3, 4, 8);
	assert_int_equal(update(T0), AUTH_BAD);
	gone("4.root.json");
	/* kept: a restart begins where it was */
	gone("2.root.json");
	gone("3.root.json");
	again(&r1);
	assert_int_equal(rep.end, AUTH_NONE);
	assert_int_equal(a.state.root_version, 3);
	assert_int_equal(w.now.n, 1);
}

/* Only the last root of a walk must be valid now. */
static void
test_walk_expired(void **state)
{
	struct kit_root r = {.issued = T0 - 1000, .expires = T0 - 100};

	(void)state;
	pin(&r);
	list(1, 1, 1);
	sign_head(1, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	r.expires = T0 - 50;
	next_root(r, 2, 1);
	r.issued = T0;
	r.expires = T0 + DAY;
	next_root(r, 3, 1);
	sign_head(1, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	assert_int_equal(a.state.root_version, 3);
}

/* Who held the head's old keys could have signed any version. */
static void
test_recovery(void **state)
{
	struct kit_root r = {.keys = {1, 2, 1}};

	(void)state;
	pin(&r);
	list(4000000000u, 1, 1);
	sign_head(4000000000u, 2);
	assert_int_equal(update(T0), AUTH_NEW);
	list(7, 2, 1);
	sign_head(7, 2);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	/* a new root alone does not help */
	next_root(r, 2, 1);
	sign_head(7, 2);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	r.keys[1] = 8;
	next_root(r, 2, 1);
	sign_head(7, 2);
	assert_int_equal(update(T0), AUTH_BAD);
	sign_head(7, 8);
	assert_int_equal(update(T0), AUTH_NEW);
	assert_true(rep.why[0] != '\0');
	assert_int_equal(w.now.n, 2);
	assert_int_equal(authority_doc(&a, KIT_LIST)->version, 7);
	sign_head(6, 8);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
}

/* A role's new keys must sign the document as well. */
static void
test_new_keys(void **state)
{
	struct kit_root r = {.keys = {1, 1, 2}};

	(void)state;
	pin(&r);
	list(1, 1, 2);
	sign_head(1, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	r.keys[2] = 8;
	next_root(r, 2, 1);
	sign_head(2, 1);
	assert_int_equal(update(T0), AUTH_BAD);
	assert_int_equal(a.state.root_version, 1);
	list(1, 1, 8);
	sign_head(2, 1);
	assert_int_equal(update(T0), AUTH_NEW);
}

/*
 * Every operation fails once: nothing changes then, in memory or in the state,
 * and the next try takes all of it.
 */
static void
test_faults(void **state)
{
	struct kit_root r = {.keys = {1, 1, 1}};
	uint8_t before[4096];
	size_t n;
	unsigned ops = 0;

	(void)state;
	for (unsigned f = 1; ops == 0 || f <= ops; f++) {
		(void)clean(NULL);
		pin(&r);
		list(1, 1, 1);
		sign_head(1, 1);
		assert_int_equal(update(T0), AUTH_NEW);
		assert_true(w.slen < sizeof(before));
		memcpy(before, w.state, w.slen);
		n = w.slen;
		next_root(r, 2, 1);
		list(2, 3, 1);
		sign_head(2, 1);
		w.op = 0;
		w.fails = f;
		if (update(T0) == AUTH_NEW) {
			/* one after the last: then it works */
			assert_int_equal(ops, 0);
			ops = f - 1;
			break;
		}
		assert_int_equal(rep.end, AUTH_FAILED);
		assert_int_equal(w.slen, n);
		assert_memory_equal(w.state, before, n);
		assert_int_equal(w.now.n, 1);
		assert_int_equal(a.state.root_version, 1);
		assert_int_equal(a.state.head_version, 1);
		w.fails = 0;
		/* and what was kept still loads */
		again(&r);
		assert_int_equal(rep.end, AUTH_NONE);
		assert_int_equal(w.now.n, 1);
		assert_int_equal(update(T0), AUTH_NEW);
		assert_int_equal(w.now.n, 3);
	}
	/* 3 roots asked for, head, list; 3 kept, and the state */
	assert_int_equal(ops, 8);
}

/* What was kept is damaged: it comes again, but nothing older does. */
static void
test_lost(void **state)
{
	struct kit_root r = {.keys = {1, 1, 1}};

	(void)state;
	pin(&r);
	next_root(r, 2, 1);
	list(5, 1, 1);
	sign_head(5, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	for (size_t i = 0; i < NELEM(w.kept); i++)
		if (w.kept[i].p != NULL)
			w.kept[i].p[w.kept[i].len / 2] ^= 1;
	again(&r);
	assert_int_equal(rep.end, AUTH_BAD);
	assert_null(w.now.e);
	assert_false(a.state.has_head);
	/* the old root, the old head, the old list */
	gone("2.root.json");
	head.root_version = 1;
	sign_head(5, 1);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	next_root(r, 2, 1);
	list(4, 2, 1);
	sign_head(4, 1);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	sign_head(5, 1);
	assert_int_equal(update(T0), AUTH_EQUIVOCATION);
	sign_head(6, 1);
	assert_int_equal(update(T0), AUTH_ROLLBACK);
	assert_string_equal(rep.file, KIT_LIST);
	list(5, 1, 1);
	sign_head(5, 1);
	assert_int_equal(update(T0), AUTH_NEW);
	assert_int_equal(w.now.n, 1);
}

/* Content that turns out bad in the second half: nothing has changed. */
static void
test_halves(void **state)
{
	const struct kit_root r = {.version = 1};
	struct auth_step *s;

	(void)state;
	pin(&r);
	list(1, 1, 1);
	sign_head(1, 1);
	assert_non_null(s = authority_begin(&a, &io, T0));
	while (authority_step(s) > 0)
		continue;
	assert_false(a.state.has_head);
	authority_end(&a, s, "an edge", &rep);
	assert_int_equal(rep.end, AUTH_BAD);
	assert_string_equal(rep.why, "an edge");
	assert_int_equal(w.settled_no, 1);
	assert_int_equal(w.commits, 0);
	assert_false(a.state.has_head);
	assert_int_equal(update(T0), AUTH_NEW);
	/* the same at a start: what was known still bounds what comes */
	len = kit_root(buf, sizeof(buf), &r, NULL);
	assert_null(authority_pin(&a, buf, len));
	assert_non_null(s = authority_recall(&a, w.state, w.slen, &io));
	while (authority_step(s) > 0)
		continue;
	authority_end(&a, s, "an edge", &rep);
	assert_false(a.state.has_head);
	list(1, 2, 1);
	sign_head(1, 1);
	assert_int_equal(update(T0), AUTH_EQUIVOCATION);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, clean, clean)
	const struct CMUnitTest tests[] = {T(test_vectors), T(test_flips),
	    T(test_first), T(test_times), T(test_head),
	    T(test_document), T(test_walk), T(test_walk_expired),
	    T(test_recovery), T(test_new_keys), T(test_faults), T(test_lost),
	    T(test_halves)};

	int rc;

	if (sodium_init() < 0)
		return 1;
	/* and all of it again where nothing large comes at once */
	rc = cmocka_run_group_tests_name("at once", tests, NULL, NULL);
	slow = 2;
	return rc + cmocka_run_group_tests_name("in turns", tests, NULL, NULL);
}
