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
#include "transport/core/table/stores.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/store_file.h"
#include "transport/engine/store_paths.h"

#define PERSIST_S 43200 /* P of reticulum-transport.md 11.4 */
#define KNOWN_S 300     /* cleaning of known destinations, cache */

/* ours: a file longer than this is not read */
#define KNOWN_FILE_MAX (64u << 20)
#define HASHES_FILE_MAX (64u << 20)
#define RATCHET_MAX 4096

struct store {
	struct engine *e;
	struct store_files files;
	int ratchets, announces_dir, blackhole; /* folders of it, or -1 */
	struct mono persisted, known_written;
	uint64_t announces; /* of the last known_destinations */
	int64_t ratchets_us; /* those heard until then are written */
};

/* ---- the identity ---- */

int
store_identity(int dir, uint8_t key[RNS_KEY])
{
	static const char name[] = "transport_identity";
	char database[256];
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
	if (store_database(dir, database, sizeof(database)) != 0) {
		log_errx(database, "is a database of RNS 1.6 and there is no "
		    "transport_identity beside it: it may hold the identity of "
		    "this node. Write its 64 bytes to "
		    "storage/transport_identity, or move the database away to "
		    "begin as a new node");
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

struct store_files *
store_files(struct store *s)
{
	return &s->files;
}

int
store_dir(const struct store *s)
{
	return s->files.dir;
}

/* ---- helpers ---- */

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
	store_files_init(&s->files, dir);
	s->persisted = s->known_written = clock_mono();
	s->ratchets_us = clock_wall_us();
	cache = dir_open(dir, "cache", true, 0700);
	s->announces_dir = dir_open(cache, "announces", true, 0700);
	s->ratchets = dir_open(dir, "ratchets", true, 0700);
	s->blackhole = dir_open(dir, "blackhole", true, 0700);
	if (s->announces_dir < 0 || s->ratchets < 0 || s->blackhole < 0)
		log_warn("storage", "a folder cannot be made");
	store_file_sweep(dir);
	store_file_sweep(s->announces_dir);
	store_file_sweep(s->ratchets);
	store_file_sweep(s->blackhole);
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
	store_files_clear(&s->files);
	free(s);
}

/* ---- loading ---- */

/* The received ratchet of one known destination. */
static void
load_ratchet(struct store *s, const struct hash16 *dest)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RATCHET_ADD};
	char name[2 * RNS_HASH + 1];
	_cleanup_free_ char *buf = NULL;
	size_t len;

	hex_encode(name, HASH_BYTES(*dest));
	if ((buf = store_file_load(&s->files, s->ratchets, name, RATCHET_MAX,
	    &len)) == NULL)
		return;
	cmd.ratchet.dest = *dest;
	if (stores_ratchet_get((uint8_t *)buf, len, cmd.ratchet.key,
	    &cmd.ratchet.received_us) != RNS_OK)
		store_file_aside(&s->files, s->ratchets, name, "the next "
		    "announce of that destination brings another");
	else if (rns_submit(s->e->rns, &cmd, s->e->now) == RNS_EINVAL)
		(void)unlinkat(s->ratchets, name, 0); /* too old */
}

static void
load_known(struct store *s)
{
	struct rns_cmd cmd;
	_cleanup_free_ char *buf = NULL;
	size_t len, count, taken = 0, passed = 0;
	struct rns_known k;
	bool damaged;
	struct rd r;
	int rc;

	if ((buf = store_file_load(&s->files, s->files.dir,
	    "known_destinations", KNOWN_FILE_MAX, &len)) == NULL)
		return;
	r = rd_make(buf, len);
	damaged = stores_known_head(&r, &count) != RNS_OK;
	for (; !damaged && count > 0; count--) {
		if ((rc = stores_known_next(&r, &k)) == RNS_EPARSE)
			break;
		damaged |= rc != RNS_OK;
		cmd = stores_known_cmd(&k);
		if (rc != RNS_OK ||
		    rns_submit(s->e->rns, &cmd, s->e->now) != RNS_OK) {
			passed++;
			continue;
		}
		load_ratchet(s, &k.dest);
		taken++;
	}
	log_info("known_destinations", "read=%zu skipped=%zu", taken, passed);
	if (damaged || count > 0 || !rd_end(&r))
		store_file_aside(&s->files, s->files.dir, "known_destinations",
		    "what could be read was taken, the rest is learned again "
		    "from announces");
}

