/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/wasm/volumes.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "sandbox/base/tree.h"

/*
 * ours: of the 2.1 KiB that a name takes without content: here, in an archive,
 * and of the kernel's for a tmpfs
 */
#define NODE_BYTES 2048

/* ---- into trees ---- */

/* Where an archive waits. A seccomp profile may have no memfd_create. */
static int
archive_make(void)
{
	int fd = memfd_create("volume", MFD_CLOEXEC);

	return fd >= 0 ? fd : open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC,
	    0600);
}

/*
 * What a tree may hold: no more than the folder behind it, and, of all that are
 * written, a quarter of the memory, since its archive and that folder are in it
 * besides. An archive has a header of 512 bytes for each node, half of what is
 * reckoned for content at most, and /tmp has a bound of its own.
 */
static struct run_volume
room(const struct run *run, uint32_t volume, int archive)
{
	struct run_volume v = run->volumes[volume];
	uint64_t most = run->memory / 4;
	struct statvfs st;
	unsigned n = 0;

	if (v.nodes == 0)
		return (struct run_volume){run->memory, MEMFS_NODES};
	for (uint32_t i = 0; i < run->args.ntargets; i++)
		n += run->volumes[i].nodes != 0;
	if (fstatvfs(archive, &st) == 0 && st.f_blocks > 0)
		most = MIN_OF(most, st.f_bavail * st.f_frsize / 3 * 2);
	v.bytes = MIN_OF(v.bytes, most / n);
	v.nodes = (uint32_t)MIN_OF(v.nodes, most / n / NODE_BYTES);
	return v;
}

static int
take(void *arg, const void *p, size_t n)
{
	errno = ENOMEM;
	return memfs_fill(arg, p, n) == NULL ? 0 : -1;
}

static struct memfs *
load(int dir, struct run_volume most, bool writable, const char *target,
    char why[ENGINE_WHY])
{
	struct memfs *fs = memfs_new(most.bytes, most.nodes, writable);
	struct memfs_fill *f = fs == NULL ? NULL : memfs_fill_begin(fs);
	struct tree_report r = {.members = 0};
	const char *bad = "no memory";
	int rv = -1;

	if (f != NULL) {
		rv = tree_pack(dir, TREE_DROP, take, f, &r);
		bad = memfs_fill_end(f);
	}
	if (rv == 0 && bad == NULL)
		return fs;
	(void)snprintf(why, ENGINE_WHY, "%.100s: %.120s", target,
	    bad != NULL ? bad : r.why);
	return NULL;
}

/* ---- and back ---- */

static bool
keep(const int *dirs, const int *archives, uint32_t n, char why[ENGINE_WHY])
{
	struct tree_report r;

	for (uint32_t i = 0; i < n; i++) {
		if (archives[i] < 0)
			continue;
		memset(&r, 0, sizeof(r));
		if (tree_empty(dirs[i]) == 0 &&
		    tree_unpack(archives[i], dirs[i], &r) == 0)
			continue;
		(void)snprintf(why, ENGINE_WHY, "a volume is not written: "
		    "%.200s", r.why[0] != '\0' ? r.why : strerror(errno));
		return false;
	}
	return true;
}

/* Waits for a word of who runs the module; its end without one is ours. */
static void
keeper(int socket, const int *dirs, const int *archives, uint32_t n)
{
	char c, why[ENGINE_WHY] = "";

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (read(socket, &c, 1) != 1)
		_exit(0);
	(void)keep(dirs, archives, n, why);
	(void)!write(socket, why, sizeof(why));
	_exit(0);
}

static bool
start_keeper(struct volumes *v, const int *dirs)
{
	int sv[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		(void)close(sv[0]);
		keeper(sv[1], dirs, v->archive, v->n);
	}
	(void)close(sv[1]);
	v->keeper = sv[0];
	return pid > 0;
}

bool
volumes_load(struct volumes *v, const struct run *run, char why[ENGINE_WHY])
{
	int dirs[PLAN_VOLUMES_ALL];
	bool any = false, ok = true;

	v->n = run->args.ntargets;
	v->keeper = -1;
	for (uint32_t i = 0; i < v->n; i++)
		dirs[i] = v->archive[i] = -1;
	for (uint32_t i = 0; i < v->n && ok; i++) {
		const char *target = run->args.targets[i];
		bool writable = run->volumes[i].nodes != 0;

		dirs[i] = open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		if (writable)
			v->archive[i] = archive_make();
		if (dirs[i] < 0 || (writable && v->archive[i] < 0)) {
			(void)snprintf(why, ENGINE_WHY, "%.100s: %s", target,
			    strerror(errno));
			ok = false;
			break;
		}
		any = any || writable;
		v->fs[i] = load(dirs[i], room(run, i, v->archive[i]), writable,
		    target, why);
		ok = v->fs[i] != NULL;
	}
	if (ok && any && !start_keeper(v, dirs)) {
		(void)snprintf(why, ENGINE_WHY, "volumes: %s",
		    strerror(errno));
		ok = false;
	}
	for (uint32_t i = 0; i < v->n; i++)
		close_fd(&dirs[i]);
	return ok;
}

static int
give(void *arg, const void *p, size_t n)
{
	return write_full(*(int *)arg, p, n);
}

bool
volumes_save(struct volumes *v, char why[ENGINE_WHY])
{
	uint32_t left, all = 0;
	size_t got = 0;

	why[0] = '\0';
	if (v->keeper < 0)
		return true;
	for (uint32_t i = 0; i < v->n; i++) {
		if (v->archive[i] >= 0 && memfs_pack(v->fs[i], give,
		    &v->archive[i], &left) < 0) {
			(void)snprintf(why, ENGINE_WHY, "a volume is not "
			    "packed: %s", strerror(errno));
			return false;
		}
		all += v->archive[i] >= 0 ? left : 0;
	}
	if (write(v->keeper, "w", 1) != 1) {
		(void)snprintf(why, ENGINE_WHY, "volumes are not written: %s",
		    strerror(errno));
		return false;
	}
	while (got < ENGINE_WHY) {
		ssize_t n = read(v->keeper, why + got, ENGINE_WHY - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	if (got < ENGINE_WHY)
		(void)snprintf(why, ENGINE_WHY, "volumes are not written");
	why[ENGINE_WHY - 1] = '\0';
	if (why[0] == '\0' && all > 0)
		(void)snprintf(why, ENGINE_WHY, "%u names have no form in an "
		    "archive and are left out", all);
	return got == ENGINE_WHY;
}
