/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/sources.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/util.h"

#define LEAST_S 60	     /* klp.md 1.5 */
#define SOON_S 10	     /* ours: when one is heard that was not there */
#define MOST_S (6 * 3600)    /* ... of a source that fails */
#define SMALL_MS 30000	     /* for roots and heads */

struct sources *
sources_new(void)
{
	struct sources *x = calloc(1, sizeof(*x));

	if (x != NULL)
		x->at = -1;
	return x;
}

void
sources_part_drop(struct sources *x)
{
	free(x->mesh.p);
	x->mesh.p = NULL;
	x->mesh.len = x->mesh.cap = x->mesh.total = 0;
	x->mesh.waits = x->mesh.slow = false;
}

static void
forget_files(struct sources *x)
{
	sources_part_drop(x);
	free(x->mesh.deltas);
	x->mesh.deltas = NULL;
	x->mesh.deltas_len = 0;
	x->mesh.behind[0] = '\0';
	x->mesh.gap = x->mesh.too_long = false;
	x->mesh.restarts = 0;
	x->set = SET_NONE;
	for (; x->nfiles > 0; x->nfiles--)
		if (x->file[x->nfiles - 1].fd >= 0)
			(void)close(x->file[x->nfiles - 1].fd);
	x->need[0] = '\0';
	x->seq = 0;
	x->deltas = 0;
	x->log = 0;
	x->ready = false;
	x->at = -1;
}

void
sources_free(struct sources *x)
{
	if (x != NULL) {
		forget_files(x);
		free(x->part.p);
	}
	free(x);
}

static int
find(const struct source *s, unsigned n, const char *url)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(s[i].url, url) == 0)
			return (int)i;
	return -1;
}

void
sources_set(struct sources *x, const char *const *urls, unsigned n)
{
	struct source old[SOURCES_MAX];
	unsigned had = x->n;
	bool same = true;

	memcpy(old, x->s, sizeof(old));
	x->n = 0;
	for (unsigned i = 0; i < n && x->n < SOURCES_MAX; i++) {
		int was = find(old, had, urls[i]);

		if (strlen(urls[i]) > SOURCE_URL ||
		    find(x->s, x->n, urls[i]) >= 0)
			continue;
		same = same && was == (int)x->n;
		if (was >= 0) {
			x->s[x->n++] = old[was];
			continue;
		}
		memset(&x->s[x->n], 0, sizeof(x->s[0]));
		memcpy(x->s[x->n++].url, urls[i], strlen(urls[i]));
	}
	if (!same || x->n != had)
		forget_files(x);
}

void
sources_now(struct sources *x)
{
	for (unsigned i = 0; i < x->n; i++) {
		x->s[i].next = (struct mono){0};
		x->s[i].log_at = 0;
	}
}

bool
sources_next(const struct sources *x, struct mono *when)
{
	if (x->at >= 0 || x->n == 0)
		return false;
	*when = x->s[0].next;
	for (unsigned i = 1; i < x->n; i++)
		if (x->s[i].next.us < when->us)
			*when = x->s[i].next;
	return true;
}

void
sources_begin(struct sources *x, struct mono now)
{
	for (unsigned i = 0; x->at < 0 && i < x->n; i++) {
		if (x->s[i].next.us > now.us)
			continue;
		forget_files(x);
		x->at = (int)i;
		x->s[i].asked = now;
		x->ready = true;
	}
}

bool
sources_mesh(const struct sources *x)
{
	return x->at >= 0 && strncmp(x->s[x->at].url, SOURCE_RNS,
	    strlen(SOURCE_RNS)) == 0;
}

bool
sources_hurry(struct sources *x, const char *url, struct mono now)
{
	int i = find(x->s, x->n, url);
	struct mono least;

	if (i < 0)
		return false;
	/* nobody was there then; now somebody is */
	least = x->s[i].asked.us == 0 ? now : mono_add(x->s[i].asked,
	    (x->s[i].kind == FETCH_UNREACHABLE ? SOON_S : LEAST_S) *
	    MONO_SECOND);
	if (least.us < now.us)
		least = now;
	if (least.us < x->s[i].next.us)
		x->s[i].next = least;
	return true;
}

/* ---- an update from the one that is asked ---- */

