/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mpk.h"
#include "transport/core/table/stores.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/store_codec.h"

#define PERSIST_S 43200 /* P of reticulum-transport.md 11.4 */
#define KNOWN_S 300     /* cleaning of known destinations, cache */
/* reticulum-transport.md 7.4: expiry of the blackhole */
#define HOLES_S 60
#define HOLES_MAX 65536 /* ours: identities of all files */

/* ours: a file longer than this is not read */
#define KNOWN_FILE_MAX (64u << 20)
#define PATHS_FILE_MAX (128u << 20)
#define HASHES_FILE_MAX (64u << 20)
#define HOLES_FILE_MAX (8u << 20)

struct store {
	struct engine *e;
	int dir;
	int ratchets, announces_dir, blackhole; /* folders of it, or -1 */
	struct mono persisted, known_written, holes_checked;
	uint64_t announces; /* of the last known_destinations */
	int64_t ratchets_us; /* those heard until then are written */
	struct codec_hole *holes; /* with an end */
	size_t nholes;
	bool failing; /* the last write failed: say so once */
};

/* ---- the identity ---- */

int
store_identity(int dir, uint8_t key[RNS_KEY])
{
	static const char name[] = "transport_identity";
	ssize_t n;

	if ((n = file_read(dir, name, key, RNS_KEY)) == RNS_KEY)
		return 0;
	if (n >= 0) {
		log_errx(name, "has %zd bytes where an identity has 64", n);
		return -1;
	}
	if (errno != ENOENT) {
		log_err(name, "cannot be read");
		return -1;
	}
	randombytes_buf(key, RNS_KEY);
	if (file_replace(dir, name, key, RNS_KEY, 0600) < 0) {
		log_err(name, "cannot be written");
		return -1;
	}
	log_notice(name, "made");
	return 0;
}

/* ---- helpers ---- */

/* Out of disk and the like: once when it begins, once when it ends. */
static bool
wrote(struct store *s, const char *name, int rc)
{
	if (rc < 0) {
		if (!s->failing)
			log_warn(name, "cannot be written, trying again later");
		s->failing = true;
		return false;
	}
	if (s->failing)
		log_notice(name, "can be written again");
	s->failing = false;
	return true;
}

/* NULL: not there, or not readable (logged). */
static char *
load(int dir, const char *name, size_t max, size_t *len)
{
	char *buf;

	if ((buf = file_load(dir, name, max, len)) == NULL && errno != ENOENT)
		log_warn(name, "cannot be read, left out");
	return buf;
}

struct store *
store_new(struct engine *e, int dir)
{
	static const char *others[] = {"resources", "identities"};
	_cleanup_fd_ int cache = -1;
	struct store *s;
	int fd;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->e = e;
	s->dir = dir;
	s->persisted = s->known_written = s->holes_checked = clock_mono();
	s->ratchets_us = clock_wall_us();
	cache = dir_open(dir, "cache", true, 0700);
	s->announces_dir = dir_open(cache, "announces", true, 0700);
	s->ratchets = dir_open(dir, "ratchets", true, 0700);
	s->blackhole = dir_open(dir, "blackhole", true, 0700);
	if (s->announces_dir < 0 || s->ratchets < 0 || s->blackhole < 0)
		log_warn("storage", "a folder cannot be made");
	for (size_t i = 0; i < NELEM(others); i++)
		if ((fd = dir_open(dir, others[i], true, 0700)) >= 0)
			(void)close(fd);
	return s;
}

void
store_free(struct store *s)
{
	if (s == NULL)
		return;
	if (s->announces_dir >= 0)
		(void)close(s->announces_dir);
	if (s->ratchets >= 0)
		(void)close(s->ratchets);
	if (s->blackhole >= 0)
		(void)close(s->blackhole);
	free(s->holes);
	free(s);
}

/* ---- loading ---- */

