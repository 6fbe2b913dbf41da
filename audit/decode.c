/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/mistake.h"
#include "common/util.h"

/* The number that a job's user and group have in its own namespace. */
#define JOB_ID 1000u
#define NO_ID 0xffffffffu /* "leave as it is", of setresuid and its kin */

static const struct {
	uint32_t number;
	const char *name;
} calls[] = {
#define C(name) {SYS_##name, #name}
#ifdef SYS_open
    C(open), C(creat), C(mkdir), C(rmdir), C(unlink), C(mknod), C(chmod),
    C(chown), C(lchown), C(rename), C(link), C(symlink), C(utime), C(utimes),
    C(futimesat),
#endif
    C(openat), C(openat2), C(truncate), C(mkdirat), C(unlinkat), C(mknodat),
    C(fchmodat), C(fchownat), C(renameat), C(renameat2), C(linkat),
    C(symlinkat), C(mmap), C(mprotect), C(pkey_mprotect), C(shmat), C(setuid),
    C(setgid), C(setreuid), C(setregid), C(setresuid), C(setresgid),
    C(setfsuid), C(setfsgid), C(setgroups), C(capset), C(setns), C(unshare),
    C(clone), C(clone3), C(execve), C(execveat), C(memfd_create), C(write),
    C(pwrite64),
    C(writev), C(pwritev), C(pwritev2), C(sendfile), C(splice),
    C(copy_file_range), C(fallocate),
    C(fchmod), C(fchown), C(utimensat), C(setxattr), C(lsetxattr),
    C(fsetxattr), C(removexattr), C(lremovexattr), C(fremovexattr),
    C(personality), C(prctl), C(exit), C(bind), C(ioctl), C(open_by_handle_at),
#undef C
    /* on all of them; not each C library knows them */
    {452, "fchmodat2"}, {463, "setxattrat"}, {466, "removexattrat"},
    {469, "file_setattr"},
};

static const struct {
	uint64_t magic;
	const char *name;
} systems[] = {{0x9fa0, "proc"}, {0x62656572, "sysfs"}, {0x01021994, "tmpfs"},
    {0xef53, "ext4"}, {0x794c7630, "overlay"}, {0x58465342, "xfs"},
    {0x9123683e, "btrfs"}, {0x63677270, "cgroup2"}, {0x27e0eb, "cgroup"},
    {0x1cd1, "devpts"}, {0x64626720, "debugfs"}, {0x74726163, "tracefs"},
    {0x73636673, "securityfs"}, {0xcafe4a11, "bpf"}, {0x19800202, "mqueue"},
    {0x50495045, "pipefs"}, {0x534f434b, "sockfs"}, {0x6e736673, "nsfs"},
    {0x958458f6, "hugetlbfs"}, {0xde5e81e4, "efivarfs"},
    {0x858458f6, "ramfs"}};

static const struct {
	int error;
	const char *name;
} errors[] = {
#define E(name) {name, #name}
    E(EPERM), E(ENOENT), E(EINTR), E(EIO), E(ENXIO), E(EBADF), E(EAGAIN),
    E(ENOMEM), E(EACCES), E(EFAULT), E(EBUSY), E(EEXIST), E(EXDEV),
    E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL), E(ENFILE), E(EMFILE),
    E(ETXTBSY), E(EFBIG), E(ENOSPC), E(EROFS), E(EMLINK), E(ENAMETOOLONG),
    E(ELOOP), E(ENOSYS), E(ENOTEMPTY), E(EOPNOTSUPP), E(EDQUOT),
#undef E
};

/* ---- paths ---- */

static bool
add_name(char *path, size_t *len, const char *name, size_t n)
{
	if (*len + n + 2 > EVENT_PATH)
		return false;
	path[(*len)++] = '/';
	memcpy(path + *len, name, n);
	*len += n;
	path[*len] = '\0';
	return true;
}

static bool
put_name(struct watch_event *e, size_t *len, const char name[REC_NAME])
{
	size_t n = strnlen(name, REC_NAME);

	/* as long as there is room for: there may have been more */
	if (n >= REC_NAME - 1)
		e->cut = true;
	return add_name(e->path, len, name, n);
}

/* From the top; of a deep one the middle is missing. */
static void
file_path(struct watch_event *e, const struct rec_file *f)
{
	const uint32_t ring = REC_NAMES - 1;
	uint32_t names = f->depth;
	size_t len = strlen(e->path);

	if (names == 0) {
		/* a root, or nothing */
		if (f->magic != 0 && len == 0)
			(void)snprintf(e->path, sizeof(e->path), "/");
		return;
	}
	if (f->deep != 0 || names > REC_WALK)
		e->cut = true;
	names = MIN_OF(names, (uint32_t)REC_WALK);
	/* names[1 + k % ring] is the k-th folder above the leaf */
	for (uint32_t k = names - 1; k > 0; k--) {
		if (names - 1 - k >= ring) {
			e->cut = true;
			break;
		}
		if (!put_name(e, &len, f->names[1 + (k - 1) % ring])) {
			e->cut = true;
			return;
		}
	}
	if (!put_name(e, &len, f->names[0]))
		e->cut = true;
}

