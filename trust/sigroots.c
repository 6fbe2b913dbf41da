/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/sigroots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "trust/doc/digest.h"

void
sigroots_load(struct sigroots *s, const struct klpdir *d,
    const struct attest_conf *c)
{
	const char *name;

	memset(s, 0, sizeof(*s));
	for (; s->n < ATTEST_ROOTS_MAX &&
	    (name = attest_conf_roots(c, s->n)) != NULL; s->n++) {
		_cleanup_free_ char *text = NULL;
		size_t len = 0;

		(void)snprintf(s->f[s->n].name, sizeof(s->f[s->n].name), "%s",
		    name);
		text = klpdir_sigroot(d, name, SIGROOT_TEXT_MAX, &len,
		    &s->f[s->n].changed);
		if (text == NULL) {
			(void)snprintf(s->f[s->n].why, SIGROOT_WHY_MAX, "%s",
			    strerror(errno));
			continue;
		}
		digest_of(&s->f[s->n].sum, text, len);
		s->f[s->n].r = sigroot_parse(text, len, s->f[s->n].why);
	}
}

void
sigroots_clear(struct sigroots *s)
{
	for (unsigned i = 0; i < s->n; i++)
		sigroot_free(s->f[i].r);
	memset(s, 0, sizeof(*s));
}

static void
note_time(struct sigroots_who *w, int64_t not_before)
{
	if (not_before != 0 &&
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

static const char no_file[] = "the file of roots that it is judged by counts "
    "for nothing";

static void
check(struct sigroots_who *w, unsigned i)
{
	struct keyless_who *who = &w->by[i].who;

	w->by[i].good = keyless_check(who, w->a, w->roots->f[i].r, w->now,
	    &w->why) == 0;
	note_time(w, who->not_before);
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
			w->why = no_file;
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
		w->why = no_file;
		return false;
	}
	good = keyless_logged(&not_before, w->a, &s->key, w->roots->f[i].r,
	    w->now, &w->why) == 0;
	note_time(w, not_before);
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
