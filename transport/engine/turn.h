/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_TURN_H
#define WARREN_TRANSPORT_ENGINE_TURN_H

struct engine;

/*
 * The turns of e->loop, from its next one on, and once a second what is due:
 * before the loop sleeps all that the core made of the turn's input goes out,
 * events to the bridge and packets to the sockets. e->rns may come later.
 * Nothing needs to be undone before the loop ends.
 */
void turn_init(struct engine *);

#endif
