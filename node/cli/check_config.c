/* SPDX-License-Identifier: BSD-2-Clause */
/* warren check-config: every mistake with file, line and column. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/ydoc.h"

#include "node/cli/folders.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/config/check.h"
#include "node/cli/person.h"
#include "node/config/nodeconf.h"
#include "node/config/keyset.h"
#include "transport/config/rnsconf.h"

#define FILE_MAX_BYTES (4u << 20)

struct checking {
	struct cli *c;
	int dir;
	char path[CLI_PATH]; /* of dir */
	json_t *list;	     /* --json */
	unsigned bad;
};

static void
tell(struct checking *k, bool note, const char *file, unsigned line,
    unsigned column, const char *text, const char *hint)
{
	struct mistake m = {.line = line, .column = column};
	char out[1024], path[CLI_PATH];

	if (!note)
		k->bad++;
	if (!cli_path(path, k->path, file))
		return;
	if (k->c->json) {
		(void)json_array_append_new(k->list,
		    json_pack("{s:s,s:s,s:I,s:I,s:s,s:s}", "kind",
			note ? "note" : "mistake", "file", path, "line",
			(json_int_t)line, "column", (json_int_t)column, "text",
			text, "hint", hint != NULL ? hint : ""));
		return;
	}
	(void)snprintf(m.text, sizeof(m.text), "%s", text);
	(void)snprintf(m.hint, sizeof(m.hint), "%s", hint != NULL ? hint : "");
	mistake_line(out, sizeof(out), path, &m);
	fprintf(stderr, "%s%s\n", note ? "note: " : "", out);
}

static void
tell_mistake(void *ctx, const char *file, const struct mistake *m)
{
	tell(ctx, false, file, m->line, m->column, m->text, m->hint);
}

