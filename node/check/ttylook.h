/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_CHECK_TTYLOOK_H
#define WARREN_NODE_CHECK_TTYLOOK_H

#include <stddef.h>

/*
 * Whether a path leads to a serial port, without opening it: another device
 * may do something when it is opened. 0, or an errno and why, for a person.
 */
int tty_look(const char *path, char *why, size_t cap);
/* The same words for what opening it said. */
void tty_why(const char *path, int error, char *why, size_t cap);

#endif
