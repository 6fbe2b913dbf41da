/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_FOLLOW_H
#define WARREN_NODE_CHECK_FOLLOW_H

#include <stdint.h>

/*
 * A file or folder of DIR as root opens it (THREATS.md 5.5): links are gone
 * along by hand, from component to component, and only as long as the link,
 * each folder on the way and what it leads to are root's and nobody else can
 * write there. So nobody can turn one between the look and the opening.
 *
 * A descriptor, or -1 with errno; ELOOP: with why, "is a link ...". flags of
 * open(2); with O_DIRECTORY the end may belong to a number from base on.
 */
#define FOLLOW_WHY 300
int follow_open(int dir, const char *name, int flags, uint32_t base,
    char why[FOLLOW_WHY]);
/* What to do about it. */
#define FOLLOW_REMEDY "chown -h root: and chmod go-w all that it leads over, " \
	"put the file itself here, or start warrend as the user whose it is"

#endif
