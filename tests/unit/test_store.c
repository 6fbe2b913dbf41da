/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The storage folder (reticulum-transport.md 11.4): what was written is there
 * again, and nothing that stands in a file stops the start.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mpk.h"
#include "common/util.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/nif.h"
#include "transport/engine/store.h"
#include "transport/engine/store_codec.h"
#include "tests/unit/relay_node.h"

/* ---- an engine without a loop ---- */

const struct hash16 engine_zero;
static struct nif lasting = {.id = 1, .name = "lasting"};

struct nif *
nif_find(const struct engine *e, unsigned id)
{
	(void)e;
	return id == 1 ? &lasting : NULL;
}

bool
nif_lasting(const struct nif *n)
{
	return n == &lasting;
}

static struct rnsconf conf = {.enable_transport = true};

struct world {
	struct engine e;
	uint64_t rng;
};

static void
numbers(void *arg, uint8_t *out, size_t n)
{
	uint64_t *s = arg;

	for (size_t i = 0; i < n; i++) {
		*s = *s * UINT64_C(6364136223846793005) + 1;
		out[i] = (uint8_t)(*s >> 56);
	}
}

static void
submit(struct world *w, const struct rns_cmd *cmd)
{
	assert_int_equal(rns_submit(w->e.rns, cmd, w->e.now), RNS_OK);
}

static void
world_if(struct world *w, unsigned id)
{
	struct rns_cmd cmd = {.type = RNS_CMD_IF_ADD, .iface = {.id = id,
	    .kind = RNS_IF_NET, .mode = RNS_MODE_FULL, .hw_mtu = 500,
	    .ingress = {.set = true}, /* nothing is held here */
	    .out = true, .online = true}};

	submit(w, &cmd);
}

static void
world_open(struct world *w, int dir)
{
	struct rns_config c = {.random = numbers, .random_arg = &w->rng,
	    .transport = true, .wall_us = clock_wall_us()};

	memset(w, 0, sizeof(*w));
	rns_limits_default(&c.limits);
	/* thousands of cores are made here */
	c.limits.known = c.limits.paths = c.limits.reverse = 64;
	c.limits.hashes = c.limits.events = c.limits.tx_packets = 64;
	c.limits.links = c.limits.link_table = c.limits.receipts = 8;
	c.identity[0] = 1;
	w->e.now = clock_mono();
	w->e.rns = rns_new(&c, w->e.now);
	assert_non_null(w->e.rns);
	w->e.identity_hash = *hash16_at(rns_identity_hash(w->e.rns));
	w->e.conf = &conf;
	TAILQ_INIT(&w->e.ifs);
	rns_sha256(&lasting.cfg.name_hash, lasting.name, strlen(lasting.name));
	TAILQ_INSERT_TAIL(&w->e.ifs, &lasting, link);
	world_if(w, 1);
	w->e.holes = holes_new(&w->e);
	w->e.store = store_new(&w->e, dir);
	assert_non_null(w->e.holes);
	assert_non_null(w->e.store);
	store_load(w->e.store);
}

static void
world_close(struct world *w)
{
	store_free(w->e.store);
	holes_free(w->e.holes);
	rns_free(w->e.rns);
}

/* ---- folders ---- */

static char folder[64];
static int top = -1;

static int
setup(void **state)
{
	(void)state;
	/* in memory where that is: each file is synced */
	(void)snprintf(folder, sizeof(folder), "%s/warren-store-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		return -1;
	top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0 ? -1 : 0;
}

static void
clear(int dir)
{
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct dirent *e;
	int sub;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    unlinkat(dir, e->d_name, 0) == 0)
			continue;
		sub = dir_open(dir, e->d_name, false, 0);
		assert_true(sub >= 0);
		clear(sub);
		(void)close(sub);
		assert_int_equal(unlinkat(dir, e->d_name, AT_REMOVEDIR), 0);
	}
	(void)closedir(d);
}

static int
teardown(void **state)
{
	(void)state;
	clear(top);
	(void)close(top);
	return rmdir(folder);
}

