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
check(struct sigroots_who *w, unsigned i)
{
	struct keyless_who *who = &w->by[i].who;

	w->by[i].good = keyless_check(who, w->a, w->roots->f[i].r, w->now,
	    &w->why) == 0;
	if (who->not_before != 0 &&
	    (w->not_before == 0 || who->not_before < w->not_before))
		w->not_before = who->not_before;
}

const struct keyless_who *
sigroots_who(struct sigroots_who *w, const char *name)
{
	unsigned i = 0;

	while (i < w->roots->n && strcmp(w->roots->f[i].name, name) != 0)
		i++;
	if (i == w->roots->n || !keyless_has(w->a))
		return NULL;
	if (!w->by[i].asked) {
		w->by[i].asked = true;
		if (w->roots->f[i].r == NULL)
			w->why = "the file of roots that it is judged by "
			    "counts for nothing";
		else
			check(w, i);
	}
	return w->by[i].good ? &w->by[i].who : NULL;
}
