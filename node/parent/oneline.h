/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_ONELINE_H
#define WARREN_NODE_PARENT_ONELINE_H

struct child;
struct msg_SAY;
struct parent;

/*
 * reachable_on and location_cmd may name a program of the operator
 * (reticulum-transport.md 7.8). Transport says for which interface, and may run
 * nothing itself; which program that is stands in our own copy of config. It
 * runs like the command of a PipeInterface, never as root, for ONELINE_S at
 * most, and of what it says ONELINE_MAX bytes are read.
 */
#define ONELINE_S 10.   /* ours */
#define ONELINE_MAX 255 /* ours: the longest name of a host */

void oneline_ask(struct child *transport, const struct msg_SAY *);
/* Transport is gone, or we go: nobody wants to hear them. */
void oneline_clear(struct parent *);

#endif
