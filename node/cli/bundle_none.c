/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/bundle_zip.h"

#include <stdio.h>
#include <string.h>

/* A build for relays has no reader of archives. */
bool
bundle_zip_read(struct bundle_zip *z, int fd)
{
	(void)fd;
	memset(z, 0, sizeof(*z));
	(void)snprintf(z->why, sizeof(z->why), "this warren was built for "
	    "relays and reads no archives; `sha256sum -c SHA256SUMS` does");
	return true;
}

void
bundle_zip_clear(struct bundle_zip *z)
{
	memset(z, 0, sizeof(*z));
}
