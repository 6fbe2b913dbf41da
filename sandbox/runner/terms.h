/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_RUNNER_TERMS_H
#define WARREN_SANDBOX_RUNNER_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/runner.h"

/*
 * A job in the terms of the program that contains it: an argv, and a file where
 * it wants one. Pure: tests/unit/test_runner.c holds each to its golden text.
 *
 * Nothing that a manifest or an image says is in them: the root is built, with
 * its volumes, before the tool starts (base/root.h), and what it executes is
 * warren-inner, which has the command, the filters and the limits from
 * descriptors. So a tool's options are fixed texts, numbers of ours and one
 * choice: whether the root is read-only.
 */
#define TERMS_ROOT "/new/root"	    /* the job's, built */
#define TERMS_STUB "/new/stub"	    /* an empty one with that in it (stub.h) */
#define TERMS_STATE "/new/state"    /* for what a tool keeps */
#define TERMS_BUNDLE "/new/bundle"  /* text is config.json in it */
#define TERMS_INNER "/proc/self/fd/3"
#define TERMS_FIRST_FD 3 /* these stay open for warren-inner (inner.h) */
#define TERMS_LAST_FD 10
#define TERMS_ARGS 96
#define TERMS_TEXT 4096

struct terms_in {
	bool read_only;
	uint32_t uid, gid; /* ours where the tool starts: mapped to USERNS_ID */
};

struct terms {
	const char *argv[TERMS_ARGS + 1]; /* literals, and what is in buf */
	unsigned argc;
	char buf[256];
	char text[TERMS_TEXT]; /* "" where the tool reads no file */
};

/* What it needs beside a job's processes; the option that says its version. */
#define TERMS_MEMORY (64ull << 20)
struct terms_tool {
	uint8_t number;	     /* enum runner */
	uint32_t pids;	     /* processes and threads beside the job's */
	uint64_t memory;     /* bytes, beside the job's: TERMS_MEMORY at most */
	const char *version; /* NULL: it says none */
	const char *env;     /* one variable more at a start, or NULL */
	bool groups;	     /* wants a hierarchy of groups to look at */
	bool stub;	     /* is given TERMS_STUB */
	bool proc;	     /* mounts a whole /proc (stub.h) */
	bool daemon;	     /* is no program, but asked for (daemon.h) */
	/* NULL: of a daemon; false: no room, which a test would see */
	bool (*make)(struct terms *, const struct terms_in *);
};
/* NULL: native. */
const struct terms_tool *terms_tool(unsigned runner);

bool bubblewrap_terms(struct terms *, const struct terms_in *);
bool nsjail_terms(struct terms *, const struct terms_in *);
bool crun_terms(struct terms *, const struct terms_in *);
bool runc_terms(struct terms *, const struct terms_in *);
bool podman_terms(struct terms *, const struct terms_in *);

/* For them: one more word. */
void terms_word(struct terms *, const char *);
/* The first number with dots in what a tool says of itself; else zeros. */
void terms_version(uint16_t out[RUNNER_PARTS], const char *said);

#endif
