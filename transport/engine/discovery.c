/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/discovery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "transport/core/base/identity.h"
#include "transport/core/base/stamp.h"
#include "transport/engine/engine.h"

#define WAITING_MAX 32 /* ours: announces that nobody has looked at yet */
#define CLEAN_S 60     /* between looks at what is too old */
#define NAME_LEN (2 * sizeof(struct id32))

struct waiting {
	uint8_t app_data[OFFER_APP_MAX + 1];
	size_t len;
	struct hash16 network_id;
	uint8_t hops;
};

struct discovery {
	struct engine *e;
	int dir; /* storage/discovery/interfaces, or -1 */
	struct offers *offers;
	void (*heard)(struct engine *, const struct offer_entry *);
	bool has_network;
	struct identity network;
	uint8_t name_hash[RNS_NAME_HASH];
	struct waiting queue[WAITING_MAX]; /* a ring */
	unsigned first, count;
	ev_idle idle;
	unsigned since_clean; /* seconds */
	bool failing;         /* the last write failed: said once */
	uint64_t drops[OFFER_DROPS];
};

const struct offers *
discovery_offers(const struct discovery *d)
{
	return d->offers;
}

uint64_t
discovery_drops(const struct discovery *d, enum offer_drop why)
{
	return d->drops[why];
}

/* ---- records ---- */

