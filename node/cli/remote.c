#include "node/cli/remote.h"

#include <string.h>
#include <time.h>

#include "util.h"

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
	if (why != NULL) {
		cli_error(c, "the node's binding does not hold: %s", why);
		return CLI_FAILED;
	}
	memcpy(r->binding, d->binding, BINDING_LEN);
	key_fp(r->fp, &r->key);
	(void)urn_make(r->urn, "kindai", "device", r->fp);
	pstr_copy(r->name, sizeof(r->name), d->name);
	r->slice = (uint32_t)MIN_OF(d->limits.slice, PROTO_SLICE);
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
