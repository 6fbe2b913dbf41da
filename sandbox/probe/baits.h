/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_SANDBOX_PROBE_BAITS_H
#define WARREN_SANDBOX_PROBE_BAITS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The side of who starts warren-probe: what it is to find when a sandbox
 * leaks, a file, sockets, memory, a process, named by the environment of its
 * job; and its list.
 */
#define BAITS_MAX 12
struct baits {
	char text[BAITS_MAX][400];
	const char *env[BAITS_MAX + 1]; /* NULL at the end */
	unsigned n;
	int sockets[3];
	int shm, sem, msg;
};
/*
 * folder: absolute, anybody may enter it, and its owner empties it. layers:
 * those that the sandbox has (common/layers.h). 0 or -1 with errno; lift in
 * both cases.
 */
int baits_lay(struct baits *, const char *folder, uint32_t layers);
void baits_lift(struct baits *);

/* A line of `warren-probe list`. */
struct probe_row {
	char name[48], kind[8];
	char layers[80];   /* that stop it, by name */
	char unproved[80]; /* "-": it succeeds without a sandbox */
};
bool probe_row_parse(struct probe_row *, const char *line);
/* Is that layer one of those that stop it? */
bool probe_row_stops(const struct probe_row *, const char *layer);

#endif