static void
record_write(struct discovery *d, const struct offer_entry *e)
{
	static const char beside[] = ".new";
	uint8_t buf[OFFERS_FILE_MAX];
	char name[NAME_LEN + 1];
	struct wr w = wr_make(buf, sizeof(buf));
	_cleanup_fd_ int fd = -1;
	bool ok;

	if (d->dir < 0)
		return;
	hex_encode(name, HASH_BYTES(e->id));
	offers_put(&w, e);
	fd = openat(d->dir, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	ok = wr_ok(&w) && fd >= 0 && write_full(fd, buf, w.len) == 0 &&
	    renameat(d->dir, beside, d->dir, name) == 0;
	if (!ok && !d->failing)
		log_warn("discovery", "records cannot be written; what is "
		    "heard is kept in memory");
	d->failing = !ok;
	explicit_bzero(buf, sizeof(buf));
}

static void
record_remove(struct discovery *d, const struct id32 *id)
{
	char name[NAME_LEN + 1];

	hex_encode(name, HASH_BYTES(*id));
	if (d->dir >= 0)
		(void)unlinkat(d->dir, name, 0);
}

static bool
holed(void *arg, const struct hash16 *network_id)
{
	const struct discovery *d = arg;

	return rns_blackholed(d->e->rns, network_id);
}

static void
record_read(struct discovery *d, const char *name)
{
	_cleanup_free_ char *buf = NULL;
	struct offer_entry e, *got;
	char is[NAME_LEN + 1];
	struct id32 lost = {{0}};
	size_t len;

	if ((buf = file_load(d->dir, name, OFFERS_FILE_MAX, &len)) == NULL) {
		log_warn(name, "cannot be read, left out");
		return;
	}
	if (!offers_get(&e, (uint8_t *)buf, len)) {
		log_warnx(name, "damaged and left out: the interface is "
		    "listed when it is heard again");
		return;
	}
	hex_encode(is, HASH_BYTES(e.id));
	if (strcmp(is, name) == 0)
		(void)offers_heard(d->offers, &e, clock_wall_us(), &got, &lost);
	explicit_bzero(&e, sizeof(e));
	explicit_bzero(buf, len);
}

static void
records_read(struct discovery *d)
{
	struct dirent *de;
	DIR *dir = dir_take(openat(d->dir, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (dir == NULL)
		return;
	while ((de = readdir(dir)) != NULL)
		if (strlen(de->d_name) == NAME_LEN)
			record_read(d, de->d_name);
	(void)closedir(dir);
	log_info("discovery", "interfaces known: %zu",
	    offers_count(d->offers));
}

static void
clean(struct discovery *d)
{
	struct offer_entry *e;

	while ((e = offers_expired(d->offers, clock_wall_us(), holed, d)) !=
	    NULL) {
		record_remove(d, &e->id);
		offers_remove(d->offers, e);
	}
}

/* ---- what is heard ---- */

static bool
wanted(const struct discovery *d, const struct hash16 *network_id)
{
	const struct rnsconf_discovery *c = &d->e->conf->discovery;

	for (unsigned i = 0; i < c->nsources; i++)
		if (hash16_eq(&c->sources[i], network_id))
			return true;
	return c->nsources == 0;
}

static enum offer_drop
weigh(struct discovery *d, const struct waiting *w, struct offer_entry *new)
{
	uint8_t opened[OFFER_APP_MAX];
	enum offer_drop why;
	size_t len;

	why = offer_open(opened, &len, w->app_data, w->len,
	    d->has_network ? &d->network : NULL);
	if (why != OFFER_TAKEN)
		return why;
	if (!offer_worth(&new->value, opened, len,
	    d->e->conf->discovery.required * STAMP_BIT))
		return OFFER_STAMP;
	why = offer_parse(&new->offer, opened, len - STAMP_LEN);
	memcpy(new->stamp, opened + len - STAMP_LEN, STAMP_LEN);
	explicit_bzero(opened, sizeof(opened));
	return why;
}

static enum offer_drop
take(struct discovery *d, const struct waiting *w)
{
	struct offer_entry new = {.network_id = w->network_id, .hops = w->hops};
	struct id32 lost = {{0}};
	struct offer_entry *e;
	enum offer_drop why;

	if (rns_blackholed(d->e->rns, &w->network_id))
		return OFFER_BLACKHOLE;
	if ((why = weigh(d, w, &new)) != OFFER_TAKEN)
		return why;
	new.heard_us = new.discovered_us = clock_wall_us();
	why = offers_heard(d->offers, &new, new.heard_us, &e, &lost);
	explicit_bzero(&new, sizeof(new));
	if (why != OFFER_TAKEN)
		return why;
	if (!id32_eq(&lost, &(struct id32){{0}}))
		record_remove(d, &lost);
	record_write(d, e);
	if (e->heard_count == 0)
		log_info("discovery", "%s \"%s\", %u hops away, stamp %u",
		    offer_type_name(e->offer.type), e->offer.name, e->hops,
		    e->value / STAMP_BIT);
	d->heard(d->e, e);
	return OFFER_TAKEN;
}

/* Nothing else is to be done: one of those that wait. */
static void
on_idle(struct ev_loop *loop, ev_idle *w, int revents)
{
	struct discovery *d = w->data;
	struct waiting *at = &d->queue[d->first];
	enum offer_drop why;

	(void)revents;
	why = take(d, at);
	if (why != OFFER_TAKEN)
		d->drops[why]++;
	d->first = (d->first + 1) % WAITING_MAX;
	if (--d->count == 0)
		ev_idle_stop(loop, w);
}

void
discovery_event(struct discovery *d, const struct rns_event *ev)
{
	struct waiting *w;

	if (ev->type != RNS_EV_ANNOUNCE || ev->announce.path_response ||
	    memcmp(ev->announce.name_hash, d->name_hash,
	    sizeof(d->name_hash)) != 0)
		return;
	if (ev->announce.app_data_len <= OFFER_LEAST ||
	    ev->announce.app_data_len > sizeof(w->app_data)) {
		d->drops[OFFER_SHORT]++;
		return;
	}
	if (!wanted(d, &ev->announce.identity_hash)) {
		d->drops[OFFER_SOURCE]++;
		return;
	}
	if (d->count == WAITING_MAX) {
		d->drops[OFFER_BUSY]++;
		return;
	}
	w = &d->queue[(d->first + d->count++) % WAITING_MAX];
	w->len = ev->announce.app_data_len;
	memcpy(w->app_data, ev->announce.app_data, w->len);
	w->network_id = ev->announce.identity_hash;
	w->hops = ev->announce.hops;
	ev_idle_start(d->e->loop, &d->idle);
}

void
discovery_tick(struct discovery *d)
{
	if (++d->since_clean < CLEAN_S)
		return;
	d->since_clean = 0;
	clean(d);
}

struct discovery *
discovery_new(struct engine *e, int dir, const uint8_t *network,
    void (*heard)(struct engine *, const struct offer_entry *))
{
	struct discovery *d = calloc(1, sizeof(*d));
	_cleanup_fd_ int folder = -1;

	if (d == NULL || (d->offers = offers_new()) == NULL) {
		free(d);
		return NULL;
	}
	d->e = e;
	d->heard = heard;
	d->has_network = network != NULL &&
	    identity_load(&d->network, network) == RNS_OK;
	rns_name_hash(d->name_hash, OFFER_NAME);
	ev_idle_init(&d->idle, on_idle);
	ev_set_priority(&d->idle, EV_MINPRI);
	d->idle.data = d;
	if (dir >= 0)
		folder = dir_open(dir, "discovery", true, 0700);
	d->dir = folder >= 0 ? dir_open(folder, "interfaces", true, 0700) : -1;
	if (d->dir >= 0)
		records_read(d);
	else if (dir >= 0)
		log_warn("storage/discovery", "cannot be made; what is heard "
		    "is kept in memory");
	clean(d);
	return d;
}

void
discovery_free(struct discovery *d)
{
	if (d == NULL)
		return;
	ev_idle_stop(d->e->loop, &d->idle);
	offers_free(d->offers);
	if (d->dir >= 0)
		(void)close(d->dir);
	explicit_bzero(d->queue, sizeof(d->queue));
	identity_clear(&d->network);
	free(d);
}