/* The received ratchet of one known destination; bad files are removed. */
static void
load_ratchet(struct store *s, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RATCHET_ADD};
	char name[2 * RNS_HASH + 1];
	_cleanup_free_ char *buf = NULL;
	size_t len;

	hex_encode(name, HASH_BYTES(*dest));
	if ((buf = file_load(s->ratchets, name, 4096, &len)) == NULL)
		return;
	cmd.ratchet.dest = *dest;
	if (stores_ratchet_get((uint8_t *)buf, len, cmd.ratchet.key,
	    &cmd.ratchet.received_us) != RNS_OK ||
	    rns_submit(s->e->rns, &cmd, s->e->now) == RNS_EINVAL)
		(void)unlinkat(s->ratchets, name, 0); /* corrupt or too old */
}

static void
load_known(struct store *s)
{
	struct rns_cmd cmd;
	_cleanup_free_ char *buf = NULL;
	size_t len, count, taken = 0, passed = 0;
	struct rns_known k;
	struct rd r;
	int rc;

	if ((buf = load(s->dir, "known_destinations", KNOWN_FILE_MAX, &len)) == NULL)
		return;
	r = rd_make(buf, len);
	if (stores_known_head(&r, &count) != RNS_OK) {
		log_warnx("known_destinations", "damaged and left out: what "
		    "was known is learned again from announces");
		return;
	}
	for (; count > 0; count--) {
		if ((rc = stores_known_next(&r, &k)) == RNS_EPARSE) {
			log_warnx("known_destinations", "%zu entries cannot "
			    "be read", count);
			break;
		}
		if (rc != RNS_OK) {
			passed++;
			continue;
		}
		cmd = stores_known_cmd(&k);
		if (rns_submit(s->e->rns, &cmd, s->e->now) != RNS_OK) {
			passed++;
			continue;
		}
		load_ratchet(s, &k.dest);
		taken++;
	}
	log_info("known_destinations", "read=%zu skipped=%zu", taken, passed);
}

static void
load_hashes(struct store *s)
{
	struct rns_cmd cmd = {.type = RNS_CMD_HASHES_ADD};
	_cleanup_free_ char *buf = NULL;
	size_t len;

	if ((buf = load(s->dir, "packet_hashlist.raw", HASHES_FILE_MAX, &len)) == NULL)
		return;
	cmd.bytes.data = (uint8_t *)buf;
	cmd.bytes.len = len - len % RNS_FULL_HASH;
	(void)rns_submit(s->e->rns, &cmd, s->e->now);
}

static const struct nif *
nif_by_hash(const struct engine *e, const struct id32 *hash)
{
	const struct nif *n;

	TAILQ_FOREACH(n, &e->ifs, link)
		if (n->id != 0 &&
		    id32_eq(&n->cfg.name_hash, hash))
			return n;
	return NULL;
}

/* reticulum-transport.md 11.4: only with its interface and its announce. */
static bool
load_path(struct store *s, const struct codec_path *p)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_ADD};
	const struct nif *n = nif_by_hash(s->e, &p->interface);
	char name[2 * RNS_FULL_HASH + 1];
	_cleanup_free_ char *buf = NULL;
	size_t len;

	if (n == NULL)
		return false;
	hex_encode(name, HASH_BYTES(p->packet_hash));
	buf = file_load(s->announces_dir, name, 8192, &len);
	if (buf == NULL || !codec_announce_get((uint8_t *)buf, len, &cmd.path.announce,
	    &cmd.path.announce_len))
		return false;
	cmd.path.dest = p->dest;
	cmd.path.next_hop = p->next_hop;
	cmd.path.hops = p->hops;
	cmd.path.learned_us = p->learned_us;
	cmd.path.expires_us = p->expires_us;
	cmd.path.ifid = n->id;
	cmd.path.blobs = &p->blobs[0][0];
	cmd.path.blob_count = p->blob_count;
	return rns_submit(s->e->rns, &cmd, s->e->now) == RNS_OK;
}

