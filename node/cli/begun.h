/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CLI_BEGUN_H
#define WARREN_NODE_CLI_BEGUN_H

#include <stdbool.h>
#include <stdint.h>

#include <rns/hash.h>

#include "node/cli/cli.h"
#include "node/cli/person.h"
#include "node/cli/session.h"
#include "trust/doc/manifest.h"

/*
 * A submission that was cut off while its inputs were sent is gone on with:
 * another one would wait for the same inputs, and in the end both would run.
 *
 * Looks among the noted jobs of the node that the session is connected to for
 * one that differs from m in nonce and times only, that the node still has, or
 * has the result of, which nobody has seen here, or, by its clock (now), may
 * still get, and whose folder (out, unless that is NULL) no other program is at
 * work in; one that it has comes before others. Without a session (NULL) no
 * node is asked, and the times decide.
 *
 * One that came too late to be admitted, and of which the node knows nothing,
 * comes last: the node says whether it ever had it when it is submitted
 * (compute.md 3.1). Without a session *late is set then.
 *
 * CLI_OK: folder is "", or m is that job now, folder is where it is, and it was
 * said; *mark is its mark then (jobdir_hold()), the caller's to close, so that
 * no other program goes on with the same. Else the node did not answer, as
 * session_ask(), or refuses to (said): what is begun is not known, nonce and
 * times of m are void, and another job could be a second one.
 */
int begun_find(struct cli *, const struct person *, struct session *,
    const struct hash16 *dest, uint32_t now, const char *out,
    struct manifest *m, char folder[CLI_PATH], int *mark, bool *late);

#endif
