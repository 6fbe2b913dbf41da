/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_ASK_H
#define WARREN_NODE_CLI_ASK_H

#include <jansson.h>

#include "node/cli/cli.h"

/*
 * Ask a daemon of this machine: warren/run/mesh.sock or node.sock of --config
 * (ARCHITECTURE.md 12.23). One object goes, objects come until one has "end"
 * or "ok": false.
 */
enum ask_whom { ASK_MESH, ASK_NODE };

/*
 * each() gets every object with "ok": true and does not keep it; it returns
 * false to stop early. CLI_OK; the "exit" of a refusal, said with its "why";
 * CLI_UNREACHABLE (said): no daemon runs there, or it is not for this user.
 */
int ask(struct cli *, enum ask_whom, json_t *steal_request,
    bool (*each)(void *arg, const json_t *), void *arg);
/*
 * All of the answer to a verb, or to a request, put into one object: lists that
 * came in pieces are whole.
 */
int ask_whole(struct cli *, enum ask_whom, const char *verb, json_t *into);
int ask_whole_of(struct cli *, enum ask_whom, json_t *steal_request,
    json_t *into);
/* An each() that prints the object; arg is the struct cli. */
bool ask_print(void *arg, const json_t *);
/* Is there a socket of the daemon, and does it answer users like this one? */
bool ask_possible(struct cli *, enum ask_whom);
/* Does it answer now? Says nothing when it does not. */
bool ask_answers(struct cli *, enum ask_whom);
/*
 * After an error about the default folder: what to type where the service has
 * another (WHERE_SERVICE). false: nothing said, since --config was given, that
 * folder is no service's, or nobody answers there.
 */
bool ask_hint_service(struct cli *, const char *service);

/* A member of an object: "" or 0 when it has none; shown: "-". */
const char *ask_text(const json_t *, const char *name);
const char *ask_shown(const json_t *, const char *name);
json_int_t ask_int(const json_t *, const char *name);

#endif
