/* SPDX-License-Identifier: BSD-2-Clause */
/* warren identity [show] */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rns/rns.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/ydoc.h"

#include "node/check/ownkey.h"
#include "node/cli/folders.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/cli/person.h"
#include "node/config/nodeconf.h"
#include "node/config/keyset.h"

static void
print_identity(struct cli *c, const struct person *p, bool node)
{
	char text[KEY_TEXT_MAX], fp[2 * FP_LEN + 1], hash[33], dest_hex[33];
	struct hash16 dest;

	key_text(text, &p->key);
	hex_encode(fp, HASH_BYTES(p->fp));
	hex_encode(hash, HASH_BYTES(p->rns_hash));
	/* cannot fail: the name is ours */
	(void)rns_dest_hash(&dest, "klp.node", &p->rns_hash);
	hex_encode(dest_hex, HASH_BYTES(dest));
	if (c->json) {
		cli_json(json_pack("{s:s,s:s,s:s,s:s,s:s}", "key", text, "fp",
		    fp, "urn", p->urn, "rns", hash, "destination", dest_hex));
		return;
	}
	printf("key          %s\n", text);
	printf("fingerprint  %s\n", fp);
	printf("urn          %s\n", p->urn);
	printf("reticulum    %s\n", hash);
	if (node)
		printf("klp.node     %s\n", dest_hex);
}

/* node.yaml, an absent one as an empty one. */
static int
read_node_yaml(struct cli *c, const char *dir, int fd,
    struct node_config **conf)
{
	static struct mistakes bad; /* 13 kB: not on the stack */
	_cleanup_free_ char *text = NULL;
	char path[CLI_PATH];
	size_t len = 0;

	if (!cli_path(path, dir, "node.yaml"))
		return CLI_FAILED;
	text = file_load(fd, "node.yaml", YDOC_BYTES_MAX, &len);
	if (text == NULL && errno != ENOENT) {
		cli_error(c, "%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	memset(&bad, 0, sizeof(bad));
	if (node_config_parse(conf, text != NULL ? text : "", len, &bad) != 0)
		return cli_mistakes(c, path, &bad);
	return CLI_OK;
}

/* The node's keys lie in two folders: storage/ and warren/keys/. */
static int
show_node(struct cli *c)
{
	char dir[CLI_PATH];
	_cleanup_fd_ int fd = -1;
	struct node_config *conf;
	struct person p;
	bool personal;
	int rc, lost;

	if (!cli_config_dir(c, dir))
		return CLI_FAILED;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		bool none = errno == ENOENT;

		cli_error(c, "%s: %s", dir, strerror(errno));
		if (none)
			cli_hint(c, "Is that the node's folder? A new one is "
				    "made first: mkdir -m 700 %s", dir);
		return CLI_FAILED;
	}
	rc = read_node_yaml(c, dir, fd, &conf);
	if (rc != CLI_OK)
		return rc;
	/*
	 * With mesh_identity written, a lost key is not replaced in silence;
	 * a person's is no key that the node lost.
	 */
	personal = conf->has_identity && ownkey_personal(&conf->identity);
	rc = person_node(c, fd, !conf->has_identity || personal, &p);
	lost = rc == CLI_OK || faccessat(fd, KEYSET_MESH, F_OK, 0) == 0 ? 0 :
	    errno;
	if (rc == CLI_OK)
		print_identity(c, &p, true);
	else if (lost == EACCES)
		cli_hint(c, "A node's keys are for the owner of its folder.");
	else if (lost == ENOENT)
		cli_hint(c, "%s/node.yaml names this node's key by "
			    "mesh_identity: bring the file back, or take the "
			    "line out and call this again for a new key.", dir);
	if (rc == CLI_OK && conf->has_identity &&
	    !key_equal(&conf->identity, &p.key)) {
		cli_error(c, "mesh_identity of %s/node.yaml is %s: write this "
			     "node's there",
		    dir, personal ? "your personal key" : "another key");
		rc = CLI_FAILED;
	}
	if (rc == CLI_OK && !c->json && !conf->has_identity)
		cli_note(c, "the line `mesh_identity: ...` with this key "
			    "belongs into %s/node.yaml",
		    dir);
	person_clear(&p);
	node_config_free(conf);
	return rc;
}

int
verb_identity(struct cli *c, int argc, char **argv)
{
	struct person p;
	int rc = cli_options(c, VERB_IDENTITY, argc, argv, NULL, NULL);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (argc > c->arg && strcmp(argv[c->arg], "show") != 0) {
		static const char *const verbs[] = {"show"};

		cli_error(c, "no verb identity %s%s", argv[c->arg],
		    nearest_word(argv[c->arg], verbs, 1) != NULL ?
			"; did you mean identity show?" :
			"");
		cli_hint(c, "usage: warren identity [show]");
		return CLI_USAGE;
	}
	if (c->config != NULL && c->identity == NULL)
		return show_node(c);
	rc = person_load(c, &p);
	if (rc == CLI_OK)
		print_identity(c, &p, false);
	person_clear(&p);
	return rc;
}
