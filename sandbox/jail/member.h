/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_JAIL_MEMBER_H
#define WARREN_SANDBOX_JAIL_MEMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/base/places.h"
#include "sandbox/jail/init.h"
#include "sandbox/plan/shape.h"

/*
 * What a slot has prepared for its next job: a root, in a mount namespace of
 * its own that nobody is in. Who built it has ended; the slot's process holds
 * the namespace by a descriptor, so it goes with that, whatever ends it.
 *
 * It was made of a shape, and of the targets of volumes, for which it has
 * folders. A job of that very shape and those very targets, byte for byte,
 * enters it and nobody after that; any other plan drops it. The folder of its
 * image must be what it was when it was begun: same place, same inode, never
 * renamed since.
 */
enum member_how {
	MEMBER_TAKEN = 'w',   /* a warm start */
	MEMBER_NONE = 'n',    /* nothing was prepared, or not yet */
	MEMBER_SHAPE = 's',   /* the job has another one, or other targets */
	MEMBER_WRITABLE = 'r', /* with a root to write to */
	MEMBER_IMAGE = 'i',   /* its image's folder is not what it was */
};

struct member_image {
	uint64_t dev, ino;
	int64_t changed_s, changed_ns;
};
struct member {
	bool known; /* these are the last job's, and may be prepared */
	struct shape shape;
	uint32_t targets_len;
	uint8_t targets[PLAN_TARGETS_BYTES]; /* not read here */
	uint32_t serial; /* of the last one that was begun */
	struct member_image image;
	int told[2]; /* how it comes: to read, to write */
	int ns;      /* of the one that is ready, or was taken; -1 */
	bool used;   /* by the present job: nobody's after it */
	struct place places[PLACES_ALL];
};

/* 0, or -1 with errno. */
int member_init(struct member *);
/*
 * A job comes: what it gets; args as the plan's. The namespace is held until the
 * job is forgotten, so that its mounts are not what its end waits for.
 */
enum member_how member_take(struct member *, const struct plan *, int args);
/* Nothing is prepared any more; forget: nor may be before another job. */
void member_drop(struct member *, bool forget);
/*
 * Begin one of the last job's shape: the child's pid, its descriptor, 0 in the
 * child, which is in *out. -1 with errno; 0: nothing is to be made.
 */
pid_t member_begin(struct member *, int group, int *pidfd,
    struct init_member *out);

#endif