static char *
load(struct checking *k, const char *file, size_t max, size_t *len)
{
	_cleanup_fd_ int dir = -1;
	const char *slash = strrchr(file, '/');
	char folder[256] = ".";
	char *text = NULL;

	if (slash != NULL)
		(void)snprintf(folder, sizeof(folder), "%.*s",
		    (int)(slash - file), file);
	dir = openat(k->dir, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		text = file_load(dir, slash != NULL ? slash + 1 : file, max,
		    len);
	return text;
}

/*
 * Mistakes are check_config()'s; here is what is no mistake of a file's form:
 * what has no effect, and keys that do not fit.
 */
static void
note_reticulum(struct checking *k)
{
	_cleanup_free_ char *text = NULL;
	struct rnsconf *conf = NULL;
	struct mistakes m = {0};
	size_t len;

	text = load(k, "config", FILE_MAX_BYTES, &len);
	if (text == NULL && errno == ENOENT)
		tell(k, true, "config", 0, 0,
		    "there is none; the first start writes one", NULL);
	else if (text != NULL &&
	    rnsconf_parse(&conf, text, len, &m) == 0)
		for (unsigned i = 0; i < conf->nnotes; i++)
			tell(k, true, "config", conf->notes[i].line, 1,
			    conf->notes[i].text, conf->notes[i].hint);
	rnsconf_free(conf);
}

/* Docker's JSON; that it is a profile, node finds when it compiles it. */
static void
check_seccomp(struct checking *k, const char *file)
{
	_cleanup_free_ char *text = NULL;
	json_error_t e;
	json_t *o;
	size_t len;

	text = load(k, file, FILE_MAX_BYTES, &len);
	if (text == NULL)
		return;
	o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (o == NULL)
		tell(k, false, file, (unsigned)MAX_OF(e.line, 0),
		    (unsigned)MAX_OF(e.column, 0), e.text, NULL);
	else if (!json_is_string(json_object_get(o, "defaultAction")))
		tell(k, false, file, 1, 1, "there is no defaultAction",
		    "a seccomp profile in Docker's form");
	json_decref(o);
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Each file of a folder that ends so. */
static void
check_folder(struct checking *k, const char *folder, const char *suffix,
    void (*check)(struct checking *, const char *))
{
	struct dirent **v = NULL;
	int n = scandirat(k->dir, folder, &v, NULL, by_name);
	size_t tail = strlen(suffix);

	if (n < 0 && errno != ENOENT)
		tell(k, false, folder, 0, 0, strerror(errno), NULL);
	for (int i = 0; i < n; i++) {
		const char *name = v[i]->d_name;
		size_t len = strlen(name);
		char file[300];

		if (name[0] != '.' && len > tail &&
		    strcmp(name + len - tail, suffix) == 0) {
			(void)snprintf(file, sizeof(file), "%s/%.255s", folder,
			    name);
			check(k, file);
		}
		free(v[i]);
	}
	free(v);
}

/* ---- node.yaml ---- */

/* mesh_identity is the key that lies there (compute.md 9). */
static void
check_identity(struct checking *k, const struct node_config *conf)
{
	struct klp_secret secret = {.kind = KEY_SECP256K1};
	struct klp_key key;
	uint8_t seed[32] = {0};
	char why[KEYSET_WHY];

	if (!conf->has_identity) {
		if (conf->accept)
			tell(k, false, "node.yaml", 0, 0,
			    "compute is on and there is no mesh_identity",
			    "`warren identity show --config DIR` prints the "
			    "key for that line");
		return;
	}
	if (keyset_read(k->dir, KEYSET_MESH, secret.raw, 32, KEYSET_PRIVATE,
		NULL, why) != 0) {
		/* only its owner can read it; that is no mistake of the file */
		tell(k, errno == EACCES && geteuid() != 0, KEYSET_MESH, 0, 0,
		    why, errno == ENOENT ?
			"mesh_identity names a key that is not here" :
			NULL);
		return;
	}
	if (!secp_init(seed) || !secret_public(&key, &secret))
		tell(k, false, KEYSET_MESH, 0, 0, "it holds no valid key",
		    NULL);
	else if (!key_equal(&key, &conf->identity))
		tell(k, false, "node.yaml", 0, 0,
		    "mesh_identity is not the key in warren/keys/mesh",
		    "`warren identity show --config DIR` prints that one");
	explicit_bzero(&secret, sizeof(secret));
}

static void
note_node(struct checking *k)
{
	static struct mistakes bad; /* 13 kB: not on the stack */
	_cleanup_free_ char *text = NULL;
	struct node_config *conf = NULL;
	const char *line;
	size_t len;

	text = load(k, "node.yaml", YDOC_BYTES_MAX, &len);
	if (text == NULL || node_config_parse(&conf, text, len, &bad) != 0)
		return;
	for (unsigned i = 0; (line = node_config_later(conf, i)) != NULL; i++)
		tell(k, true, "node.yaml", 0, 0, line, NULL);
	check_identity(k, conf);
	node_config_free(conf);
}

int
verb_check_config(struct cli *c, int argc, char **argv)
{
	struct checking k = {.c = c, .dir = -1};
	int rc = cli_options(c, argc, argv, NULL, 0, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (argc != c->arg) {
		cli_error(c, "usage: warren check-config [--config DIR]");
		return CLI_USAGE;
	}
	if (!cli_config_dir(c, k.path))
		return CLI_USAGE;
	k.dir = open(k.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (k.dir < 0) {
		cli_error(c, "%s: %s", k.path, strerror(errno));
		return CLI_USAGE;
	}
	if (c->json)
		k.list = json_array();
	(void)check_config(k.path, tell_mistake, &k);
	note_reticulum(&k);
	note_node(&k);
	check_folder(&k, "profiles/seccomp", ".json", check_seccomp);
	(void)close(k.dir);
	if (c->json)
		cli_json(json_pack("{s:b,s:o}", "ok", k.bad == 0, "findings",
		    k.list));
	else if (k.bad == 0)
		printf("%s: no mistakes\n", k.path);
	else
		fprintf(stderr, "%u mistakes\n", k.bad);
	return k.bad == 0 ? CLI_OK : CLI_USAGE;
}
