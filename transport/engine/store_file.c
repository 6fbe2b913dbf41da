/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/store_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/log.h"

#define ASIDE_MOST 8 /* of one name; then the last is replaced */

static const char database_magic[16] = "SQLite format 3";

void
store_files_init(struct store_files *f, int dir)
{
	*f = (struct store_files){.dir = dir, .damaged = -1};
}

void
store_files_clear(struct store_files *f)
{
	if (f->damaged >= 0)
		(void)close(f->damaged);
	f->damaged = -1;
}

/* The first name that is free. */
static bool
aside_name(const struct store_files *f, const char *name, char *out, size_t cap)
{
	struct stat st;
	int n;

	for (unsigned i = 1; i <= ASIDE_MOST; i++) {
		n = snprintf(out, cap, "%s.%u", name, i);
		if (n < 0 || (size_t)n >= cap)
			return false;
		if (fstatat(f->damaged, out, &st, AT_SYMLINK_NOFOLLOW) < 0)
			break;
	}
	return true;
}

void
store_file_aside(struct store_files *f, int dir, const char *name,
    const char *lost)
{
	char to[128];

	if (f->damaged < 0)
		f->damaged = dir_open(f->dir, "damaged", true, 0700);
	if (f->damaged < 0 || !aside_name(f, name, to, sizeof(to)) ||
	    renameat(dir, name, f->damaged, to) < 0) {
		log_warn(name, "damaged, and cannot be set aside");
		return;
	}
	f->set_aside++;
	log_warnx(name, "damaged, set aside as storage/damaged/%s: %s", to,
	    lost);
}

char *
store_file_load(struct store_files *f, int dir, const char *name, size_t max,
    size_t *len)
{
	char *buf = file_load(dir, name, max, len);

	if (buf != NULL || errno == ENOENT)
		return buf;
	if (errno == EFBIG || errno == ELOOP || errno == EINVAL ||
	    errno == EISDIR)
		store_file_aside(f, dir, name, "it is no file of a size that "
		    "this one can have");
	else
		log_warn(name, "cannot be read, left out");
	return NULL;
}

bool
store_file_wrote(struct store_files *f, const char *name, int rc)
{
	if (rc < 0) {
		if (!f->failing)
			log_warn(name, "cannot be written, trying again later");
		f->failing = true;
		return false;
	}
	if (f->failing)
		log_notice(name, "can be written again");
	f->failing = false;
	return true;
}

bool
store_file_write(struct store_files *f, int dir, const char *name,
    const void *data, size_t n)
{
	return store_file_wrote(f, name, file_replace(dir, name, data, n, 0600));
}

int64_t
store_file_time(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ?
	    (int64_t)st.st_mtim.tv_sec : 0;
}

/* .NAME.PID.tmp of file_replace() */
static bool
is_left_over(const char *name)
{
	size_t n = strlen(name);
	const char *p = name + n;

	if (n < 6 || name[0] != '.' || strcmp(p - 4, ".tmp") != 0)
		return false;
	for (p -= 5; p > name && isdigit((unsigned char)*p); p--)
		;
	return p > name && *p == '.' && p[1] != '.';
}

void
store_file_sweep(int dir)
{
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (is_left_over(e->d_name))
			(void)unlinkat(dir, e->d_name, 0);
	(void)closedir(d);
}

static bool
is_database(int dir, const char *name)
{
	char head[sizeof(database_magic)];
	_cleanup_fd_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) &&
	    memcmp(head, database_magic, sizeof(head)) == 0;
}

int64_t
store_database(int dir, char *name, size_t cap)
{
	int64_t newest = 0, t;
	struct dirent *e;
	DIR *d = dir_take(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));

	if (d == NULL)
		return 0;
	while ((e = readdir(d)) != NULL) {
		if (!is_database(dir, e->d_name) ||
		    (t = store_file_time(dir, e->d_name)) <= newest)
			continue;
		newest = t;
		(void)snprintf(name, cap, "%s", e->d_name);
	}
	(void)closedir(d);
	return newest;
}
