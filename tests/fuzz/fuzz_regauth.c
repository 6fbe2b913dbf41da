/* SPDX-License-Identifier: BSD-2-Clause */
/* words: node/cli/regauth.c */
/*
 * A person's file of passwords for registries, whole, from a file in memory:
 * asked for a registry of one's own, for one with a port, and for Docker's.
 * What is given is NAME:PASSWORD on one line, within what egress takes; what
 * is not has a reason or no entry.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/util.h"
#include "node/cli/regauth.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
given(int fd)
{
	size_t len = 0;
	const uint8_t *p = memfd_map(fd, &len, IPC_PULL_SECRET);

	if (p == NULL || len == 0 || memchr(p, ':', len) == NULL ||
	    memchr(p, '\n', len) != NULL || memchr(p, '\0', len) != NULL)
		abort();
	memfd_unmap(p, len);
	(void)close(fd);
	fuzz_taken++;
}

static void
ask(const char *path, const char *image)
{
	struct regname r;
	char why[200];
	int fd;

	memset(why, 'x', sizeof(why));
	if (regname_parse(&r, image) != NULL)
		abort();
	fd = regauth_load(path, &r, why, sizeof(why));
	if (memchr(why, '\0', sizeof(why)) == NULL)
		abort();
	if (fd >= 0)
		given(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[40];

	/* where there is none, nothing is tested, and nothing taken */
	if (fd < 0)
		return 0;
	if (fchmod(fd, 0600) < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ask(path, "h.test/a");
	ask(path, "h.test:5/a");
	ask(path, "alpine");
	(void)close(fd);
	return 0;
}
