/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/sigroots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "trust/doc/digest.h"
#include "trust/lawroots.h"

static void
load_file(struct sigroots *s, unsigned i, const struct law *l)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	text = klpdir_sigroot(&l->dir, s->f[i].name, SIGROOT_TEXT_MAX, &len,
	    &s->f[i].since);
	if (text == NULL) {
		(void)snprintf(s->f[i].why, SIGROOT_WHY_MAX, "%s",
		    strerror(errno));
		return;
	}
	digest_of(&s->f[i].sum, text, len);
	s->f[i].r = sigroot_parse(text, len, s->f[i].why);
}

/*
 * klp.md 9.1: when they have expired they tell within their grace of what was
 * signed before, then of nothing.
 */
static void
load_document(struct sigroots *s, unsigned i, const struct law *l)
{
	const struct law_roots *r = lawroots_find(l, s->f[i].name);
	struct standing_age age;

	s->f[i].fresh = FRESH_NO;
	if (r == NULL || r->doc.text == NULL) {
		(void)snprintf(s->f[i].why, SIGROOT_WHY_MAX,
		    "no such document was accepted here yet");
		return;
	}
	age = lawroots_age(l, r);
	s->f[i].version = r->doc.version;
	s->f[i].since = r->doc.issued;
	s->f[i].expires = r->doc.expires;
	s->f[i].fresh = standing_fresh(&age, l->now);
	if (s->f[i].fresh == FRESH_NO) {
		(void)snprintf(s->f[i].why, SIGROOT_WHY_MAX,
		    "has expired, and its grace is over");
		return;
	}
	if (s->f[i].fresh == FRESH_STALE)
		s->f[i].last = MIN_OF(age.head_expires, age.doc_expires);
	digest_of(&s->f[i].sum, r->doc.text, r->doc.len);
	s->f[i].r = sigroot_parse(r->doc.text, r->doc.len, s->f[i].why);
}

void
sigroots_load(struct sigroots *s, const struct law *l)
{
	const char *name;

	memset(s, 0, sizeof(*s));
	for (; s->n < ATTEST_ROOTS_MAX && (name = attest_conf_roots(
	    &l->conf->attest, s->n)) != NULL; s->n++) {
		(void)snprintf(s->f[s->n].name, sizeof(s->f[s->n].name), "%s",
		    name);
		s->f[s->n].last = INT64_MAX;
		if (attest_conf_is_document(name))
			load_document(s, s->n, l);
		else
			load_file(s, s->n, l);
	}
}

void
sigroots_clear(struct sigroots *s)
{
	for (unsigned i = 0; i < s->n; i++)
		sigroot_free(s->f[i].r);
	memset(s, 0, sizeof(*s));
}

/* It counts by these roots as if it were that time. */
static int64_t
time_by(const struct sigroots_who *w, unsigned i)
{
	return MIN_OF(w->now, w->roots->f[i].last);
}

/* By roots that have expired nothing counts later: newer ones are looked for. */
static void
note_time(struct sigroots_who *w, unsigned i, int64_t not_before)
{
	if (not_before != 0 && time_by(w, i) < w->now)
		w->why = "it was signed after the roots that it is judged by "
		    "had expired";
	else if (not_before != 0 &&
	    (w->not_before == 0 || not_before < w->not_before))
		w->not_before = not_before;
}

static unsigned
find(const struct sigroots *s, const char *name)
{
	unsigned i = 0;

	while (i < s->n && strcmp(s->f[i].name, name) != 0)
		i++;
	return i;
}

static const char no_roots[] = "the roots that it is judged by count for "
    "nothing";

static void
check(struct sigroots_who *w, unsigned i)
{
	struct keyless_who *who = &w->by[i].who;

	w->by[i].good = keyless_check(who, w->a, w->roots->f[i].r,
	    time_by(w, i), &w->why) == 0;
	note_time(w, i, who->not_before);
}

const struct keyless_who *
sigroots_who(struct sigroots_who *w, const char *name)
{
	unsigned i = find(w->roots, name);

	if (i == w->roots->n || !keyless_has(w->a))
		return NULL;
	if (!w->by[i].asked) {
		w->by[i].asked = true;
		if (w->roots->f[i].r == NULL)
			w->why = no_roots;
		else
			check(w, i);
	}
	return w->by[i].good ? &w->by[i].who : NULL;
}

static bool
logged_by(struct sigroots_who *w, const struct attest_signer *s, unsigned i)
{
	int64_t not_before = 0;
	bool good;

	if (i == w->roots->n || w->roots->f[i].r == NULL) {
		w->why = no_roots;
		return false;
	}
	good = keyless_logged(&not_before, w->a, &s->key, w->roots->f[i].r,
	    time_by(w, i), &w->why) == 0;
	note_time(w, i, not_before);
	return good;
}

bool
sigroots_logged(struct sigroots_who *w, const struct attest_signer *s)
{
	bool known = false;

	if (s->roots != NULL)
		return logged_by(w, s, find(w->roots, s->roots));
	if (keyless_entries(w->a) == 0)
		return true;
	for (unsigned i = 0; i < w->roots->n; i++) {
		if (w->roots->f[i].r == NULL ||
		    !keyless_names_log(w->a, w->roots->f[i].r))
			continue;
		if (!logged_by(w, s, i))
			return false;
		known = true;
	}
	w->unlooked |= !known;
	return true;
}