static unsigned
set_aside(void)
{
	DIR *d = dir_take(openat(top, "damaged", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC));
	struct dirent *e;
	unsigned n = 0;

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

/* ---- what is in it ---- */

#define PATHS 3

static struct stranger strangers[PATHS + 1];
static uint8_t shown[19 + 176];

static void
hear(struct world *w, unsigned ifid, const struct stranger *s)
{
	uint8_t raw[RNS_MTU];
	size_t n = stranger_announce(s, raw,
	    (uint64_t)(clock_wall_us() / 1000000), 0, NULL, false);

	assert_int_equal(rns_recv(w->e.rns, ifid, raw, n, w->e.now), RNS_OK);
}

static void
tunnel_make(void)
{
	uint8_t key[RNS_KEY] = {9};
	struct hash16 hash;

	shown[0] = 0x08;
	assert_int_equal(rns_dest_hash(&hash, "rnstransport.tunnel.synthesize",
	    NULL), RNS_OK);
	memcpy(shown + 2, hash.b, RNS_HASH);
	assert_int_equal(rns_identity_derive(shown + 19, &hash, key), RNS_OK);
	assert_int_equal(rns_identity_sign(shown + 19 + 112, key, shown + 19,
	    112), RNS_OK);
}

/* Three paths, one more behind a tunnel, a ratchet, two of the blackhole. */
static void
fill(struct world *w, bool up)
{
	struct rns_cmd cmd = {.type = RNS_CMD_RATCHET_ADD};
	struct hash16 bad = {{0xbb}}, worse = {{0xcc}};

	for (unsigned i = 0; i <= PATHS; i++)
		stranger_make(&strangers[i], (uint8_t)(i + 1));
	for (unsigned i = 0; i < PATHS; i++)
		hear(w, 1, &strangers[i]);
	world_if(w, 2);
	assert_int_equal(rns_recv(w->e.rns, 2, shown, sizeof(shown),
	    w->e.now), RNS_OK);
	hear(w, 2, &strangers[PATHS]);
	cmd.ratchet.dest = strangers[0].dest;
	memset(cmd.ratchet.key, 3, RNS_RATCHET);
	cmd.ratchet.received_us = clock_wall_us() + 1000000;
	submit(w, &cmd);
	assert_int_equal(holes_add(w->e.holes, &bad, 0, "spam", 4),
	    HOLES_DONE);
	assert_int_equal(holes_add(w->e.holes, &bad, 0, NULL, 0),
	    HOLES_WAS_SO);
	assert_int_equal(holes_add(w->e.holes, &worse,
	    clock_wall_us() + INT64_C(3600000000), NULL, 0), HOLES_DONE);
	if (!up) {
		cmd.type = RNS_CMD_IF_DEL;
		cmd.ifid = 2;
		submit(w, &cmd);
	}
	store_persist(w->e.store);
}

static unsigned
paths(const struct world *w)
{
	struct rns_counts c;

	rns_counts(w->e.rns, &c);
	return c.paths;
}

static unsigned
tunneled(const struct world *w)
{
	struct id32 at = {{0}};
	struct hash16 zero = {{0}};
	struct rns_tunnel t;
	struct rns_path p;

	return rns_tunnel_next(w->e.rns, &at, true, &t) &&
	    rns_tunnel_path_next(w->e.rns, &t.id, &zero, true, &p);
}

static bool
has(const uint8_t *p, size_t n, const char *word)
{
	for (size_t k = strlen(word); n >= k; p++, n--)
		if (memcmp(p, word, k) == 0)
			return true;
	return false;
}

static void
comes_back(void **state)
{
	struct hash16 bad = {{0xbb}};
	struct rns_known k;
	struct world w;
	uint8_t *list;
	size_t len;

	(void)state;
	for (int up = 0; up < 2; up++) {
		clear(top);
		world_open(&w, top);
		fill(&w, up);
		world_close(&w);
		world_open(&w, top);
		assert_int_equal(paths(&w), PATHS);
		assert_int_equal(tunneled(&w), 1);
		assert_true(rns_known_get(w.e.rns, &strangers[0].dest, &k));
		assert_non_null(k.ratchet);
		assert_int_equal(k.ratchet[0], 3);
		assert_true(rns_known_get(w.e.rns, &strangers[PATHS].dest,
		    &k));
		assert_int_equal(holes_count(w.e.holes), 2);
		assert_true(rns_blackholed(w.e.rns, &bad));
		list = holes_pack(w.e.holes, &len);
		assert_non_null(list);
		assert_true(has(list, len, "spam"));
		free(list);
		assert_int_equal(holes_del(w.e.holes, &bad), HOLES_DONE);
		assert_int_equal(holes_del(w.e.holes, &bad), HOLES_WAS_SO);
		assert_false(rns_blackholed(w.e.rns, &bad));
		assert_int_equal(set_aside(), 0);
		/* and the tunnel is what it was */
		world_if(&w, 3);
		shown[19 + 96]++; /* another packet of the same tunnel */
		tunnel_make();
		assert_int_equal(rns_recv(w.e.rns, 3, shown, sizeof(shown),
		    w.e.now), RNS_OK);
		assert_int_equal(paths(&w), PATHS + 1);
		world_close(&w);
	}
}

/* ---- damage ---- */

struct spot {
	const char *dir, *name; /* name NULL: the first that is there */
	char found[80];
	char *data;
	size_t len;
	bool told; /* damage is set aside */
};

static void
spot_load(struct spot *s)
{
	int dir = s->dir[0] == '\0' ? dup(top) : openat(top, s->dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	DIR *d;

	assert_true(dir >= 0);
	if (s->name == NULL) {
		d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC));
		assert_non_null(d);
		while ((e = readdir(d)) != NULL)
			if (e->d_name[0] != '.')
				(void)snprintf(s->found, sizeof(s->found),
				    "%.79s", e->d_name);
		(void)closedir(d);
		s->name = s->found;
	}
	s->data = file_load(dir, s->name, 1 << 20, &s->len);
	assert_non_null(s->data);
	assert_true(s->len > 0);
	(void)close(dir);
}

