/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/store_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "common/mpk.h"
#include "transport/core/base/packet.h"
#include "transport/engine/engine.h"
#include "transport/engine/nif.h"
#include "transport/engine/store_codec.h"

/* ours: a file longer than this is not read */
#define PATHS_FILE_MAX (128u << 20)
#define ANNOUNCE_FILE_MAX 8192
/* reticulum-transport.md 7.1, 2.1 */
#define TUNNEL_LIFE_S 28800
#define PATH_LIFE_S 604800

/* What of a file came into the core, for the log. */
struct tally {
	size_t taken, passed;
	bool damaged;
};

static const char relearned[] = "what could be read was taken, the rest is "
    "learned again from announces";

/* ---- reading ---- */

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

/*
 * The announce of that hash, into *raw and *len within the returned buffer.
 * One that is something else makes room for the right one.
 */
static char *
load_announce(int announces, const struct id32 *hash, const uint8_t **raw,
    size_t *len)
{
	char name[2 * RNS_FULL_HASH + 1];
	struct packet p;
	size_t n;
	char *buf;

	hex_encode(name, HASH_BYTES(*hash));
	buf = file_load(announces, name, ANNOUNCE_FILE_MAX, &n);
	if (buf != NULL && codec_announce_get((uint8_t *)buf, n, raw, len) &&
	    packet_parse(&p, *raw, *len) == RNS_OK && id32_eq(&p.hash, hash))
		return buf;
	if (buf != NULL)
		(void)unlinkat(announces, name, 0);
	free(buf);
	return NULL;
}

/*
 * reticulum-transport.md 11.4: only with its announce, and with its interface
 * or its tunnel.
 */
static bool
load_path(struct engine *e, int announces, const struct codec_path *p,
    const struct id32 *tunnel)
{
	struct rns_cmd cmd = {.type = RNS_CMD_PATH_ADD};
	const struct nif *n = nif_by_hash(e, &p->interface);
	_cleanup_free_ char *buf = NULL;

	if (n == NULL && tunnel == NULL)
		return false;
	buf = load_announce(announces, &p->packet_hash, &cmd.path.announce,
	    &cmd.path.announce_len);
	if (buf == NULL)
		return false;
	cmd.path.dest = p->dest;
	cmd.path.next_hop = p->next_hop;
	cmd.path.hops = p->hops;
	cmd.path.learned_us = p->learned_us;
	cmd.path.expires_us = p->expires_us;
	cmd.path.ifid = tunnel == NULL ? n->id : 0;
	cmd.path.tunnel = tunnel;
	cmd.path.blobs = &p->blobs[0][0];
	cmd.path.blob_count = p->blob_count;
	return rns_submit(e->rns, &cmd, e->now) == RNS_OK;
}

static void
load_list(struct engine *e, int announces, struct rd *r, size_t count,
    const struct id32 *tunnel, struct tally *t)
{
	struct codec_path p;
	int rc;

	for (; count > 0; count--) {
		if ((rc = codec_path_get(r, &p)) == RNS_EPARSE)
			break;
		if (rc == RNS_OK && load_path(e, announces, &p, tunnel))
			t->taken++;
		else
			t->passed++;
		t->damaged |= rc != RNS_OK;
	}
	t->damaged |= count > 0 || !rd_end(r);
}

static void
tell(struct store_files *f, const char *name, const struct tally *t)
{
	log_info(name, "read=%zu skipped=%zu", t->taken, t->passed);
	if (t->damaged)
		store_file_aside(f, f->dir, name, relearned);
}

static void
load_paths(struct engine *e, struct store_files *f, int announces)
{
	_cleanup_free_ char *buf = NULL;
	struct tally t = {0};
	size_t len, count;
	struct rd r;

	buf = store_file_load(f, f->dir, "destination_table", PATHS_FILE_MAX,
	    &len);
	if (buf == NULL)
		return;
	r = rd_make(buf, len);
	if (codec_paths_head(&r, &count))
		load_list(e, announces, &r, count, NULL, &t);
	else
		t.damaged = true;
	tell(f, "destination_table", &t);
}

/*
 * RNS up to 1.4.2 writes when the last path of a tunnel ends in place of when
 * it does itself (reticulum-transport.md 11.4): it has the life of a new one.
 */
