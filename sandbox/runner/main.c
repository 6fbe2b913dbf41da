/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/prctl.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/layers.h"
#include "common/log.h"
#include "sandbox/jail/jail.h"
#include "sandbox/runner/enter.h"
#include "sandbox/runner/envoy.h"

/*
 * warren-runner: jail's place in a node whose jobs another program contains.
 * Its words besides jail's (jail.h):
 *
 *   tool:NAME=FD   the program's file; NAME as in `runner` of node.yaml
 *   inner=FD       sealed memfd that holds warren-inner
 *
 * Of docker the first is a memfd with a struct envoy_place.
 */
/*
 * Ours: three a job, and those of jobs before, which the kernel frees behind
 * them. A job makes none: its filters refuse.
 */
#define USER_NAMESPACES 256u

#define START_MS 60000u /* ours: a tool that is stuck is killed */

static struct enter_tool with = {NULL, -1, -1};
static int lines[JAIL_SLOTS_MAX]; /* to who asks a daemon, one a slot */

/* The next slot's own, and no other's. */
static void
next_line(struct jail_kind *k, uint32_t slot)
{
	close_fd(&k->keep[0]);
	k->keep[0] = with.tool = steal_fd(&lines[slot - 1]);
}

/*
 * Who makes the containers is no child of a slot: what a child inherits of one
 * is not there.
 */
static void
call_daemon(struct jail_kind *k, const struct process *p, int jobs)
{
	struct envoy_setup s = {.place = with.tool, .inner = with.inner,
	    .jobs = jobs, .slots = p->slots, .base = p->base};

	if (!p->root)
		fatalx("docker is asked by root only");
	envoy_start(&s, lines);
	close_fd(&with.tool);
	k->slot = next_line;
	k->begins = envoy_begins;
	k->ends = envoy_ends;
	k->over = envoy_over;
	k->afar = true;
	k->apart = LAYER_TIME | LAYER_CORE |
	    (jobs < 0 ? LAYER_DEVICES : 0);
}

static void
take(struct jail_kind *k, struct process *p, int jobs)
{
	char name[64];

	(void)prctl(PR_SET_NAME, "warren-runner", 0, 0, 0);
	with.inner = program_fd(p, "inner");
	for (unsigned i = 0; i < RUNNER_COUNT && with.tool < 0; i++) {
		(void)snprintf(name, sizeof(name), "tool:%s", runner_name(i));
		if (terms_tool(i) == NULL)
			continue;
		with.tool = program_fd(p, name);
		with.terms = terms_tool(i);
	}
	if (with.tool < 0 || with.inner < 0)
		fatalx("tool and inner are needed");
	if (with.terms->daemon)
		call_daemon(k, p, jobs);
	k->keep[0] = with.tool;
	k->keep[1] = with.inner;
	k->number = with.terms->number;
	k->pids = with.terms->pids;
	k->memory = with.terms->memory;
	k->start_ms = START_MS;
	/* as long as a job's: a tool that is slow here is none that is stuck */
	k->trial_ms = START_MS;
	enter_with(&with);
}

int
main(int argc, char *argv[])
{
	static struct jail_kind kind = {.take = take, .job = enter_job,
	    .trial = enter_trial, .keep = {-1, -1}, .tools = true,
	    .userns = USER_NAMESPACES, .trial_ms = KIND_TRIAL_MS};

	return jail_main(&kind, argc, argv);
}
