/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of a bundle: an archive through the walk that the child goes, and
 * what it says through the parent's reader; or, where the first byte is odd,
 * what a child that a stranger has taken over may say.
 */
#include <sys/mman.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "node/cli/bundle_walk.h"
#include "node/cli/bundle_zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);
unsigned fuzz_taken; /* replay_main.c */

static void
must(bool so)
{
	if (!so)
		abort();
}

/* A file in memory with that in it, at its beginning. */
static int
file(int *fd, const uint8_t *p, size_t n)
{
	if (*fd < 0)
		*fd = memfd_create("bundle", MFD_CLOEXEC);
	must(*fd >= 0 && ftruncate(*fd, 0) == 0 &&
	    lseek(*fd, 0, SEEK_SET) == 0 && write_full(*fd, p, n) == 0 &&
	    lseek(*fd, 0, SEEK_SET) == 0);
	return *fd;
}

static void
look(const struct bundle_zip *z, bool own)
{
	must(z->n <= BUNDLE_ZIP_MEMBERS && z->sums_len <= BUNDLE_ZIP_SUMS);
	must(memchr(z->why, 0, sizeof(z->why)) != NULL);
	must((z->sums != NULL) || z->sums_len == 0);
	must(z->sums == NULL || z->sums[z->sums_len] == '\0');
	for (size_t i = 0; i < z->n; i++)
		must(strlen(z->members[i].name) <= BUNDLE_NAME_MAX);
	if (own && z->n > 1 && z->sums_len > 0 && z->why[0] == '\0')
		fuzz_taken++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static int in = -1, out = -1;
	struct bundle_zip z = {0};
	bool own = n > 0 && (p[0] & 1) == 0;

	if (n == 0)
		return 0;
	if (own) {
		must(bundle_walk(file(&in, p + 1, n - 1),
		    file(&out, p, 0)) == 0);
		must(lseek(out, 0, SEEK_SET) == 0);
	} else {
		(void)file(&out, p + 1, n - 1);
	}
	bundle_zip_take(&z, out);
	look(&z, own);
	bundle_zip_clear(&z);
	return 0;
}