static void
put_file(struct watch_event *e, const struct rec_file *f)
{
	e->magic = f->magic;
	e->mode = f->mode;
	if (S_ISCHR(f->mode) || S_ISBLK(f->mode)) {
		e->major = f->major;
		e->minor = f->minor;
	}
	e->deleted = f->magic != 0 && f->links == 0;
	file_path(e, f);
	e->memfd = e->deleted && strncmp(e->path, "/memfd:", 7) == 0;
}

static void
up(char *path, size_t *len)
{
	while (*len > 0 && path[--*len] != '/')
		;
	path[*len] = '\0';
}

/* /proc/self/root, /proc/12/root: the same as nothing, inside. */
static void
drop_root(char *path, size_t *len)
{
	const char *p = path + 6, *end;

	if (strncmp(path, "/proc/", 6) != 0 || (end = strchr(p, '/')) == NULL ||
	    strcmp(end, "/root") != 0)
		return;
	if (strncmp(p, "self/", 5) != 0 &&
	    strncmp(p, "thread-self/", 12) != 0 &&
	    strspn(p, "0123456789") != (size_t)(end - p))
		return;
	*len = 0;
	path[0] = '\0';
}

/*
 * What was refused has no file: its text, without dots and doubled slashes.
 * Links in it are not known, so a way through one shows as it was written.
 */
void
event_join(struct watch_event *e, const char *text)
{
	size_t len = text[0] == '/' ? 0 : strlen(e->path);

	if (len == 1) /* relative, and the root is where it starts */
		len = 0;
	e->path[len] = '\0';
	while (*text != '\0') {
		size_t n = strcspn(text, "/");

		if (n == 2 && memcmp(text, "..", 2) == 0) {
			up(e->path, &len);
		} else if (n > 0 && !(n == 1 && text[0] == '.')) {
			if (!add_name(e->path, &len, text, n)) {
				e->cut = true;
				return;
			}
			drop_root(e->path, &len);
		}
		text += n;
		text += *text == '/';
	}
	if (len == 0)
		(void)snprintf(e->path, sizeof(e->path), "/");
}

/* ---- each kind ---- */

/* A device that it makes, or tries to; 0:0 is none, but a file that hides. */
static void
decode_node(struct watch_event *e, const struct rec_path *r)
{
	if (strncmp(e->call, "mknod", 5) != 0 || r->dev == 0 ||
	    (!S_ISCHR(r->flags) && !S_ISBLK(r->flags)))
		return;
	e->mode = r->flags;
	e->major = (r->dev & 0xfff00) >> 8;
	e->minor = (r->dev & 0xff) | (r->dev >> 12 & 0xfff00);
}

/*
 * What a descriptor leads to gets a name by this, as a file that has none yet:
 * its own is nothing of the kernel's.
 */
static bool
by_descriptor(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strncmp(path, "/proc/", 6) == 0 && slash - path >= 3 &&
	    memcmp(slash - 3, "/fd", 3) == 0;
}

/* Of REC_REFUSED it is to read or to run. */
static void
decode_path(struct watch_event *e, const struct rec_path *r)
{
	char text[REC_TEXT];

	memcpy(text, r->text, sizeof(text));
	text[sizeof(text) - 1] = '\0';
	if (text[0] != '/')
		file_path(e, &r->at);
	e->cut |= r->cut != 0;
	e->write = r->h.type != REC_REFUSED;
	event_join(e, text);
	decode_node(e, r);
	e->from = strncmp(e->call, "rename", 6) == 0 && r->flags == REC_OLD;
	e->alias = strncmp(e->call, "link", 4) == 0 && r->flags != 0;
	e->follows = e->alias && r->flags == REC_OLD_FOLLOWED;
	if (e->follows && by_descriptor(e->path))
		e->write = false;
	/* a link of /proc that leads back to the root is no place in it */
	if (text[0] != '/' && strncmp(e->path, "/proc/", 6) == 0)
		e->magic = r->at.magic;
}

static void
decode_link(struct watch_event *e, const struct rec_link *r)
{
	decode_path(e, &r->path);
	memcpy(e->to, r->to, sizeof(e->to));
	e->to[sizeof(e->to) - 1] = '\0';
	e->write = false; /* what it is told for is no act yet */
}

