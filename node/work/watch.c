/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/watch.h"

#include <signal.h>
#include <stdio.h>

#include "node/work/event.h"
#include "node/work/peers.h"
#include "node/work/state.h"

/* Which kind of end it is; 0: it is only noted. */
static enum kill_reason
broken(struct node *n, struct job *j, unsigned rule)
{
	const struct contract *c = j->contract;
	enum contract_action does = contract_does(rule,
	    (enum contract_action)c->action[rule]);

	node_event(n, EVK_VIOLATION, does == ACTION_KILL ? 4 : 2, j, NULL,
	    contract_rule_name(rule), does == ACTION_KILL ? "killed" : "noted",
	    rule, 0);
	peers_broke(n, j, does == ACTION_KILL ? PENALTY_MAJOR : PENALTY_MINOR);
	if (does != ACTION_KILL)
		return (enum kill_reason)0;
	j->rule = (uint8_t)rule;
	return rule == RULE_MAX_PIDS ? KILL_PIDS : KILL_VIOLATION;
}

enum kill_reason
contract_look(struct node *n, struct job *j)
{
	enum kill_reason why = (enum kill_reason)0;
	unsigned rule;

	n->host.usage(n->host.ctx, j);
	while ((int)why == 0 && (rule = contract_broken(&j->watch,
		j->contract, n->now, j->cpu_ms,
		(uint32_t)j->limits.v[LIMIT_CPU], j->pids_hit)) != RULE_NONE)
		why = broken(n, j, rule);
	return why;
}

void
contract_over(struct node *n, struct job *j)
{
	const struct contract *c = j->contract;
	unsigned rule;
	char text[96];

	if (c == NULL)
		return;
	/* what it did since the last look; however it ended */
	if (j->kill == 0)
		j->kill = (uint8_t)contract_look(n, j);
	if (j->kill == 0 && j->exit_how == EXIT_SIGNAL &&
	    j->exit_code == SIGSYS && (rule = contract_sigsys(c)) != RULE_NONE)
		j->kill = (uint8_t)broken(n, j, rule);
	if (c->typical == 0 || j->memory_kb <= c->typical / 1024)
		return;
	(void)snprintf(text, sizeof(text), "memory peak %llu kB, typical %llu",
	    (unsigned long long)j->memory_kb,
	    (unsigned long long)c->typical / 1024);
	node_event(n, EVK_DEVIATION, 1, j, NULL, "memory.typical", text,
	    (int64_t)j->memory_kb, (int64_t)(c->typical / 1024));
}