static void
spot_put(const struct spot *s, const void *data, size_t len)
{
	int dir = s->dir[0] == '\0' ? dup(top) : openat(top, s->dir,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(dir >= 0);
	assert_int_equal(file_replace(dir, s->name, data, len, 0600), 0);
	(void)close(dir);
}

static struct spot spots[] = {
    {"", "destination_table", "", NULL, 0, true},
    {"", "tunnels", "", NULL, 0, true},
    {"", "known_destinations", "", NULL, 0, true},
    {"", "packet_hashlist.raw", "", NULL, 0, false},
    {"blackhole", "local", "", NULL, 0, true},
    {"ratchets", NULL, "", NULL, 0, true},
    {"cache/announces", NULL, "", NULL, 0, false},
};

static void
forget_damaged(void)
{
	int dir = dir_open(top, "damaged", false, 0);

	if (dir < 0)
		return;
	clear(dir);
	(void)close(dir);
}

/* It starts, has what the other files say, and writes whole ones. */
static void
starts(const struct spot *s, bool told, bool twice)
{
	struct world w;

	world_open(&w, top);
	if (told)
		assert_int_equal(set_aside(), 1);
	if (strcmp(s->name, "destination_table") != 0 &&
	    strcmp(s->name, "local") != 0 &&
	    strcmp(s->dir, "cache/announces") != 0)
		assert_int_equal(paths(&w), PATHS);
	if (strcmp(s->name, "local") != 0)
		assert_int_equal(holes_count(w.e.holes), 2);
	if (twice)
		store_persist(w.e.store);
	world_close(&w);
	forget_damaged();
	if (!twice)
		return;
	world_open(&w, top);
	assert_int_equal(set_aside(), 0);
	world_close(&w);
}

static void
put_all(void)
{
	for (size_t i = 0; i < NELEM(spots); i++)
		spot_put(&spots[i], spots[i].data, spots[i].len);
}

static void
damaged_files(void **state)
{
	uint64_t rng = 5;
	struct world w;
	uint8_t at[4];
	char *copy;

	(void)state;
	clear(top);
	world_open(&w, top);
	fill(&w, false);
	world_close(&w);
	for (size_t i = 0; i < NELEM(spots); i++)
		spot_load(&spots[i]);
	for (size_t i = 0; i < NELEM(spots); i++) {
		struct spot *s = &spots[i];

		for (size_t len = 0; len < s->len; len++) {
			spot_put(s, s->data, len);
			starts(s, s->told, len % 16 == 0);
			put_all();
		}
		copy = malloc(s->len);
		assert_non_null(copy);
		for (unsigned round = 0; round < 40; round++) {
			memcpy(copy, s->data, s->len);
			numbers(&rng, at, sizeof(at));
			for (unsigned k = 0; k <= round % 4; k++)
				copy[(at[k % 4] * 256u + at[(k + 1) % 4]) %
				    s->len] ^= (char)(1u << at[k % 4] % 8);
			spot_put(s, copy, s->len);
			world_open(&w, top);
			store_persist(w.e.store);
			world_close(&w);
			forget_damaged();
			put_all();
		}
		free(copy);
	}
	for (size_t i = 0; i < NELEM(spots); i++)
		free(spots[i].data);
}

static void
ratchets_of_nobody(void **state)
{
	char known[2 * RNS_HASH + 1], name[64];
	struct world w;

	(void)state;
	clear(top);
	world_open(&w, top);
	fill(&w, false);
	world_close(&w);
	hex_encode(known, HASH_BYTES(strangers[0].dest));
	(void)snprintf(name, sizeof(name), "ratchets/%s", known);
	assert_int_equal(linkat(top, name, top,
	    "ratchets/00112233445566778899aabbccddeeff", 0), 0);
	assert_int_equal(linkat(top, name, top, "ratchets/other", 0), 0);
	world_open(&w, top);
	assert_int_equal(faccessat(top, name, F_OK, 0), 0);
	assert_int_equal(faccessat(top, "ratchets/other", F_OK, 0), 0);
	assert_int_equal(faccessat(top,
	    "ratchets/00112233445566778899aabbccddeeff", F_OK, 0), -1);
	world_close(&w);
}

/* A run was killed in the middle of a file; others' files stay. */
static void
left_over(void **state)
{
	static const char *gone[] = {".destination_table.123.tmp", ".x.1.tmp"};
	static const char *stay[] = {"x.1.tmp", ".x.tmp", ".x..tmp", ".1.tmp2",
	    "known_destinations.tmp.1"};
	struct world w;

	(void)state;
	clear(top);
	for (size_t i = 0; i < NELEM(gone); i++)
		assert_int_equal(file_replace(top, gone[i], "", 0, 0600), 0);
	for (size_t i = 0; i < NELEM(stay); i++)
		assert_int_equal(file_replace(top, stay[i], "", 0, 0600), 0);
	world_open(&w, top);
	world_close(&w);
	for (size_t i = 0; i < NELEM(gone); i++)
		assert_int_equal(faccessat(top, gone[i], F_OK, 0), -1);
	for (size_t i = 0; i < NELEM(stay); i++)
		assert_int_equal(faccessat(top, stay[i], F_OK, 0), 0);
}

/* Whatever stands where a file should. */
static void
no_files(void **state)
{
	struct world w;

	(void)state;
	clear(top);
	assert_int_equal(mkdirat(top, "destination_table", 0700), 0);
	assert_int_equal(symlinkat("/etc/passwd", top, "known_destinations"),
	    0);
	assert_int_equal(mkfifoat(top, "tunnels", 0600), 0);
	world_open(&w, top);
	assert_int_equal(set_aside(), 3);
	fill(&w, false);
	world_close(&w);
	world_open(&w, top);
	assert_int_equal(paths(&w), PATHS);
	world_close(&w);
	/* one after the other of the same name: the last replaces the last */
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(file_replace(top, "tunnels", "x", 1, 0600),
		    0);
		world_open(&w, top);
		world_close(&w);
	}
	assert_int_equal(set_aside(), 3 + 7);
}

