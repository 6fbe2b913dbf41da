/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef WARREN_TRUST_JUDGE_H
#define WARREN_TRUST_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ev.h>

#include "common/program.h"
#include "common/witness.h"
#include "node/config/nodeconf.h"
#include "trust/alarms.h"
#include "trust/law.h"
#include "trust/verdict.h"

/* warren-trust: judge.c, judge_conf.c. */
#define NODE_YAML_MAX (256u << 10)

struct judge {
	struct process prog;
	struct ev_loop *loop;
	struct node_config *conf;
	struct verdicts v;
	struct alarms alarms;
	int dir; /* warren/trust */
	ev_timer save;
	struct mono saved; /* when last; 0: not yet */
	uint8_t *file;	 /* BINDSTORE_BYTES, for saving */
	uint8_t *record; /* MANIFEST_RECORD_MAX */
	struct law *law;
	struct verdict_board board[NODE_BOARDS_MAX];
	struct klp_key *board_keys; /* ENV_KEYS_MAX for each */
	ev_timer look; /* klp/ is looked through again, or something ages */
	ev_idle work;  /* ... or a large graph is read on */
	ev_timer fetch; /* nodes and web servers are asked */
	ev_timer spread; /* something is to be announced */
	bool clock_said;
	uint32_t lowered; /* how often the operator has lowered the floor */
	enum fresh graph_was, list_was;
	struct witness witness;
	int64_t minute; /* event budget */
	unsigned events, suppressed;
};

/* judge_conf.c: who can sign for the boards, by the roots that are pinned. */
void judge_boards(struct judge *);
/* judge_tell.c: lines for status, who is revoked, which images count. */
void judge_tell(struct judge *);
void judge_tell_time(struct judge *);
void judge_conf_use(struct judge *, struct node_config *); /* takes it */
struct node_config *judge_conf_parse(const char *text, size_t len); /* said */

#endif
