/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CONFIG_PROFILE_H
#define WARREN_NODE_CONFIG_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trust/doc/manifest.h" /* enum manifest_limit */
#include "common/ydoc.h"

/*
 * A container profile, profiles/NAME.yaml (ARCHITECTURE.md 9, 12.19).
 * Pure. Texts belong to the struct.
 *
 * limits fill what a manifest does not ask and never raise. image restricts
 * nothing. Volumes are the operator's own folders: `ro` is bound, `rw` is a
 * private copy for each attempt.
 */
#define PROFILE_NAME_MAX 64
#define PROFILE_VOLUMES 16

struct volume_spec {
	char source[256]; /* "./data", relative to the configuration folder */
	char target[256];
	bool rw;
};

/* Must a log vouch for the image (klp.md 8)? */
#define PROFILE_ANCHOR_LOGS 16 /* ours */
enum anchor_policy { ANCHOR_OFF, ANCHOR_RECORD, ANCHOR_REQUIRE };

struct profile {
	const char *image; /* NULL */
	const char *seccomp; /* as written; NULL: "default" */
	bool read_only_fs;
	enum anchor_policy anchor;
	unsigned anchor_logs; /* that must vouch; 1 where nothing is said */
	const char *apparmor; /* NULL: "auto"; "off", or a profile's name */
	int runner; /* common/runner.h; -1: as node.yaml says */
	uint64_t limit[LIMIT_COUNT]; /* 0: not said */
	struct volume_spec volume[PROFILE_VOLUMES];
	unsigned nvolumes;
	struct ydoc *doc;
};

/* 0 and *out, or -1 and mistakes. */
int profile_parse(struct profile **out, const char *text, size_t len,
    struct mistakes *);
void profile_free(struct profile *); /* NULL is fine */
/* The text of profiles/default.yaml where there is none. */
const char *profile_default_text(void);

/*
 * Name of the seccomp profile: last component of the path, without ".json".
 * false: no name of [A-Za-z0-9._-]+, or too long.
 */
bool profile_seccomp_name(char out[PROFILE_NAME_MAX + 1], const char *path);
/* A name of a profile: [A-Za-z0-9_-][A-Za-z0-9._-]*, at most 64 bytes. */
bool profile_name_ok(const char *);

/* runner: NAME, of common/runner.h. */
bool runner_read(const struct ynode *, unsigned *, struct mistakes *);

/* limits: a map of memory, cpu, time, pids, output, log. */
bool limits_read(const struct ynode *map, const char *what,
    uint64_t limit[LIMIT_COUNT], struct mistakes *);

#endif