/* ---- RNS 1.6 ---- */

static void
set_time(const char *name, int64_t ago_s)
{
	struct timespec t[2] = {{.tv_nsec = UTIME_OMIT},
	    {.tv_sec = clock_wall_us() / 1000000 - ago_s}};

	assert_int_equal(utimensat(top, name, t, 0), 0);
}

static void
database(void **state)
{
	static const char head[100] = "SQLite format 3";
	uint8_t key[RNS_KEY];
	struct rns_known k;
	struct world w;

	(void)state;
	clear(top);
	world_open(&w, top);
	fill(&w, false);
	world_close(&w);
	assert_int_equal(file_replace(top, "any.name", head, sizeof(head),
	    0600), 0);
	/* our tables are newer */
	set_time("any.name", 100);
	set_time("destination_table", 50);
	world_open(&w, top);
	assert_int_equal(paths(&w), PATHS);
	world_close(&w);
	/* they were left behind */
	set_time("any.name", 50);
	set_time("destination_table", 100);
	world_open(&w, top);
	assert_int_equal(paths(&w), 0);
	assert_int_equal(tunneled(&w), 0);
	assert_true(rns_known_get(w.e.rns, &strangers[0].dest, &k));
	assert_int_equal(holes_count(w.e.holes), 2);
	world_close(&w);
	assert_int_equal(set_aside(), 0);
	/* nobody becomes a new node because the old one is in a database */
	assert_int_equal(store_identity(top, key), -1);
	assert_int_equal(faccessat(top, "transport_identity", F_OK, 0), -1);
	assert_int_equal(unlinkat(top, "any.name", 0), 0);
	assert_int_equal(store_identity(top, key), 0);
	assert_int_equal(file_replace(top, "any.name", head, sizeof(head),
	    0600), 0);
	assert_int_equal(store_identity(top, key), 0);
}

