/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A layer of an image, unpacked into a fresh folder with a folder beside it
 * that must stay as it is, and once more over what it made, since whiteouts
 * concern what lies beneath; the same bytes as an archive of an image's
 * documents.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/hand/hand_archive.h"
#include "sandbox/hand/hand_layer.h"
#include "sandbox/base/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
archive(struct import *im, int fd)
{
	im->bytes = 0;
	im->members = 0;
	if (mkdirat(im->v, "src", 0755) == -1 || (im->src = openat(im->v,
	    "src", O_RDONLY | O_DIRECTORY)) == -1)
		abort();
	(void)reader_kind(im, fd);
	(void)import_archive(im, fd);
	(void)close(im->src);
	if (import_remove(im->v, "src") == -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char top[] = "/tmp/warren-fuzz-XXXXXX";
	static int dir = -1;
	struct reader_sums sums;
	struct import im;
	struct stat st;
	int fd;

	if (dir == -1) {
		if (mkdtemp(top) == NULL ||
		    (dir = open(top, O_RDONLY | O_DIRECTORY)) == -1)
			abort();
	}
	memset(&im, 0, sizeof(im));
	im.src = im.ask = -1;
	im.v = dir;
	if (mkdirat(dir, "root", 0755) == -1 ||
	    mkdirat(dir, "beside", 0755) == -1 ||
	    (im.root = openat(dir, "root", O_RDONLY | O_DIRECTORY)) == -1)
		abort();
	fd = memfd_create("layer", MFD_CLOEXEC);
	if (fd == -1 || write(fd, p, n) != (ssize_t)n)
		abort();
	(void)import_layer(&im, fd, NULL, NULL);
	im.why[0] = '\0';
	(void)import_layer(&im, fd, NULL, &sums);
	im.why[0] = '\0';
	if (import_seal(&im) == -1)
		abort();
	archive(&im, fd);
	(void)close(fd);
	(void)close(im.root);
	/* the three of ours, and nothing else */
	if (unlinkat(dir, "beside", AT_REMOVEDIR) == -1 ||
	    import_remove(dir, "root") == -1 || fstat(dir, &st) == -1 ||
	    st.st_nlink != 2)
		abort();
	(void)rmdir(top);
	(void)close(dir);
	dir = -1;
	memcpy(top + strlen(top) - 6, "XXXXXX", 6);
	return 0;
}
