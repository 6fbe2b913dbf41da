/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/root.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "sandbox/base/procfs.h"
#include "sandbox/base/sys.h"
#include "sandbox/base/upper.h"
#include "common/util.h"
#include "common/libc.h"

#define NOTHING (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define SKEL_SIZE "size=1m,nr_inodes=2048,mode=0755"

static const char *const dev_nodes[] = {"null", "zero", "full", "random",
    "urandom", "tty"};
static const struct {
	const char *name, *target;
} dev_links[] = {{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
    /* one tmpfs with one limit for both */
    {"shm", "/tmp"}};

static int
attach(int tree, int at, const char *path)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH;

	if (path[0] == '\0')
		flags |= MOVE_MOUNT_T_EMPTY_PATH;
	return move_mount(tree, "", at, path, flags);
}

static int
set_attr(int tree, uint64_t attr, unsigned flags)
{
	struct mount_attr a = {.attr_set = attr};

	return mount_setattr(tree, "", AT_EMPTY_PATH | flags, &a, sizeof(a));
}

/* A private copy of what lies at fd (in our mount namespace). */
static int
clone_tree(int fd, const char *path)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int tree;

	if (path[0] == '\0')
		flags |= AT_EMPTY_PATH;
	tree = open_tree(fd, path, flags);
	/* in a user namespace mounts beneath cannot be uncovered */
	if (tree < 0 && errno == EINVAL)
		tree = open_tree(fd, path, flags | AT_RECURSIVE);
	return tree;
}

/* The same folder or file in the namespace that we are in now, by its path. */
static int
reopen(int fd, int flags)
{
	char link[32], path[4096];
	struct stat a, b;
	ssize_t n;
	int again;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return -1;
	path[n] = '\0';
	again = open(path, O_PATH | flags | O_CLOEXEC | O_NOFOLLOW);
	if (again < 0)
		return -1;
	if (fstat(fd, &a) < 0 || fstat(again, &b) < 0 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino) {
		(void)close(again);
		errno = ESTALE;
		return -1;
	}
	return again;
}

static int
clone_dir(int fd, uint64_t attr)
{
	_cleanup_fd_ int here = reopen(fd, O_DIRECTORY);
	_cleanup_fd_ int tree = here < 0 ? -1 : clone_tree(here, "");

	if (tree < 0 || set_attr(tree, attr, AT_RECURSIVE) < 0)
		return -1;
	return steal_fd(&tree);
}

/* Files of the host's, each a tree of its own; -1 where there is none. */
static int
clone_files(int *trees, const int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		_cleanup_fd_ int here = -1;

		trees[i] = -1;
		if (fds[i] < 0)
			continue;
		if ((here = reopen(fds[i], 0)) < 0 ||
		    (trees[i] = clone_tree(here, "")) < 0 ||
		    set_attr(trees[i], NOTHING | MOUNT_ATTR_RDONLY, 0) < 0)
			return -1;
	}
	return 0;
}

static int
attach_wasm(const int *trees)
{
	char path[64];

	for (unsigned i = 0; i < WASM_FILES; i++) {
		_cleanup_fd_ int at = -1;

		if (trees[i] < 0)
			continue;
		(void)snprintf(path, sizeof(path), "wasm/%s", wasm_files[i]);
		at = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
		if (at < 0 || attach(trees[i], AT_FDCWD, path) < 0)
			return -1;
		(void)close(trees[i]);
	}
	return 0;
}

static int
make_dev(const int *nodes)
{
	if (mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
	    "size=16k,nr_inodes=32,mode=0755") < 0)
		return -1;
	for (size_t i = 0; i < NELEM(dev_nodes); i++) {
		char path[32];
		int fd;

		if (nodes[i] < 0)
			continue;
		(void)snprintf(path, sizeof(path), "dev/%s", dev_nodes[i]);
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
		if (fd < 0)
			return -1;
		(void)close(fd);
		if (attach(nodes[i], AT_FDCWD, path) < 0)
			return -1;
	}
	for (size_t i = 0; i < NELEM(dev_links); i++) {
		char path[32];

		(void)snprintf(path, sizeof(path), "dev/%s",
		    dev_links[i].name);
		if (symlink(dev_links[i].target, path) < 0)
			return -1;
	}
	return mount("", "dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY |
	    MS_NOSUID | MS_NOEXEC, NULL);
}

