/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/logdir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "node/cli/say.h"
#include "trust/doc/merkle.h"

#define CHECKPOINT "checkpoint"
#define HINT_ORIGIN "--origin NAME begins a log there."
#define BUNDLE_MAX (TLOG_TILE * (2 + TLOG_ENTRY_MAX))

/* ---- files ---- */

/* The folder of a path beneath the log, made when asked; and its last part. */
static int
folder_of(const struct logdir *l, const char *path, bool make,
    const char **name)
{
	int at = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *slash;

	while (at >= 0 && (slash = strchr(path, '/')) != NULL) {
		char part[32];
		int next;

		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path),
		    path);
		next = dir_open(at, part, make, 0755);
		(void)close(at);
		at = next;
		path = slash + 1;
	}
	*name = path;
	return at;
}

static int
put(const struct logdir *l, const char *path, const void *p, size_t n)
{
	const char *name;
	_cleanup_fd_ int at = folder_of(l, path, true, &name);

	if (at >= 0 && file_replace(at, name, p, n, 0644) == 0)
		return CLI_OK;
	cli_error(l->c, "%s/%s: %s", l->path, path, strerror(errno));
	return CLI_FAILED;
}

/* A tile or bundle of at least this width, as wide as it is; NULL with errno. */
static char *
get(const struct logdir *l, uint32_t level, uint64_t n, unsigned width,
    size_t max, size_t *len)
{
	char path[TLOG_PATH_MAX];
	const char *name;
	char *p = NULL;

	for (int i = 0; i < 2 && p == NULL; i++) {
		int at;

		tlog_path(path, level, n, i == 0 ? width : TLOG_TILE);
		at = folder_of(l, path, false, &name);
		p = at < 0 ? NULL : file_load(at, name, max, len);
		if (at >= 0)
			(void)close(at);
		if (width == TLOG_TILE || (p == NULL && errno != ENOENT))
			break;
	}
	return p;
}

bool
logdir_tile(void *ctx, uint32_t level, uint64_t n, struct id32 *out,
    unsigned width)
{
	struct logdir *l = ctx;
	char path[TLOG_PATH_MAX];
	size_t len = 0;
	char *p = get(l, level, n, width, TLOG_TILE * sizeof(*out), &len);
	bool ok = p != NULL && len >= width * sizeof(*out);

	if (ok)
		memcpy(out, p, width * sizeof(*out));
	if (!ok) {
		tlog_path(path, level, n, width);
		cli_error(l->c, "%s/%s: %s", l->path, path,
		    p != NULL ? "too short" : strerror(errno));
	}
	free(p);
	return ok;
}

/* ---- open ---- */

static int
empty(struct logdir *l, const char *origin)
{
	struct tlog_edge *e = malloc(sizeof(*e));

	if (!snote_name_ok(origin, strlen(origin)) || e == NULL) {
		cli_error(l->c, "--origin: %s is no name of a log (no blanks, "
		    "no +)", origin);
		free(e);
		return CLI_USAGE;
	}
	l->head = (struct tlog_head){.size = 0};
	(void)snprintf(l->head.origin, sizeof(l->head.origin), "%s", origin);
	tlog_edge_init(e);
	tlog_edge_root(e, &l->head.root);
	free(e);
	return CLI_OK;
}

static int
head_read(struct logdir *l, const char *make)
{
	ssize_t n = file_read(l->fd, CHECKPOINT, l->note, sizeof(l->note));
	struct snote note;

	if (n < 0 && errno == ENOENT && make != NULL && *make != '\0')
		return empty(l, make);
	if (n < 0) {
		cli_error(l->c, "%s/" CHECKPOINT ": %s", l->path,
		    strerror(errno));
		if (errno == ENOENT && make != NULL)
			cli_hint(l->c, HINT_ORIGIN);
		return CLI_FAILED;
	}
	if (!snote_parse(&note, l->note, (size_t)n) ||
	    !tlog_head_parse(&l->head, note.text, note.text_len)) {
		cli_error(l->c, "%s/" CHECKPOINT ": no checkpoint of a log",
		    l->path);
		return CLI_FAILED;
	}
	l->note_len = (size_t)n;
	if (make != NULL && *make != '\0' &&
	    strcmp(make, l->head.origin) != 0) {
		cli_error(l->c, "%s is the log %s, not %s", l->path,
		    l->head.origin, make);
		return CLI_USAGE;
	}
	return CLI_OK;
}

int
logdir_open(struct logdir *l, struct cli *c, const char *path,
    const char *make)
{
	l->c = c;
	l->path = path;
	l->note_len = 0;
	if (make != NULL && *make != '\0' && mkdir(path, 0755) < 0 &&
	    errno != EEXIST) {
		cli_error(c, "%s: %s", path, strerror(errno));
		l->fd = -1;
		return CLI_FAILED;
	}
	l->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (l->fd < 0) {
		bool none = errno == ENOENT && make != NULL;

		cli_error(c, "%s: %s", path, strerror(errno));
		if (none)
			cli_hint(c, HINT_ORIGIN);
		return CLI_FAILED;
	}
	if (make != NULL && flock(l->fd, LOCK_EX | LOCK_NB) < 0) {
		cli_error(c, "%s: somebody else writes there now", path);
		return CLI_FAILED;
	}
	return head_read(l, make);
}

