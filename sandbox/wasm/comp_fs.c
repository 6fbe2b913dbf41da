/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "common/util.h"
#include "sandbox/wasm/comp.h"

/* wasi:filesystem over trees in memory. */

/* ---- what goes wrong, and what things are ---- */

static const char *
name_of(enum wasi_errno e)
{
	switch (e) {
	case WASI_BADF:
		return "bad-descriptor";
	case WASI_EXIST:
		return "exist";
	case WASI_FBIG:
		return "file-too-large";
	case WASI_ILSEQ:
		return "illegal-byte-sequence";
	case WASI_INVAL:
		return "invalid";
	case WASI_ISDIR:
		return "is-directory";
	case WASI_LOOP:
		return "loop";
	case WASI_NAMETOOLONG:
		return "name-too-long";
	case WASI_NOENT:
		return "no-entry";
	case WASI_NOMEM:
	case WASI_MFILE: /* it has no word for that */
		return "insufficient-memory";
	case WASI_NOSPC:
		return "insufficient-space";
	case WASI_NOTDIR:
		return "not-directory";
	case WASI_NOTEMPTY:
		return "not-empty";
	case WASI_NOTSUP:
		return "unsupported";
	case WASI_PERM:
	case WASI_NOTCAPABLE:
		return "not-permitted";
	case WASI_PIPE:
		return "pipe";
	case WASI_ROFS:
		return "read-only";
	case WASI_SPIPE:
		return "invalid-seek";
	case WASI_XDEV:
		return "cross-device";
	default:
		return "io";
	}
}

static void
end_with(comp_val *r, enum wasi_errno e)
{
	comp_val v;

	if (e == WASI_OK) {
		comp_ok(r, NULL);
		return;
	}
	comp_enum(&v, name_of(e));
	comp_fail(r, &v);
}

static void
error_code(struct comp *c, const comp_val *a, comp_val *r)
{
	comp_val v;

	comp_enum(&v, name_of(comp_of(c, &a[0])->error));
	comp_some(r, &v);
}

static void
put_type(comp_val *v, enum memfs_kind kind)
{
	comp_enum(v, kind == MEMFS_DIR ? "directory" : kind == MEMFS_LINK ?
	    "symbolic-link" : "regular-file");
}

static bool
is_dir(const struct comp_thing *t)
{
	return memfs_kind(t->node) == MEMFS_DIR;
}

/* May it be read, or written? */
static enum wasi_errno
file(const struct comp_thing *t, bool write)
{
	if (is_dir(t))
		return write ? WASI_BADF : WASI_ISDIR;
	return (write ? t->write : t->read) ? WASI_OK : WASI_BADF;
}

static enum wasi_errno
find(struct comp *c, const comp_val *folder, const comp_val *path, bool follow,
    struct memfs_at *at)
{
	return memfs_find(comp_of(c, folder)->node, path->of.string.data,
	    path->of.string.size, follow, at);
}

static bool
follows(const comp_val *v)
{
	return comp_flag(v, "symlink-follow");
}

/* ---- streams of a file ---- */

static void
stream(struct comp *c, const comp_val *a, comp_val *r, enum comp_kind kind,
    uint64_t at, bool append)
{
	const struct comp_thing *d = comp_of(c, &a[0]);
	enum wasi_errno e = file(d, kind == COMP_OUT);
	struct comp_thing *t;
	comp_val v;

	if (e == WASI_OK && (t = comp_make(c, kind)) == NULL)
		e = WASI_MFILE;
	if (e != WASI_OK) {
		end_with(r, e);
		return;
	}
	comp_node(t, d->fs, d->node);
	t->at = at;
	t->append = append;
	comp_give(c, &v, t);
	comp_ok(r, &v);
}

static void
read_via(struct comp *c, const comp_val *a, comp_val *r)
{
	stream(c, a, r, COMP_IN, a[1].of.u64, false);
}

static void
write_via(struct comp *c, const comp_val *a, comp_val *r)
{
	stream(c, a, r, COMP_OUT, a[1].of.u64, false);
}

