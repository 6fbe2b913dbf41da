/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/escape/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/numbers.h"
#include "common/util.h"
#include "sandbox/base/tree.h"

static int
image_dir(const struct drive *d, char *path, size_t cap, struct id32 *digest)
{
	char hex[65];

	if (getrandom(HASH_BYTES(*digest), 0) != 32)
		return -1;
	hex_encode(hex, HASH_BYTES(*digest));
	(void)snprintf(path, cap, "%s/images/roots/%s", d->folder, hex);
	return mkdir(path, 0755);
}

int
setup_drive(struct drive *d, const struct drive_options *o,
    const char *folder, char *root, size_t cap, struct id32 *image)
{
	struct drive_options mine = *o;
	char jail[600], hand[600];

	(void)snprintf(jail, sizeof(jail), "%s/warren-jail", folder);
	(void)snprintf(hand, sizeof(hand), "%s/warren-hand", folder);
	if (mine.jail == NULL)
		mine.jail = jail;
	if (mine.hand == NULL)
		mine.hand = hand;
	if (drive_start(d, &mine) == 0 && image_dir(d, root, cap, image) == 0)
		return 0;
	drive_stop(d);
	return -1;
}

const char *
setup_who(void)
{
	if (geteuid() != 0)
		return "user";
	return numbers_usable(DRIVE_BASE) ? "root" : "namespace";
}

bool
setup_had_root(void)
{
	return getenv("WARREN_PROVED") != NULL && getenv("LONG") == NULL;
}

bool
setup_program(const char *root, const char *name, const char *from)
{
	char buf[65536], path[700];
	int in = open(from, O_RDONLY | O_CLOEXEC), out;
	ssize_t n = -1;

	(void)snprintf(path, sizeof(path), "%s/bin", root);
	if (mkdir(path, 0755) == -1 && errno != EEXIST) {
		(void)close(in);
		return false;
	}
	(void)snprintf(path, sizeof(path), "%s/bin/%s", root, name);
	out = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
	while (in != -1 && out != -1 && (n = read(in, buf, sizeof(buf))) > 0)
		if (write_full(out, buf, (size_t)n) == -1) {
			n = -1;
			break;
		}
	(void)close(in);
	(void)close(out);
	return n == 0;
}

void
setup_remove(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return;
	(void)tree_empty(fd);
	(void)close(fd);
	(void)rmdir(path);
}

int
setup_blob(const void *p, size_t n)
{
	char name[] = "/tmp/warren-blob-XXXXXX";
	int fd = mkstemp(name), ro = -1;

	if (fd == -1)
		return -1;
	if (write_full(fd, p, n) == 0)
		ro = open(name, O_RDONLY | O_CLOEXEC);
	(void)unlink(name);
	(void)close(fd);
	return ro;
}

static int
blob_to(void *arg, const void *p, size_t n)
{
	return write_full(*(int *)arg, p, n);
}

int
setup_pack(const char *path)
{
	char name[] = "/tmp/warren-blob-XXXXXX", link[64];
	int fd = mkstemp(name), dir = open(path, O_RDONLY | O_DIRECTORY), ro;
	struct tree_report rep;

	if (tree_pack(dir, TREE_STRICT, blob_to, &fd, &rep) == -1)
		fprintf(stderr, "%s\n", rep.why);
	(void)close(dir);
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ro = open(link, O_RDONLY | O_CLOEXEC);
	(void)unlink(name);
	(void)close(fd);
	return ro;
}

bool
setup_left(const struct left *l, unsigned reason, const char *name)
{
	struct left_item it;
	size_t at = 0;

	while (left_next(l, &at, &it))
		if (it.reason == reason && it.len == strlen(name) &&
		    memcmp(it.name, name, it.len) == 0)
			return true;
	return false;
}
