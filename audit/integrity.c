/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/integrity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

/* ---- images ---- */

static struct integrity_image *
find(struct integrity *i, const struct id32 *image)
{
	for (unsigned k = 0; k < i->nimages; k++)
		if (id32_eq(&i->image[k].image, image))
			return &i->image[k];
	return NULL;
}

/* The place of a new one: the oldest good one makes room. */
static struct integrity_image *
add(struct integrity *i, const struct id32 *image)
{
	struct integrity_image *im;

	if (i->nimages == INTEGRITY_IMAGES) {
		unsigned k = 0;

		while (k < i->nimages && i->image[k].bad)
			k++;
		k %= i->nimages; /* all of them are bad: the oldest */
		memmove(&i->image[k], &i->image[k + 1],
		    (i->nimages - k - 1) * sizeof(i->image[0]));
		i->nimages--;
	}
	im = &i->image[i->nimages++];
	memset(im, 0, sizeof(*im));
	im->image = *image;
	return im;
}

static void
hold(struct integrity *i, struct integrity_image *im,
    const struct integrity_saw *s, uint32_t now, enum integrity_say *say)
{
	if (im->bad && strcmp(im->why, s->why) == 0)
		return;
	im->bad = true;
	im->at = now;
	(void)snprintf(im->why, sizeof(im->why), "%s", s->why);
	i->total++;
	*say = SAY_BAD;
}

/* There is no list: of one that had none, or had one. */
static enum read_end
unlisted(struct integrity *i, struct integrity_image *im, bool is_new,
    struct integrity_saw *s, uint32_t now, enum integrity_say *say)
{
	if (im->listed) {
		(void)snprintf(s->why, sizeof(s->why),
		    "the list of its files is gone");
		hold(i, im, s, now, say);
		return READ_CHANGED;
	}
	if (is_new)
		*say = SAY_UNLISTED;
	return READ_UNLISTED;
}

/* Its files are as its list has them; is that its list? */
static enum read_end
good(struct integrity *i, struct integrity_image *im, struct integrity_saw *s,
    uint32_t now, enum integrity_say *say)
{
	bool brought = s->how == CHECK_IMPORTED && id32_eq(&s->list, &s->given);

	if (im->listed && !brought && !id32_eq(&im->list, &s->list)) {
		(void)snprintf(s->why, sizeof(s->why), "the list of its files "
		    "is another one than it had");
		hold(i, im, s, now, say);
		return READ_CHANGED;
	}
	if (im->bad && !brought && s->how != CHECK_VERIFY) {
		(void)snprintf(s->why, sizeof(s->why), "%s", im->why);
		return READ_CHANGED; /* a person's word lifts it */
	}
	if (im->bad)
		*say = SAY_LIFTED;
	else if (!im->listed || !id32_eq(&im->list, &s->list))
		*say = SAY_KNOWN;
	im->listed = true;
	im->list = s->list;
	im->bad = false;
	im->why[0] = '\0';
	return READ_GOOD;
}

enum read_end
integrity_image(struct integrity *i, struct integrity_saw *s, uint32_t now,
    enum integrity_say *say)
{
	struct integrity_image *im = find(i, &s->image);
	bool is_new = im == NULL;

	*say = SAY_NOTHING;
	switch (s->end) {
	case READ_GONE:
		return READ_GONE;
	case READ_GOOD:
	case READ_CHANGED:
	case READ_UNLISTED:
		break;
	default:
		/* nothing was found out; what is held stays */
		if (im == NULL || !im->bad)
			return READ_FAILED;
		(void)snprintf(s->why, sizeof(s->why), "%s", im->why);
		return READ_CHANGED;
	}
	if (is_new)
		im = add(i, &s->image);
	if (s->end == READ_UNLISTED)
		return unlisted(i, im, is_new, s, now, say);
	if (s->end == READ_GOOD)
		return good(i, im, s, now, say);
	hold(i, im, s, now, say);
	return READ_CHANGED;
}

