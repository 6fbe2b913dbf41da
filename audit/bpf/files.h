/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_AUDIT_BPF_FILES_H
#define WARREN_AUDIT_BPF_FILES_H

/* Files and names that a job writes to, or tries to. By watch.bpf.c. */

/* What a call is about: one place for each kind below, which keeps it short. */
enum kind { NOTHING, OPENS, NAMES, HOLDS, MAPS, WRITES, LINKS, FORKS, ASKS };
struct act {
	__u64 id; /* of the group */
	long ret;
	__u32 call;
	enum kind kind;
	int dir;
	const void *text, *to;
	__u64 flags, addr, len;
	const void *from; /* the old name of a rename, or of a link */
	__u64 end;	  /* of a text that need not end in NUL; 0: it does */
	int fd, from_dir;
	__u32 dev;
	bool write;
	bool alias, follows; /* of a link; it follows its old name */
};

/*
 * What is not static the verifier looks at once, and not with each way that
 * leads there; it wants to see that nothing is NULL.
 */

/* A file that is there: opened, or changed through its descriptor. */
__noinline int
tell_open(struct watch_group *g, struct act *a, __u64 which)
{
	struct file *file = (void *)which;
	struct rec_open *r;

	if (g == NULL || a == NULL)
		return 0;
	r = BEGIN_NEAR(g, a->id, REC_OPEN, rec_open, a->call, a->ret,
	    near_inode(BPF_CORE_READ(file, f_inode)));
	if (r == NULL)
		return 0;
	r->flags = (__u32)a->flags;
	r->align = 0;
	put_file(&r->file, file);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

static __always_inline void
put_start(struct rec_file *out, const struct act *a)
{
	struct path *pwd;

	if (a->dir != AT_FDCWD) {
		put_file(out, file_of(a->dir));
		return;
	}
	pwd = pwd_of((void *)bpf_get_current_task());
	put_inode(out, BPF_CORE_READ(pwd, dentry, d_inode));
	put_path(out, pwd);
}

/* The text begins at a folder: is that one of a watched place? */
static __always_inline bool
near_start(const struct act *a)
{
	struct path *path = NULL;
	struct file *file;
	char c = 0;

	if (bpf_probe_read_user(&c, 1, a->text) < 0 || c == '/')
		return false;
	if (a->dir == AT_FDCWD)
		path = pwd_of((void *)bpf_get_current_task());
	else if ((file = file_of(a->dir)) != NULL)
		path = path_of(file);
	return path != NULL && near_path(path);
}

static __always_inline bool
near_name(const struct watch_group *g, const struct act *a)
{
	return g->linked || near_text(a->text) || near_start(a);
}

static __always_inline void
end_text(struct rec_path *r, __u64 at)
{
	if (at > SUN_PATH)
		at = 0; /* what stands there has no part of it */
	/* the verifier wants to see it, which the compiler knows */
	asm volatile("%0 &= 127" : "+r"(at));
	r->text[at] = 0;
}

static __always_inline void
put_text(struct rec_path *r, const struct act *a)
{
	long n = bpf_probe_read_user_str(r->text, REC_TEXT, a->text);

	r->flags = (__u32)a->flags;
	r->dev = a->dev;
	r->align = 0;
	if (n < 0)
		r->text[0] = 0;
	if (a->end != 0)
		end_text(r, a->end - (__u64)a->text);
	r->cut = n == REC_TEXT && a->end == 0;
	no_file(&r->at);
	if (n > 0 && r->text[0] != '/')
		put_start(&r->at, a);
}

/* Where it stands, by the long way round. */
static __always_inline void
unwrap_cwd(struct act *a)
{
	char t[24] = {0};
	__u32 n;

	if (bpf_probe_read_user_str(t, sizeof(t), a->text) < 0 ||
	    (n = cwd_length(t)) == 0)
		return;
	a->dir = AT_FDCWD;
	a->text += n == 14 ? 14 + (t[14] == '/') : 21 + (t[21] == '/');
}

/* Through one of its own descriptors: what that one is, and what is below. */
static __always_inline struct file *
unwrap(struct act *a)
{
	__u32 behind = 0;
	bool whole = false;
	int fd = by_fd(a->text, &behind, &whole, false);

	if (fd < 0) {
		unwrap_cwd(a);
		return NULL;
	}
	if (whole)
		return file_of(fd);
	a->dir = fd;
	a->text += behind;
	return NULL;
}

/* Under a contract that is what counts: what merely fails does not hide it. */
static __always_inline __u32
type_of(const struct act *a)
{
	if (a->kind == ASKS)
		return REC_REFUSED;
	return (a->ret == -EACCES || a->ret == -EPERM || a->ret == -EROFS) &&
	    is_bound(a->id) ? REC_KEPT : REC_PATH;
}

__noinline int
by_path(struct watch_group *g, struct act *a)
{
	struct rec_path *r;
	struct file *file;

	if (g == NULL || a == NULL)
		return 0;
	file = unwrap(a);
	if (file != NULL && a->kind != ASKS)
		return tell_open(g, a, (__u64)file);
	r = BEGIN_NEAR(g, a->id, type_of(a), rec_path, a->call, a->ret,
	    near_name(g, a));
	if (r == NULL)
		return 0;
	put_text(r, a);
	bpf_ringbuf_submit(r, 0);
	return 0;
}

static __always_inline void
opened(struct watch_group *g, struct act *a)
{
	struct file *file = file_of(a->ret);
	__u32 mode = file == NULL ? 0 : BPF_CORE_READ(file, f_mode);

	if ((mode & FMODE_WRITE) == 0 &&
	    (file == NULL || (a->flags & (O_WRONLY | O_RDWR)) != 0)) {
		/* a second thread has put another in its place */
		by_path(g, a);
		return;
	}
#ifndef OBJECTS_SEEN
	if ((mode & (FMODE_WRITE | FMODE_CREATED)) != 0 ||
	    (a->flags & O_TRUNC) != 0)
		tell_open(g, a, (__u64)file);
#endif
}

/*
 * A call that makes, removes or changes what has a name: no file to look at.
 * Told when it is refused, where it may be near a watched place, and of a
 * device.
 */
__noinline int
named(struct watch_group *g, struct act *a)
{
	if (g == NULL || a == NULL)
		return 0;
	return a->ret == -EACCES || a->ret == -EPERM || a->ret == -EROFS ||
	    a->ret == -ENOSPC || a->ret == -EDQUOT || a->dev != 0 ||
	    near_name(g, a);
}

/* Through a descriptor that is open for reading alone. */
__noinline int
held(struct watch_group *g, struct act *a)
{
	struct file *file;

	if (g == NULL || a == NULL)
		return 0;
	file = file_of(a->fd);
	if (file != NULL && near_path(path_of(file)))
		tell_open(g, a, (__u64)file);
	return 0;
}

/*
 * A link that leads near a watched place, or one of the first of a job under a
 * contract: what goes through it is found.
 */
__noinline int
linked(struct watch_group *g, struct act *a)
{
	struct rec_link *r;
	char t[4] = {0};
	bool near;

	if (g == NULL || a == NULL || a->ret != 0)
		return 0;
	bpf_probe_read_user_str(t, sizeof(t), a->to);
	near = g->linked || near_text(a->to) || (t[0] == '/' && t[1] == 0) ||
	    (t[0] == '.' && t[1] == '.');
	if (!near && (g->seen[REC_LINK] >= WATCH_LINKS ||
		!is_bound(a->id)))
		return 0;
	if (near)
		g->linked = 1;
	r = BEGIN_NEAR(g, a->id, REC_LINK, rec_link, a->call, a->ret, near);
	if (r == NULL)
		return 0;
	put_text(&r->path, a);
	if (bpf_probe_read_user_str(r->to, REC_TEXT, a->to) < 0)
		r->to[0] = 0;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

#endif
