/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_NODE_WORK_MAILTALK_H
#define WARREN_NODE_WORK_MAILTALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rns/mono.h>

struct mail;
struct node;

/*
 * The talk of a node with itself about one letter, as its sender would lead it
 * on a link: what the letter asks, the inputs that it brought, what it asks
 * again; or, of a job that has ended, its result, logs and outputs.
 */
#define MAILTALKS 4 /* ours: at once */
#define MAILTALK_AGE_S 86400 /* ours: then "busy" is not waited for any more */

enum mailtalk {
	MAILTALK_ON,	 /* look again at *next */
	MAILTALK_WAIT,	 /* its job is here, and there is nothing to say */
	MAILTALK_ANSWER, /* e: a letter, of malloc */
	MAILTALK_NONE,	 /* e->what, a literal */
};
struct mailtalk_end {
	uint8_t *letter;
	size_t len;
	bool last; /* nothing follows */
	const char *what;
};

enum mailtalk mailtalk_step(struct node *, struct mail *,
    struct mailtalk_end *, struct mono *next);
/* What it holds, and its link, are given back. */
void mailtalk_end(struct node *, struct mail *);

#endif
