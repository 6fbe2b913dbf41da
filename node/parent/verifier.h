/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_VERIFIER_H
#define WARREN_NODE_PARENT_VERIFIER_H

struct child;
struct msg_V_VERIFY;
struct parent;

/*
 * A program of the operator that says whose a signature of an image is (klp.md
 * 9, tier C). Trust says which one of image_policy, and may run nothing itself;
 * its path stands in our own copy of node.yaml. It gets the signature on its
 * standard input and has a file system to read, without DIR, and ten seconds; no
 * network, socket, other process, right or file to write. Of what it
 * prints so much is handed on, unread.
 */
#define VERIFIER_S 10.		/* ours */
#define VERIFIER_MAX 16384	/* ours: bytes of what it says */
#define VERIFIER_MEMORY (UINT64_C(2) << 30) /* of address space */
#define VERIFIER_FILES 64
#define VERIFIER_PROCESSES 64 /* as root */
#define VERIFIER_UID 12 /* + base, as root: ARCHITECTURE.md 12.5 */

/*
 * Takes fd, the signature. Trust waits for one answer alone: one that runs for
 * another question is ended, and nothing is told of it.
 */
void verifier_ask(struct child *trust, const struct msg_V_VERIFY *, int fd);
/* Trust is gone, or we go: nobody wants to hear it. */
void verifier_clear(struct parent *);

#endif