static void
load_paths(struct store *s)
{
	_cleanup_free_ char *buf = NULL;
	size_t len, count, taken = 0, passed = 0;
	struct codec_path p;
	struct rd r;
	int rc;

	if ((buf = load(s->dir, "destination_table", PATHS_FILE_MAX, &len)) == NULL)
		return;
	r = rd_make(buf, len);
	if (!codec_paths_head(&r, &count)) {
		log_warnx("destination_table", "damaged and left out: paths "
		    "are learned again from announces");
		return;
	}
	for (; count > 0; count--) {
		if ((rc = codec_path_get(&r, &p)) == RNS_EPARSE) {
			log_warnx("destination_table", "%zu entries cannot "
			    "be read", count);
			break;
		}
		if (rc == RNS_OK && load_path(s, &p))
			taken++;
		else
			passed++;
	}
	log_info("destination_table", "read=%zu skipped=%zu", taken, passed);
}

/* ---- blackhole (reticulum-transport.md 7.4) ---- */

static void
hole_set(struct store *s, const struct hash16 *identity, bool on)
{
	struct rns_cmd cmd = {.type = RNS_CMD_BLACKHOLE};

	cmd.blackhole.identity = *identity;
	cmd.blackhole.on = on;
	(void)rns_submit(s->e->rns, &cmd, s->e->now);
}

static bool
hole_keep(struct store *s, const struct codec_hole *h)
{
	struct codec_hole *more;

	if (h->until_us == 0)
		return true;
	if ((s->nholes & (s->nholes - 1)) == 0) {
		more = reallocarray(s->holes,
		    s->nholes == 0 ? 1 : s->nholes * 2, sizeof(*more));
		if (more == NULL)
			return false;
		s->holes = more;
	}
	s->holes[s->nholes++] = *h;
	return true;
}

static void
load_holes(struct store *s, const char *name)
{
	_cleanup_free_ char *buf = NULL;
	size_t len, count, taken = 0;
	struct codec_hole h;
	struct rd r;
	int rc;

	if ((buf = load(s->blackhole, name, HOLES_FILE_MAX, &len)) == NULL)
		return;
	r = rd_make(buf, len);
	if (!codec_holes_head(&r, &count)) {
		log_warnx(name, "damaged and left out: who stands in it is not "
		    "blackholed; put back a whole one");
		return;
	}
	for (; count > 0 && taken < HOLES_MAX; count--) {
		if ((rc = codec_hole_get(&r, &h)) == RNS_EPARSE) {
			log_warnx(name, "%zu entries cannot be read", count);
			break;
		}
		if (rc != RNS_OK ||
		    (h.until_us != 0 && h.until_us <= clock_wall_us()) ||
		    !hole_keep(s, &h))
			continue;
		hole_set(s, &h.identity, true);
		taken++;
	}
	if (count > 0 && taken == HOLES_MAX)
		log_warnx(name, "%zu identities are too many, left out",
		    count);
	log_notice(name, "identities=%zu", taken);
}

/* Our own list, and those of the sources that the configuration names. */
static void
load_blackhole(struct store *s)
{
	const struct rnsconf *c = s->e->conf;
	char name[2 * RNS_HASH + 1];

	load_holes(s, "local");
	for (unsigned i = 0; i < c->nblackhole_sources; i++) {
		hex_encode(name, HASH_BYTES(c->blackhole_sources[i]));
		load_holes(s, name);
	}
}

static void
expire_holes(struct store *s)
{
	int64_t now = clock_wall_us();

	for (size_t i = 0; i < s->nholes;) {
		if (s->holes[i].until_us > now) {
			i++;
			continue;
		}
		hole_set(s, &s->holes[i].identity, false);
		s->holes[i] = s->holes[--s->nholes];
	}
}

void
store_load(struct store *s)
{
	load_known(s);
	if (s->e->conf->enable_transport) {
		load_hashes(s);
		load_paths(s);
	}
	load_blackhole(s); /* last: it takes paths away again */
}

/* ---- writing ---- */

