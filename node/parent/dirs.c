/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/parent/dirs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"
#include "common/util.h"
#include "node/check/finding.h"
#include "node/check/whose.h"
#include "node/parent/parent.h"
#include "transport/config/example.h"

#define DEPTH_MAX 8	 /* folders that are looked into */
/* ours: how long an earlier relay may take to end */
#define LOCK_WAIT_MS 5000
#define LOCK_STEP_MS 20

/* ---- whose: THREATS.md 5.5 ---- */

static void
refuse(void *ctx, const char *path, const char *what)
{
	const struct parent *p = ctx;
	char shown[1024], remedy[WHOSE_REMEDY];

	(void)text_escape(shown, sizeof(shown), path, strlen(path));
	whose_remedy(remedy, p->path);
	log_errx(NULL, "%s %s, so somebody else could have warrend do things "
		       "as root. %s", shown, what, remedy);
}

/* ---- what is in it ---- */

/* As root over no link, but to storage/, if root can trust all of its way. */
static int
open_folder(const struct parent *p, int at, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char why[FOLLOW_WHY] = "";
	int fd;

	if (!p->root)
		return openat(at, name, flags);
	if (at != p->dir || strcmp(name, "storage") != 0)
		return openat(at, name, flags | O_NOFOLLOW);
	fd = follow_open(at, name, flags, p->base, why);
	if (fd < 0 && why[0] != '\0')
		log_errx(p->path, "%s %s (%s)", name, why, FOLLOW_REMEDY);
	return fd;
}

/*
 * A folder beneath another; as root it gets this owner. The mode is set in
 * any case. -1: said.
 */
static int
folder(struct parent *p, int at, const char *name, mode_t mode, uint32_t number)
{
	uint32_t id = number == 0 ? 0 : p->base + number;
	_cleanup_fd_ int fd = -1;

	if (mkdirat(at, name, mode) < 0 && errno != EEXIST) {
		log_err(p->path, "cannot make the folder %s", name);
		return -1;
	}
	fd = open_folder(p, at, name);
	if (fd < 0 || fchmod(fd, mode) < 0 ||
	    (p->root && fchown(fd, id, id) < 0)) {
		log_err(p->path, "folder %s", name);
		return -1;
	}
	return steal_fd(&fd);
}

static void
give_tree(int dir, uint32_t id, int depth)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		_cleanup_fd_ int sub = -1;
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		sub = openat(fd, e->d_name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (sub < 0 || fstat(sub, &st) < 0 || st.st_uid == id)
			goto descend;
		/* a second name could lie where the number must not write */
		if (S_ISREG(st.st_mode) && st.st_nlink > 1) {
			log_warnx(e->d_name, "has a second name (hard link), "
					     "left as it is");
			continue;
		}
		if (fchown(sub, id, id) < 0)
			log_warn(e->d_name, "chown");
descend:
		if (sub >= 0 && depth > 0 && fstat(sub, &st) == 0 &&
		    S_ISDIR(st.st_mode))
			give_tree(sub, id, depth - 1);
	}
	(void)closedir(d);
}

/* A program's own folder, with what an earlier run as root left in it. */
static int
own_folder(struct parent *p, int at, const char *name, uint32_t number)
{
	int fd = folder(p, at, name, 0700, number);

	if (fd >= 0 && p->root)
		give_tree(fd, p->base + number, DEPTH_MAX);
	return fd;
}

