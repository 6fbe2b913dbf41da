/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/fileat.h"

#include <errno.h>
#include <unistd.h>

bool
read_at(int fd, void *buf, size_t n, uint64_t at)
{
	uint8_t *p = buf;

	while (n > 0) {
		ssize_t r = pread(fd, p, n, (off_t)at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			if (r == 0)
				errno = EIO;
			return false;
		}
		p += r;
		at += (uint64_t)r;
		n -= (size_t)r;
	}
	return true;
}

bool
write_at(int fd, const void *buf, size_t n, uint64_t at)
{
	const uint8_t *p = buf;

	while (n > 0) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		at += (uint64_t)w;
		n -= (size_t)w;
	}
	return true;
}
