/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_SWITCHING_H
#define WARREN_TRANSPORT_ENGINE_SWITCHING_H

#include <stdbool.h>

struct engine;

/*
 * Interfaces that programs take away and bring back while the node runs
 * (reticulum-transport.md 18.6). What is taken away stays so until it is
 * brought back, its section changes, or transport starts anew.
 */
enum switched {
	SWITCHED_DONE,
	SWITCHED_NOT,
	SWITCHED_NONE,  /* there is no such interface, or no good file */
	SWITCHED_LATER, /* when the parent has read config anew */
};

enum switched switching_ask(struct engine *, const char *what,
    const char *name);
/* It has (ok), or refuses the file: what becomes of one that waits for it. */
enum switched switching_read(struct engine *, const char *what,
    const char *name, bool ok);

#endif
