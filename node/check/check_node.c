/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_node.h"
#include "node/check/lsmlook.h"
#include "node/check/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/layers.h"
#include "common/units.h"
#include "common/runner.h"
#include "common/util.h"
#include "node/check/check_air.h"
#include "node/check/check_hub.h"
#include "node/check/check_klp.h"
#include "node/check/ownkey.h"
#include "node/config/nodeconf.h"
#include "node/config/profile.h"

#define FILE "node.yaml"

/* "7.7GB": what people compare with, not what it is to the byte. */
static void
about(char *out, size_t cap, uint64_t bytes)
{
	if (bytes >= 10ull << 30)
		(void)snprintf(out, cap, "%.0fGB", (double)bytes / (1 << 30));
	else if (bytes >= 1ull << 30)
		(void)snprintf(out, cap, "%.1fGB", (double)bytes / (1 << 30));
	else
		(void)snprintf(out, cap, "%.0fMB", (double)bytes / (1 << 20));
}

/* ---- limits that this machine cannot hold ---- */

static void
over(struct check *c, const struct ynode *limits, const char *key,
    uint64_t has, const char *of, const char *hint)
{
	const struct ynode *n = ynode_get(limits, key);
	uint64_t asked;
	char most[32];

	/* from its text: what is no size was told, and is not in conf */
	if (n == NULL || n->kind != YNODE_SCALAR ||
	    !units_size(n->text, &asked) || has == 0 || asked <= has)
		return;
	about(most, sizeof(most), has);
	check_tell(c, false, FILE, n->line, n->column, hint,
	    "limits.%s is %.40s, and %s has %s", key, n->text, of, most);
}

static void
check_limits(struct check *c, const struct node_config *conf)
{
	const struct ynode *limits =
	    ynode_get(ydoc_root(conf->doc), "limits");
	const struct ynode *cpu = ynode_get(limits, "cpu");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct statvfs disk;
	struct sysinfo si;
	uint32_t milli;

	if (sysinfo(&si) == 0)
		over(c, limits, "memory", (uint64_t)si.totalram *
		    si.mem_unit, "this machine",
		    "without the line it is half of that");
	if (cpu != NULL && cpu->kind == YNODE_SCALAR && cpus > 0 &&
	    units_cpu_milli(cpu->text, &milli) &&
	    milli > (uint64_t)cpus * 1000)
		check_tell(c, false, FILE, cpu->line, cpu->column,
		    "it is what all jobs together may use",
		    "limits.cpu is %.40s, and this machine has %ld processor%s",
		    cpu->text, cpus, cpus == 1 ? "" : "s");
	if (fstatvfs(c->dir, &disk) == 0)
		over(c, limits, "spool", (uint64_t)disk.f_blocks *
		    disk.f_frsize,
		    "the disk of this folder",
		    "it is what inputs and outputs may take there");
}

/* ---- mesh_identity ---- */

static void
other_key(struct check *c, const struct ynode *n, const struct klp_key *own,
    bool personal)
{
	char text[KEY_TEXT_MAX];

	key_text(text, own);
	check_tell(c, false, FILE, n->line, n->column, personal ?
	    "a person submits, a node runs: each has a key of its own" :
	    "if that key is right, bring its " KEYSET_MESH " back; else write "
	    "this one", personal ?
	    "that is your personal key; this node's is %s" :
	    "that is not this node's key, which is %s", text);
}

static void
no_key(struct check *c, const struct ynode *n, bool personal)
{
	char hint[200];

	(void)snprintf(hint, sizeof(hint), "`warren identity show --config "
	    "%.80s` makes it and prints the line", c->path);
	if (personal)
		check_tell(c, false, FILE, n->line, n->column, hint,
		    "that is your personal key; this node has none of its own "
		    "yet");
	else
		check_tell(c, false, FILE, n->line, n->column, "bring that "
		    "file back, or take the line out: the next start makes a "
		    "new key and says it", "the private key of mesh_identity, "
		    KEYSET_MESH ", is not here");
}

static void
check_identity(struct check *c, const struct node_config *conf)
{
	const struct ynode *n =
	    ynode_get(ydoc_root(conf->doc), "mesh_identity");
	struct klp_key own;
	char why[KEYSET_WHY], hint[200];

	if (!conf->has_identity) {
		(void)snprintf(hint, sizeof(hint), "the start says the line "
		    "to add, and so does `warren identity show --config %.80s`",
		    c->path);
		if (conf->accept && n == NULL)
			check_tell(c, true, FILE, 0, 0, hint,
			    "no job is taken: mesh_identity is missing");
		return;
	}
	switch (ownkey_compare(c->dir, &conf->identity, &own, why)) {
	case OWNKEY_SAME:
		break;
	case OWNKEY_OTHER:
		other_key(c, n, &own, ownkey_personal(&conf->identity));
		break;
	case OWNKEY_NONE:
		no_key(c, n, ownkey_personal(&conf->identity));
		break;
	case OWNKEY_HIDDEN:
		check_tell(c, true, "", 0, 0, "ask as its owner whether "
		    "mesh_identity fits", "%s", why);
		break;
	case OWNKEY_BAD:
		check_tell(c, false, "", 0, 0, NULL, "%s", why);
		break;
	}
}

