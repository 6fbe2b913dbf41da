/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/trail_verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trust/doc/note_read.h"
#include "audit/trail_file.h"
#include "common/file.h"
#include "common/util.h"

/* A checkpoint, and what the lines say to it. */
struct signed_note {
	bool there, good, met;
	struct note note;
	struct id32 root; /* what the lines give at its size */
};

struct verify {
	struct trail_verdict *v;
	const struct id32 *digest; /* of a line that is looked for; NULL */
	struct trail_walk walk;
	uint32_t segment;
	uint64_t line;
	uint64_t head_seq;
	struct id32 head_digest;
	bool head_good, head_met;
	struct signed_note stored; /* beside the lines */
	struct signed_note kept;   /* of warren-keys */
	struct signed_note anchored; /* of a transparency log */
	trail_each_fn *each;
	void *arg;
};

static void
wrong(struct verify *s, uint32_t segment, uint64_t line, const char *why)
{
	struct trail_verdict *v = s->v;

	if (v->ok) {
		v->segment = segment;
		v->line = line;
		(void)snprintf(v->why, sizeof(v->why), "%s", why);
	}
	v->ok = false;
}

static void
note_meet(struct verify *s, struct signed_note *n, uint64_t last)
{
	if (n->good && !n->met && last == n->note.size && s->walk.whole) {
		n->met = true;
		merkle_root(&s->walk.tree, &n->root);
	}
}

static bool
verify_line(void *arg, const char *text, size_t len)
{
	struct verify *s = arg;
	const char *why = trail_walk_line(&s->walk, text, len);
	struct trail_line l;
	uint64_t last = s->walk.next - 1;

	s->line++;
	s->v->lines++;
	if (trail_line_parse(&l, text, len)) {
		if (l.is_tomb) {
			s->v->tombstones++;
			s->v->dropped += l.tomb.count;
		}
		if (s->each != NULL)
			s->each(s->arg, &l, text, len);
	}
	if (why != NULL) {
		s->v->bad++;
		wrong(s, s->segment, s->line, why);
	}
	if (s->head_good && last == s->head_seq) {
		s->head_met = true;
		if (!id32_eq(&s->walk.digest, &s->head_digest))
			wrong(s, s->segment, s->line,
			    "it is not the line that was written");
	}
	note_meet(s, &s->stored, last);
	note_meet(s, &s->kept, last);
	note_meet(s, &s->anchored, last);
	if (s->digest != NULL && id32_eq(s->digest, &s->walk.digest))
		s->v->met = true;
	return true;
}

static int
read_segments(struct verify *s, int dir)
{
	struct trail_segs list;

	if (trail_segs_list(dir, &list) < 0)
		return -1;
	s->v->segments = list.n;
	for (size_t i = 0; i < list.n; i++) {
		uint64_t whole, torn;

		s->segment = list.number[i];
		s->line = 0;
		if (trail_seg_scan(dir, s->segment, verify_line, s, &whole,
			&torn) < 0) {
			trail_segs_free(&list);
			return -1;
		}
		if (torn > 0 && i + 1 < list.n)
			wrong(s, s->segment, s->line + 1, "a torn line");
		else
			s->v->torn = torn;
	}
	trail_segs_free(&list);
	return 0;
}

static void
check_head(struct verify *s, bool there)
{
	uint64_t last = s->walk.next - 1;

	if (there && !s->head_good)
		wrong(s, 0, 0, "the head file was changed");
	else if (!there && last > 0)
		wrong(s, 0, 0, "the head file is missing");
	else if (s->head_good && s->head_seq > last)
		wrong(s, s->segment, s->line + 1,
		    "lines are missing at the end");
	else if (s->head_good && !s->head_met && s->head_seq > 0)
		wrong(s, 0, 0, "the head's line is not there");
	if (s->head_good && last > s->head_seq)
		s->v->unconfirmed = last - s->head_seq;
}

static bool
key_load(int dir, uint8_t key[32])
{
	char t[66], again[65];

	if (file_read(dir, TRAIL_KEY, t, sizeof(t)) != 65 || t[64] != '\n' ||
	    !hex_decode(key, 32, t, 64))
		return false;
	hex_encode(again, key, 32);
	return memcmp(t, again, 64) == 0;
}

static void
check_note(struct verify *s, int dir, const uint8_t *given)
{
	struct signed_note *n = &s->stored;
	struct trail_verdict *v = s->v;

	v->has_checkpoint = n->there;
	if (!n->there)
		return;
	if (given != NULL)
		memcpy(v->key, given, 32);
	else if (!key_load(dir, v->key))
		wrong(s, 0, 0, "the key file is missing or was changed");
	v->checkpoint = n->note.size;
	if (!n->good)
		wrong(s, 0, 0, "the checkpoint was changed");
	else if (!note_verify(&n->note, v->key))
		wrong(s, 0, 0, "the checkpoint's signature does not hold");
	else if (!n->met)
		wrong(s, 0, 0,
		    "the signed checkpoint is of another trail");
	else if (!id32_eq(&n->root, &n->note.root))
		wrong(s, 0, 0, "the lines are not those that were signed");
}

