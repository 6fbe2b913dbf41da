/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TESTS_UNIT_NODEKIT_H
#define WARREN_TESTS_UNIT_NODEKIT_H

#include <rns/hash.h>

#include "tests/unit/fakehost.h"
#include "trust/doc/contract.h"

/* What the tests of a whole node share: one world, and talk in it. */
extern struct world w;
extern uint8_t env[16384];
extern uint8_t tar[3000];
extern struct id32 tar_sha; /* the volume of with_volumes() */

int setup(void **state);
int teardown(void **state);
uint32_t unix_now(void);
/* An envelope in env, of one job; its length. */
size_t envelope(uint8_t who, uint8_t nonce, void (*change)(struct manifest *),
    struct id32 *id);
struct proto_ans *submit(uint8_t link, uint8_t who, uint8_t nonce,
    void (*change)(struct manifest *), struct id32 *id);
struct proto_ans *about(uint8_t link, enum proto_path path,
    const struct id32 *id);
struct proto_job_status status(const struct id32 *id);
void state_is(const struct id32 *id, const char *state, const char *reason);
void killed_by(const struct id32 *id, const char *reason);
void refused(const struct proto_ans *a, const char *code, unsigned step);
/* changes of a manifest */
void with_volumes(struct manifest *m);
void review(struct manifest *m);
void with_contract(struct manifest *m);
/* A contract that restricts nothing and kills for everything. */
void plain_contract(struct contract *);
/* A job under w.contract, and the blob that stands for it. */
void submit_bound(uint8_t who, uint8_t nonce, struct id32 *id);

#endif
