/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/util.h"

#include "node/config/nodeconf.h"
#include "node/cli/contact.h"
#include "node/cli/folders.h"
#include "node/cli/refusal.h"
#include "node/cli/say.h"
#include "trust/doc/tlv.h"

static int
ask_describe(struct cli *c, struct session *s, const struct person *p,
    struct remote *r, struct proto_describe *d, bool brief)
{
	struct proto_req req = {.path = PATH_DESCRIBE, .binding = p->binding,
	    .brief = brief, .has_time = true, .time = (uint64_t)MAX_OF(time(NULL), (time_t)0)};
	struct proto_ans a;
	struct binding b;
	const char *why;
	char text[128];
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
		(void)snprintf(text, sizeof(text), "the node's %s", why);
		cli_refused_clock(c, text, (int64_t)d->time);
		return CLI_REFUSED;
	}
	if (why != NULL) {
		cli_error(c, "the node's binding does not hold: %s", why);
		return CLI_FAILED;
	}
	memcpy(r->binding, d->binding, BINDING_LEN);
	key_fp(&r->fp, &r->key);
	(void)urn_make(r->urn, "kindai", "device", &r->fp);
	pstr_copy(r->name, sizeof(r->name), d->name);
	r->slice = (uint32_t)MIN_OF(d->limits.slice, PROTO_SLICE);
	r->slow = d->slow || d->air.bitrate > 0;
	r->max_log = d->limits.log;
	r->max_output = d->limits.output;
	r->budget = d->budget.bytes;
	r->budget_left = d->budget.left;
	r->described = clock_mono();
	r->time = d->time > 0 && d->time <= UINT32_MAX ? (uint32_t)d->time :
							 now;
	r->kept = false;
	r->told.at = now;
	r->told.ahead_s = (int32_t)MAX_OF(INT32_MIN, MIN_OF(INT32_MAX,
	    (int64_t)r->time - now));
	r->told.by = p->fp;
	rns_sha256(&r->told.shown, p->binding, BINDING_LEN);
	contact_keep(p, r);
	return CLI_OK;
}

int
remote_describe_full(struct cli *c, struct session *s, const struct person *p,
    struct remote *r, struct proto_describe *d)
{
	return ask_describe(c, s, p, r, d, false);
}

int
remote_describe(struct cli *c, struct session *s, const struct person *p,
    struct remote *r)
{
	struct proto_describe d;

	return ask_describe(c, s, p, r, &d, true);
}

/* ---- what is kept of it ---- */

bool
remote_announced(struct session *s, struct remote *r, uint32_t now)
{
	struct rns_known k;
	struct app_data a;
	struct binding b;

	if (!rns_known_get(session_rns(s), &r->dest, &k) ||
	    k.app_data == NULL ||
	    !app_data_parse(&a, k.app_data, k.app_data_len) ||
	    !a.has_binding ||
	    !binding_parse_announce(&b, a.binding, BINDING_ANNOUNCE_LEN,
		k.public_key) ||
	    binding_check_announce(&b, k.public_key, now) != NULL ||
	    !binding_key(&r->key, &b))
		return false;
	memcpy(r->rns_pub, k.public_key, sizeof(r->rns_pub));
	memcpy(r->name, a.name, sizeof(a.name));
	key_fp(&r->fp, &r->key);
	(void)urn_make(r->urn, "kindai", "device", &r->fp);
	return true;
}

/* What was announced names the key that is kept, or nothing was. */
static bool
announced_too(struct session *s, const struct remote *r, uint32_t now)
{
	struct remote heard = {.dest = r->dest};

	return !remote_announced(s, &heard, now) || fp_eq(&heard.fp, &r->fp);
}

int
remote_renew(struct cli *c, struct session *s, const struct person *p,
    struct remote *r)
{
	struct remote now = *r;
	int rc = remote_describe(c, s, p, &now);

	if (rc != CLI_OK)
		return rc;
	if (!fp_eq(&now.fp, &r->fp)) {
		cli_error(c, "the node has another mesh key than what is kept "
			     "of it");
		cli_hint(c, "It is %s now. The same command once more goes by "
			    "that key, where it is trusted.", now.urn);
		return CLI_REFUSED;
	}
	*r = now;
	return CLI_OK;
}

/* An answer says that the node does not know who asks. */
static int
introduce(struct cli *c, struct session *s, const struct person *p, void *arg)
{
	return remote_renew(c, s, p, arg);
}

int
remote_meet(struct cli *c, struct session *s, const struct person *p,
    struct remote *r, bool fresh)
{
	int64_t now = (int64_t)time(NULL);
	const char *why;
	char hex[33];

