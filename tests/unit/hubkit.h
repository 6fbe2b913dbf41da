/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_HUBKIT_H
#define WARREN_TESTS_UNIT_HUBKIT_H

#include <stdbool.h>
#include <stdint.h>

#include "audit/trail.h"
#include "audit/trail_line.h"

/* A hub of the tests, and the folder of the trail that it is sent. */
extern int hub_dir;
int hub_folder(void **state); /* setup and teardown of a test */
int hub_cleanup(void **state);
struct trail *hub_trail(uint64_t segment, uint64_t total);

/* What it makes of it: the chain goes on, and nothing is missing. */
struct hub_side {
	struct trail_walk walk;
	uint64_t events, dropped, twice;
	bool begun;
};

/* Lines; those that it had are counted and passed over. */
void hub_take(struct hub_side *, const char *text, size_t len);
/* As if it had every line: the very root that is signed. */
void hub_whole(const struct hub_side *, struct trail *);

#endif
