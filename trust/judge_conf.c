/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/judge.h"

#include "common/log.h"

/* What node.yaml says to the judge. */

static int
live_from(enum live_secp live)
{
	switch (live) {
	case LIVE_ALWAYS:
		return LIVE_FROM_ALWAYS;
	case LIVE_NEVER:
		return LIVE_FROM_NEVER;
	case LIVE_ABOVE_2:
		break;
	}
	return 3;
}

/* Who can sign for the boards of node.yaml: pinned roots say it. */
void
judge_boards(struct judge *j)
{
	const struct node_config *c = j->conf;
	struct klp_key *keys = j->board_keys;

	for (size_t i = 0; i < c->nboards; i++, keys += ENV_KEYS_MAX) {
		struct verdict_board *b = &j->board[i];

		*b = (struct verdict_board){.text = c->boards[i].text,
		    .keys = keys};
		b->nkeys = law_role(j->law, c->boards[i].authority,
		    c->boards[i].role, keys, &b->threshold);
	}
	j->v.boards = j->board;
	j->v.nboards = c->nboards;
}

/* Takes the configuration. */
void
judge_conf_use(struct judge *j, struct node_config *c)
{
	law_configure(j->law, c);
	alarms_use(&j->alarms, &c->hub);
	node_config_free(j->conf);
	j->conf = c;
	j->v.s = &j->law->standing;
	judge_boards(j);
	j->v.live_from = live_from(c->require_live_secp);
}

struct node_config *
judge_conf_parse(const char *text, size_t len)
{
	struct mistakes bad = {0};
	struct node_config *c = NULL;
	char line[512];

	if (node_config_parse(&c, text, len, &bad) == 0)
		return c;
	for (unsigned i = 0; i < bad.n; i++) {
		mistake_line(line, sizeof(line), "node.yaml", &bad.v[i]);
		log_errx(NULL, "%s", line);
	}
	return NULL;
}
