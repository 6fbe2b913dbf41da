/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/hubkit.h"

static char path[64];
int hub_dir = -1;

int
hub_folder(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/hub-test-XXXXXX");
	if (mkdtemp(path) == NULL)
		return -1;
	hub_dir = open(path, O_RDONLY | O_DIRECTORY);
	return hub_dir < 0 ? -1 : 0;
}

int
hub_cleanup(void **state)
{
	DIR *d = fdopendir(hub_dir);
	struct dirent *de;

	(void)state;
	while (d != NULL && (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), de->d_name, 0);
	(void)closedir(d);
	return rmdir(path);
}

struct trail *
hub_trail(uint64_t segment, uint64_t total)
{
	struct trail_limits l = {segment, total};
	struct trail_report r;
	struct trail *t = trail_open(hub_dir, &l, &r);

	assert_non_null(t);
	return t;
}

void
hub_take(struct hub_side *h, const char *text, size_t len)
{
	const char *end = text + len;

	if (!h->begun)
		trail_walk_init(&h->walk);
	h->begun = true;
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *why;
		struct trail_line l;

		assert_non_null(nl);
		assert_true(trail_line_parse(&l, text, (size_t)(nl - text)));
		if (l.seq < h->walk.next) {
			h->twice++; /* and no new one */
			text = nl + 1;
			continue;
		}
		why = trail_walk_line(&h->walk, text, (size_t)(nl - text));
		if (why != NULL)
			fail_msg("line %llu: %s", (unsigned long long)l.seq,
			    why);
		if (l.is_tomb)
			h->dropped += l.tomb.count;
		else
			h->events++;
		text = nl + 1;
	}
}

void
hub_whole(const struct hub_side *h, struct trail *t)
{
	struct id32 root, ours;
	uint64_t size;

	/* as if it had every line: the very root that is signed */
	assert_true(trail_root(t, &size, &ours));
	assert_true(h->walk.whole);
	assert_int_equal(h->walk.next, trail_next(t));
	assert_int_equal(h->events + h->dropped, trail_next(t) - 1);
	merkle_root(&h->walk.tree, &root);
	assert_memory_equal(root.b, ours.b, 32);
}