	if (fresh)
		return remote_describe(c, s, p, r);
	why = contact_get(p, r, (uint32_t)now);
	if (why == NULL && contact_told(p, r, now) &&
	    announced_too(s, r, (uint32_t)now)) {
		r->kept = true;
		session_introduce(s, introduce, r);
		return CLI_OK;
	}
	if (why != NULL && why[0] != '\0') {
		hex_encode(hex, HASH_BYTES(r->dest));
		cli_note(c, "what contacts/%s beside your keys keeps of the "
			    "node is not taken: %s; it is asked", hex, why);
	}
	return remote_describe(c, s, p, r);
}

int
remote_pinned(struct cli *c, const struct remote *r, const struct fp *pin)
{
	static const struct fp any;
	char urn[URN_MAX];

	if (fp_eq(pin, &any) || fp_eq(pin, &r->fp))
		return CLI_OK;
	(void)urn_make(urn, "kindai", "device", pin);
	cli_error(c, "not the node that the job was signed for: it has "
		     "another mesh key");
	cli_hint(c, "The job is for %s, this is %s, and nothing that it says "
		    "of the job is believed. A node that has lost its key "
		    "cannot prove what it did: submit the job anew.",
	    urn, r->urn);
	return CLI_REFUSED;
}

/* ---- whom inputs may go to ---- */

#define SUBMIT_FILE "submit.yaml"
#define PICK_TURN_US (200 * 1000)

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
	struct hash16 hash;
	const struct level_query q = {
	    .fp = &r->fp, .rns = hash.b, .scope = SCOPE_JOB_RESULT};
	const char *why;
	bool known;

	rns_hash_of(&hash, r->rns_pub);
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
		if (level >= 0 && by == NODE_BY_NAME) {
			char hex[33];

			hex_encode(hex, HASH_BYTES(r->dest));
			cli_hint(c, "If it is the one, name it by its hash: "
				    "--to %s", hex);
		}
		if (level >= 0)
			cli_hint(c,
			    "Pin it in submit.yaml beside your keys: "
			    "pins: [{id: \"%s\", level: 1}]",
			    r->urn);
	}
	node_config_free(conf);
	return why == NULL ? CLI_OK : CLI_REFUSED;
}

/* ---- when no node is named ---- */

/* How many nodes of the list are trusted; the last of them in dest. */
static size_t
trusted(struct session *s, const struct node_config *conf,
    const struct node_list *l, struct hash16 *dest)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct node_info *v = &l->v[i];
		struct remote r = {0};
		struct rns_known k;
		int level;

		if (!v->has_key)
			continue;
		r.fp = v->fp;
		/* one that is only noted is asked for its own later */
		if (rns_known_get(session_rns(s), &v->dest, &k))
			memcpy(r.rns_pub, k.public_key, sizeof(r.rns_pub));
		if (remote_judge(conf, &r, NODE_BY_NAME, &level) != NULL)
			continue;
		*dest = v->dest;
		n++;
	}
	return n;
}

int
remote_pick(struct cli *c, struct session *s, const struct person *p,
    int64_t wait_us, struct hash16 *dest)
{
	struct mono end = mono_add(clock_mono(), wait_us);
	struct node_config *conf;
	size_t n = 0;
	int rc;

	conf = read_submit_file(c, p, &rc);
	if (conf == NULL)
		return rc;
	for (;;) {
		struct node_list l;

		if (nodes_collect(c, s, p, &l) != 0)
			break;
		n = trusted(s, conf, &l, dest);
		free(l.v);
		if (n > 0 || conf->npins + conf->nanchors == 0 ||
		    session_interrupted(s) ||
		    mono_reached(clock_mono(), end))
			break;
		cli_progress(c, "listening for a node that you trust ...");
		session_run(s, PICK_TURN_US);
	}
	rc = n == 1 ? CLI_OK :
	    n == 0 && conf->npins + conf->nanchors > 0 ? CLI_UNREACHABLE :
							 CLI_USAGE;
	if (n > 1)
		cli_error(c, "which node? you trust %zu that are known", n);
	else if (n == 0 && conf->npins + conf->nanchors > 0)
		cli_error(c, "which node? none that you trust was heard");
	else if (n == 0)
		cli_error(c, "which node? " SUBMIT_FILE
			     " beside your keys trusts none");
	if (n != 1)
		cli_hint(c, "Say it with --to NODE; `warren nodes` lists who "
			    "is heard.");
	node_config_free(conf);
	return rc;
}