static int64_t
tunnel_end(int64_t said_us)
{
	int64_t new_us = clock_wall_us() + TUNNEL_LIFE_S * MONO_SECOND;

	return said_us > new_us && said_us - new_us < PATH_LIFE_S * MONO_SECOND ?
	    new_us : said_us;
}

static void
load_tunnels(struct engine *e, struct store_files *f, int announces)
{
	struct rns_cmd cmd = {.type = RNS_CMD_TUNNEL_ADD};
	_cleanup_free_ char *buf = NULL;
	struct codec_tunnel ct;
	struct tally t = {0};
	size_t len, count;
	struct rd r;
	int rc;

	if ((buf = store_file_load(f, f->dir, "tunnels", PATHS_FILE_MAX,
	    &len)) == NULL)
		return;
	r = rd_make(buf, len);
	t.damaged = !codec_paths_head(&r, &count);
	for (; !t.damaged && count > 0; count--) {
		rc = codec_tunnel_get(&r, &ct);
		t.damaged |= rc != RNS_OK;
		if (rc == RNS_EPARSE)
			break;
		cmd.tunnel.id = ct.id;
		cmd.tunnel.expires_us = tunnel_end(ct.expires_us);
		if (rc == RNS_OK &&
		    rns_submit(e->rns, &cmd, e->now) == RNS_OK)
			load_list(e, announces, &ct.paths, ct.count, &ct.id,
			    &t);
	}
	t.damaged |= !rd_end(&r);
	tell(f, "tunnels", &t);
}

void
store_paths_load(struct engine *e, struct store_files *f, int announces)
{
	load_paths(e, f, announces);
	load_tunnels(e, f, announces);
}

/* ---- writing ---- */

/*
 * The whole file or none, whenever the program is killed. No sync: there may
 * be thousands, and each is checked when it is read. One that a power cut
 * tears costs one path.
 */
static int
put_announce(int dir, const char *name, const uint8_t *data, size_t n)
{
	char tmp[2 * RNS_FULL_HASH + 32];
	_cleanup_fd_ int fd = -1;

	(void)snprintf(tmp, sizeof(tmp), ".%s.%ld.tmp", name, (long)getpid());
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (write_full(fd, data, n) < 0 || renameat(dir, tmp, dir, name) < 0) {
		(void)unlinkat(dir, tmp, 0);
		return -1;
	}
	return 0;
}

