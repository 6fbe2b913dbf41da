/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_PARENT_TTY_H
#define WARREN_NODE_PARENT_TTY_H

#include <stddef.h>

struct rnsconf_if;

/*
 * Opens the serial port of a section, for us alone and with its settings: raw,
 * no flow control, no controlling terminal. The descriptor, or -1, errno and
 * why. May wait for a device that does not answer.
 */
int tty_open(const struct rnsconf_if *, char *why, size_t cap);
/*
 * It is not ours any more: what it has still to send may go for ms, the rest
 * does not, so that closing it does not wait.
 */
void tty_leave(int fd, int ms);

#endif
