/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/air.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "common/wire.h"
#include "transport/engine/engine.h"
#include "transport/engine/store.h"
#include "transport/modem/airset.h"

#define FOLDER "airtime"
#define NAME_BYTES 16
#define HEAD ((size_t)9) /* u8: all was saved; i64: when, Unix us */

static struct airq_conf
conf_of(const struct nif *n)
{
	struct airq_conf c = {.announce_cap = n->cfg.announce_cap_permille};

	if (n->conf != NULL && n->e->airtime != NULL)
		(void)airset_find(n->e->airtime, n->e->airtime_len,
		    n->conf->name, &c);
	return c;
}

int
air_new(struct nif *n)
{
	struct airq_conf c = conf_of(n);
	struct air *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->q = airq_new(&c)) == NULL) {
		free(a);
		return -1;
	}
	a->saved = n->e->now;
	n->medium = a;
	return 0;
}

/* ---- one radio for many ---- */

static bool
is_member(const struct nif *n)
{
	return n->parent != NULL && n->parent->medium != NULL;
}

static bool
shares(const struct nif *o, const struct nif *n)
{
	return o != n && o->medium != NULL &&
	    (o == n->parent || o->parent == n->parent);
}

void
air_left(struct nif *n, enum rns_kind kind, size_t len)
{
	struct nif *o;

	if (!is_member(n))
		return;
	n->parent->medium->last = kind;
	n->parent->medium->below++;
	TAILQ_FOREACH(o, &n->e->ifs, link)
		if (shares(o, n))
			airq_shared(o->medium->q, kind, len, n->e->now);
}

void
air_sent(struct nif *n)
{
	struct nif *o;

	if (!is_member(n))
		return;
	TAILQ_FOREACH(o, &n->e->ifs, link)
		if (shares(o, n))
			airq_shared_sent(o->medium->q,
			    n->parent->medium->last, n->e->now);
}

/* What the radio has sent already. */
static void
join(struct nif *n)
{
	_cleanup_free_ uint8_t *book = malloc(AIRQ_SAVED);
	int64_t wall = clock_wall_us();
	size_t len;

	if (book == NULL)
		log_warn(n->name, "what its radio has sent");
	else if ((len = airq_save(n->parent->medium->q, book, wall,
	    n->e->now)) > 0)
		(void)airq_load(n->medium->q, book, len, wall, 0, n->e->now);
}

/* ---- on the disk ---- */

/* storage/airtime/, and the interface's file there; -1: none. */
static int
folder(const struct nif *n, char name[2 * NAME_BYTES + 1], bool make)
{
	struct id32 hash;

	rns_sha256(&hash, n->name, strlen(n->name));
	hex_encode(name, hash.b, NAME_BYTES);
	return n->e->store == NULL ? -1 :
	    dir_open(store_dir(n->e->store), FOLDER, make, 0700);
}

static uint64_t
frames_sent(const struct air *a)
{
	struct airq_view v;
	uint64_t sum = a->below;

	airq_view(a->q, &v, clock_mono());
	for (unsigned k = 0; k < RNS_KINDS; k++)
		sum += v.of[k].tx.frames;
	return sum;
}

static void
save(struct nif *n, bool end)
{
	char name[2 * NAME_BYTES + 1];
	_cleanup_free_ uint8_t *out = malloc(AIR_FILE_MAX);
	int64_t wall = clock_wall_us();
	struct wr w;
	size_t len;
	int dir;

	n->medium->saved = clock_mono();
	n->medium->saved_sent = frames_sent(n->medium);
	if (out == NULL || !n->medium->loaded || is_member(n) ||
	    (len = airq_save(n->medium->q, out + HEAD, wall, clock_mono())) == 0 ||
	    (dir = folder(n, name, true)) < 0)
		return;
	w = wr_make(out, HEAD);
	wr_bool(&w, end);
	wr_i64(&w, wall);
	if (file_replace(dir, name, out, HEAD + len, 0600) < 0)
		log_warn(n->name, "its airtime is not written down");
	(void)close(dir);
}

static void
load(struct nif *n)
{
	char name[2 * NAME_BYTES + 1];
	_cleanup_free_ uint8_t *in = malloc(AIR_FILE_MAX);
	int64_t wall = clock_wall_us(), when, unsaved = 0;
	int dir = folder(n, name, false);
	struct rd rd;
	ssize_t n_read;
	size_t len;
	bool end;

	if (in == NULL || dir < 0)
		return;
	n_read = file_read(dir, name, in, AIR_FILE_MAX);
	if (n_read < 0 && errno == ENOENT) {
		(void)close(dir);
		return;
	}
	(void)close(dir);
	len = n_read < 0 ? 0 : (size_t)n_read;
	rd = rd_make(in, len);
	if (!rd_bool(&rd, &end) || !rd_i64(&rd, &when))
		end = true;
	if (!end)
		unsaved = wall < when ? AIR_SAVE_S * MONO_SECOND :
		    MIN_OF(wall - when, AIR_SAVE_S * MONO_SECOND);
	if (airq_load(n->medium->q, in + MIN_OF(len, HEAD), len - MIN_OF(len, HEAD),
	    wall, unsaved, clock_mono()) < 0)
		log_warnx(n->name, "what it has sent cannot be read in "
		    "storage/" FOLDER "/%s: it is silent for one window of "
		    "its duty cycle", name);
}

/* ---- what befalls it ---- */

void
air_up(struct nif *n, const struct airtime *medium)
{
	struct airq_conf c = conf_of(n);

	/* its other settings may have come after air_new() */
	if (airq_limit(n->medium->q, &c) < 0)
		log_warn(n->name, "limits of airtime");
	airq_medium(n->medium->q, medium);
	if (n->medium->loaded)
		return;
	n->medium->loaded = true;
	if (is_member(n)) {
		join(n);
		return;
	}
	load(n);
	save(n, false); /* from now on it is not all that was sent */
}

void
air_free(struct nif *n)
{
	if (n->medium == NULL)
		return;
	save(n, true);
	airq_free(n->medium->q);
	free(n->medium);
	n->medium = NULL;
}

void
air_settings(struct engine *e, const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	struct airq_conf c;
	struct nif *n;

	if (copy == NULL) {
		log_warn("airtime", "other limits");
		return;
	}
	if (len > 0)
		memcpy(copy, text, len);
	free(e->airtime);
	e->airtime = copy;
	e->airtime_len = len;
	TAILQ_FOREACH(n, &e->ifs, link) {
		if (n->medium == NULL)
			continue;
		c = conf_of(n);
		if (airq_limit(n->medium->q, &c) < 0)
			log_warn(n->name, "other limits of airtime");
		else if (n->kind->flush != NULL)
			n->kind->flush(n); /* it may be its turn by now */
	}
}

void
air_clear(struct engine *e)
{
	free(e->airtime);
	e->airtime = NULL;
}

void
air_second(struct engine *e)
{
	struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->medium != NULL && mono_sub(e->now, n->medium->saved) >=
		    AIR_SAVE_S * MONO_SECOND) {
			n->medium->saved = e->now;
			if (frames_sent(n->medium) != n->medium->saved_sent)
				save(n, false);
		}
}