static void
append_via(struct comp *c, const comp_val *a, comp_val *r)
{
	stream(c, a, r, COMP_OUT, 0, true);
}

/* ---- content ---- */

static uint8_t buf[COMP_CHUNK];

static void
read_at(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);
	size_t n, most = (size_t)MIN_OF(a[1].of.u64, (uint64_t)sizeof(buf));
	enum wasi_errno e = file(t, false);
	comp_val v, *pair;

	if (e != WASI_OK) {
		end_with(r, e);
		return;
	}
	n = memfs_read(t->node, a[2].of.u64, buf, most);
	pair = comp_array(&v, WASMTIME_COMPONENT_TUPLE, 2);
	comp_put_bytes(&pair[0], buf, n);
	pair[1].kind = WASMTIME_COMPONENT_BOOL;
	pair[1].of.boolean = n == 0 && most > 0;
	comp_ok(r, &v);
}

static void
write_at(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);
	enum wasi_errno e = file(t, true);
	comp_val v;
	size_t n;

	if (e == WASI_OK) {
		if (!comp_bytes(c, &a[1], buf, sizeof(buf), &n))
			return;
		e = memfs_write(t->fs, t->node, a[2].of.u64, buf, n,
		    memwasi_now(c->w));
	}
	if (e != WASI_OK) {
		end_with(r, e);
		return;
	}
	comp_u64(&v, n);
	comp_ok(r, &v);
}

static void
set_size(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);
	enum wasi_errno e = file(t, true);

	end_with(r, e != WASI_OK ? e : memfs_resize(t->fs, t->node,
	    a[1].of.u64, memwasi_now(c->w)));
}

static void
nothing(struct comp *c, const comp_val *a, comp_val *r)
{
	(void)c;
	(void)a;
	end_with(r, WASI_OK);
}

/* ---- what it is ---- */

static void
get_flags(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);
	const char *names[3];
	size_t n = 0;
	comp_val v = {.kind = WASMTIME_COMPONENT_FLAGS};

	if (t->read)
		names[n++] = "read";
	if (t->write && !is_dir(t))
		names[n++] = "write";
	if (is_dir(t) && memfs_writable(t->fs))
		names[n++] = "mutate-directory";
	wasmtime_component_valflags_new_uninit(&v.of.flags, n);
	for (size_t i = 0; i < n; i++)
		wasm_byte_vec_new(&v.of.flags.data[i], strlen(names[i]),
		    names[i]);
	comp_ok(r, &v);
}

static void
get_type(struct comp *c, const comp_val *a, comp_val *r)
{
	comp_val v;

	put_type(&v, memfs_kind(comp_of(c, &a[0])->node));
	comp_ok(r, &v);
}

static void
put_stat(comp_val *r, const struct mnode *n)
{
	comp_val v, one, time;
	struct memfs_stat s;

	memfs_stat(n, &s);
	comp_record(&v, 6);
	put_type(&one, s.kind);
	comp_field(&v, 0, "type", &one);
	comp_u64(&one, s.links);
	comp_field(&v, 1, "link-count", &one);
	comp_u64(&one, s.size);
	comp_field(&v, 2, "size", &one);
	comp_datetime(&time, s.accessed);
	comp_some(&one, &time);
	comp_field(&v, 3, "data-access-timestamp", &one);
	comp_datetime(&time, s.modified);
	comp_some(&one, &time);
	comp_field(&v, 4, "data-modification-timestamp", &one);
	comp_datetime(&time, s.changed);
	comp_some(&one, &time);
	comp_field(&v, 5, "status-change-timestamp", &one);
	comp_ok(r, &v);
}

static void
stat_of(struct comp *c, const comp_val *a, comp_val *r)
{
	put_stat(r, comp_of(c, &a[0])->node);
}

/* What is there, under a name; else it is said why not. */
static bool
is_there(struct comp *c, const comp_val *a, comp_val *r, struct memfs_at *at)
{
	enum wasi_errno e = find(c, &a[0], &a[2], follows(&a[1]), at);

	if (e == WASI_OK && at->node == NULL)
		e = WASI_NOENT;
	if (e != WASI_OK)
		end_with(r, e);
	return e == WASI_OK;
}

