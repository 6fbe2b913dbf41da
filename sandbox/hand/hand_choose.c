/* SPDX-License-Identifier: BSD-2-Clause */
/* Which one of several images is meant, and which runs on this machine. */
#include <stdio.h>
#include <string.h>

#include "sandbox/hand/hand_image.h"

/* How well it runs here, -1 not at all. */
static int
rank_of(const struct platform *here, const json_t *desc)
{
	const json_t *p = json_object_get(desc, "platform");

	return platform_rank(here, json_string_value(json_object_get(p, "os")),
	    json_string_value(json_object_get(p, "architecture")),
	    json_string_value(json_object_get(p, "variant")));
}

/*
 * An image without a name is called by its digest, or the start of it; that of
 * a whole reference stands behind its name.
 */
#define DIGEST_SHORT 19 /* sha256: and 12 digits */

static bool
is_digest(const char *digest, const char *want)
{
	const char *at = strchr(want, '@');

	want = at == NULL ? want : at + 1;
	return digest != NULL && strlen(want) >= DIGEST_SHORT &&
	    strncmp(digest, want, strlen(want)) == 0;
}

/* Is this name, a whole reference maybe, the one that is asked for? */
static bool
called(const char *name, const char *want)
{
	size_t n = name == NULL ? 0 : strlen(name), k = strlen(want);

	return n >= k && k > 0 && strcmp(name + n - k, want) == 0 &&
	    (n == k || name[n - k - 1] == ':' || name[n - k - 1] == '/');
}

static const char *
name_of(const json_t *desc)
{
	const json_t *a = json_object_get(desc, "annotations");
	const char *name = json_string_value(json_object_get(a,
	    "io.containerd.image.name"));

	return name != NULL ? name : json_string_value(json_object_get(a,
	    "org.opencontainers.image.ref.name"));
}

#define LIST_MAX 128
#define CALLED_MAX 64 /* as far as equal names and digests are looked for */
#define REST ", ..."

static bool
ends(const char *text, size_t n, const char *with)
{
	size_t k = strlen(with);

	return n >= k && memcmp(text + n - k, with, k) == 0;
}

/* No name is cut: half a one reads as another. What lacks is said. */
static void
list_add(char list[LIST_MAX], const char *text)
{
	size_t n = strlen(list), room = LIST_MAX - n - sizeof(REST);

	if (ends(list, n, REST))
		return;
	if (strlen(text) + 2 <= room)
		(void)snprintf(list + n, LIST_MAX - n, "%s%s",
		    n > 0 ? ", " : "", text);
	else if (n > 0)
		memcpy(list + n, REST, sizeof(REST));
	else
		(void)snprintf(list, LIST_MAX, "%.*s...", (int)room - 3, text);
}

/* Does the list hold it, not only a longer one? */
static bool
list_has(const char *list, const char *text)
{
	size_t n = strlen(text);

	for (const char *p = list; (p = strstr(p, text)) != NULL; p++)
		if ((p == list || p[-1] == ' ') &&
		    (p[n] == '\0' || p[n] == ','))
			return true;
	return false;
}

/* Where two are called the same, their digests tell them apart. */
static void
list_name(char list[LIST_MAX], const char *name, const char *digest,
    bool by_digest)
{
	char text[DIGEST_SHORT + 1];

	(void)snprintf(text, sizeof(text), "%.*s", DIGEST_SHORT,
	    digest == NULL ? "" : digest);
	if (digest != NULL && (by_digest || name == NULL))
		list_add(list, text);
	else if (name != NULL)
		list_add(list, name);
}

/* Is one of several images for this machine called as another of them is? */
static bool
called_twice(const struct platform *here, const json_t *list)
{
	size_t i, k;
	json_t *v, *w;

	json_array_foreach (list, i, v) {
		if (i == CALLED_MAX)
			break;
		json_array_foreach (list, k, w) {
			if (k == i)
				break;
			if (rank_of(here, v) >= 0 && rank_of(here, w) >= 0 &&
			    name_of(v) != NULL && name_of(w) != NULL &&
			    strcmp(name_of(v), name_of(w)) == 0)
				return true;
		}
	}
	return false;
}

/* What an index has, when nothing of it runs here. */
static void
no_platform(struct import *im, const struct platform *here,
    const json_t *list)
{
	char there[LIST_MAX] = "", one[64];
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		const json_t *p = json_object_get(v, "platform");
		const char *os = json_string_value(json_object_get(p, "os"));
		const char *arch = json_string_value(json_object_get(p,
		    "architecture"));
		const char *variant = json_string_value(json_object_get(p,
		    "variant"));

		/* attestations, as buildx has them */
		if (arch == NULL || strcmp(arch, "unknown") == 0)
			continue;
		(void)snprintf(one, sizeof(one), "%.16s/%.20s%s%.10s",
		    os == NULL ? "linux" : os, arch, variant == NULL ? "" :
		    "/", variant == NULL ? "" : variant);
		if (!list_has(there, one))
			list_add(there, one);
	}
	if (json_array_size(list) == 0) {
		(void)import_fail(im, "index: no image is in it");
		return;
	}
	(void)import_fail(im, "index: no image for %s/%s; there is: %s",
	    here->os, here->arch, there[0] != '\0' ? there : "none");
}