static void
write_known(struct store *s)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t cap = STORES_KNOWN_HEAD_MAX, count = 0;
	struct rns_known k;
	struct rns_counts c;
	struct wr w;
	bool first;

	EACH_KNOWN(s->e->rns, &k, first) {
		cap += stores_known_max(&k);
		count++;
	}
	if ((buf = malloc(cap)) == NULL) {
		(void)wrote(s, "known_destinations", -1);
		return;
	}
	w = wr_make(buf, cap);
	stores_known_put_head(&w, count);
	EACH_KNOWN(s->e->rns, &k, first)
		stores_known_put(&w, &k);
	if (!wr_ok(&w) || !wrote(s, "known_destinations",
	    file_replace(s->dir, "known_destinations", buf, w.len, 0600)))
		return;
	rns_counts(s->e->rns, &c);
	s->announces = c.announces;
}

/* Those heard since the last time. */
static void
write_ratchets(struct store *s)
{
	char name[2 * RNS_HASH + 1];
	uint8_t buf[STORES_RATCHET_LEN];
	int64_t now = clock_wall_us();
	struct rns_known k;
	struct wr w;
	bool first;

	EACH_KNOWN(s->e->rns, &k, first) {
		if (k.ratchet == NULL || k.ratchet_us < s->ratchets_us)
			continue;
		w = wr_make(buf, sizeof(buf));
		stores_ratchet_put(&w, k.ratchet, k.ratchet_us);
		hex_encode(name, HASH_BYTES(k.dest));
		if (!wr_ok(&w) || !wrote(s, name, file_replace(s->ratchets,
		    name, buf, w.len, 0600)))
			return;
	}
	s->ratchets_us = now;
}

