/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/config/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "node/config/nodeconf.h"
#include "node/config/profile.h"
#include "transport/config/rnsconf.h"
#include "common/util.h"

#define FILES_MAX 256 /* profiles, at most */

struct check {
	int dir;
	check_fn *fn;
	void *ctx;
	unsigned count;
};

char *
check_load(int at, const char *name, int flags, size_t max, size_t *len)
{
	/* O_NONBLOCK: somebody's fifo must not hold us */
	_cleanup_fd_ int fd =
	    openat(at, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t done = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL)
		return NULL;
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, text + done, (size_t)st.st_size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break; /* it became shorter */
		done += (size_t)n;
	}
	text[done] = '\0';
	*len = done;
	return steal_ptr(&text);
}

static void
tell(struct check *c, const char *file, const struct mistakes *m)
{
	for (unsigned i = 0; i < m->n; i++)
		c->fn(c->ctx, file, &m->v[i]);
	c->count += m->n + m->more;
}

static void
unreadable(struct check *c, const char *file)
{
	struct mistakes m = {0};

	if (errno == ENOENT)
		return;
	mistake_add(&m, 0, 0, NULL, "%s", strerror(errno));
	tell(c, file, &m);
}

static void
check_rns(struct check *c)
{
	struct mistakes m = {0};
	struct rnsconf *conf;
	size_t len;
	_cleanup_free_ char *text =
	    check_load(c->dir, "config", 0, YDOC_BYTES_MAX, &len);

	if (text == NULL) {
		unreadable(c, "config");
		return;
	}
	if (rnsconf_parse(&conf, text, len, &m) == 0) {
		rnsconf_free(conf);
		return;
	}
	tell(c, "config", &m);
}

static bool
has_profile(const struct check *c, const char *name)
{
	char path[PROFILE_NAME_MAX + 32];

	(void)snprintf(path, sizeof(path), "profiles/%s.yaml", name);
	return strcmp(name, "default") == 0 ||
	    faccessat(c->dir, path, F_OK, 0) == 0;
}

static void
check_node(struct check *c)
{
	struct mistakes m = {0};
	struct node_config *conf;
	size_t len;
	_cleanup_free_ char *text =
	    check_load(c->dir, "node.yaml", 0, YDOC_BYTES_MAX, &len);

	if (text == NULL) {
		unreadable(c, "node.yaml");
		return;
	}
	if (node_config_parse(&conf, text, len, &m) == 0) {
		const struct ynode *n =
		    ynode_get(ydoc_root(conf->doc), "profile");

		if (n != NULL && !has_profile(c, conf->profile))
			mistake_add(&m, n->line, n->column, NULL,
			    "there is no profiles/%s.yaml", conf->profile);
		node_config_free(conf);
	}
	tell(c, "node.yaml", &m);
}

static void
check_profile(struct check *c, const char *file)
{
	struct mistakes m = {0};
	struct profile *p;
	size_t len;
	_cleanup_free_ char *text =
	    check_load(c->dir, file, 0, YDOC_BYTES_MAX, &len);

	if (text == NULL) {
		unreadable(c, file);
		return;
	}
	if (profile_parse(&p, text, len, &m) == 0)
		profile_free(p);
	tell(c, file, &m);
}

static void
check_profiles(struct check *c)
{
	int fd = openat(c->dir, "profiles", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = dir_take(fd);
	struct dirent *e;

	for (int i = 0; d != NULL && i < FILES_MAX && (e = readdir(d)) != NULL;
	     i++) {
		char file[300];
		size_t n = strlen(e->d_name);

		if (n <= 5 || strcmp(e->d_name + n - 5, ".yaml") != 0)
			continue;
		(void)snprintf(file, sizeof(file), "profiles/%s", e->d_name);
		check_profile(c, file);
	}
	if (d != NULL)
		(void)closedir(d);
}

unsigned
check_config(const char *dir, check_fn *fn, void *ctx)
{
	struct check c = {.fn = fn, .ctx = ctx};

	c.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.dir < 0) {
		unreadable(&c, "");
		return c.count;
	}
	check_rns(&c);
	check_node(&c);
	check_profiles(&c);
	(void)close(c.dir);
	return c.count;
}

void
check_print(void *dir, const char *file, const struct mistake *m)
{
	char line[1600], path[4400];

	(void)snprintf(path, sizeof(path), "%s%s%s", (const char *)dir,
	    file[0] != '\0' ? "/" : "", file);
	mistake_line(line, sizeof(line), path, m);
	(void)fprintf(stderr, "%s\n", line);
}