/* ---- the rest ---- */

static void
check_layers(struct check *c, const struct node_config *conf)
{
	const struct ynode *list =
	    ynode_get(ydoc_root(conf->doc), "require_layers");
	bool lsm = lsmlook("/sys") != LSM_NONE;

	if (list == NULL || list->kind != YNODE_LIST)
		return;
	for (const struct ynode *n = list->first; n != NULL; n = n->next)
		if (n->kind == YNODE_SCALAR && layer_bit(n->text) ==
		    LAYER_IO && conf->io_read == 0 && conf->io_write == 0)
			check_tell(c, true, FILE, n->line, n->column,
			    "set limits.io_read or io_write", "no job is "
			    "taken: layer io is a limit of the disk, and none "
			    "is set");
		else if (n->kind == YNODE_SCALAR && !lsm &&
		    layer_bit(n->text) == LAYER_LSM)
			check_tell(c, true, FILE, n->line, n->column,
			    "take it out", "no job is taken: layer lsm needs "
			    "AppArmor or SELinux, and this kernel enforces "
			    "neither");
}

static void
check_uses(struct check *c, const struct node_config *conf)
{
	const struct ynode *n = ynode_get(ydoc_root(conf->doc), "profile");
	char path[PROFILE_NAME_MAX + 32];

	(void)snprintf(path, sizeof(path), "profiles/%s.yaml", conf->profile);
	if (n != NULL && strcmp(conf->profile, "default") != 0 &&
	    faccessat(c->dir, path, F_OK, 0) < 0)
		check_tell(c, !conf->accept, FILE, n->line, n->column,
		    "write it, or take the line out", "there is no %s", path);
	if (conf->accept)
		(void)snprintf(c->profile, sizeof(c->profile), "%s",
		    conf->profile);
}

static void
check_group(struct check *c, const struct node_config *conf)
{
	const struct ynode *n = ynode_get(ydoc_root(conf->doc),
	    "metrics_group");

	if (n != NULL && conf->metrics_group != NULL &&
	    getgrnam(conf->metrics_group) == NULL)
		check_tell(c, true, FILE, n->line, n->column,
		    "`getent group` lists them", "metrics_group: there is no "
		    "group \"%s\" here, so only root and the user of warrend "
		    "read metrics", conf->metrics_group);
}

static void
check_user(struct check *c, const struct node_config *conf)
{
	const struct ynode *n = ynode_get(ynode_get(ydoc_root(conf->doc),
	    "watchdog"), "user");
	const char *name = conf->watchdog.user;

	if (n != NULL && name != NULL && strspn(name, "0123456789") !=
	    strlen(name) && getpwnam(name) == NULL)
		check_tell(c, true, FILE, n->line, n->column,
		    "`getent passwd` lists them", "watchdog.user: there is no "
		    "user \"%s\" here, so no program can be the watchdog",
		    name);
}

/* A profile may name another one: then this is not what keeps a start. */
static void
check_runner(struct check *c, const struct node_config *conf)
{
	const struct ynode *n = ynode_get(ydoc_root(conf->doc), "runner");
	char why[TOOL_WHY];
	int fd;

	if (conf->runner_path != NULL)
		(void)snprintf(c->runner_path, sizeof(c->runner_path), "%s",
		    conf->runner_path);
	if (n == NULL || conf->runner == RUNNER_NATIVE)
		return;
	fd = tool_open(conf->runner, conf->runner_path, why);
	if (fd < 0 && conf->runner == RUNNER_DOCKER && errno == ENOENT)
		check_tell(c, true, FILE, n->line, n->column,
		    "start it, or say where by runner_path; until then no job "
		    "runs", "%s", why);
	else if (fd < 0)
		check_tell(c, false, FILE, n->line, n->column,
		    "install it, or say where by runner_path", "%s", why);
	else
		(void)close(fd);
}

void
check_node(struct check *c)
{
	struct mistakes m = {0};
	struct node_config *conf;
	const char *line;
	size_t len;
	_cleanup_free_ char *text =
	    check_read(c, FILE, YDOC_BYTES_MAX, &len);

	if (text == NULL)
		return;
	/* one mistake hides no other: what could be read is checked too */
	if (node_config_look(&conf, text, len, &m) < 0)
		check_tell_all(c, FILE, &m);
	if (conf == NULL)
		return;
	for (unsigned i = 0; (line = node_config_later(conf, i)) != NULL; i++)
		check_tell(c, true, FILE, 0, 0, NULL, "%s", line);
	check_limits(c, conf);
	check_layers(c, conf);
	check_uses(c, conf);
	check_identity(c, conf);
	check_klp(c, conf);
	check_hub(c, conf);
	check_air(c, conf);
	check_group(c, conf);
	check_user(c, conf);
	check_runner(c, conf);
	node_config_free(conf);
}
