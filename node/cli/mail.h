/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_MAIL_H
#define WARREN_NODE_CLI_MAIL_H

#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/converse.h"
#include "transport/lxmf/post.h"

/* lxmf.propagation, in the order in which they are tried. */
struct mail_nodes {
	struct hash16 of[POST_NODES];
	unsigned n;
};

/*
 * Jobs by LXMF message (--via-lxmf): the node and who submits need never be up
 * together. What both verbs share.
 */
struct mail {
	struct cli *c;
	const struct person *person;
	struct session *session; /* attached; no link is made */
	const struct mail_nodes *via;
	int64_t timeout_us;	 /* to be handed over, or heard */
	struct mail_read *letter; /* set by mail_result() */
	/* set by mail_submit() */
	bool sent;  /* perhaps: it was begun to */
	bool whole; /* no input waits for a link */
};

/* --via-lxmf NODE,NODE...; false: said. */
bool mail_via(struct cli *, const char *text, struct mail_nodes *out);
/*
 * Who the node is by its announce, which must have been heard once: dest of *r
 * is set. CLI_OK or CLI_UNREACHABLE (said).
 */
int mail_node(struct mail *, struct remote *r);
/*
 * Hand the job of t over: envelope, binding, and the inputs that are small
 * enough, read by t->sub.store.input. CLI_OK or as mailbox_send().
 */
int mail_submit(struct mail *, struct talk *t);
/* Wait for its answer, and conclude as talk_run() does. t->sub.resume. */
int mail_result(struct mail *, struct talk *t);

#endif
