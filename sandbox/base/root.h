/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_BASE_ROOT_H
#define WARREN_SANDBOX_BASE_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/base/places.h"
#include "sandbox/plan/wasm.h"

/*
 * Mounts. The base is a small root of jail's own in which jobs are built:
 *
 *   /images  warren/images, read-only        /dev   null, zero, ... read-only
 *   /stage   where ro volumes are filled     /proc  unmasked: without one no
 *   /vol/N   profile volumes, read-only             job could mount its own
 *   /wasm    the runner of modules, read-only
 *   /new     where a job's root grows        /hold  where tmpfs are made
 *            (/new/none: an empty folder)
 *   /up      what a job writes to its root (upper.h)
 *
 * and, for another runner, /usr with what leads there, and an empty
 * /sys/fs/cgroup. As root it is made once, by root, so that in a job's own user namespace
 * nothing of it can be unlocked; rootless by each slot for itself.
 * All return 0, or -1 with errno (and *what: the step that failed).
 */
struct base_dirs {
	int images, stage;
	int volumes[32];
	unsigned nvolumes;
	/* the runner of modules: wasm_files[], in its order; -1: none */
	int wasm[WASM_FILES];
	bool tools; /* the machine's programs and libraries too, read-only */
};
int base_build(const struct base_dirs *, bool root, const char **what);

/*
 * The context of SELinux, of at most 64 bytes, that what a job may write to is
 * made with from here on; NULL: none. A policy without it refuses the mounts.
 */
void root_label(const char *context);
const char *root_labelled(void);

/* A tmpfs of the job's user; fds: detached clones of it, each used once. */
int tmpfs_make(int *fds, unsigned n, uint64_t bytes, uint32_t inodes,
    bool noexec, const char **what);

struct root_volume {
	int tree;         /* a detached tree, or -1: */
	const char *path; /* bound read-only from this place of the base */
};
struct root_plan {
	/* of the image's digest: /images/roots/HEX; NULL: an empty one */
	const char *hex;
	bool read_only; /* else upper_make() has been called */
	uint64_t tmp_bytes;
	uint32_t tmp_inodes;
	bool noexec; /* /tmp */
	/* leave it at /new/root, without a /proc: another program enters it */
	bool outside;
	const struct place *places; /* places_find() of it and the targets */
	const struct root_volume *volumes;
	unsigned n;
	bool wasm; /* the runner of modules at WASM_PLACE */
};
/* In a fresh mount namespace: build the job's root and make it ours. */
int root_build(const struct root_plan *, const char **what);
/*
 * The same in two halves, for a root that waits for its job. prepare: all but
 * /proc and what lies on the folders of its n volumes. join, by a process of the
 * job's pid namespace that is still in the base: its volumes and /proc, made
 * where they can be, then into the namespace in which that was (ns, of
 * /proc/PID/ns/mnt), where they are attached. Of the plan it reads places,
 * volumes, n. 0, or -1 with errno and *what.
 */
int root_prepare(const struct root_plan *, const char **what);
int root_join(int ns, const struct root_plan *, const char **what);

/*
 * The root of a step: an empty folder with /v (a detached tree, or a folder
 * of the base) and, when src is not NULL, /s, read-only.
 */
struct root_step {
	int tree;
	const char *path;
	bool read_only;
	const char *src;
};
int root_step_build(const struct root_step *, const char **what);
/* ... of a compilation: an empty folder with the runner of modules. */
int root_compile_build(const char **what);
/*
 * ... of a snapshot: an empty folder with a /proc of this pid namespace, /p, and
 * what the slot's job has written to its root, /u; empty where it may not.
 */
int root_snapshot_build(const char **what);

#endif