/* The announce that a stored path needs; one that is there is the same. */
static bool
write_announce(struct store *s, const struct rns_path *p, const struct nif *n)
{
	char name[2 * RNS_FULL_HASH + 1];
	uint8_t buf[CODEC_ANNOUNCE_MAX];
	_cleanup_fd_ int fd = -1;
	struct wr w = wr_make(buf, sizeof(buf));

	hex_encode(name, HASH_BYTES(p->packet_hash));
	fd = openat(s->announces_dir, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return true;
	codec_announce_put(&w, p->announce, p->announce_len, n->name);
	/*
	 * No sync: there may be thousands, and each is checked when it is
	 * read. A torn one costs one path.
	 */
	if (!wrote(s, name, fd < 0 ? -1 : write_full(fd, buf, w.len))) {
		(void)unlinkat(s->announces_dir, name, 0);
		return false;
	}
	return wr_ok(&w);
}

static void
fill_path(struct codec_path *c, const struct rns_path *p, const struct nif *n)
{
	size_t count = MIN_OF(p->blob_count, (size_t)CODEC_BLOBS_MAX);

	memset(c, 0, sizeof(*c));
	c->dest = p->dest;
	c->next_hop = p->next_hop;
	c->hops = p->hops;
	c->learned_us = p->learned_us;
	c->expires_us = p->expires_us;
	c->interface = n->cfg.name_hash;
	c->packet_hash = p->packet_hash;
	memcpy(c->blobs, p->blobs + (p->blob_count - count) * CODEC_BLOB,
	    count * CODEC_BLOB);
	c->blob_count = count;
}

/* A path whose interface ends with this run cannot be read again. */
static const struct nif *
path_nif(const struct store *s, const struct rns_path *p)
{
	const struct nif *n = nif_find(s->e, p->ifid);

	return n != NULL && nif_lasting(n) ? n : NULL;
}

static void
write_paths(struct store *s)
{
	_cleanup_free_ uint8_t *buf = NULL;
	const struct nif *n;
	struct codec_path c;
	struct rns_path p;
	size_t count = 0, put = 0;
	struct wr w;
	bool first;

	EACH_PATH(s->e->rns, &p, first)
		count += path_nif(s, &p) != NULL && p.announce != NULL;
	if ((buf = malloc(5 + count * CODEC_PATH_MAX)) == NULL) {
		(void)wrote(s, "destination_table", -1);
		return;
	}
	w = wr_make(buf, 5 + count * CODEC_PATH_MAX);
	mpk_put_array(&w, count);
	EACH_PATH(s->e->rns, &p, first) {
		if ((n = path_nif(s, &p)) == NULL || p.announce == NULL)
			continue;
		if (put == count || !write_announce(s, &p, n))
			return;
		fill_path(&c, &p, n);
		codec_path_put(&w, &c);
		put++;
	}
	if (put == count && wr_ok(&w))
		(void)wrote(s, "destination_table", file_replace(s->dir,
		    "destination_table", buf, w.len, 0600));
}

static void
write_hashes(struct store *s)
{
	_cleanup_free_ uint8_t *buf = NULL;
	struct rns_limits lim;
	size_t n;

	rns_limits_default(&lim);
	if ((buf = malloc((size_t)lim.hashes * RNS_FULL_HASH)) == NULL) {
		(void)wrote(s, "packet_hashlist.raw", -1);
		return;
	}
	n = rns_hashes(s->e->rns, buf, lim.hashes);
	(void)wrote(s, "packet_hashlist.raw", file_replace(s->dir,
	    "packet_hashlist.raw", buf, n * RNS_FULL_HASH, 0600));
}

void
store_persist(struct store *s)
{
	write_known(s);
	write_ratchets(s);
	write_paths(s);
	if (s->e->conf->enable_transport)
		write_hashes(s);
	s->persisted = s->known_written = clock_mono();
}

void
store_detached(struct store *s)
{
	if (mono_sub(clock_mono(), s->persisted) > KNOWN_S * MONO_SECOND)
		store_persist(s);
}

/* ---- cleaning ---- */

static int
hash_cmp(const void *a, const void *b)
{
	return memcmp(a, b, RNS_FULL_HASH);
}

/* Announces that no path names any more (reticulum-transport.md 11.4). */
static void
clean_announces(struct store *s)
{
	struct id32 *named;
	size_t n = 0;
	struct id32 hash;
	struct rns_counts c;
	struct rns_path p;
	struct dirent *d;
	bool first;
	DIR *dir;
	int fd;

	rns_counts(s->e->rns, &c);
	named = calloc((size_t)c.paths + 1, sizeof(*named));
	fd = openat(s->announces_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (named == NULL || fd < 0 || (dir = fdopendir(fd)) == NULL) {
		if (fd >= 0)
			(void)close(fd);
		free(named);
		return;
	}
	EACH_PATH(s->e->rns, &p, first)
		if (n < c.paths)
			named[n++] = p.packet_hash;
	qsort(named, n, sizeof(*named), hash_cmp);
	while ((d = readdir(dir)) != NULL) {
		/* what is not ours to name is left alone */
		if (!hex_decode(HASH_BYTES(hash), d->d_name,
		    strlen(d->d_name)) || bsearch(hash.b, named, n,
		    sizeof(*named), hash_cmp) != NULL)
			continue;
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
	(void)closedir(dir);
	free(named);
}

/* Announces of tunnels that rnsd left must stay for the day it comes back. */
static bool
has_tunnels(const struct store *s)
{
	uint8_t first[2];
	ssize_t n = file_read(s->dir, "tunnels", first, sizeof(first));

	if (n < 0)
		return errno != ENOENT;
	return n != 1 || first[0] != 0x90; /* an empty list */
}

void
store_tick(struct store *s)
{
	struct mono now = clock_mono();
	struct rns_counts c;

	if (mono_sub(now, s->holes_checked) > HOLES_S * MONO_SECOND) {
		s->holes_checked = now;
		expire_holes(s);
	}
	if (mono_sub(now, s->persisted) > PERSIST_S * MONO_SECOND) {
		store_persist(s);
		return;
	}
	if (mono_sub(now, s->known_written) <= KNOWN_S * MONO_SECOND)
		return;
	s->known_written = now;
	rns_counts(s->e->rns, &c);
	if (c.announces != s->announces) {
		write_known(s);
		write_ratchets(s);
	}
	if (!has_tunnels(s))
		clean_announces(s);
}