static void
load_hashes(struct store *s)
{
	struct rns_cmd cmd = {.type = RNS_CMD_HASHES_ADD};
	_cleanup_free_ char *buf = NULL;
	size_t len;

	if ((buf = store_file_load(&s->files, s->files.dir,
	    "packet_hashlist.raw", HASHES_FILE_MAX, &len)) == NULL)
		return;
	cmd.bytes.data = (uint8_t *)buf;
	cmd.bytes.len = len - len % RNS_FULL_HASH;
	(void)rns_submit(s->e->rns, &cmd, s->e->now);
	if (len % RNS_FULL_HASH != 0)
		store_file_aside(&s->files, s->files.dir,
		    "packet_hashlist.raw", "its end is missing");
}

/*
 * Ratchets of destinations that nobody knows any more go: whoever makes up
 * destinations would fill the disk with them.
 */
static void
clean_ratchets(struct store *s)
{
	struct hash16 dest;
	struct rns_known k;
	struct dirent *d;
	DIR *dir = dir_take(openat(s->ratchets, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));

	if (dir == NULL)
		return;
	while ((d = readdir(dir)) != NULL)
		/* what is not ours to name is left alone */
		if (hex_decode(HASH_BYTES(dest), d->d_name,
		    strlen(d->d_name)) && (!rns_known_get(s->e->rns, &dest,
		    &k) || k.ratchet == NULL))
			(void)unlinkat(s->ratchets, d->d_name, 0);
	(void)closedir(dir);
}

/*
 * Is there a database of RNS 1.6 that is newer than the tables? Those were
 * left behind when it was made, and what they say of paths is over; keys of
 * destinations and the blackhole stay true.
 */
static bool
tables_left_behind(struct store *s)
{
	char name[256];
	int64_t made = store_database(s->files.dir, name, sizeof(name));
	bool older;

	if (made == 0)
		return false;
	older = made > store_file_time(s->files.dir, "destination_table");
	log_warnx(name, "is a database of RNS 1.6, which this version does "
	    "not read: what it has learned is learned again from announces%s",
	    older ? "; destination_table, tunnels and packet_hashlist.raw are "
	    "older and are not read either" : "");
	return older;
}

void
store_load(struct store *s)
{
	bool left = tables_left_behind(s);

	load_known(s);
	clean_ratchets(s);
	if (s->e->conf->enable_transport && !left) {
		load_hashes(s);
		store_paths_load(s->e, &s->files, s->announces_dir);
	}
	/* last: it takes paths away again */
	holes_load(s->e->holes, &s->files, s->blackhole);
	/* what was read of a damaged file shall be there at the next start */
	if (s->files.set_aside > 0)
		store_persist(s);
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
		(void)store_file_wrote(&s->files, "known_destinations", -1);
		return;
	}
	w = wr_make(buf, cap);
	stores_known_put_head(&w, count);
	EACH_KNOWN(s->e->rns, &k, first)
		stores_known_put(&w, &k);
	if (!wr_ok(&w) || !store_file_write(&s->files, s->files.dir,
	    "known_destinations", buf, w.len))
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
		if (!wr_ok(&w) || !store_file_write(&s->files, s->ratchets,
		    name, buf, w.len))
			return;
	}
	s->ratchets_us = now;
}

static void
write_hashes(struct store *s)
{
	_cleanup_free_ uint8_t *buf = NULL;
	size_t n = rns_hashes(s->e->rns, NULL, 0);

	if ((buf = malloc(n * RNS_FULL_HASH + 1)) == NULL) {
		(void)store_file_wrote(&s->files, "packet_hashlist.raw", -1);
		return;
	}
	n = rns_hashes(s->e->rns, buf, n);
	(void)store_file_write(&s->files, s->files.dir, "packet_hashlist.raw",
	    buf, n * RNS_FULL_HASH);
}

void
store_persist(struct store *s)
{
	write_known(s);
	write_ratchets(s);
	store_paths_write(s->e, &s->files, s->announces_dir);
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

void
store_tick(struct store *s)
{
	struct mono now = clock_mono();
	struct rns_counts c;

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
	clean_ratchets(s);
	/* those of tunnels must stay for who reads tunnels */
	if (s->e->conf->enable_transport)
		store_paths_clean(s->e, s->announces_dir);
}
