/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRANSPORT_ENGINE_OPENER_H
#define WARREN_TRANSPORT_ENGINE_OPENER_H

struct nif;

/*
 * What an interface needs opened, by the parent, and when to ask again. The
 * answer comes to nif_kind.opened.
 */

/*
 * nif_kind.start: DIAL for one that carries packets, BIND for a listener. No
 * answer in its time is one, too: a failure.
 */
void opener_ask(struct nif *);
/* The answer has come; n->seq is for none any more. */
void opener_answered(struct nif *);
/*
 * It failed, or was lost: ask again after a while. One that has had all the
 * tries that its section allows has given up instead, which is logged.
 */
void opener_again(struct nif *);
/*
 * A link, still online, was lost; why was said by opener_why(). Asks again, and
 * later each time when it did not live long.
 */
void opener_lost(struct nif *);
/* Seconds before the next try, without jitter. */
double opener_wait(unsigned tries, unsigned thrown);
/* It is open: the tries that the section allows begin anew. */
void opener_done(struct nif *);
/*
 * The parent could not open it: keep why for status, log it when it is news,
 * and ask again. what: "cannot connect to HOST port N"; errno and text, one of
 * which may be empty.
 */
void opener_failed(struct nif *, const char *what, int error,
    const char *text);
/* It was lost, or failed: why, for status; nothing is logged. */
void opener_why(struct nif *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