/* The announce that a stored path needs; one that is there is the same. */
static bool
write_announce(struct store_files *f, int announces, const struct rns_path *p,
    const char *interface)
{
	char name[2 * RNS_FULL_HASH + 1];
	uint8_t buf[CODEC_ANNOUNCE_MAX];
	struct wr w = wr_make(buf, sizeof(buf));
	struct stat st;

	hex_encode(name, HASH_BYTES(p->packet_hash));
	codec_announce_put(&w, p->announce, p->announce_len, interface);
	if (!wr_ok(&w))
		return false;
	if (fstatat(announces, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_size >= (off_t)p->announce_len)
		return true;
	return store_file_wrote(f, name,
	    put_announce(announces, name, buf, w.len));
}

static void
fill_path(struct codec_path *c, const struct rns_path *p, const struct nif *n,
    size_t most)
{
	size_t count = MIN_OF(p->blob_count, most);

	memset(c, 0, sizeof(*c));
	c->dest = p->dest;
	c->next_hop = p->next_hop;
	c->hops = p->hops;
	c->learned_us = p->learned_us;
	c->expires_us = p->expires_us;
	if (n != NULL)
		c->interface = n->cfg.name_hash;
	c->packet_hash = p->packet_hash;
	if (count > 0)
		memcpy(c->blobs, p->blobs + (p->blob_count - count) *
		    CODEC_BLOB, count * CODEC_BLOB);
	c->blob_count = count;
}

/* A path whose interface ends with this run cannot be read again. */
static const struct nif *
path_nif(const struct engine *e, const struct rns_path *p)
{
	const struct nif *n = nif_find(e, p->ifid);

	return n != NULL && nif_lasting(n) ? n : NULL;
}

static void
write_paths(struct engine *e, struct store_files *f, int announces)
{
	_cleanup_free_ uint8_t *buf = NULL;
	const struct nif *n;
	struct codec_path c;
	struct rns_path p;
	size_t count = 0, put = 0;
	struct wr w;
	bool first;

	EACH_PATH(e->rns, &p, first)
		count += path_nif(e, &p) != NULL && p.announce != NULL;
	if ((buf = malloc(5 + count * CODEC_PATH_MAX)) == NULL) {
		(void)store_file_wrote(f, "destination_table", -1);
		return;
	}
	w = wr_make(buf, 5 + count * CODEC_PATH_MAX);
	mpk_put_array(&w, count);
	EACH_PATH(e->rns, &p, first) {
		if ((n = path_nif(e, &p)) == NULL || p.announce == NULL)
			continue;
		if (put == count || !write_announce(f, announces, &p, n->name))
			return;
		fill_path(&c, &p, n, CODEC_BLOBS_MAX);
		codec_path_put(&w, &c);
		put++;
	}
	if (put == count && wr_ok(&w))
		(void)store_file_write(f, f->dir, "destination_table", buf,
		    w.len);
}

/* ---- tunnels ---- */

/* A path on an interface that carries a tunnel. */
struct tunneled {
	unsigned ifid;
	struct hash16 dest;
};

static int
tunneled_cmp(const void *a, const void *b)
{
	const struct tunneled *x = a, *y = b;

	return (x->ifid > y->ifid) - (x->ifid < y->ifid);
}

/*
 * Those of all tunnels that are up, by interface, in one walk over the path
 * table; NULL: no memory.
 */
static struct tunneled *
tunneled_all(struct engine *e, size_t *count)
{
	struct id32 at = {{0}};
	struct rns_tunnel t;
	struct rns_counts c;
	struct tunneled *list;
	uint8_t *up;
	struct rns_path p;
	bool first;

	rns_counts(e->rns, &c);
	*count = 0;
	list = calloc((size_t)c.paths + 1, sizeof(*list));
	up = calloc(ENGINE_IFS, 1);
	if (list == NULL || up == NULL) {
		free(list);
		free(up);
		return NULL;
	}
	for (first = true; rns_tunnel_next(e->rns, &at, first, &t);
	    first = false, at = t.id)
		if (t.up)
			up[t.ifid % ENGINE_IFS] = 1;
	EACH_PATH(e->rns, &p, first)
		if (up[p.ifid % ENGINE_IFS] && p.announce != NULL &&
		    *count < c.paths)
			list[(*count)++] = (struct tunneled){p.ifid, p.dest};
	free(up);
	qsort(list, *count, sizeof(*list), tunneled_cmp);
	return list;
}

struct tunnel_out {
	struct engine *e;
	struct store_files *f;
	int announces;
	struct wr w;
	const struct tunneled *list;
	size_t count;
};

static bool
put_path(struct tunnel_out *o, const struct rns_path *p, const struct nif *n)
{
	struct codec_path c;

	if (!write_announce(o->f, o->announces, p, n != NULL ? n->name : NULL))
		return false;
	fill_path(&c, p, n, CODEC_TUNNEL_BLOBS);
	codec_path_put(&o->w, &c);
	return true;
}

static bool
put_up(struct tunnel_out *o, const struct rns_tunnel *t)
{
	const struct nif *n = nif_find(o->e, t->ifid);
	struct tunneled key = {.ifid = t->ifid};
	const struct tunneled *at;
	struct rns_path p;
	size_t count = 0;

	at = bsearch(&key, o->list, o->count, sizeof(key), tunneled_cmp);
	while (at != NULL && at > o->list && at[-1].ifid == t->ifid)
		at--;
	while (at != NULL && at + count < o->list + o->count &&
	    at[count].ifid == t->ifid)
		count++;
	codec_tunnel_put(&o->w, &t->id, n != NULL ? &n->cfg.name_hash : NULL,
	    count);
	for (size_t i = 0; i < count; i++)
		if (!rns_path_get(o->e->rns, &at[i].dest, &p) ||
		    !put_path(o, &p, n))
			return false;
	codec_tunnel_put_end(&o->w, t->expires_us);
	return true;
}

static size_t
waiting_count(struct engine *e, const struct rns_tunnel *t)
{
	struct hash16 at = {{0}};
	struct rns_path p;
	size_t count = 0;

	for (bool first = true; rns_tunnel_path_next(e->rns, &t->id, &at,
	    first, &p); first = false, at = p.dest)
		count++;
	return count;
}

static bool
put_waiting(struct tunnel_out *o, const struct rns_tunnel *t)
{
	struct hash16 at = {{0}};
	struct rns_path p;

	codec_tunnel_put(&o->w, &t->id, NULL, waiting_count(o->e, t));
	for (bool first = true; rns_tunnel_path_next(o->e->rns, &t->id, &at,
	    first, &p); first = false, at = p.dest)
		if (!put_path(o, &p, NULL))
			return false;
	codec_tunnel_put_end(&o->w, t->expires_us);
	return true;
}

static void
write_tunnels(struct engine *e, struct store_files *f, int announces)
{
	struct tunnel_out o = {.e = e, .f = f, .announces = announces};
	_cleanup_free_ struct tunneled *list = NULL;
	_cleanup_free_ uint8_t *buf = NULL;
	struct id32 at = {{0}};
	struct rns_tunnel t;
	size_t tunnels = 0, paths, cap;
	bool first;

	if ((o.list = list = tunneled_all(e, &o.count)) == NULL) {
		(void)store_file_wrote(f, "tunnels", -1);
		return;
	}
	paths = o.count;
	for (first = true; rns_tunnel_next(e->rns, &at, first, &t);
	    first = false, at = t.id, tunnels++)
		paths += t.up ? 0 : waiting_count(e, &t);
	cap = 5 + tunnels * CODEC_TUNNEL_MAX + paths * CODEC_PATH_MAX;
	if ((buf = malloc(cap)) == NULL) {
		(void)store_file_wrote(f, "tunnels", -1);
		return;
	}
	o.w = wr_make(buf, cap);
	mpk_put_array(&o.w, tunnels);
	for (first = true; rns_tunnel_next(e->rns, &at, first, &t);
	    first = false, at = t.id)
		if (t.up ? !put_up(&o, &t) : !put_waiting(&o, &t))
			return;
	if (wr_ok(&o.w))
		(void)store_file_write(f, f->dir, "tunnels", buf, o.w.len);
}

void
store_paths_write(struct engine *e, struct store_files *f, int announces)
{
	write_paths(e, f, announces);
	if (e->conf->enable_transport)
		write_tunnels(e, f, announces);
}

/* ---- cleaning ---- */

static int
hash_cmp(const void *a, const void *b)
{
	return memcmp(a, b, RNS_FULL_HASH);
}

struct named {
	struct id32 *hashes;
	size_t n, cap;
};

static bool
name_it(struct named *l, const struct id32 *hash)
{
	struct id32 *more;

	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 256 : l->cap * 2;
		more = reallocarray(l->hashes, l->cap, sizeof(*more));
		if (more == NULL)
			return false;
		l->hashes = more;
	}
	l->hashes[l->n++] = *hash;
	return true;
}

