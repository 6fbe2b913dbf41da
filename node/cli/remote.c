/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/remote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#include "node/config/nodeconf.h"
#include "node/cli/folders.h"
#include "node/cli/refusal.h"
#include "node/cli/say.h"

int
remote_describe_full(struct cli *c, struct session *s, const struct person *p,
    struct remote *r, struct proto_describe *d)
{
	struct proto_req req = {.path = PATH_DESCRIBE, .binding = p->binding};
	struct proto_ans a;
	struct binding b;
	const char *why;
	uint32_t now = (uint32_t)time(NULL);
	int rc = session_ask(s, &req, &a, NULL, NULL);

	if (rc != CLI_OK)
		return rc;
	if (a.status != ST_OK)
		return session_refused(c, &a);
	if (!proto_get_describe(d, &a)) {
		cli_error(c, "the node's description is malformed");
		return CLI_FAILED;
	}
	if (!session_node_public(s, r->rns_pub)) {
		cli_error(c, "the node's Reticulum key is not known");
		return CLI_FAILED;
	}
	if (d->binding == NULL) {
		cli_error(c, "the node has no mesh identity yet; try again");
		return CLI_FAILED;
	}
	/* a clock of ours that is off by years must not hide a valid node */
	if (!binding_parse(&b, d->binding, BINDING_LEN) ||
	    !binding_key(&r->key, &b))
		why = "it is malformed";
	else
		why = binding_check(&b, r->rns_pub, now);
	/* it holds there: one of the two clocks is off */
	if (why != NULL && d->time > 0 && d->time <= UINT32_MAX &&
	    binding_parse(&b, d->binding, BINDING_LEN) &&
	    binding_check(&b, r->rns_pub, (uint32_t)d->time) == NULL) {
		cli_refused_clock(c, why, (int64_t)d->time);
		return CLI_REFUSED;
	}
	if (why != NULL) {
		cli_error(c, "the node's binding does not hold: %s", why);
		return CLI_FAILED;
	}
	memcpy(r->binding, d->binding, BINDING_LEN);
	key_fp(r->fp, &r->key);
	(void)urn_make(r->urn, "kindai", "device", r->fp);
	pstr_copy(r->name, sizeof(r->name), d->name);
	r->slice = (uint32_t)MIN_OF(d->limits.slice, PROTO_SLICE);
	r->max_log = d->limits.log;
	r->max_output = d->limits.output;
	r->time = d->time > 0 && d->time <= UINT32_MAX ? (uint32_t)d->time :
							 now;
	return CLI_OK;
}

int
remote_describe(struct cli *c, struct session *s, const struct person *p,
    struct remote *r)
{
	struct proto_describe d;

	return remote_describe_full(c, s, p, r, &d);
}

/* ---- whom inputs may go to ---- */

#define SUBMIT_FILE "submit.yaml"

/* submit.yaml; an absent one is an empty one. NULL: said, *rc. */
static struct node_config *
read_submit_file(struct cli *c, const struct person *p, int *rc)
{
	static struct mistakes bad; /* 13 kB: not on the stack */
	_cleanup_free_ char *text = NULL;
	struct node_config *conf = NULL;
	char dir[CLI_PATH], path[CLI_PATH];
	size_t len = 0;

	*rc = CLI_USAGE;
	if (!cli_person_dir(c, dir) || !cli_path(path, dir, SUBMIT_FILE))
		return NULL;
	text = file_load(p->dir, SUBMIT_FILE, YDOC_BYTES_MAX, &len);
	if (text == NULL && errno != ENOENT) {
		cli_error(c, "%s: %s", path, strerror(errno));
		return NULL;
	}
	memset(&bad, 0, sizeof(bad));
	if (submit_config_parse(&conf, text != NULL ? text : "", len, &bad) !=
	    0)
		(void)cli_mistakes(c, path, &bad);
	return conf;
}

const char *
remote_judge(const struct node_config *conf, const struct remote *r,
    enum node_by by, int *level)
{
	const struct level_conf lc = node_config_levels(conf);
	uint8_t hash[RNS_HASH_LEN];
	const struct level_query q = {
	    .fp = r->fp, .rns = hash, .scope = SCOPE_JOB_RESULT};
	const char *why;
	bool known;

	rns_hash_of(hash, r->rns_pub);
	*level = 0;
	known = level_local(level, &why, &lc, &q);
	if (*level < 0)
		return "it is pinned below 0";
	/* a hash or a URN is the person's own word, good for level 0 */
	if (*level < conf->floor)
		return "its level is below your floor";
	if (by == NODE_BY_NAME && !known)
		return "anybody can announce that name, and it is not pinned";
	return NULL;
}

int
remote_trust(struct cli *c, const struct person *p, const struct remote *r,
    enum node_by by)
{
	struct node_config *conf;
	const char *why;
	int level, rc;

	conf = read_submit_file(c, p, &rc);
	if (conf == NULL)
		return rc;
	if (conf->trust_graph != NULL || conf->revocation_list != NULL)
		cli_note(c, "trust_graph and revocation_list of %s are not "
			    "fetched in this version: pins and anchors alone "
			    "decide",
		    SUBMIT_FILE);
	why = remote_judge(conf, r, by, &level);
	if (why != NULL) {
		cli_error_code(c, "trust", 0, why);
		cli_hint(c, "The node is %s, level %d, your floor %d.", r->urn,
		    level, conf->floor);
		if (level >= 0)
			cli_hint(c,
			    "Pin it in submit.yaml beside your keys: "
			    "pins: [{id: \"%s\", level: 1}]",
			    r->urn);
	}
	node_config_free(conf);
	return why == NULL ? CLI_OK : CLI_REFUSED;
}
