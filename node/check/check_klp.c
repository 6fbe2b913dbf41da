/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_klp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "trust/doc/head.h"
#include "trust/doc/root.h"

/*
 * Who runs by a number of its own reads what everybody may. false: told, or not
 * there.
 */
static bool
readable(struct check *c, const char *path)
{
	struct stat st;

	if (fstatat(c->dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (!S_ISREG(st.st_mode))
		check_tell(c, true, path, 0, 0, NULL,
		    "is not used: no regular file");
	else if (c->root && (st.st_mode & S_IROTH) == 0)
		check_tell(c, true, path, 0, 0, "chmod a+r",
		    "warren-trust cannot read it");
	else
		return true;
	return false;
}

/* klp/documents/NAME/head: the newest root need not be the pinned one. */
static void
check_head(struct check *c, const char *name, const struct id32 *id)
{
	_cleanup_free_ char *text = NULL;
	struct head h;
	struct env e;
	const char *why;
	char path[400];
	size_t len;

	(void)snprintf(path, sizeof(path), "klp/documents/%s/head", name);
	if (!readable(c, path) ||
	    (text = check_load(c->dir, path, O_NOFOLLOW, HEAD_BYTES, &len)) ==
		NULL)
		return;
	if ((why = head_parse(&h, &e, text, len)) != NULL)
		check_tell(c, true, path, 0, 0, NULL, "is not used: %s", why);
	else if (memcmp(h.atag, id->b, sizeof(h.atag)) != 0)
		check_tell(c, true, path, 0, 0, NULL,
		    "is not used: of another authority than the pinned root");
	else if ((int64_t)h.expires <= (int64_t)time(NULL))
		check_tell(c, true, path, 0, 0, "bring what its authority "
		    "publishes now", "has expired: nothing new is taken");
}

static void
check_authority(struct check *c, const char *name)
{
	struct root *r = calloc(1, sizeof(*r));
	_cleanup_free_ char *text = NULL;
	const char *why = "no memory";
	struct id32 id;
	char path[400];
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "klp/authorities/%s.root.json",
	    name);
	if (faccessat(c->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 &&
	    errno == ENOENT) {
		check_tell(c, true, "node.yaml", 0, 0, "put its first root "
		    "there", "nothing of %s counts: there is no %s", name,
		    path);
	} else if (readable(c, path)) {
		text = check_load(c->dir, path, O_NOFOLLOW, ROOT_BYTES, &len);
		if (text == NULL)
			why = strerror(errno);
		else if (r != NULL)
			why = root_first(r, &id, text, len);
		if (why == NULL && strncmp(name, "x-", 2) != 0 &&
		    strcmp(r->authority, name) != 0)
			why = "names another authority than its file";
		if (why != NULL)
			check_tell(c, true, path, 0, 0, NULL,
			    "is not used: %s", why);
		else
			check_head(c, name, &id);
	}
	free(r);
}

/* Each once; names[] are not the struct's. */
static void
add(char names[][URI_NAME_MAX + 1], unsigned *n, unsigned max,
    const char *text, bool whole)
{
	struct klp_uri u;

	if (text == NULL || *n >= max ||
	    !(whole ? uri_parse(&u, text, strlen(text)) :
		uri_authority(&u, text, strlen(text))))
		return;
	for (unsigned i = 0; i < *n; i++)
		if (strcmp(names[i], u.authority) == 0)
			return;
	memcpy(names[(*n)++], u.authority, sizeof(names[0]));
}

void
check_klp(struct check *c, const struct node_config *conf)
{
	static char names[2 + NODE_ANCHORS_FROM_MAX + NODE_BOARDS_MAX]
	    [URI_NAME_MAX + 1];
	unsigned n = 0;

	if (!conf->accept)
		return;
	add(names, &n, NELEM(names), conf->trust_graph, true);
	add(names, &n, NELEM(names), conf->revocation_list, true);
	for (size_t i = 0; i < conf->nanchors_from; i++)
		add(names, &n, NELEM(names), conf->anchors_from[i], false);
	for (size_t i = 0; i < conf->nboards; i++)
		add(names, &n, NELEM(names), conf->boards[i].authority, false);
	for (unsigned i = 0; i < n; i++)
		check_authority(c, names[i]);
}
