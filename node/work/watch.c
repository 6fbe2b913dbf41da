/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/work/watch.h"

#include <signal.h>
#include <stdio.h>

#include "node/work/event.h"
#include "node/work/peers.h"
#include "node/work/state.h"
#include "node/work/throttle.h"

enum contract_action
contract_action(const struct node *n, const struct job *j, unsigned rule)
{
	return contract_does(rule,
	    (enum contract_action)j->contract->action[rule],
	    n->watch_layers != 0);
}

void
contract_told(struct node *n, struct job *j, unsigned rule,
    enum contract_action does, const char *how)
{
	static const char *const did[ACTION_COUNT] = {
	    [ACTION_NOTE] = "noted", [ACTION_DENY] = "denied",
	    [ACTION_THROTTLE] = "throttled", [ACTION_FREEZE] = "frozen",
	    [ACTION_KILL] = "killed"};
	char text[300];

	(void)snprintf(text, sizeof(text), "%s%s%s", did[does],
	    how[0] != '\0' ? ": " : "", how);
	node_event(n, EVK_VIOLATION, does >= ACTION_FREEZE ? 4 : 3, j, NULL,
	    contract_rule_name(rule), text, rule, 0);
	peers_broke(n, j, does == ACTION_KILL ? PENALTY_MAJOR : PENALTY_MINOR);
}

/* Which kind of end it is; 0: it goes on, or is to stand still for *stop. */
static enum kill_reason
broken(struct node *n, struct job *j, unsigned rule, unsigned *stop)
{
	enum contract_action does = contract_action(n, j, rule);

	contract_told(n, j, rule, does, "");
	if (does == ACTION_THROTTLE)
		throttle_cpu(n, j);
	if (does == ACTION_FREEZE)
		*stop = rule;
	if (does != ACTION_KILL)
		return (enum kill_reason)0;
	j->rule = (uint8_t)rule;
	return rule == RULE_MAX_PIDS ? KILL_PIDS : KILL_VIOLATION;
}

enum kill_reason
contract_look(struct node *n, struct job *j, unsigned *stop)
{
	enum kill_reason why = (enum kill_reason)0;
	unsigned rule;

	*stop = RULE_NONE;
	n->host.usage(n->host.ctx, j);
	while ((int)why == 0 && (rule = contract_broken(&j->watch,
		j->contract, n->now, j->cpu_ms,
		(uint32_t)j->limits.v[LIMIT_CPU], j->pids_hit)) != RULE_NONE)
		why = broken(n, j, rule, stop);
	return why;
}

/* What its end itself says; however it ended. */
static void
last_look(struct node *n, struct job *j)
{
	const struct contract *c = j->contract;
	unsigned rule, stop; /* it stands still already, for ever */

	if (j->kill == 0)
		j->kill = (uint8_t)contract_look(n, j, &stop);
	if (j->kill == 0 && j->exit_how == EXIT_SIGNAL &&
	    j->exit_code == SIGSYS && (rule = contract_sigsys(c,
		j->probed)) != RULE_NONE &&
	    contract_tell(&j->watch, rule))
		j->kill = (uint8_t)broken(n, j, rule, &stop);
	/* what the kernel ended is killed(memory), and breaks it all the same */
	if (j->kill == 0 && j->oom && c->memory != 0 &&
	    c->memory <= j->limits.v[LIMIT_MEMORY] &&
	    contract_tell(&j->watch, RULE_MEMORY_MAX))
		contract_told(n, j, RULE_MEMORY_MAX, ACTION_KILL, "");
}

void
contract_over(struct node *n, struct job *j)
{
	const struct contract *c = j->contract;
	char text[96];

	if (c == NULL)
		return;
	last_look(n, j);
	if (c->typical == 0 || j->memory_kb <= c->typical / 1024)
		return;
	(void)snprintf(text, sizeof(text), "memory peak %llu kB, typical %llu",
	    (unsigned long long)j->memory_kb,
	    (unsigned long long)c->typical / 1024);
	node_event(n, EVK_DEVIATION, 1, j, NULL, "memory.typical", text,
	    (int64_t)j->memory_kb, (int64_t)(c->typical / 1024));
}