/* A folder that exists everywhere and that we may cover in our namespace. */
static const char *
cover(void)
{
	static const char *const places[] = {"/tmp", "/mnt", "/run", "/var"};
	struct stat st;

	for (size_t i = 0; i < NELEM(places); i++)
		if (lstat(places[i], &st) == 0 && S_ISDIR(st.st_mode))
			return places[i];
	return "/";
}

static int
attach_volumes(const int *trees, unsigned n)
{
	char path[32];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "vol/%u", i);
		if (mkdir(path, 0755) < 0 ||
		    attach(trees[i], AT_FDCWD, path) < 0)
			return -1;
		(void)close(trees[i]);
	}
	return 0;
}

/*
 * Where programs of the machine and their libraries lie: folders, or links to
 * what lies in /usr.
 */
static const char *const tool_dirs[] = {"usr", "bin", "sbin", "lib", "lib64"};

/* Of the root that we leave; -1 where there is a link, or nothing. */
static int
clone_tools(int trees[NELEM(tool_dirs)], char links[NELEM(tool_dirs)][64])
{
	for (size_t i = 0; i < NELEM(tool_dirs); i++) {
		_cleanup_fd_ int fd = -1;
		char path[16];
		ssize_t n;

		trees[i] = -1;
		links[i][0] = '\0';
		(void)snprintf(path, sizeof(path), "/%s", tool_dirs[i]);
		n = readlink(path, links[i], sizeof(links[i]) - 1);
		if (n > 0)
			links[i][n] = '\0';
		if (n > 0 || (fd = open(path, O_PATH | O_DIRECTORY |
		    O_CLOEXEC | O_NOFOLLOW)) < 0)
			continue;
		if ((trees[i] = clone_tree(fd, "")) < 0 ||
		    set_attr(trees[i], NOTHING | MOUNT_ATTR_RDONLY,
		    AT_RECURSIVE) < 0)
			return -1;
	}
	return 0;
}

/* Into the root that we make, where we are. */
static int
attach_tools(const int trees[NELEM(tool_dirs)],
    char links[NELEM(tool_dirs)][64])
{
	for (size_t i = 0; i < NELEM(tool_dirs); i++) {
		if (links[i][0] != '\0') {
			if (symlink(links[i], tool_dirs[i]) < 0)
				return -1;
		} else if (trees[i] >= 0) {
			if (mkdir(tool_dirs[i], 0755) < 0 ||
			    attach(trees[i], AT_FDCWD, tool_dirs[i]) < 0)
				return -1;
			(void)close(trees[i]);
		}
	}
	/* what is looked for there is not found, and nothing is made there */
	return mkdir("tmp", 0755) < 0 || mkdir("sys", 0755) < 0 ||
	    mkdir("sys/fs", 0755) < 0 ||
	    mkdir("sys/fs/cgroup", 0755) < 0 ? -1 : 0;
}

