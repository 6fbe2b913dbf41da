/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_HOST_CONTROL_IMPL_H
#define WARREN_NODE_HOST_CONTROL_IMPL_H

#include <stdbool.h>

#include <jansson.h>

#include "node/host/control.h"
#include "node/work/state.h"

/*
 * Inside of node.sock, for the files control*.c alone. A verb answers a
 * question by lines; false: the connection is closed.
 */
#define CONTROL_LINE 65536 /* bytes, with its newline */

struct control {
	struct warren_node *wn;
	struct asksock *sock;
};

/* Who asked, while the answer is made. */
struct client {
	struct control *control;
	struct asker *asker;
};

/* A line of an answer, taken; the last one has end. */
bool client_line(struct client *, json_t *steal);
json_t *client_good(bool end);
/* code: the exit code of `warren`. */
bool client_refuse(struct client *, int code, const char *why);

/* One line of `warren jobs`. */
json_t *client_job(const struct job *);
/* All of it, as `warren show` and `warren explain` have it. */
json_t *client_job_whole(struct node *, const struct job *);
/* The job that the question's "id" names; NULL: it was refused. */
struct job *client_job_named(struct client *, const json_t *);

typedef bool control_verb(struct client *, const json_t *);
control_verb control_jobs, control_show, control_logs, control_result,
    control_output, control_forensics, control_export, control_cancel,
    control_approve, control_reject, control_integrity, control_verify,
    control_release;
/* What lies on the disk, for status too. */
json_t *control_integrity_json(const struct node *);

#endif