/* The list of one source, with names of others in it, is that source's. */
static void
of_whom(void **state)
{
	static struct hash16 source = {{0xab}};
	struct hash16 who, over = {{0x13}}, other = {{0xcd}};
	struct codec_hole h[] = {{.identity = {{0x11}}, .source = other},
	    {.identity = {{0x12}}}, {.identity = over, .until_us = 1}};
	char name[2 * RNS_HASH + 1];
	uint8_t buf[300], *list;
	struct wr w = wr_make(buf, sizeof(buf));
	struct spot spot = {.dir = "blackhole", .name = name};
	struct codec_hole got;
	struct world world;
	size_t len, count;
	struct rd r;

	(void)state;
	clear(top);
	world_open(&world, top);
	world_close(&world);
	mpk_put_map(&w, NELEM(h));
	for (size_t i = 0; i < NELEM(h); i++)
		codec_hole_put(&w, &h[i]);
	hex_encode(name, HASH_BYTES(source));
	spot_put(&spot, buf, w.len);
	conf.blackhole_sources = &source;
	conf.nblackhole_sources = 1;
	world_open(&world, top);
	assert_int_equal(holes_count(world.e.holes), 2);
	assert_false(rns_blackholed(world.e.rns, &over));
	list = holes_pack(world.e.holes, &len);
	assert_non_null(list);
	r = rd_make(list, len);
	assert_true(codec_holes_head(&r, &count));
	for (; count > 0; count--) {
		assert_int_equal(codec_hole_get(&r, &got), RNS_OK);
		who = got.source;
		assert_true(hash16_eq(&who, &source));
	}
	free(list);
	world_close(&world);
	conf.nblackhole_sources = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back), cmocka_unit_test(damaged_files),
	    cmocka_unit_test(left_over), cmocka_unit_test(of_whom),
	    cmocka_unit_test(ratchets_of_nobody),
	    cmocka_unit_test(no_files), cmocka_unit_test(database),
	};

	log_init("test_store", 0);
	tunnel_make();
	return cmocka_run_group_tests(tests, setup, teardown);
}
