/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "audit/trail_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/trail_line.h"
#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#define SUFFIX ".jsonl"
#define READ_SIZE 65536
#define SEGS_MAX 100000 /* a folder of a million names would be an attack */

static bool
name_number(const char *name, uint32_t *out)
{
	uint32_t v = 0;

	if (strlen(name) != 8 + strlen(SUFFIX) ||
	    strcmp(name + 8, SUFFIX) != 0)
		return false;
	for (int i = 0; i < 8; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(name[i] - '0');
	}
	*out = v;
	return true;
}

static int
number_cmp(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int
trail_segs_list(int dir, struct trail_segs *s)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *de;
	uint32_t v;

	*s = (struct trail_segs){NULL, 0};
	if (d == NULL)
		return -1;
	while ((de = readdir(d)) != NULL) {
		uint32_t *more;

		if (!name_number(de->d_name, &v))
			continue;
		more = s->n >= SEGS_MAX
		    ? NULL
		    : reallocarray(s->number, s->n + 1, sizeof(*more));
		if (more == NULL) {
			(void)closedir(d);
			trail_segs_free(s);
			errno = ENOMEM;
			return -1;
		}
		s->number = more;
		s->number[s->n++] = v;
	}
	(void)closedir(d);
	if (s->n > 0)
		qsort(s->number, s->n, sizeof(*s->number), number_cmp);
	return 0;
}

void
trail_segs_free(struct trail_segs *s)
{
	free(s->number);
	*s = (struct trail_segs){NULL, 0};
}

void
trail_seg_name(char out[TRAIL_NAME_MAX], uint32_t number)
{
	(void)snprintf(out, TRAIL_NAME_MAX, "%08u" SUFFIX, number);
}

int
trail_seg_open(int dir, uint32_t number, int flags)
{
	char name[TRAIL_NAME_MAX];

	trail_seg_name(name, number);
	return openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
}

struct scan {
	trail_scan_fn *fn;
	void *arg;
	char line[TRAIL_LINE_MAX];
	size_t n;
	uint64_t at, whole; /* bytes read, up to the last newline */
};

/* false: the callback has had enough. */
static bool
scan_bytes(struct scan *s, const char *p, size_t n)
{
	while (n > 0) {
		const char *nl = memchr(p, '\n', n);
		size_t part = nl == NULL ? n : (size_t)(nl - p);
		size_t room = sizeof(s->line) - s->n;

		memcpy(s->line + s->n, p, MIN_OF(part, room));
		s->n += MIN_OF(part, room);
		s->at += part;
		if (nl == NULL)
			return true;
		s->at++;
		s->whole = s->at;
		p += part + 1;
		n -= part + 1;
		if (!s->fn(s->arg, s->line, s->n))
			return false;
		s->n = 0;
	}
	return true;
}

int
trail_seg_scan(int dir, uint32_t number, trail_scan_fn *fn, void *arg,
    uint64_t *whole, uint64_t *torn)
{
	_cleanup_fd_ int fd = trail_seg_open(dir, number, O_RDONLY);
	_cleanup_free_ struct scan *s = calloc(1, sizeof(*s));
	_cleanup_free_ char *buf = malloc(READ_SIZE);
	ssize_t n = 0;

	*whole = *torn = 0;
	if (fd < 0 || s == NULL || buf == NULL)
		return -1;
	s->fn = fn;
	s->arg = arg;
	while ((n = read(fd, buf, READ_SIZE)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!scan_bytes(s, buf, (size_t)n))
			break;
	}
	*whole = s->whole;
	*torn = s->at - s->whole;
	return 0;
}

void
trail_head_put(char out[TRAIL_HEAD_LEN + 1], uint64_t seq,
    const struct id32 *digest)
{
	char hex[65];

	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(out, TRAIL_HEAD_LEN + 1, "%020llu %s\n",
	    (unsigned long long)seq, hex);
}

bool
trail_head_get(int dir, uint64_t *seq, struct id32 *digest, bool *there)
{
	char t[TRAIL_HEAD_LEN + 1], again[TRAIL_HEAD_LEN + 1];
	ssize_t n = file_read(dir, TRAIL_HEAD, t, sizeof(t));

	*there = n >= 0 || errno != ENOENT;
	if (n != TRAIL_HEAD_LEN)
		return false;
	t[n] = '\0';
	*seq = strtoull(t, NULL, 10);
	if (!hex_decode(HASH_BYTES(*digest), t + 21, 64))
		return false;
	trail_head_put(again, *seq, digest);
	return memcmp(t, again, TRAIL_HEAD_LEN) == 0;
}
