/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/cli_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int saved[2], file[2];

void
capture_begin(void)
{
	(void)fflush(stdout);
	for (int i = 0; i < 2; i++) {
		saved[i] = dup(i + 1);
		file[i] = memfd_create("captured", MFD_CLOEXEC);
		assert_true(saved[i] >= 0 && file[i] >= 0);
		assert_true(dup2(file[i], i + 1) == i + 1);
	}
}

const struct captured *
capture_end(void)
{
	static struct captured c;
	char *to[2] = {c.out, c.err};

	(void)fflush(stdout);
	for (int i = 0; i < 2; i++) {
		ssize_t n;

		(void)dup2(saved[i], i + 1);
		(void)close(saved[i]);
		n = pread(file[i], to[i], sizeof(c.out) - 1, 0);
		assert_true(n >= 0);
		to[i][n] = '\0';
		(void)close(file[i]);
	}
	return &c;
}

const char *
temp_dir(void)
{
	static char path[8][256];
	static unsigned next;
	const char *base = getenv("TMPDIR");
	char *p = path[next++ % 8];

	(void)snprintf(p, sizeof(path[0]), "%s/warren-test-XXXXXX",
	    base != NULL ? base : "/tmp");
	assert_non_null(mkdtemp(p));
	return p;
}

static int
drop(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

void
temp_remove(const char *path)
{
	(void)nftw(path, drop, 16, FTW_DEPTH | FTW_PHYS);
}

void
write_text(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}