/* What stands with the keys tells of a trail that is gone whole, too. */
static void
check_kept(struct verify *s, const uint8_t *key)
{
	struct signed_note *n = &s->kept;
	struct trail_verdict *v = s->v;

	if (!n->there)
		return;
	v->kept = n->note.size;
	if (key != NULL && !note_verify(&n->note, key))
		wrong(s, 0, 0, "the checkpoint beside the keys was changed");
	else if (s->walk.next - 1 < n->note.size)
		wrong(s, s->segment, s->line + 1,
		    "lines that were signed are gone");
	else if (!n->met || !id32_eq(&n->root, &n->note.root))
		wrong(s, 0, 0, "the lines are not those that were signed "
		    "last: this is another trail");
}

/* What others have of it: whoever holds the keys could not change that. */
static void
check_anchored(struct verify *s)
{
	struct signed_note *n = &s->anchored;

	if (!n->there)
		return;
	s->v->anchored = n->note.size;
	if (s->walk.next - 1 < n->note.size)
		wrong(s, s->segment, s->line + 1,
		    "lines that were anchored are gone");
	else if (!n->met || !id32_eq(&n->root, &n->note.root))
		wrong(s, 0, 0, "the lines are not those that were anchored: "
		    "this is another trail");
}

int
trail_verify(int dir, const struct trail_expect *want,
    struct trail_verdict *v, trail_each_fn *each, void *arg)
{
	static const struct trail_expect nothing;
	struct verify *s = calloc(1, sizeof(*s));
	char text[NOTE_MAX];
	bool head_there;
	ssize_t n;
	int rc;

	if (s == NULL)
		return -1;
	if (want == NULL)
		want = &nothing;
	*v = (struct trail_verdict){.ok = true};
	s->v = v;
	s->each = each;
	s->arg = arg;
	s->digest = want->digest;
	trail_walk_init(&s->walk);
	/* head and checkpoint first: the daemon may write meanwhile */
	s->head_good = trail_head_get(dir, &s->head_seq, &s->head_digest,
	    &head_there);
	n = file_read(dir, TRAIL_CHECKPOINT, text, sizeof(text));
	s->stored.there = n >= 0 || errno != ENOENT;
	s->stored.good = n > 0 &&
	    note_parse(&s->stored.note, text, (size_t)n);
	if (want->kept != NULL) {
		s->kept.there = s->kept.good = true;
		s->kept.note = *want->kept;
	}
	if (want->anchored != NULL) {
		s->anchored.there = s->anchored.good = true;
		s->anchored.note = *want->anchored;
	}
	rc = read_segments(s, dir);
	if (rc == 0) {
		check_anchored(s);
		check_kept(s, want->key);
		check_head(s, head_there);
		check_note(s, dir, want->key);
		v->last = s->walk.next - 1;
	}
	free(s);
	return rc;
}

/* ---- tail ---- */

struct kept {
	char *text;
	size_t len;
};

struct tail {
	struct kept *ring;
	size_t cap, n;
};

static bool
tail_line(void *arg, const char *text, size_t len)
{
	struct tail *t = arg;
	struct kept *k = &t->ring[t->n++ % t->cap];

	free(k->text);
	k->text = strndup(text, len);
	k->len = k->text == NULL ? 0 : len;
	return true;
}

int
trail_tail(int dir, size_t n, trail_each_fn *each, void *arg)
{
	struct tail t = {.cap = MIN_OF(n, 100000)};
	struct trail_segs list;
	size_t first;
	int rc = 0;

	if (t.cap == 0)
		return 0;
	if (trail_segs_list(dir, &list) < 0)
		return -1;
	if ((t.ring = calloc(t.cap, sizeof(*t.ring))) == NULL)
		rc = -1;
	/* from the third segment before the end, if those hold enough */
	first = n <= 1000 && list.n > 3 ? list.n - 3 : 0;
	for (size_t i = first; rc == 0 && i < list.n; i++) {
		uint64_t whole, torn;

		rc = trail_seg_scan(dir, list.number[i], tail_line, &t, &whole,
		    &torn);
	}
	for (size_t i = 0; rc == 0 && i < MIN_OF(t.n, t.cap); i++) {
		size_t at = t.n <= t.cap ? i : (t.n + i) % t.cap;
		struct trail_line l;

		if (t.ring[at].text != NULL &&
		    trail_line_parse(&l, t.ring[at].text, t.ring[at].len))
			each(arg, &l, t.ring[at].text, t.ring[at].len);
	}
	for (size_t i = 0; t.ring != NULL && i < t.cap; i++)
		free(t.ring[i].text);
	free(t.ring);
	trail_segs_free(&list);
	return rc;
}

struct all {
	trail_each_fn *each;
	void *arg;
};

static bool
all_line(void *arg, const char *text, size_t len)
{
	const struct all *a = arg;
	struct trail_line l;

	if (trail_line_parse(&l, text, len))
		a->each(a->arg, &l, text, len);
	return true;
}

int
trail_each(int dir, trail_each_fn *each, void *arg)
{
	struct all a = {each, arg};
	struct trail_segs list;
	int rc = 0;

	if (trail_segs_list(dir, &list) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < list.n; i++) {
		uint64_t whole, torn;

		rc = trail_seg_scan(dir, list.number[i], all_line, &a, &whole,
		    &torn);
	}
	trail_segs_free(&list);
	return rc;
}