const char *
integrity_held(const struct integrity *i, const struct id32 *image)
{
	for (unsigned k = 0; k < i->nimages; k++)
		if (i->image[k].bad && id32_eq(&i->image[k].image, image))
			return i->image[k].why;
	return NULL;
}

/* ---- the others ---- */

bool
integrity_other(struct integrity *i, uint8_t kind, const char *name,
    const char *why, uint32_t now)
{
	struct integrity_found *f = i->found;
	unsigned k = 0;

	while (k < i->nfound && (f[k].kind != kind ||
	    strcmp(f[k].name, name) != 0))
		k++;
	if (why[0] == '\0') {
		if (k == i->nfound)
			return false;
		i->nfound--;
		memmove(&f[k], &f[k + 1], (i->nfound - k) * sizeof(*f));
		return true;
	}
	if (k < i->nfound && strcmp(f[k].why, why) == 0)
		return false;
	i->total++;
	if (k == i->nfound && k == INTEGRITY_FOUND)
		return true; /* told, and told again the next time */
	if (k == i->nfound)
		i->nfound++;
	f[k].kind = kind;
	f[k].at = now;
	(void)snprintf(f[k].name, sizeof(f[k].name), "%s", name);
	(void)snprintf(f[k].why, sizeof(f[k].why), "%s", why);
	return true;
}

/* ---- as text ---- */

size_t
integrity_write(const struct integrity *i, char *out, size_t cap)
{
	char image[65], list[65];
	size_t n = 0;

	for (unsigned k = 0; k < i->nimages && n < cap; k++) {
		const struct integrity_image *im = &i->image[k];

		hex_encode(image, HASH_BYTES(im->image));
		hex_encode(list, HASH_BYTES(im->list));
		n += (size_t)snprintf(out + n, cap - n, "%s %s %s %u %s\n",
		    image, im->listed ? list : "-", im->bad ? "bad" : "good",
		    im->at, im->why);
	}
	return MIN_OF(n, cap);
}

/* The next word of a line; its end is the space or the line's. */
static const char *
word(const char **p, const char *end, size_t *n)
{
	const char *from = *p, *space = memchr(from, ' ',
	    (size_t)(end - from));

	*n = (size_t)((space == NULL ? end : space) - from);
	*p = space == NULL ? end : space + 1;
	return from;
}

static bool
read_line(struct integrity_image *im, const char *p, const char *end)
{
	const char *w;
	char number[12];
	size_t n;

	memset(im, 0, sizeof(*im));
	w = word(&p, end, &n);
	if (!hex_decode(HASH_BYTES(im->image), w, n))
		return false;
	w = word(&p, end, &n);
	im->listed = !(n == 1 && w[0] == '-');
	if (im->listed && !hex_decode(HASH_BYTES(im->list), w, n))
		return false;
	w = word(&p, end, &n);
	im->bad = n == 3 && memcmp(w, "bad", 3) == 0;
	if (!im->bad && !(n == 4 && memcmp(w, "good", 4) == 0))
		return false;
	w = word(&p, end, &n);
	if (n == 0 || n >= sizeof(number))
		return false;
	memcpy(number, w, n);
	number[n] = '\0';
	im->at = (uint32_t)strtoul(number, NULL, 10);
	n = MIN_OF((size_t)(end - p), sizeof(im->why) - 1);
	memcpy(im->why, p, n);
	im->why[n] = '\0';
	return true;
}

void
integrity_read(struct integrity *i, const char *text, size_t len)
{
	const char *p = text, *last = text + len, *end;
	struct integrity_image im;

	for (; p < last && (end = memchr(p, '\n', (size_t)(last - p))) != NULL;
	    p = end + 1)
		if (read_line(&im, p, end) && find(i, &im.image) == NULL &&
		    i->nimages < INTEGRITY_IMAGES)
			i->image[i->nimages++] = im;
}
