/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_INTACT_H
#define WARREN_NODE_PARENT_INTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <rns/hash.h>

#include "common/ipc_msg.h"

struct child;
struct parent;

/*
 * What is in use, as audit may compare it with what lies on the disk: programs
 * as they were at the start, also those that do not run all the time, profiles
 * and rules as they were read last, public keys. Audit gets descriptors of
 * files to read and their digests, and no folder; of a private key it gets
 * nothing.
 */
#define INTACT_PROGRAMS (PROGRAM_COUNT + 12)
#define INTACT_KEPT 48
#define INTACT_NAME 200

struct intact {
	struct {
		char path[4096 + 32];
		struct id32 sum;
		dev_t dev;
		ino_t ino;
		mode_t mode;
		uid_t uid;
		gid_t gid;
	} program[INTACT_PROGRAMS];
	unsigned nprograms;
	bool open; /* it was said that others may write to one */
	struct {
		char name[INTACT_NAME]; /* beneath the configuration folder */
		struct id32 sum;
	} kept[INTACT_KEPT];
	unsigned nkept;
};

/* At the start, when its programs run. */
void intact_programs(struct parent *);
/* Public keys of authorities, when the files were read (again). */
void intact_authorities(struct parent *);
/* This is what that file has now: we wrote or read it. */
void intact_keep(struct parent *, const char *name, const void *, size_t);
/* Audit asks for it. */
void intact_tell(struct child *, const struct msg_I_WANT *);

#endif