static void
decode_memory(struct watch_event *e, const struct rec_memory *r)
{
	e->what = r->what & (MEM_ANON | MEM_WRITE | MEM_WRITTEN | MEM_UNKNOWN);
	put_file(e, &r->file);
}

static bool
other_id(uint64_t id)
{
	return (uint32_t)id != JOB_ID && (uint32_t)id != NO_ID;
}

/* What a call asks for that the job has not. */
static bool
asks(uint32_t call, uint64_t caps, const uint64_t a[3])
{
	switch (call) {
	case SYS_setresuid:
	case SYS_setresgid:
		return other_id(a[0]) || other_id(a[1]) || other_id(a[2]);
	case SYS_setreuid:
	case SYS_setregid:
		return other_id(a[0]) || other_id(a[1]);
	case SYS_setuid:
	case SYS_setgid:
	case SYS_setfsuid:
	case SYS_setfsgid:
		return other_id(a[0]);
	case SYS_setgroups:
		return a[0] != 0;
	case SYS_capset: /* to have fewer of them is nobody's business */
		return (a[1] & ~caps) != 0;
	case SYS_setns:
	case SYS_unshare:
	case SYS_clone:
	case SYS_clone3:
	case SYS_prctl:
		return true;
	default:
		return false;
	}
}

static void
decode_cred(struct watch_event *e, const struct rec_cred *r)
{
	const uint64_t args[3] = {r->args[0], r->args[1], r->args[2]};

	e->changed = r->changed != 0;
	e->foreign = r->user_ns != 0;
	e->uid = r->is.euid;
	e->was_uid = r->was.euid;
	e->gained = r->is.caps & ~r->was.caps;
	e->asked = asks(r->h.call, r->was.caps, args);
}

const char *
event_call(uint32_t number)
{
	for (size_t i = 0; i < NELEM(calls); i++) {
		if (calls[i].number == number)
			return calls[i].name;
	}
	return "syscall";
}

bool
event_call_known(const char *name, const char **near)
{
	static const char *const others[] = {"procexit", "cpu", "syscall"};
	const char *names[NELEM(calls) + NELEM(others)];
	size_t n = 0;

	for (; n < NELEM(calls); n++)
		names[n] = calls[n].name;
	for (size_t i = 0; i < NELEM(others); i++)
		names[n++] = others[i];
	*near = NULL;
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	*near = nearest_word(name, names, n);
	return false;
}

static const char *
call_name(const struct rec_head *h)
{
	switch (h->type) {
	case REC_FORK:
		return "clone";
	case REC_EXEC:
		return "execve";
	case REC_EXIT:
		return "procexit";
	default:
		return event_call(h->call);
	}
}

static const size_t sizes[REC_TYPES] = {[REC_FORK] = sizeof(struct rec_fork),
    [REC_EXEC] = sizeof(struct rec_exec), [REC_EXIT] = sizeof(struct rec_exit),
    [REC_OPEN] = sizeof(struct rec_open), [REC_PATH] = sizeof(struct rec_path),
    [REC_MEMORY] = sizeof(struct rec_memory),
    [REC_CRED] = sizeof(struct rec_cred),
    [REC_REFUSED] = sizeof(struct rec_path),
    [REC_KEPT] = sizeof(struct rec_path),
    [REC_CALL] = sizeof(struct rec_call), [REC_FULL] = sizeof(struct rec_full),
    [REC_CODE] = sizeof(struct rec_full),

    [REC_LINK] = sizeof(struct rec_link)};

bool
event_decode(struct watch_event *e, const void *rec, size_t len)
{
	union {
		struct rec_head h;
		struct rec_fork fork;
		struct rec_exec exec;
		struct rec_exit exit;
		struct rec_open open;
		struct rec_path path;
		struct rec_memory memory;
		struct rec_cred cred;
		struct rec_full full;
		struct rec_link link;
	} r;

	memset(e, 0, sizeof(*e));
	if (len < sizeof(r.h) || len > sizeof(r) + 7)
		return false;
	memcpy(&r.h, rec, sizeof(r.h));
	/* the ring rounds up to eight bytes */
	if (r.h.type >= REC_TYPES || sizes[r.h.type] == 0 ||
	    r.h.size != sizes[r.h.type] || len < r.h.size ||
	    len > r.h.size + 7u)
		return false;
	memcpy(&r, rec, r.h.size);
	e->type = r.h.type == REC_KEPT ? REC_PATH :
	    (enum rec_type)r.h.type;
	e->call = call_name(&r.h);
	e->number = r.h.call;
	e->group = r.h.group;
	e->when_ns = r.h.when_ns;
	e->pid = r.h.pid;
	e->tid = r.h.tid;
	e->ret = r.h.ret;
	memcpy(e->comm, r.h.comm, REC_COMM);
	e->comm[REC_COMM] = '\0';
	if (e->type == REC_FORK) {
		e->child = r.fork.child;
	} else if (e->type == REC_EXEC) {
		put_file(e, &r.exec.file);
	} else if (e->type == REC_EXIT) {
		e->code = r.exit.code;
		e->oom = r.exit.oom != 0;
	} else if (e->type == REC_OPEN) {
		e->write = true;
		put_file(e, &r.open.file);
	} else if (e->type == REC_PATH || e->type == REC_REFUSED) {
		decode_path(e, &r.path);
	} else if (e->type == REC_FULL || e->type == REC_CODE) {
		put_file(e, &r.full.file);
	} else if (e->type == REC_LINK) {
		decode_link(e, &r.link);
	} else if (e->type == REC_MEMORY) {
		decode_memory(e, &r.memory);
	} else if (e->type == REC_CRED) {
		decode_cred(e, &r.cred);
	}
	return true;
}