void
logdir_close(struct logdir *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}

bool
logdir_is(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- reading ---- */

struct tlog_tree
logdir_tree(struct logdir *l)
{
	l->tiles = (struct tlog_tiles){&l->head.size, logdir_tile, l};
	return (struct tlog_tree){tlog_tiles_read, &l->tiles};
}

static int
bundle(struct logdir *l, uint64_t n, unsigned width, logdir_entry_fn *fn,
    void *ctx, bool *more)
{
	size_t len = 0, at = 0;
	char path[TLOG_PATH_MAX];
	char *p = get(l, TLOG_ENTRIES, n, width, BUNDLE_MAX, &len);
	const char *why = p == NULL ? strerror(errno) : NULL;

	for (unsigned i = 0; why == NULL && *more && i < width; i++) {
		const uint8_t *b = (const uint8_t *)p + at;
		size_t size = len - at < 2 ? 0 : (size_t)b[0] << 8 | b[1];

		if (len - at < 2 || len - at - 2 < size) {
			why = "ends in an entry";
			break;
		}
		*more = fn(ctx, n * TLOG_TILE + i, b + 2, size);
		at += 2 + size;
	}
	free(p);
	if (why == NULL)
		return CLI_OK;
	tlog_path(path, TLOG_ENTRIES, n, width);
	cli_error(l->c, "%s/%s: %s", l->path, path, why);
	return CLI_FAILED;
}

int
logdir_each(struct logdir *l, logdir_entry_fn *fn, void *ctx)
{
	bool more = true;
	int rc = CLI_OK;
	unsigned width;

	for (uint64_t n = 0; rc == CLI_OK && more &&
	     (width = tlog_width(l->head.size, 0, n)) > 0; n++)
		rc = bundle(l, n, width, fn, ctx, &more);
	return rc;
}

/* ---- checking ---- */

struct checking {
	struct logdir *l;
	struct tlog_edge edge;
	bool bad;
};

/* The tile that follows from the entries, against the one that is there. */
static bool
same_tile(void *ctx, uint32_t level, uint64_t n, const struct id32 *want,
    unsigned width)
{
	struct checking *k = ctx;
	struct id32 is[TLOG_TILE];
	char path[TLOG_PATH_MAX];
	unsigned i = 0;

	k->bad = true;
	if (!logdir_tile(k->l, level, n, is, width))
		return false;
	while (i < width && id32_eq(&is[i], &want[i]))
		i++;
	if (i == width) {
		k->bad = false;
		return true;
	}
	tlog_path(path, level, n, width);
	if (level == 0)
		cli_error(k->l->c, "%s: entry %" PRIu64 " is not the one that "
		    "%s has", k->l->path, n * TLOG_TILE + i, path);
	else
		cli_error(k->l->c, "%s/%s: hash %u is not the one that "
		    "follows from the entries", k->l->path, path, i);
	return false;
}

static bool
check_entry(void *ctx, uint64_t index, const uint8_t *p, size_t n)
{
	struct checking *k = ctx;
	struct id32 leaf;

	(void)index;
	merkle_leaf(&leaf, p, n);
	return tlog_edge_add(&k->edge, &leaf, same_tile, k);
}

int
logdir_check(struct logdir *l)
{
	struct checking *k = calloc(1, sizeof(*k));
	struct id32 root;
	int rc;

	if (k == NULL) {
		cli_error(l->c, "out of memory");
		return CLI_FAILED;
	}
	k->l = l;
	tlog_edge_init(&k->edge);
	rc = logdir_each(l, check_entry, k);
	if (rc == CLI_OK && !k->bad)
		(void)tlog_edge_rest(&k->edge, same_tile, k);
	tlog_edge_root(&k->edge, &root);
	if (rc == CLI_OK && !k->bad && !id32_eq(&root, &l->head.root)) {
		cli_error(l->c, "%s: the entries are not those that the "
		    "checkpoint stands for", l->path);
		k->bad = true;
	}
	if (k->bad)
		rc = CLI_FAILED;
	free(k);
	return rc;
}

/* ---- writing ---- */

struct adding {
	struct logdir *l;
	struct tlog_edge edge;
	char *bundle; /* the last one, as it grows */
	size_t len;
	int rc;
};

static bool
put_tile(void *ctx, uint32_t level, uint64_t n, const struct id32 *h,
    unsigned width)
{
	struct adding *a = ctx;
	char path[TLOG_PATH_MAX];

	tlog_path(path, level, n, width);
	a->rc = put(a->l, path, h, width * sizeof(*h));
	if (a->rc == CLI_OK && level == 0) {
		tlog_path(path, TLOG_ENTRIES, n, width);
		a->rc = put(a->l, path, a->bundle, a->len);
		if (width == TLOG_TILE)
			a->len = 0;
	}
	return a->rc == CLI_OK;
}

/* What stands there already must be what the checkpoint says. */
static int
take_up(struct adding *a)
{
	uint64_t size = a->l->head.size;
	unsigned width = (unsigned)(size % TLOG_TILE);
	struct id32 root;
	char *p;

	if (!tlog_edge_load(&a->edge, size, logdir_tile, a->l))
		return CLI_FAILED;
	tlog_edge_root(&a->edge, &root);
	if (!id32_eq(&root, &a->l->head.root)) {
		cli_error(a->l->c, "%s is damaged: its tiles are not those of "
		    "its checkpoint", a->l->path);
		cli_hint(a->l->c, "`warren audit verify --log %s` names the "
		    "place.", a->l->path);
		return CLI_FAILED;
	}
	if (width == 0)
		return CLI_OK;
	p = get(a->l, TLOG_ENTRIES, size / TLOG_TILE, width, BUNDLE_MAX,
	    &a->len);
	if (p == NULL) {
		cli_error(a->l->c, "%s: its last entries: %s", a->l->path,
		    strerror(errno));
		return CLI_FAILED;
	}
	memcpy(a->bundle, p, a->len);
	free(p);
	return CLI_OK;
}

static int
publish(struct logdir *l, const struct tlog_head *h, const struct vkey *k,
    const uint8_t secret[64])
{
	char text[TLOG_HEAD_MAX], line[SNOTE_LINE_MAX];
	size_t len = tlog_head_put(text, h);
	size_t more = snote_sign(line, k, secret, text, len, 0);
	int n = more == 0 ? -1 : snprintf(l->note, sizeof(l->note),
	    "%s\n%.*s", text, (int)more, line);

	if (n < 0) {
		cli_error(l->c, "the checkpoint cannot be signed");
		return CLI_FAILED;
	}
	l->note_len = (size_t)n;
	l->head = *h;
	return put(l, CHECKPOINT, l->note, l->note_len);
}

int
logdir_add(struct logdir *l, const struct logdir_entry *e, unsigned n,
    const struct vkey *k, const uint8_t secret[64])
{
	struct adding *a = calloc(1, sizeof(*a));
	struct tlog_head h = l->head;
	int rc = CLI_FAILED;

	if (a == NULL || (a->bundle = malloc(BUNDLE_MAX)) == NULL) {
		cli_error(l->c, "out of memory");
		free(a);
		return CLI_FAILED;
	}
	a->l = l;
	a->rc = take_up(a);
	for (unsigned i = 0; i < n && a->rc == CLI_OK; i++) {
		struct id32 leaf;

		a->bundle[a->len] = (char)(e[i].len >> 8);
		a->bundle[a->len + 1] = (char)e[i].len;
		memcpy(a->bundle + a->len + 2, e[i].text, e[i].len);
		a->len += 2 + e[i].len;
		merkle_leaf(&leaf, e[i].text, e[i].len);
		(void)tlog_edge_add(&a->edge, &leaf, put_tile, a);
	}
	if (a->rc == CLI_OK)
		(void)tlog_edge_rest(&a->edge, put_tile, a);
	rc = a->rc;
	if (rc == CLI_OK) {
		h.size += n;
		tlog_edge_root(&a->edge, &h.root);
		rc = publish(l, &h, k, secret);
	}
	free(a->bundle);
	free(a);
	return rc;
}

/* A line of this key goes: it is replaced. */
static size_t
without(char *out, const struct snote *n, const struct vkey *k)
{
	const char *at = n->sigs, *end = n->sigs + n->sigs_len, *nl;
	size_t name = strlen(k->name), len = 0;

	for (; at < end; at = nl + 1) {
		nl = memchr(at, '\n', (size_t)(end - at));
		if ((size_t)(nl - at) > 4 + name && at[4 + name] == ' ' &&
		    memcmp(at + 4, k->name, name) == 0)
			continue;
		memcpy(out + len, at, (size_t)(nl - at) + 1);
		len += (size_t)(nl - at) + 1;
	}
	return len;
}

int
logdir_cosign(struct logdir *l, const struct vkey *k,
    const uint8_t secret[64], uint64_t when)
{
	char all[SNOTE_MAX + SNOTE_LINE_MAX], line[SNOTE_LINE_MAX];
	struct snote note;
	size_t len, more;

	if (!snote_parse(&note, l->note, l->note_len))
		return CLI_FAILED;
	more = snote_sign(line, k, secret, note.text, note.text_len, when);
	memcpy(all, note.text, note.text_len);
	len = note.text_len;
	all[len++] = '\n';
	len += without(all + len, &note, k);
	memcpy(all + len, line, more);
	len += more;
	if (more == 0 || !snote_parse(&note, all, len)) {
		cli_error(l->c, "%s: the checkpoint has no room for one "
		    "signature more", l->path);
		return CLI_FAILED;
	}
	memcpy(l->note, all, len);
	l->note_len = len;
	return put(l, CHECKPOINT, l->note, l->note_len);
}