static void
stat_at(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs_at at;

	if (is_there(c, a, r, &at))
		put_stat(r, at.node);
}

static void
put_hash(struct comp *c, comp_val *r, const struct memfs *fs,
    const struct mnode *n)
{
	uint32_t volume = 0;
	struct memfs_stat s;
	comp_val v, one;

	while (volume < c->w->args->ntargets && c->w->volumes[volume] != fs)
		volume++;
	memfs_stat(n, &s);
	comp_record(&v, 2);
	comp_u64(&one, s.ino);
	comp_field(&v, 0, "lower", &one);
	comp_u64(&one, volume + 1);
	comp_field(&v, 1, "upper", &one);
	comp_ok(r, &v);
}

static void
hash(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);

	put_hash(c, r, t->fs, t->node);
}

static void
hash_at(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs_at at;

	if (is_there(c, a, r, &at))
		put_hash(c, r, comp_of(c, &a[0])->fs, at.node);
}

static void
same(struct comp *c, const comp_val *a, comp_val *r)
{
	r->kind = WASMTIME_COMPONENT_BOOL;
	r->of.boolean = comp_of(c, &a[0])->node == comp_of(c, &a[1])->node;
}

/* ---- times ---- */

/* new-timestamp as memwasi_times() has it; false: it has ended. */
static bool
timestamp(struct comp *c, const comp_val *v, uint64_t *ns, uint32_t *flags,
    uint32_t given, uint32_t now)
{
	const wasmtime_component_valvariant_t *t = &v->of.variant;
	const wasmtime_component_valrecord_t *d;

	if (comp_is(&t->discriminant, "no-change"))
		return true;
	if (comp_is(&t->discriminant, "now")) {
		*flags |= now;
		return true;
	}
	if (comp_is(&t->discriminant, "timestamp") && t->val != NULL &&
	    t->val->kind == WASMTIME_COMPONENT_RECORD) {
		d = &t->val->of.record;
		if (d->size == 2 &&
		    d->data[0].val.kind == WASMTIME_COMPONENT_U64 &&
		    d->data[1].val.kind == WASMTIME_COMPONENT_U32) {
			*flags |= given;
			*ns = MIN_OF(d->data[0].val.of.u64, UINT64_MAX /
			    1000000000 - 1) * 1000000000 +
			    d->data[1].val.of.u32 % 1000000000;
			return true;
		}
	}
	comp_end(c, "a time of another type than WASI's");
	return false;
}

static void
set_times_of(struct comp *c, const comp_val *a, comp_val *r, struct memfs *fs,
    struct mnode *n)
{
	uint64_t accessed = 0, modified = 0;
	uint32_t flags = 0;

	if (!timestamp(c, &a[0], &accessed, &flags, 1, 2) ||
	    !timestamp(c, &a[1], &modified, &flags, 4, 8))
		return;
	end_with(r, !memfs_writable(fs) ? WASI_ROFS :
	    memwasi_times(c->w, n, accessed, modified, flags));
}

static void
set_times(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *t = comp_of(c, &a[0]);

	set_times_of(c, a + 1, r, t->fs, t->node);
}

static void
set_times_at(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs_at at;

	if (is_there(c, a, r, &at))
		set_times_of(c, a + 3, r, comp_of(c, &a[0])->fs, at.node);
}

/* ---- names ---- */

static void
make_folder(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs_at at;
	enum wasi_errno e = find(c, &a[0], &a[1], false, &at);

	end_with(r, e != WASI_OK ? e : memfs_make(comp_of(c, &a[0])->fs, &at,
	    MEMFS_DIR, memwasi_now(c->w), NULL));
}