/* ---- words ---- */

const char *
event_fs(const struct watch_event *e)
{
	for (size_t i = 0; i < NELEM(systems); i++) {
		if (systems[i].magic == e->magic)
			return systems[i].name;
	}
	return "";
}

const char *
event_leaf(const struct watch_event *e)
{
	const char *slash = strrchr(e->path, '/');

	return slash == NULL ? e->path : slash + 1;
}

const char *
event_result(const struct watch_event *e)
{
	if (e->ret >= 0 || e->ret < -4095)
		return "SUCCESS";
	for (size_t i = 0; i < NELEM(errors); i++) {
		if (errors[i].error == (int)-e->ret)
			return errors[i].name;
	}
	return "FAILED";
}

static void
exit_text(char *out, size_t cap, const struct watch_event *e)
{
	int code = (int)e->code;

	if (e->oom)
		(void)snprintf(out, cap, "is killed: out of memory");
	else if (WIFSIGNALED(code))
		(void)snprintf(out, cap, "ends by signal %d", WTERMSIG(code));
	else
		(void)snprintf(out, cap, "ends with %d", WEXITSTATUS(code));
}

static void
cred_text(char *out, size_t cap, const struct watch_event *e)
{
	int n = snprintf(out, cap, "%s: %s", e->call, event_result(e));

	if (!e->changed || n < 0 || (size_t)n >= cap)
		return;
	(void)snprintf(out + n, cap - (size_t)n, "; its credentials have "
	    "changed: uid %u, was %u; rights gained %#llx%s", e->uid,
	    e->was_uid, (unsigned long long)e->gained, e->foreign ?
	    "; in another user namespace" : "");
}

void
event_text(char *out, size_t cap, const struct watch_event *e)
{
	const char *path = e->path[0] != '\0' ? e->path : "no file";
	const char *dots = e->cut ? " (cut)" : "";

	switch (e->type) {
	case REC_FORK:
		if (e->ret < 0)
			(void)snprintf(out, cap, "starts no process: %s",
			    event_result(e));
		else
			(void)snprintf(out, cap, "starts process %u", e->child);
		break;
	case REC_EXEC:
		(void)snprintf(out, cap, "runs %s%s%s", path,
		    e->deleted ? " (deleted)" : "", dots);
		break;
	case REC_EXIT:
		exit_text(out, cap, e);
		break;
	case REC_LINK:
		(void)snprintf(out, cap, "links %s%s to %.250s", path, dots,
		    e->to);
		break;
	case REC_CALL:
		(void)snprintf(out, cap, "asks for %s (call %u): %s", e->call,
		    e->number, event_result(e));
		break;
	case REC_CODE:
		(void)snprintf(out, cap, "maps the code of %s%s", path, dots);
		break;
	case REC_OPEN:
		if (e->ret >= 0 && strncmp(e->call, "open", 4) == 0) {
			(void)snprintf(out, cap, "opens %s for writing%s",
			    path, dots);
			break;
		}
		/* FALLTHROUGH */
	case REC_PATH:
	case REC_REFUSED:
	case REC_FULL:
		(void)snprintf(out, cap, "%s %s%s: %s", e->call, path, dots,
		    event_result(e));
		break;
	case REC_MEMORY:
		(void)snprintf(out, cap, "%s makes %s%s executable%s%s",
		    e->call, e->what & MEM_ANON ? "memory" : path,
		    e->deleted ? " (deleted)" : "",
		    e->what & MEM_WRITE ? ", writable too" : "",
		    e->what & MEM_WRITTEN ? ", after writing it" : "");
		break;
	default:
		cred_text(out, cap, e);
		break;
	}
}
