/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_REACH_H
#define WARREN_TRANSPORT_ENGINE_REACH_H

struct engine;

/*
 * Whether anybody can be reached beyond this machine. A relay without an
 * interface works as it should and is of no use, so it says so.
 */

/*
 * Why not, as a part of a sentence: no interface, or none that is up. NULL:
 * one is up, or not one has failed yet.
 */
const char *reach_nobody(const struct engine *);
/* An interface came up, went down, or could not be opened; once, to the log. */
void reach_changed(struct engine *);

#endif