static void
open_at(struct comp *c, const comp_val *a, comp_val *r)
{
	static const char *const words[] = {"create", "directory",
	    "exclusive", "truncate"};
	const struct comp_thing *d = comp_of(c, &a[0]);
	bool write = comp_flag(&a[4], "write");
	struct comp_thing *t = NULL;
	struct memfs_at at;
	enum wasi_errno e = find(c, &a[0], &a[2], follows(&a[1]), &at);
	uint32_t flags = 0;
	comp_val v;

	for (unsigned i = 0; i < NELEM(words); i++)
		if (comp_flag(&a[3], words[i]))
			flags |= 1u << i;
	if (e == WASI_OK && (t = comp_make(c, COMP_DESCRIPTOR)) == NULL)
		e = WASI_MFILE;
	if (e == WASI_OK)
		e = memwasi_make(c->w, d->fs, &at, flags, write);
	if (e != WASI_OK) {
		if (t != NULL)
			t->kind = COMP_FREE;
		end_with(r, e);
		return;
	}
	comp_node(t, d->fs, at.node);
	t->read = comp_flag(&a[4], "read") || is_dir(t);
	t->write = write;
	comp_give(c, &v, t);
	comp_ok(r, &v);
}

static void
link_at(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *to = comp_of(c, &a[3]);
	struct memfs_at from, at;
	enum wasi_errno e = find(c, &a[0], &a[2], false, &from);

	if (e == WASI_OK && follows(&a[1]))
		e = WASI_INVAL;
	if (e == WASI_OK && from.node == NULL)
		e = WASI_NOENT;
	if (e == WASI_OK)
		e = find(c, &a[3], &a[4], false, &at);
	if (e == WASI_OK)
		e = comp_of(c, &a[0])->fs != to->fs ? WASI_XDEV :
		    memfs_hardlink(to->fs, from.node, &at,
			memwasi_now(c->w));
	end_with(r, e);
}

static void
readlink_at(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs_at at;
	enum wasi_errno e = find(c, &a[0], &a[1], false, &at);
	const char *text;
	comp_val v;
	size_t n;

	if (e == WASI_OK && at.node == NULL)
		e = WASI_NOENT;
	if (e == WASI_OK && memfs_kind(at.node) != MEMFS_LINK)
		e = WASI_INVAL;
	if (e != WASI_OK) {
		end_with(r, e);
		return;
	}
	text = memfs_target(at.node, &n);
	comp_text(&v, text, n);
	comp_ok(r, &v);
}

static void
remove_at(struct comp *c, const comp_val *a, comp_val *r, bool folder)
{
	struct memfs_at at;
	enum wasi_errno e = find(c, &a[0], &a[1], false, &at);

	end_with(r, e != WASI_OK ? e : memfs_remove(comp_of(c, &a[0])->fs, &at,
	    folder, memwasi_now(c->w)));
}

static void
remove_folder(struct comp *c, const comp_val *a, comp_val *r)
{
	remove_at(c, a, r, true);
}

static void
unlink_at(struct comp *c, const comp_val *a, comp_val *r)
{
	remove_at(c, a, r, false);
}

static void
rename_at(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs *fs = comp_of(c, &a[0])->fs;
	struct memfs_at from, to;
	enum wasi_errno e = find(c, &a[0], &a[1], false, &from);

	if (e == WASI_OK)
		e = find(c, &a[2], &a[3], false, &to);
	if (e == WASI_OK)
		e = fs != comp_of(c, &a[2])->fs ? WASI_XDEV :
		    memfs_rename(fs, &from, &to, memwasi_now(c->w));
	end_with(r, e);
}

static void
symlink_at(struct comp *c, const comp_val *a, comp_val *r)
{
	struct memfs_at at;
	enum wasi_errno e = find(c, &a[0], &a[2], false, &at);

	end_with(r, e != WASI_OK ? e : memfs_symlink(comp_of(c, &a[0])->fs,
	    &at, a[1].of.string.data, a[1].of.string.size,
	    memwasi_now(c->w)));
}

/* ---- folders ---- */

static void
read_folder(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct comp_thing *d = comp_of(c, &a[0]);
	enum wasi_errno e = is_dir(d) ? WASI_OK : WASI_NOTDIR;
	struct comp_thing *t;
	comp_val v;

	if (e == WASI_OK && (t = comp_make(c, COMP_FOLDER)) == NULL)
		e = WASI_MFILE;
	if (e != WASI_OK) {
		end_with(r, e);
		return;
	}
	comp_node(t, d->fs, d->node);
	comp_give(c, &v, t);
	comp_ok(r, &v);
}

