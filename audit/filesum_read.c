/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/filesum_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/fsverity.h>

#include "audit/filesum.h"
#include "common/util.h"

int
filesum_keep(int fd)
{
	const struct fsverity_enable_arg how = {.version = 1,
	    .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
	    .block_size = FILESUM_BLOCK};

	/* EEXIST: by another of its names */
	return ioctl(fd, FS_IOC_ENABLE_VERITY, &how) < 0 && errno != EEXIST ?
	    -1 : 0;
}

bool
filesum_kept(int fd, struct id32 *out)
{
	union {
		struct fsverity_digest d;
		uint8_t room[sizeof(struct fsverity_digest) + 64];
	} m;

	memset(&m, 0, sizeof(m));
	m.d.digest_size = 64;
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &m) < 0 ||
	    m.d.digest_algorithm != FS_VERITY_HASH_ALG_SHA256 ||
	    m.d.digest_size != sizeof(out->b))
		return false;
	memcpy(out->b, m.room + sizeof(m.d), sizeof(out->b));
	return true;
}

int
filesum_read(int fd, uint64_t size, filesum_slice *slice, void *ctx,
    struct id32 *out)
{
	static uint8_t buf[FILESUM_SLICE];
	static struct filesum sum; /* too large for a stack */
	uint64_t at = 0;

	filesum_init(&sum);
	/* it is read once: let it not push out what jobs use */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_NOREUSE);
	while (at < size) {
		ssize_t n = pread(fd, buf, (size_t)MIN_OF(size - at,
		    sizeof(buf)), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break; /* shorter than it was */
		filesum_add(&sum, buf, (size_t)n);
		at += (uint64_t)n;
		if (slice != NULL && !slice(ctx, (uint64_t)n))
			return 1;
	}
	filesum_end(&sum, out);
	return 0;
}
