/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_COMMON_CLEANUP_H
#define WARREN_COMMON_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Scope-bound ownership for the programs (the core has `goto out`). */
static inline void
cleanup_fdp(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

static inline void
cleanup_freep(void *p)
{
	free(*(void **)p);
}

static inline int
steal_fd(int *fd)
{
	int v = *fd;

	*fd = -1;
	return v;
}

/* Close what is open; -1 after it. */
static inline void
close_fd(int *fd)
{
	cleanup_fdp(fd);
	*fd = -1;
}

static inline void *
steal_ptr_(void *pp)
{
	void *v = *(void **)pp;

	*(void **)pp = NULL;
	return v;
}

#define _cleanup_fd_ __attribute__((cleanup(cleanup_fdp)))
#define _cleanup_free_ __attribute__((cleanup(cleanup_freep)))
#define steal_ptr(pp) ((__typeof__(*(pp)))steal_ptr_(pp))

#endif