static int
sub_folders(struct parent *p)
{
	static const char *const names[] = {
	    "resources", "identities", "blackhole", "ratchets"};
	_cleanup_fd_ int cache = -1;
	int fd;

	/* component by component: transport, who owns it, may have put a link */
	cache = folder(p, p->storage, "cache", 0700, 1);
	fd = cache < 0 ? -1 : folder(p, cache, "announces", 0700, 1);
	if (fd < 0)
		return -1;
	(void)close(fd);

	for (size_t i = 0; i < NELEM(names); i++) {
		fd = folder(p, p->storage, names[i], 0700, 1);
		if (fd < 0)
			return -1;
		(void)close(fd);
	}
	fd = folder(p, p->dir, "interfaces", 0700, 0);
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

static int
lock(struct parent *p)
{
	p->lock = openat(p->warren, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock < 0) {
		log_err(p->path, "warren/lock");
		return -1;
	}
	if (flock(p->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	log_errx(p->path, "another warrend runs on this folder");
	return -1;
}

/*
 * Transport holds a lock on storage/ as long as it runs. That of a warrend which
 * was killed writes its tables and has the sockets of the instance for a moment
 * more: it is waited for, so that nothing of it is lost.
 */
static int
storage_free(struct parent *p)
{
	unsigned ms;

	for (ms = 0; flock(p->storage, LOCK_EX | LOCK_NB) < 0; ms += LOCK_STEP_MS) {
		if (errno != EWOULDBLOCK)
			return 0; /* a file system without locks */
		if (ms == 0)
			log_notice(p->path, "an earlier warrend was killed: "
			    "its relay ends, which is waited for");
		if (ms >= LOCK_WAIT_MS) {
			log_errx(p->path, "the relay of an earlier warrend "
			    "still runs on this folder: end warren-transport");
			return -1;
		}
		(void)poll(NULL, 0, LOCK_STEP_MS);
	}
	if (ms > 0) /* its sockets are closed in the same moment */
		(void)poll(NULL, 0, 2 * LOCK_STEP_MS);
	(void)flock(p->storage, LOCK_UN); /* transport takes it */
	return 0;
}

int
dirs_open(struct parent *p, const char *path, int *status)
{
	_cleanup_free_ char *real = NULL;

	*status = 1;
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		log_err(path, "cannot make the configuration folder");
		return -1;
	}
	real = realpath(path, NULL);
	if (real == NULL || strlen(real) >= sizeof(p->path)) {
		log_err(path, "configuration folder");
		return -1;
	}
	(void)snprintf(p->path, sizeof(p->path), "%s", real);
	p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0) {
		log_err(path, "configuration folder");
		return -1;
	}
	*status = 2;
	if (geteuid() == 0 &&
	    whose_check(p->dir, p->path, p->base, refuse, p) < 0)
		return -1;
	*status = 1;
	if (faccessat(p->dir, "config", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		if (file_replace(p->dir, "config", rnsconf_default_text,
			strlen(rnsconf_default_text), 0600) < 0) {
			log_err(p->path, "cannot write a first config");
			return -1;
		}
		log_notice(p->path, "no config: a first one was written");
	}
	return 0;
}

/*
 * hub.dir: as root its way is trusted and it stays whose it is; the folder in
 * it is node's. -1: said.
 */
static int
events_folder(struct parent *p)
{
	const char *name = p->node->hub.dir;
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	char why[FOLLOW_WHY] = "";
	_cleanup_fd_ int fd = -1;

	if (name == NULL || !p->node->accept)
		return 0;
	fd = p->root ? follow_open(p->dir, name, flags, p->base, why) :
	    openat(p->dir, name, flags);
	if (fd < 0) {
		if (why[0] != '\0')
			log_errx("node.yaml", "hub.dir: %s %s (%s)", name, why,
			    FOLLOW_REMEDY);
		else
			log_err("node.yaml", "hub.dir: %s", name);
		return -1;
	}
	p->events_dir = own_folder(p, fd, "warren-events", 2);
	return p->events_dir < 0 ? -1 : 0;
}

int
dirs_make(struct parent *p, int *status)
{
	*status = 1;
	p->warren = folder(p, p->dir, "warren", p->root ? 0711 : 0700, 0);
	if (p->warren < 0 || lock(p) < 0)
		return -1;
	p->storage = own_folder(p, p->dir, "storage", 1);
	p->run = folder(p, p->warren, "run", 0711, 0);
	p->keys = folder(p, p->warren, "keys", 0700, 0);
	if (p->storage < 0 || storage_free(p) < 0 || p->run < 0 ||
	    p->keys < 0 || sub_folders(p) < 0)
		return -1;
	p->node_dir = own_folder(p, p->warren, "node", 2);
	p->trust_dir = own_folder(p, p->warren, "trust", 3);
	p->trail_dir = own_folder(p, p->warren, "trail", 6);
	p->forensics_dir = own_folder(p, p->warren, "forensics", 6);
	p->images_dir = folder(p, p->warren, "images", 0755, 0);
	p->stage_dir = folder(p, p->warren, "stage", p->root ? 0711 : 0700, 0);
	p->klp_dir = folder(p, p->dir, "klp", 0755, 0);
	return p->node_dir < 0 || p->trust_dir < 0 || p->trail_dir < 0 ||
		p->forensics_dir < 0 ||
		p->images_dir < 0 || p->stage_dir < 0 || p->klp_dir < 0 ||
		events_folder(p) < 0
	    ? -1
	    : 0;
}

char *
dirs_read(const struct parent *p, int at, const char *name, size_t max,
    size_t *len)
{
	char why[FOLLOW_WHY];

	return check_load_own(at, name, p->root, why, max, len);
}
