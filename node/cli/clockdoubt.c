/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/clockdoubt.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#define FILES_MOST 4096 /* ours: of one folder */

static const char *
day(char out[24], int64_t at)
{
	time_t t = (time_t)at;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, 24, "%Y-%m-%d %H:%M", &tm) == 0)
		(void)snprintf(out, 24, "%lld", (long long)at);
	return out;
}

bool
clock_doubt(char *out, size_t cap, int64_t now, int64_t newest)
{
	char is[24], was[24];

	(void)day(is, now);
	if (now < CLOCK_LEAST)
		(void)snprintf(out, cap, "it says %s, which is before this "
		    "program was made: set it, or have NTP set it", is);
	else if (now > (int64_t)UINT32_MAX)
		(void)snprintf(out, cap, "it says %s, which no document can "
		    "name: set it, or have NTP set it", is);
	else if (newest > now + CLOCK_AHEAD)
		(void)snprintf(out, cap, "it says %s, and this node has "
		    "written something at %s: it is behind now, or was ahead "
		    "then", is, day(was, newest));
	else if (newest >= CLOCK_LEAST && now - newest > CLOCK_GAP)
		(void)snprintf(out, cap, "it says %s, and this node wrote "
		    "last at %s: has it been off for so long?", is,
		    day(was, newest));
	else
		return false;
	return true;
}

static int64_t
newest_in(int dir, const char *name)
{
	DIR *d = dir_take(openat(dir, name, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC));
	int64_t newest = 0;
	struct dirent *e;
	struct stat st;

	if (d == NULL)
		return 0;
	for (unsigned i = 0; i < FILES_MOST && (e = readdir(d)) != NULL; i++)
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			0 && S_ISREG(st.st_mode))
			newest = MAX_OF(newest, (int64_t)st.st_mtime);
	(void)closedir(d);
	return newest;
}

int64_t
clock_newest(const char *config)
{
	static const char *const folders[] = {"warren/trail", "warren/node",
	    "warren/trust", "warren/trust/klp", "storage"};
	_cleanup_fd_ int dir = open(config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int64_t newest = 0;

	for (size_t i = 0; dir >= 0 && i < NELEM(folders); i++)
		newest = MAX_OF(newest, newest_in(dir, folders[i]));
	return newest;
}