int
base_build(const struct base_dirs *d, bool root, const char **what)
{
	static const char *const dirs[] = {"images", "stage", "dev", "proc",
	    "new", "new/none", "hold", "vol", "wasm", "up"};
	int tools[NELEM(tool_dirs)];
	char links[NELEM(tool_dirs)][64];
	int nodes[NELEM(dev_nodes)], trees[32], wasm[WASM_FILES];
	_cleanup_fd_ int images = -1, stage = -1, proc = -1;
	const char *at = cover();
	char path[32];

	/* the slots' ids walk through it */
	(void)umask(022);
	*what = "private mounts";
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	*what = "folders";
	images = clone_dir(d->images, NOTHING | MOUNT_ATTR_RDONLY);
	stage = clone_dir(d->stage, NOTHING);
	if (images < 0 || stage < 0)
		return -1;
	*what = "the runner of modules";
	if (clone_files(wasm, d->wasm, WASM_FILES) < 0)
		return -1;
	*what = "folders";
	for (unsigned i = 0; i < d->nvolumes; i++)
		if ((trees[i] = clone_dir(d->volumes[i],
		    NOTHING | MOUNT_ATTR_RDONLY)) < 0)
			return -1;
	*what = "programs";
	if (d->tools && clone_tools(tools, links) < 0)
		return -1;
	*what = "folders";
	for (size_t i = 0; i < NELEM(dev_nodes); i++) {
		(void)snprintf(path, sizeof(path), "/dev/%s", dev_nodes[i]);
		nodes[i] = clone_tree(AT_FDCWD, path);
		/* who owns the node of the host could change its mode */
		if (nodes[i] >= 0 && set_attr(nodes[i], MOUNT_ATTR_NOSUID |
		    MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, 0) < 0)
			return -1;
	}
	*what = "/proc";
	if (!root && (proc = clone_tree(AT_FDCWD, "/proc")) < 0)
		return -1;
	*what = "base";
	if (mount("tmpfs", at, "tmpfs", MS_NOSUID, SKEL_SIZE) < 0 ||
	    chdir(at) < 0)
		return -1;
	for (size_t i = 0; i < NELEM(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -1;
	if (attach(images, AT_FDCWD, "images") < 0 ||
	    attach(stage, AT_FDCWD, "stage") < 0)
		return -1;
	if (attach_volumes(trees, d->nvolumes) < 0 || attach_wasm(wasm) < 0 ||
	    (d->tools && attach_tools(tools, links) < 0))
		return -1;
	*what = "/dev";
	if (make_dev(nodes) < 0)
		return -1;
	for (size_t i = 0; i < NELEM(dev_nodes); i++)
		if (nodes[i] >= 0)
			(void)close(nodes[i]);
	*what = "/proc";
	if (root ? mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV |
	    MS_NOEXEC, "hidepid=2") < 0 :
	    attach(proc, AT_FDCWD, "proc") < 0)
		return -1;
	*what = "pivot_root";
	if (sys_pivot_root(".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return -1;
	(void)umask(077);
	*what = "base, read-only";
	return mount("", "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY |
	    MS_NOSUID, NULL);
}

/* ---- tmpfs of the job's user ---- */

static const char *label; /* of what a job may write to; NULL: none */

void
root_label(const char *context)
{
	label = context;
}

const char *
root_labelled(void)
{
	return label;
}

static int
fs_text(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

static int
fs_set(int fs, const char *key, const char *fmt, unsigned long long v)
{
	char value[32];

	(void)snprintf(value, sizeof(value), fmt, v);
	return fs_text(fs, key, value);
}

static int
tmpfs_mount(uint64_t bytes, uint32_t inodes, const char *mode, uint64_t attr)
{
	_cleanup_fd_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);

	if (fs < 0 || fs_set(fs, "size", "%llu", bytes) < 0 ||
	    fs_set(fs, "nr_inodes", "%llu", inodes) < 0 ||
	    fs_text(fs, "mode", mode) < 0 ||
	    fs_set(fs, "uid", "%llu", 1000) < 0 ||
	    fs_set(fs, "gid", "%llu", 1000) < 0 ||
	    (label != NULL && fs_text(fs, "rootcontext", label) < 0) ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(fs, FSMOUNT_CLOEXEC, (unsigned)attr);
}

int
tmpfs_make(int *fds, unsigned n, uint64_t bytes, uint32_t inodes,
    bool noexec, const char **what)
{
	_cleanup_fd_ int m = tmpfs_mount(bytes, inodes, "0755", NOTHING |
	    (noexec ? MOUNT_ATTR_NOEXEC : 0));
	unsigned i;

	/* a clone of a detached mount needs a new kernel: attach it first */
	*what = "volume";
	if (m < 0 || attach(m, AT_FDCWD, "/hold") < 0)
		return -1;
	for (i = 0; i < n; i++)
		if ((fds[i] = open_tree(AT_FDCWD, "/hold", OPEN_TREE_CLONE |
		    OPEN_TREE_CLOEXEC)) < 0)
			break;
	if (umount2("/hold", MNT_DETACH) < 0 || i < n) {
		while (i > 0)
			(void)close(fds[--i]);
		return -1;
	}
	return 0;
}

/* ---- a job's root ---- */

/* Make every folder of path beneath the folder that we are in. */
static int
make_path(const char *top, const char *path)
{
	char buf[PLACE_PATH_MAX + 32];
	size_t off;

	(void)snprintf(buf, sizeof(buf), "%s/%s", top, path);
	for (off = strlen(top) + 1; buf[off] != '\0'; off++) {
		if (buf[off] != '/')
			continue;
		buf[off] = '\0';
		if (mkdir(buf, 0755) < 0 && errno != EEXIST)
			return -1;
		buf[off] = '/';
	}
	return mkdir(buf, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

/* Onto a folder of the new root: no link is left on the way to a place. */
static int
attach_in(int root, const struct place *p, int tree)
{
	_cleanup_fd_ int at = sys_openat2(root, p->path, O_PATH | O_DIRECTORY |
	    O_CLOEXEC, SYS_BENEATH);

	return at < 0 ? -1 : attach(tree, at, "");
}

/* Where there is no overlay: then the image must have all the places. */
static int
bind_image(const char *path)
{
	_cleanup_fd_ int tree = -1;

	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0 || set_attr(tree, NOTHING | MOUNT_ATTR_RDONLY, 0) < 0)
		return -1;
	return attach(tree, AT_FDCWD, "/new/root");
}

static int
mount_image(const char *hex, bool read_only)
{
	char opts[256], path[96] = "/new/none";
	unsigned long flags = MS_NOSUID | MS_NODEV;

	if (hex != NULL)
		(void)snprintf(path, sizeof(path), "/images/roots/%s", hex);
	if (read_only)
		flags |= MS_RDONLY;
	else if (upper_fill(hex == NULL ? NULL : path) < 0)
		return -1;
	/*
	 * The image above, places to mount on below: an image need not have
	 * them, and mountinfo does not tell where the image lies on the host.
	 * What may be written is the job's as a whole, the image's files too:
	 * each is copied up before it is changed.
	 */
	(void)snprintf(opts, sizeof(opts),
	    "lowerdir=%s:/new/skel,userxattr%s%s%s", path,
	    read_only ? "" : UPPER_OPTIONS,
	    read_only || label == NULL ? "" : ",context=",
	    read_only || label == NULL ? "" : label);
	if (mount("overlay", "/new/root", "overlay", flags, opts) == 0)
		return 0;
	return read_only && errno != ENOENT ? bind_image(hex == NULL ?
	    "/new/skel" : path) : -1;
}

/*
 * A folder of the base, read-only. Through an overlay, since a bind mount would
 * show in mountinfo where it lies on the host; bound where there is none.
 */
static int
make_read_only(const char *path)
{
	_cleanup_fd_ int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	char lower[64];
	int tree;

	/* mountinfo shows what is said here: its name has the slot's number */
	(void)snprintf(lower, sizeof(lower), "%s:/new/none",
	    chdir(path) == 0 ? "." : path);
	if (fs >= 0 && fs_text(fs, "source", "overlay") == 0 &&
	    fs_text(fs, "lowerdir", lower) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) == 0 &&
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0 &&
	    (tree = fsmount(fs, FSMOUNT_CLOEXEC, NOTHING |
	    MOUNT_ATTR_RDONLY)) >= 0)
		return tree;
	tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree >= 0 && set_attr(tree, NOTHING | MOUNT_ATTR_RDONLY, 0) <
	    0) {
		(void)close(tree);
		return -1;
	}
	return tree;
}

/* top: where root is, a path. tree stays the caller's. */
static int
attach_volume(int root, const char *top, const struct place *p, int tree)
{
	return p->in_tmp && make_path(top, p->path) < 0 ? -1 :
	    attach_in(root, p, tree);
}

/* What is not there as a tree is made one. */
static int
make_volumes(int *trees, const struct root_plan *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		trees[i] = r->volumes[i].tree >= 0 ? r->volumes[i].tree :
		    make_read_only(r->volumes[i].path);
		if (trees[i] < 0)
			return -1;
	}
	return 0;
}

static int
attach_all(int root, const char *top, const int *trees,
    const struct root_plan *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (attach_volume(root, top, &r->places[PLACE_FIXED + i],
		    trees[i]) < 0)
			return -1;
		if (trees[i] != r->volumes[i].tree)
			(void)close(trees[i]);
	}
	return 0;
}

static int
enter(const char *path)
{
	if (chdir(path) < 0 || sys_pivot_root(".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0)
		return -1;
	return chdir("/");
}

/* Folders below the image, for what it lacks. */
static int
make_skel(const struct place *places, unsigned n, bool wasm)
{
	if (mkdir("/new/skel", 0755) < 0 || mkdir("/new/root", 0755) < 0 ||
	    mkdir("/new/none", 0755) < 0)
		return -1;
	for (unsigned i = 0; i < PLACE_FIXED + n; i++)
		if (!places[i].in_tmp &&
		    make_path("/new/skel", places[i].path) < 0)
			return -1;
	return wasm ? make_path("/new/skel", WASM_PLACE) : 0;
}

/* The folder and the files that lie on it. */
static int
attach_runner(int root)
{
	_cleanup_fd_ int at = sys_openat2(root, WASM_PLACE, O_PATH |
	    O_DIRECTORY | O_CLOEXEC, SYS_BENEATH);
	_cleanup_fd_ int tree = open_tree(AT_FDCWD, "/wasm", OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	return at < 0 || tree < 0 ? -1 : attach(tree, at, "");
}

static int
mount_proc(int root, const struct place *p)
{
	_cleanup_fd_ int proc = procfs_make();

	return proc < 0 ? -1 : attach_in(root, p, proc);
}

/* At /new/root, all that is there before the job; the folder, or -1. */
static int
build_ground(const struct root_plan *r, const char **what)
{
	const struct place *at = r->places;
	_cleanup_fd_ int root = -1, tmp = -1, dev = -1;

	*what = "root";
	if (mount("tmpfs", "/new", "tmpfs", MS_NOSUID | MS_NODEV,
	    "size=1m,nr_inodes=16384,mode=0755") < 0 ||
	    make_skel(at, r->n, r->wasm) < 0)
		return -1;
	*what = "image";
	if (mount_image(r->hex, r->read_only) < 0)
		return -1;
	root = open("/new/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	*what = "/dev";
	dev = open_tree(AT_FDCWD, "/dev", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
	    AT_RECURSIVE);
	if (dev < 0 || attach_in(root, &at[PLACE_DEV], dev) < 0)
		return -1;
	*what = "/tmp";
	tmp = tmpfs_mount(r->tmp_bytes, r->tmp_inodes, "1777", NOTHING |
	    (r->noexec ? MOUNT_ATTR_NOEXEC : 0));
	if (tmp < 0 || attach_in(root, &at[PLACE_TMP], tmp) < 0)
		return -1;
	*what = "the runner of modules";
	if (r->wasm && attach_runner(root) < 0)
		return -1;
	return steal_fd(&root);
}

int
root_build(const struct root_plan *r, const char **what)
{
	const struct place *at = r->places;
	_cleanup_fd_ int root = build_ground(r, what);
	int trees[PLAN_VOLUMES_ALL];

	if (root < 0)
		return -1;
	*what = "volume";
	if (make_volumes(trees, r) < 0 ||
	    attach_all(root, "/new/root", trees, r) < 0)
		return -1;
	if (r->outside)
		return 0;
	*what = "/proc";
	if (fchdir(root) < 0 || mount_proc(root, &at[PLACE_PROC]) < 0)
		return -1;
	*what = "pivot_root";
	return enter("/new/root");
}

int
root_prepare(const struct root_plan *r, const char **what)
{
	_cleanup_fd_ int root = build_ground(r, what);

	if (root < 0)
		return -1;
	*what = "pivot_root";
	return enter("/new/root");
}

int
root_join(int ns, const struct root_plan *r, const char **what)
{
	_cleanup_fd_ int root = -1, proc = -1;
	int trees[PLAN_VOLUMES_ALL];

	*what = "volume";
	if (make_volumes(trees, r) < 0)
		return -1;
	/* one can be made only where there is another one, which is here */
	*what = "/proc";
	if ((proc = procfs_make()) < 0)
		return -1;
	*what = "mount namespace";
	if (setns(ns, CLONE_NEWNS) < 0)
		return -1;
	*what = "volume";
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || attach_all(root, "", trees, r) < 0)
		return -1;
	*what = "/proc";
	return attach_in(root, &r->places[PLACE_PROC], proc);
}

int
root_step_build(const struct root_step *s, const char **what)
{
	uint64_t attr = NOTHING | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
	_cleanup_fd_ int tree = -1, src = -1;

	*what = "step";
	if (mount("tmpfs", "/new", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	    "size=64k,nr_inodes=16,mode=0755") < 0 ||
	    mkdir("/new/v", 0755) < 0 || mkdir("/new/s", 0755) < 0)
		return -1;
	if (s->read_only)
		attr |= MOUNT_ATTR_RDONLY;
	if (s->tree < 0) {
		tree = open_tree(AT_FDCWD, s->path, OPEN_TREE_CLONE |
		    OPEN_TREE_CLOEXEC);
		if (tree < 0)
			return -1;
	}
	if (set_attr(s->tree >= 0 ? s->tree : tree, attr, 0) < 0 ||
	    attach(s->tree >= 0 ? s->tree : tree, AT_FDCWD, "/new/v") < 0)
		return -1;
	if (s->src != NULL) {
		src = open_tree(AT_FDCWD, s->src, OPEN_TREE_CLONE |
		    OPEN_TREE_CLOEXEC);
		if (src < 0 ||
		    set_attr(src, attr | MOUNT_ATTR_RDONLY, 0) < 0 ||
		    attach(src, AT_FDCWD, "/new/s") < 0)
			return -1;
	}
	if (mount("", "/new", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY |
	    MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -1;
	return enter("/new");
}

int
root_compile_build(const char **what)
{
	const unsigned long no = MS_NOSUID | MS_NODEV;
	_cleanup_fd_ int root = -1;

	*what = "compilation";
	if (mount("tmpfs", "/new", "tmpfs", no,
	    "size=64k,nr_inodes=16,mode=0755") < 0 ||
	    make_path("/new", WASM_PLACE) < 0 ||
	    (root = open("/new", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    attach_runner(root) < 0 ||
	    mount("", "/new", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | no,
	    NULL) < 0)
		return -1;
	return enter("/new");
}

int
root_snapshot_build(const char **what)
{
	const unsigned long no = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	_cleanup_fd_ int up = -1;

	*what = "snapshot";
	if (mount("tmpfs", "/new", "tmpfs", no,
	    "size=64k,nr_inodes=16,mode=0755") < 0 ||
	    mkdir("/new/p", 0755) < 0 || mkdir("/new/u", 0755) < 0)
		return -1;
	*what = "what it wrote";
	up = open_tree(AT_FDCWD, UPPER_PLACE, OPEN_TREE_CLONE |
	    OPEN_TREE_CLOEXEC);
	if (up < 0 || set_attr(up, NOTHING | MOUNT_ATTR_NOEXEC |
	    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW, 0) < 0 ||
	    attach(up, AT_FDCWD, "/new/u") < 0)
		return -1;
	*what = "proc";
	if (mount("proc", "/new/p", "proc", no, NULL) < 0)
		return -1;
	if (mount("", "/new", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | no,
	    NULL) < 0)
		return -1;
	return enter("/new");
}
