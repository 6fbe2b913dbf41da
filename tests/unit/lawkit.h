/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_LAWKIT_H
#define WARREN_TESTS_UNIT_LAWKIT_H

#include "common/ipc_msg.h"
#include "tests/unit/lawplace.h"

/*
 * Two judges, of which the second asks the first over the mesh, and what lies
 * between them: it cuts, delays and lies as the test says.
 */
#define NODE "00112233445566778899aabbccddeeff"
#define LIST_URI "klp://test.kos/" KIT_LIST

extern struct place giver, taker;

extern struct msg_M_ASK asked;
extern bool is_asked, no_transport;
extern char order[4096]; /* what was asked for, a space behind each */
extern enum event_kind last_event;
extern struct msg_V_VERIFY verify_asked; /* of the parent; ... */
extern bool verify_is, no_verifier;
extern size_t verify_len; /* ... and how long the signature is */
extern enum mesh_end mesh; /* of all questions */
extern bool slow_way;	   /* questions that may not go there do not */
extern uint32_t piece;	   /* most bytes of one; 0: as it is asked for */
extern unsigned busy;	   /* so many answers are that instead */
extern size_t busy_after;  /* ... from this offset on */
enum lie {
	NO_LIE, LIE_LONGER, LIE_SHORTER, LIE_OTHER, LIE_EMPTY, LIE_NOISE,
	LIE_FLIP, LIE_MORE, LIE_STATUS, LIES
};
extern enum lie lie;
struct proto_meta;
struct pbin;
extern void (*twist_set)(struct proto_meta *, struct pbin *); /* of pages */

void answer(void); /* the question that is out */
void go_on(void);
const char *round_of(void); /* all are asked; what for */

extern struct kit_root lawkit_root; /* setup() makes it the plain one */
extern uint8_t page[1 << 17];
/* A list of n entries in this version, and the head that names it. */
size_t publish_more(uint32_t root_version, uint32_t version, unsigned n,
    uint32_t issued, unsigned signers);
size_t publish(uint32_t version, unsigned n);
/* A delta by which the last of e came; n deltas on a list of one entry. */
extern uint32_t delta_issued; /* setup() makes it KIT_T0 */
size_t delta(uint8_t *out, size_t cap, uint32_t from,
    const struct rev_entry *e, size_t n, unsigned signers);
void publish_deltas(unsigned n);

struct msg_V_AUTHORITY line(struct place *);
void failed(const char *why); /* the node gives nothing, for this reason */

int setup(void **state);
int teardown(void **state);

#endif
