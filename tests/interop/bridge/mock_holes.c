/* SPDX-License-Identifier: BSD-2-Clause */
/* Transport with interfaces in memory: its blackhole, with a folder. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/interop/bridge/commands.h"
#include "tests/interop/bridge/mock.h"
#include "transport/engine/engine.h"
#include "transport/engine/holes.h"
#include "transport/engine/store_codec.h"
#include "transport/engine/store_file.h"

const struct hash16 engine_zero;

/* Of the daemon, what its blackhole needs. */
struct holding {
	struct engine e;
	struct rnsconf conf;
	struct store_files files;
	char dir[64];
	int fd;
};

static int
files_remove(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_CLOEXEC));
	struct dirent *f;
	int n = 0;

	if (d == NULL)
		return 0;
	while ((f = readdir(d)) != NULL)
		n += unlinkat(dir, f->d_name, 0) == 0;
	(void)closedir(d);
	return n;
}

void
holding_free(struct mock *m)
{
	struct holding *h = m->holding;

	if (h == NULL)
		return;
	holes_free(h->e.holes);
	(void)files_remove(h->fd);
	store_files_clear(&h->files);
	(void)rmdir(h->dir);
	free(h->conf.blackhole_sources);
	free(h);
}

static struct holding *
holding_new(struct mock *m)
{
	struct holding *h = calloc(1, sizeof(*h));
	const char *tmp = getenv("TMPDIR");

	if (h == NULL)
		return NULL;
	if (snprintf(h->dir, sizeof(h->dir), "%s/bridge-XXXXXX", tmp != NULL ?
	    tmp : "/tmp") >= (int)sizeof(h->dir) || mkdtemp(h->dir) == NULL ||
	    (h->fd = open(h->dir, O_DIRECTORY | O_CLOEXEC)) < 0) {
		free(h);
		return NULL;
	}
	store_files_init(&h->files, h->fd);
	h->e.rns = m->r;
	h->e.conf = &h->conf;
	h->e.now = mock_now();
	h->e.identity_hash = *hash16_at(rns_identity_hash(m->r));
	h->e.holes = holes_new(&h->e);
	if (h->e.holes != NULL)
		holes_load(h->e.holes, &h->files, h->fd);
	m->holding = h;
	return h;
}

static struct holding *
holding_of(struct call *c)
{
	struct mock *m = mock_of(c);
	struct holding *h = m->holding != NULL ? m->holding : holding_new(m);

	if (h == NULL || h->e.holes == NULL)
		fail(c, "OSError: no folder for the blackhole");
	h->e.now = mock_now();
	return h;
}

void
cmd_behavioral_blackhole_identity(struct call *c)
{
	struct holding *h = holding_of(c);
	struct hash16 id = arg_hash(c, "identity_hash");
	const char *reason = arg_str_or(c, "reason", NULL);
	int64_t until = (int64_t)(arg_num_or(c, "until", 0) * 1e6);

	put_bool(c, "blackholed", holes_add(h->e.holes, &id, until, reason,
	    reason != NULL ? strlen(reason) : 0) == HOLES_DONE);
}

void
cmd_behavioral_unblackhole_identity(struct call *c)
{
	struct holding *h = holding_of(c);
	struct hash16 id = arg_hash(c, "identity_hash");

	put_bool(c, "lifted", holes_del(h->e.holes, &id) == HOLES_DONE);
}

/* As it is published; false: that is no list. */
static bool
put_holes(struct call *c, struct holding *h)
{
	json_t *list = json_array();
	size_t len = 0, count = 0, n;
	uint8_t *packed = holes_pack(h->e.holes, &len);
	struct rd r = rd_make(packed, len);
	struct codec_hole hole;
	bool ok;

	put(c, "entries", list);
	if (packed != NULL)
		call_defer(c, free, packed);
	ok = packed != NULL && codec_holes_head(&r, &count);
	put_int(c, "count", (int64_t)count);
	for (n = 0; ok && n < count; n++) {
		if (!(ok = codec_hole_get(&r, &hole) == RNS_OK))
			break;
		(void)json_array_append_new(list, json_pack(
		    "{s:o, s:o, s:o, s:o}", "identity_hash",
		    hex_json(HASH_BYTES(hole.identity)), "source",
		    hex_json(HASH_BYTES(hole.source)), "until",
		    hole.until_us != 0 ? json_real((double)hole.until_us /
		    1e6) : json_null(), "reason", hole.reason != NULL ?
		    json_stringn(hole.reason, hole.reason_len) : json_null()));
	}
	return ok && rd_end(&r);
}

void
cmd_behavioral_read_blackhole_table(struct call *c)
{
	(void)put_holes(c, holding_of(c));
}

void
cmd_behavioral_blackhole_list_handler(struct call *c)
{
	put_bool(c, "is_blackhole_table", put_holes(c, holding_of(c)));
}

void
cmd_behavioral_blackhole_reload(struct call *c)
{
	struct holding *h = holding_of(c);

	holes_load(h->e.holes, &h->files, h->fd);
	put_int(c, "count", (int64_t)holes_count(h->e.holes));
}

void
cmd_behavioral_blackhole_clear(struct call *c)
{
	struct mock *m = mock_of(c);
	struct holding *h = holding_of(c);
	struct rns_cmd cmd = {.type = RNS_CMD_BLACKHOLE};

	holes_free(h->e.holes);
	h->e.holes = holes_new(&h->e);
	mock_submit(c, m, &cmd, "blackhole");
	put_bool(c, "cleared", h->e.holes != NULL);
}

void
cmd_behavioral_blackhole_storage_files(struct call *c)
{
	struct holding *h = holding_of(c);
	json_t *list = json_array();
	DIR *d = opendir(h->dir);
	struct dirent *f;
	struct stat st;

	put_str(c, "dir", h->dir);
	put(c, "files", list);
	if (d == NULL)
		fail(c, "OSError: no folder");
	while ((f = readdir(d)) != NULL) {
		if (fstatat(h->fd, f->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode))
			(void)json_array_append_new(list, json_pack(
			    "{s:s, s:I}", "name", f->d_name, "size",
			    (json_int_t)st.st_size));
	}
	(void)closedir(d);
}

void
cmd_behavioral_blackhole_clear_storage(struct call *c)
{
	put_int(c, "removed", files_remove(holding_of(c)->fd));
}

void
cmd_behavioral_blackhole_rename_storage(struct call *c)
{
	struct holding *h = holding_of(c);
	const char *src = arg_str(c, "src"), *dst = arg_str(c, "dst");

	if (strchr(src, '/') != NULL || strchr(dst, '/') != NULL)
		fail(c, "ValueError: a name of a file, not of a path");
	put_bool(c, "renamed", renameat(h->fd, src, h->fd, dst) == 0);
}

void
cmd_behavioral_blackhole_set_sources(struct call *c)
{
	struct holding *h = holding_of(c);
	struct bytes list = arg_list(c, "sources", RNS_HASH);
	struct hash16 *kept = malloc(list.n > 0 ? list.n : 1);

	if (kept == NULL)
		fail(c, "MemoryError");
	if (list.n > 0)
		memcpy(kept, list.p, list.n);
	free(h->conf.blackhole_sources);
	h->conf.blackhole_sources = kept;
	h->conf.nblackhole_sources = (unsigned)(list.n / RNS_HASH);
	put_int(c, "count", h->conf.nblackhole_sources);
}