/* Of an index within one: the best for this machine, the first of equals. */
static const json_t *
best(const struct platform *here, const json_t *list)
{
	const json_t *found = NULL;
	int rank = -1;
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		int r = rank_of(here, v);

		if (r > rank) {
			found = v;
			rank = r;
		}
	}
	return found;
}

/* One image for several machines, at the top of a layout. */
static bool
same_name(const json_t *a, const json_t *b)
{
	const char *x = name_of(a), *y = name_of(b);

	return json_object_get(a, "platform") != NULL &&
	    json_object_get(b, "platform") != NULL &&
	    (x == NULL) == (y == NULL) && (x == NULL || strcmp(x, y) == 0);
}

/* Is it another name of what was found, or the same for another machine? */
static bool
is_other(const struct platform *here, const json_t **found, const json_t *v)
{
	const char *a = json_string_value(json_object_get(*found, "digest"));
	const char *b = json_string_value(json_object_get(v, "digest"));

	if (a != NULL && b != NULL && strcmp(a, b) == 0)
		return false;
	if (!same_name(*found, v) || rank_of(here, *found) == rank_of(here, v))
		return true;
	if (rank_of(here, v) > rank_of(here, *found))
		*found = v;
	return false;
}

/* Does it run here, and has it the name that is asked for? */
static bool
meant(const struct import *im, const struct platform *here, const json_t *v)
{
	return rank_of(here, v) >= 0 && (im->tag == NULL ||
	    called(name_of(v), im->tag) || is_digest(json_string_value(
	    json_object_get(v, "digest")), im->tag));
}

/* How many, for people: one of several names is one. */
static unsigned
count_meant(const struct import *im, const struct platform *here,
    const json_t *list)
{
	unsigned count = 0;
	size_t i, k;
	json_t *v;

	json_array_foreach (list, i, v) {
		const json_t *is = json_object_get(v, "digest");

		if (!meant(im, here, v))
			continue;
		for (k = i > CALLED_MAX ? i : 0; k < i; k++) {
			const json_t *w = json_array_get(list, k);

			if (is != NULL && json_equal(is, json_object_get(w,
			    "digest")) && meant(im, here, w))
				break;
		}
		count += k == i;
	}
	return count;
}

/* One of a layout's images: there is no first among several. NULL: why. */
static const json_t *
by_name(struct import *im, const struct platform *here, const json_t *list)
{
	const json_t *found = NULL;
	char names[LIST_MAX] = "";
	unsigned ours = 0, count = 0;
	bool twice = called_twice(here, list);
	size_t i;
	json_t *v;

	json_array_foreach (list, i, v) {
		const char *digest = json_string_value(json_object_get(v,
		    "digest"));

		if (rank_of(here, v) < 0)
			continue;
		ours++;
		list_name(names, name_of(v), digest, twice);
		if (!meant(im, here, v))
			continue;
		if (found == NULL) {
			found = v;
			count = 1;
		} else if (is_other(here, &found, v)) {
			count++;
		}
	}
	if (count == 1)
		return found;
	if (ours == 0)
		no_platform(im, here, list);
	else if (count == 0)
		(void)import_fail(im, "no image is called %.60s; there is: %s",
		    im->tag, names);
	else
		(void)import_fail(im, "%u images (%s): name one as PATH:TAG",
		    count_meant(im, here, list),
		    names[0] != '\0' ? names : "without names");
	return NULL;
}

const json_t *
image_choose(struct import *im, const struct platform *here,
    const json_t *list, bool named)
{
	const json_t *found;

	if (named)
		return by_name(im, here, list);
	found = best(here, list);
	if (found == NULL)
		no_platform(im, here, list);
	return found;
}

/* The one image of an archive, or the one that is asked for. NULL: why. */
const json_t *
image_choose_saved(struct import *im, const json_t *list)
{
	const json_t *found = NULL;
	char names[LIST_MAX] = "";
	size_t i, k;
	json_t *v, *name;

	json_array_foreach (list, i, v)
		json_array_foreach (json_object_get(v, "RepoTags"), k, name) {
			list_name(names, json_string_value(name), NULL,
			    false);
			if (im->tag != NULL && found == NULL &&
			    called(json_string_value(name), im->tag))
				found = v;
		}
	if (im->tag == NULL && json_array_size(list) == 1)
		return json_array_get(list, 0);
	if (im->tag == NULL)
		(void)import_fail(im, "%zu images (%s): name one as PATH:TAG",
		    json_array_size(list),
		    names[0] != '\0' ? names : "without names");
	else if (found == NULL)
		(void)import_fail(im, "no image is called %.60s; there is: %s",
		    im->tag, names);
	return found;
}
