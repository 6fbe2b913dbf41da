/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check.h"

#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "node/check/check_node.h"
#include "node/check/check_profile.h"
#include "node/check/check_rules.h"
#include "node/check/finding.h"
#include "node/check/ifacelook.h"
#include "node/check/netident.h"
#include "node/check/whose.h"
#include "node/config/keyset.h"
#include "transport/config/rnsconf.h"

static bool
usable(const struct rnsconf *conf)
{
	for (unsigned i = 0; i < conf->nifs; i++)
		if (conf->ifs[i].enabled)
			return true;
	return false;
}

static void
check_rns(struct check *c)
{
	struct mistakes m = {0};
	struct rnsconf *conf = NULL;
	char hint[400];
	size_t len;
	_cleanup_free_ char *text =
	    check_read(c, "config", CONF_TEXT_MAX, &len);

	if (text == NULL) {
		if (errno == ENOENT)
			check_tell(c, true, "config", 0, 0, NULL,
			    "there is none; the first start writes one");
		return;
	}
	rnsconf_look(&conf, text, len, &m);
	check_tell_all(c, "config", &m);
	if (conf != NULL && !conf->panic_on_interface_error)
		c->off = mistakes_count(&m) - conf->nfile;
	for (unsigned i = 0; conf != NULL && i < conf->nnotes; i++)
		check_tell(c, true, "config", conf->notes[i].line,
		    conf->notes[i].column, conf->notes[i].hint, "%s", conf->notes[i].text);
	(void)snprintf(hint, sizeof(hint), "a section of one of these types, "
	    "with enabled = yes: %s", rnsconf_types());
	if (conf != NULL && mistakes_count(&m) == 0 && !usable(conf))
		check_tell(c, true, "config", 0, 0, hint,
		    "no interface is enabled and supported: the node reaches "
		    "nobody beyond this machine");
	if (conf != NULL)
		check_interfaces(c, conf);
	c->rns = conf;
	explicit_bzero(text, len);
}

static void
ill(void *ctx, const char *path, const char *what)
{
	struct check *c = ctx;

	check_tell(c, false, path, 0, 0, "chown -R root: and chmod -R go-w it, "
	    "or start warrend as that user", "%s, so root does not start on "
	    "this folder", what);
}

static void
check_whose(struct check *c)
{
	_cleanup_free_ char *real = realpath(c->path, NULL);

	if (geteuid() == 0 && real != NULL)
		(void)whose_check(c->dir, real, WARREN_UID_BASE, ill, c);
}

/* storage/ itself may be a link; what it leads to is as storage/ must be. */
static void
check_storage(struct check *c)
{
	char why[FOLLOW_WHY] = "";
	int fd;

	if (!check_is_link(c->dir, "storage")) /* no link */
		return;
	fd = c->root ? follow_open(c->dir, "storage", O_RDONLY | O_DIRECTORY,
	    WARREN_UID_BASE, why) : openat(c->dir, "storage", O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		check_tell(c, false, "storage", 0, 0, why[0] != '\0' ?
		    FOLLOW_REMEDY : "mend it, or remove it", "%s",
		    why[0] != '\0' ? why : errno == ENOENT ?
		    "is a link that leads nowhere" : strerror(errno));
	else if (c->root)
		(void)whose_check_storage(fd, "storage", WARREN_UID_BASE, ill,
		    c);
	if (fd >= 0)
		(void)close(fd);
}

/* Without a readable one there is no start. */
static void
check_identity(struct check *c)
{
	struct stat st;

	if (fstatat(c->dir, KEYSET_RNS, &st, 0) == 0 && st.st_size != 64)
		check_tell(c, false, KEYSET_RNS, 0, 0, "put back a copy; or "
		    "move it away, and this becomes another node", "has "
		    "another length than a key");
}

/* What 1.6.1 keeps beside config (reticulum-1.6.md 9), in an unknown form. */
static void
check_later(struct check *c)
{
	struct stat st;

	if (fstatat(c->dir, "blocked_ips", &st, AT_SYMLINK_NOFOLLOW) == 0)
		check_tell(c, true, "blocked_ips", 0, 0, "keep these addresses "
		    "out by the firewall of this machine", "is a file of RNS "
		    "1.6, which this version does not read: it keeps nobody "
		    "out");
}

unsigned
check_config(const char *dir, bool root, unsigned *off, check_fn *fn,
    void *ctx)
{
	struct check c = {.path = dir, .root = root, .fn = fn, .ctx = ctx};

	if (off != NULL)
		*off = 0;

	c.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c.dir < 0) {
		check_tell(&c, false, "", 0, 0, errno == ENOENT ?
		    "is it the right one? The first start makes it" : errno == EACCES ?
		    "ask as its owner" : NULL, "%s", errno == ENOENT ?
		    "there is no such folder" : strerror(errno));
		return c.mistakes;
	}
	check_whose(&c);
	check_storage(&c);
	check_identity(&c);
	check_rns(&c);
	check_netident(&c);
	check_later(&c);
	check_node(&c);
	check_profiles(&c);
	check_rules(&c);
	rnsconf_free(c.rns);
	(void)close(c.dir);
	if (off != NULL)
		*off = c.off;
	return c.mistakes;
}

void
check_line(char *out, size_t cap, const char *dir, bool note,
    const char *file, const struct mistake *m)
{
	char line[1600], path[4400];

	if (strncmp(file, "./", 2) == 0) /* as a profile names it */
		file += 2;
	(void)snprintf(path, sizeof(path), "%s%s%s", file[0] != '/' ? dir : "",
	    file[0] != '\0' && file[0] != '/' ? "/" : "", file);
	mistake_line(line, sizeof(line), path, m);
	(void)snprintf(out, cap, "%s%s", note ? "note: " : "", line);
}

static void
print(void *dir, bool note, const char *file, const struct mistake *m)
{
	char line[1600];

	check_line(line, sizeof(line), dir, note, file, m);
	(void)fprintf(stderr, "%s\n", line);
}

unsigned
check_print(const char *dir, bool root)
{
	unsigned n = check_config(dir, root, NULL, print, (void *)(uintptr_t)dir);

	if (n == 0)
		(void)printf("%s: no mistakes\n", dir);
	else
		(void)fprintf(stderr, "%s: %u mistake%s\n", dir, n,
		    n == 1 ? "" : "s");
	return n;
}
