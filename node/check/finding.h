/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_FINDING_H
#define WARREN_NODE_CHECK_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mistake.h"
#include "common/ydoc.h"
#include "node/check/check.h"
#include "node/check/follow.h"

/* What the files of this room share: a check on its way through DIR. */
struct rnsconf;
struct check {
	int dir;
	const char *path; /* of dir */
	bool root;
	check_fn *fn;
	void *ctx;
	unsigned mistakes;
	unsigned off; /* of them: those that only keep an interface, a rule off */
	/* of node.yaml: what a start would use; "" when compute is off */
	char profile[80];
	char runner_path[256]; /* of node.yaml; "": the usual place */
	struct rnsconf *rns; /* of config; NULL: there is none, or no form */
};

void check_tell(struct check *, bool note, const char *file, unsigned line,
    unsigned column, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 7, 8)));
void check_tell_all(struct check *, const char *file, const struct mistakes *);
/*
 * A file of DIR, NUL-terminated, free() it. NULL: it is not there, or why it
 * cannot be read has been told.
 */
char *check_read(struct check *, const char *file, size_t max, size_t *len);

/*
 * A whole file, NUL-terminated, free() it. NULL: errno, EFBIG beyond max,
 * EINVAL when it is no regular file. flags: O_NOFOLLOW or 0.
 */
char *check_load(int at, const char *name, int flags, size_t max, size_t *len);
/*
 * ... of DIR, as warrend reads the operator's files: as root over links that
 * root can trust. ELOOP: with why.
 */
char *check_load_own(int dir, const char *name, bool root,
    char why[FOLLOW_WHY], size_t max, size_t *len);
/* Whether DIR has a link of that name, wherever it leads. */
bool check_is_link(int dir, const char *file);

#endif
