/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_KINDS_H
#define WARREN_TRANSPORT_ENGINE_KINDS_H

struct engine;

/*
 * Make the interfaces that the configuration enables, offline: before stored
 * paths are read, since those name them, and before anything listens, so that
 * what is accepted inherits all. nif_start_all() comes next. One that cannot
 * be made is off from now on, with the reason (logged).
 */
void kinds_create_all(struct engine *);

#endif