static uint8_t *
copy(int fd, size_t len)
{
	uint8_t *p = malloc(len + 1);
	const uint8_t *map = NULL;

	if (p != NULL && len > 0 && (map = memfd_map(fd, &len, len)) != NULL)
		memcpy(p, map, len);
	if (map != NULL)
		memfd_unmap(map, len);
	if (p == NULL || (len > 0 && map == NULL)) {
		free(p);
		errno = ENOMEM;
		return NULL;
	}
	p[len] = '\0';
	return p;
}

uint8_t *
sources_read(struct sources *x, const char *name, size_t max, size_t *len)
{
	for (unsigned i = 0; i < x->nfiles; i++) {
		if (strcmp(x->file[i].name, name) != 0)
			continue;
		if (x->file[i].absent || x->file[i].len > max) {
			errno = x->file[i].absent ? ENOENT : EFBIG;
			return NULL;
		}
		*len = x->file[i].len;
		return copy(x->file[i].fd, *len);
	}
	(void)snprintf(x->need, sizeof(x->need), "%s", name);
	x->need_max = max;
	errno = EINPROGRESS;
	return NULL;
}

void
sources_drop(struct sources *x)
{
	if (x->nfiles == 0)
		return;
	x->nfiles--;
	if (x->file[x->nfiles].fd >= 0)
		(void)close(x->file[x->nfiles].fd);
}

bool
sources_question(struct sources *x, const char *authority, uint32_t seq,
    struct msg_FETCH *m)
{
	int n;

	if (x->need[0] == '\0' || x->at < 0 || x->nfiles == SOURCE_FILES)
		return false;
	*m = (struct msg_FETCH){.seq = seq, .kind = FETCH_KLP,
	    .max = (uint32_t)MIN_OF(x->need_max, (size_t)IPC_FETCH_BYTES),
	    .deadline_ms = x->need_max > ROOT_BYTES ? IPC_FETCH_MS : SMALL_MS};
	n = snprintf(m->url, sizeof(m->url), "%s/%s/%s", x->s[x->at].url,
	    authority, x->need);
	if (n < 0 || (size_t)n >= sizeof(m->url))
		return false;
	x->seq = seq;
	return true;
}

bool
sources_answer(struct sources *x, const struct msg_FETCHED *m, int fd,
    char out[SOURCE_WHY])
{
	struct source *s = &x->s[x->at];
	unsigned i = x->nfiles;

	x->seq = 0;
	if (s->kind == 0)
		s->why[0] = '\0'; /* that nobody could ask it */
	if (m->end != FETCH_OK && m->end != FETCH_ABSENT) {
		(void)snprintf(out, SOURCE_WHY, "%s: %s", x->need, m->why);
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	memcpy(x->file[i].name, x->need, sizeof(x->need));
	x->file[i].absent = m->end == FETCH_ABSENT;
	x->file[i].len = fd >= 0 ? m->len : 0;
	x->file[i].fd = fd;
	x->nfiles++;
	x->need[0] = '\0';
	x->ready = true;
	return true;
}

/* ---- its end ---- */

/* A quarter more or less. */
static struct mono
about(struct mono now, int64_t seconds, uint32_t chance)
{
	int64_t us = seconds * MONO_SECOND;

	return (struct mono){now.us + us * 3 / 4 +
	    us / 2 * (int64_t)(chance % 1024) / 1023};
}

void
sources_good(struct sources *x, uint32_t wall, struct mono now,
    uint64_t refresh_ms, uint32_t chance)
{
	struct source *s = &x->s[x->at];
	int64_t every = (int64_t)(refresh_ms / 1000);

	s->good = wall;
	s->failures = 0;
	s->kind = 0;
	s->why[0] = '\0';
	s->next = about(now, MAX_OF(every, (int64_t)LEAST_S * 4 / 3), chance);
	forget_files(x);
}

void
sources_bad(struct sources *x, unsigned kind, const char *why,
    struct mono now, uint32_t chance)
{
	struct source *s = &x->s[x->at];
	int64_t wait = (int64_t)LEAST_S * 4 / 3;

	for (unsigned i = 0; i < s->failures && wait < MOST_S; i++)
		wait *= 2;
	s->failures++;
	s->kind = (uint8_t)kind;
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
	s->next = about(now, MIN_OF(wait, (int64_t)MOST_S * 4 / 5), chance);
	forget_files(x);
}

void
sources_later(struct sources *x, struct mono now, uint32_t seconds)
{
	if (x->at < 0)
		return;
	x->s[x->at].next = (struct mono){now.us + seconds * MONO_SECOND};
	forget_files(x);
}