/* false: no memory, so nothing may be called unused. */
static bool
name_all(struct engine *e, struct named *l)
{
	struct id32 id = {{0}};
	struct hash16 at;
	struct rns_tunnel t;
	struct rns_path p;
	bool first, one;

	EACH_PATH(e->rns, &p, first)
		if (!name_it(l, &p.packet_hash))
			return false;
	for (first = true; rns_tunnel_next(e->rns, &id, first, &t);
	    first = false, id = t.id) {
		memset(&at, 0, sizeof(at));
		for (one = true; rns_tunnel_path_next(e->rns, &t.id, &at, one,
		    &p); one = false, at = p.dest)
			if (!name_it(l, &p.packet_hash))
				return false;
	}
	qsort(l->hashes, l->n, sizeof(*l->hashes), hash_cmp);
	return true;
}

void
store_paths_clean(struct engine *e, int announces)
{
	struct named l = {0};
	struct id32 hash;
	struct dirent *d;
	DIR *dir;

	if (!name_all(e, &l) || (dir = dir_take(openat(announces, ".",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC))) == NULL) {
		free(l.hashes);
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		/* what is not ours to name is left alone */
		if (!hex_decode(HASH_BYTES(hash), d->d_name,
		    strlen(d->d_name)) || (l.n > 0 && bsearch(hash.b,
		    l.hashes, l.n, sizeof(*l.hashes), hash_cmp) != NULL))
			continue;
		(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
	(void)closedir(dir);
	free(l.hashes);
}
