/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "node/check/check_hub.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"

#define HOW (O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)

static char *
refuse(struct hub_files *f, const char *why)
{
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
	return NULL;
}

/* A whole file with a NUL behind it; NULL: f->why. */
static char *
load(struct hub_files *f, int dir, bool root, const char *name, size_t max,
    bool secret, size_t *len)
{
	_cleanup_fd_ int fd = root ?
	    follow_open(dir, name, HOW, WARREN_UID_BASE, f->why) :
	    openat(dir, name, HOW);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	ssize_t k = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return f->why[0] != '\0' ? NULL : refuse(f, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(f, "no regular file");
	if (secret && (st.st_mode & 077) != 0)
		return refuse(f, "others can read or write it: chmod 600 it, "
		    "and think about who has");
	if (st.st_size <= 0 || (uint64_t)st.st_size > max)
		return refuse(f, st.st_size <= 0 ? "is empty" : "is too large");
	if ((text = calloc(1, (size_t)st.st_size + 1)) == NULL)
		return refuse(f, "no memory");
	for (*len = 0; *len < (size_t)st.st_size; *len += (size_t)k) {
		k = read(fd, text + *len, (size_t)st.st_size - *len);
		if (k <= 0)
			break;
	}
	if (*len != (size_t)st.st_size || strlen(text) != *len) {
		explicit_bzero(text, (size_t)st.st_size);
		return refuse(f, "is no text, or was changed meanwhile");
	}
	return steal_ptr(&text);
}

/* One line, as it goes behind "Bearer". */
static const char *
token_wrong(struct hub_files *f)
{
	size_t n = f->token_len;

	while (n > 0 && strchr(" \t\r\n", f->token[n - 1]) != NULL)
		f->token[--n] = '\0';
	f->token_len = n;
	for (size_t i = 0; i < n; i++)
		if (f->token[i] <= ' ' || f->token[i] > '~')
			return "is not one word: the token alone, in one line";
	return n == 0 ? "is empty" : NULL;
}

static const char *
pem_wrong(const char *text, const char *what)
{
	if (text == NULL || strstr(text, what) != NULL)
		return NULL;
	return "is no PEM of what it is to be";
}

static const char *
key_wrong(const char *key)
{
	if (key == NULL)
		return NULL;
	if (strstr(key, "ENCRYPTED") != NULL)
		return "has a passphrase, and nobody is there to say it: "
		       "openssl pkey -in IT -out ONE_WITHOUT";
	return pem_wrong(key, "PRIVATE KEY-----");
}

/* false: f->bad. */
static bool
forms(struct hub_files *f, const struct hub_conf *h)
{
	const struct {
		const char *key, *file, *wrong;
	} rows[] = {
	    {"ca", h->ca, pem_wrong(f->ca, "-----BEGIN CERTIFICATE-----")},
	    {"token_file", h->token_file, f->token == NULL ? NULL :
		token_wrong(f)},
	    {"cert", h->cert, pem_wrong(f->cert,
		"-----BEGIN CERTIFICATE-----")},
	    {"key", h->key, key_wrong(f->key)},
	};

	for (size_t i = 0; i < NELEM(rows); i++) {
		if (rows[i].wrong == NULL)
			continue;
		f->bad = rows[i].key;
		f->file = rows[i].file;
		(void)refuse(f, rows[i].wrong);
		return false;
	}
	return true;
}

bool
hub_files_load(struct hub_files *f, int dir, bool root,
    const struct hub_conf *h)
{
	const struct {
		const char *key, *file;
		size_t max;
		bool secret;
		char **text;
		size_t *len;
	} rows[] = {
	    {"ca", h->ca, HUBSET_CA, false, &f->ca, &f->ca_len},
	    {"token_file", h->token_file, 4096, true, &f->token,
		&f->token_len},
	    {"cert", h->cert, HUBSET_FILE, false, &f->cert, &f->cert_len},
	    {"key", h->key, HUBSET_FILE, true, &f->key, &f->key_len},
	};

	memset(f, 0, sizeof(*f));
	for (size_t i = 0; i < NELEM(rows); i++) {
		if (rows[i].file == NULL)
			continue;
		*rows[i].text = load(f, dir, root, rows[i].file, rows[i].max,
		    rows[i].secret, rows[i].len);
		if (*rows[i].text != NULL)
			continue;
		f->bad = rows[i].key;
		f->file = rows[i].file;
		return false;
	}
	return forms(f, h);
}

static void
wipe(char **text, size_t len)
{
	if (*text != NULL)
		explicit_bzero(*text, len);
	free(*text);
	*text = NULL;
}

void
hub_files_free(struct hub_files *f)
{
	wipe(&f->ca, f->ca_len);
	wipe(&f->token, f->token_len);
	wipe(&f->cert, f->cert_len);
	wipe(&f->key, f->key_len);
}

void
hub_files_set(const struct hub_files *f, struct hubset *s)
{
	s->ca = (struct hubset_file){(const uint8_t *)f->ca, f->ca_len};
	s->token = (struct hubset_file){(const uint8_t *)f->token,
	    f->token_len};
	s->cert = (struct hubset_file){(const uint8_t *)f->cert, f->cert_len};
	s->key = (struct hubset_file){(const uint8_t *)f->key, f->key_len};
}

/* ---- the check ---- */

/* Where events of other nodes are to lie. */
static void
check_dir(struct check *c, const struct ynode *hub, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	const struct ynode *n = ynode_get(hub, "dir");
	char why[FOLLOW_WHY] = "";
	_cleanup_fd_ int fd = c->root ?
	    follow_open(c->dir, name, flags, WARREN_UID_BASE, why) :
	    openat(c->dir, name, flags);

	if (fd < 0)
		check_tell(c, false, "node.yaml", n->line, n->column,
		    why[0] != '\0' ? FOLLOW_REMEDY : NULL, "hub.dir: %.200s: "
		    "%s", name, why[0] != '\0' ? why : strerror(errno));
}

void
check_hub(struct check *c, const struct node_config *conf)
{
	const struct ynode *hub = ynode_get(ydoc_root(conf->doc), "hub");
	const struct ynode *n = hub;
	struct hub_files f;

	if (conf->hub.dir != NULL && conf->accept)
		check_dir(c, hub, conf->hub.dir);
	if (conf->hub.url == NULL && !conf->hub.mesh)
		return;
	if (!conf->accept) {
		check_tell(c, true, "node.yaml", n->line, n->column,
		    "accept_computation_requests: true", "hub: there are no "
		    "events to send, the trail is of a node that computes");
		return;
	}
	if (!hub_files_load(&f, c->dir, c->root, &conf->hub)) {
		n = ynode_get(hub, f.bad);
		check_tell(c, false, "node.yaml", n->line, n->column, NULL,
		    "hub.%s: %.200s: %s", f.bad, f.file, f.why);
	}
	hub_files_free(&f);
}
