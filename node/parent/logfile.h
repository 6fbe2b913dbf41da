/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_LOGFILE_H
#define WARREN_NODE_PARENT_LOGFILE_H

struct parent;

/*
 * -s: what this program and all others log goes to DIR/logfile from now on, as
 * rnsd's does (reticulum-transport.md 11.5). 0, or -1: said.
 */
int logfile_open(struct parent *);
/* Once a minute: past 5 MiB what is in it becomes logfile.1. */
void logfile_watch(struct parent *);

#endif
