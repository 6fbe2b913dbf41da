/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_VERIFIED_H
#define WARREN_NODE_WORK_VERIFIED_H

#include <stdbool.h>

#include <rns/hash.h>
#include <rns/mono.h>

#include "common/ipc_msg.h"

struct job;
struct node;

/*
 * Files of images, as warren-audit finds them. A job's J_RUN waits until its
 * image was looked at; what is held against one keeps all its jobs out. An
 * audit that falls is asked again when it is back: nothing runs unseen.
 */
#define VERIFIED_WAIT_S 600 /* ours: 16 GiB are read in that, then refused */
#define VERIFIED_FOUND 128  /* findings that are remembered */
#define VERIFIED_REFUSED \
	"was changed on the node since it was imported: its operator must " \
	"verify it or import it again"
#define VERIFIED_SAID 8	    /* answers for persons */

struct verified {
	struct msg_I_STATE state;
	struct msg_I_FOUND found[VERIFIED_FOUND];
	unsigned nfound;
	/* what persons asked and was answered, the newest last */
	struct msg_I_CHECKED said[VERIFIED_SAID];
	unsigned nsaid;
	/* ... and was not answered yet */
	struct msg_I_CHECK open[VERIFIED_SAID];
	unsigned nopen;
};

/* Why it may not run here; NULL. */
const char *verified_held(const struct node *, const struct id32 *image);
/* host has laid the job out; J_RUN waits. */
void verified_waits(struct node *, struct job *);
/* J_RUN, if nothing else is waited for; and what was said meanwhile. */
void verified_go(struct node *, struct job *);
/* Audit is there (again). */
void verified_up(struct node *);
/* Audit's words. */
void verified_checked(struct node *, const struct msg_I_CHECKED *);
void verified_found(struct node *, const struct msg_I_FOUND *);
/*
 * A person asks; an answer comes into said. false: audit is not there, or too
 * many questions are open.
 */
bool verified_ask(struct node *, const struct id32 *image, uint8_t how,
    const struct id32 *list);
struct mono verified_tick(struct node *);

#endif