static void
next_entry(struct comp *c, const comp_val *a, comp_val *r)
{
	struct comp_thing *t = comp_of(c, &a[0]);
	struct memfs_entry e;
	comp_val v, entry, one;

	if (!memfs_next(t->node, t->at, &e)) {
		comp_some(&v, NULL);
		comp_ok(r, &v);
		return;
	}
	t->at = e.cookie;
	comp_record(&entry, 2);
	put_type(&one, memfs_kind(e.node));
	comp_field(&entry, 0, "type", &one);
	comp_text(&one, e.name, strlen(e.name));
	comp_field(&entry, 1, "name", &one);
	comp_some(&v, &entry);
	comp_ok(r, &v);
}

static void
preopens(struct comp *c, const comp_val *a, comp_val *r)
{
	const struct plan_args *args = c->w->args;
	comp_val *list = comp_array(r, WASMTIME_COMPONENT_LIST,
	    args->ntargets), *pair;

	(void)a;
	for (uint32_t i = 0; i < args->ntargets; i++) {
		struct memfs *fs = c->w->volumes[i];
		struct comp_thing *t = comp_make(c, COMP_DESCRIPTOR);

		if (t == NULL) {
			comp_end(c, "too many resources");
			return;
		}
		comp_node(t, fs, memfs_root(fs));
		t->read = true;
		pair = comp_array(&list[i], WASMTIME_COMPONENT_TUPLE, 2);
		comp_give(c, &pair[0], t);
		comp_text(&pair[1], args->targets[i],
		    strlen(args->targets[i]));
	}
}

/* ---- all of it ---- */

#define D "[method]descriptor."
static const struct comp_call types[] = {
    {D "read-via-stream", "DU", read_via},
    {D "write-via-stream", "DU", write_via},
    {D "append-via-stream", "D", append_via},
    {D "advise", "DUUe", nothing},
    {D "sync-data", "D", nothing},
    {D "get-flags", "D", get_flags},
    {D "get-type", "D", get_type},
    {D "set-size", "DU", set_size},
    {D "set-times", "Dvv", set_times},
    {D "read", "DUU", read_at},
    {D "write", "DlU", write_at},
    {D "read-directory", "D", read_folder},
    {D "sync", "D", nothing},
    {D "create-directory-at", "Ds", make_folder},
    {D "stat", "D", stat_of},
    {D "stat-at", "Dfs", stat_at},
    {D "set-times-at", "Dfsvv", set_times_at},
    {D "link-at", "DfsDs", link_at},
    {D "open-at", "Dfsff", open_at},
    {D "readlink-at", "Ds", readlink_at},
    {D "remove-directory-at", "Ds", remove_folder},
    {D "rename-at", "DsDs", rename_at},
    {D "symlink-at", "Dss", symlink_at},
    {D "unlink-file-at", "Ds", unlink_at},
    {D "is-same-object", "DD", same},
    {D "metadata-hash", "D", hash},
    {D "metadata-hash-at", "Dfs", hash_at},
    {"[method]directory-entry-stream.read-directory-entry", "F", next_entry},
    {"filesystem-error-code", "E", error_code}};
static const struct comp_resource type_resources[] = {
    {"descriptor", COMP_DESCRIPTOR}, {"directory-entry-stream", COMP_FOLDER},
    {"error", COMP_ERROR}, {"input-stream", COMP_IN},
    {"output-stream", COMP_OUT}};
static const struct comp_call preopen_calls[] = {
    {"get-directories", "", preopens}};
static const struct comp_resource preopen_resources[] = {
    {"descriptor", COMP_DESCRIPTOR}};

const struct comp_interface comp_fs[] = {
    {"wasi:filesystem/types", types, NELEM(types), type_resources,
	NELEM(type_resources)},
    {"wasi:filesystem/preopens", preopen_calls, NELEM(preopen_calls),
	preopen_resources, NELEM(preopen_resources)}};
const size_t comp_nfs = NELEM(comp_fs);
