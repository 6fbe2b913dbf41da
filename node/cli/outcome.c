/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/outcome.h"

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "trust/doc/contract.h"
#include "common/util.h"
#include "node/cli/format.h"
#include "trust/doc/receipt.h"

static const struct {
	const char *words, *remedy;
} KILLS[] = {
    [KILL_MEMORY] = {"over its memory", "Give it a higher `memory` of "
	"`limits`, or let it use less: its volumes and /tmp count as well."},
    [KILL_TIME] = {"over its time", "Give it a higher `time` of `limits`."},
    [KILL_PIDS] = {"too many processes", "Give it a higher `pids` of "
	"`limits`."},
    [KILL_OUTPUT] = {"too much output", "Give it a higher `output` of "
	"`limits` (`log` for what it prints), or let it write less."},
    [KILL_REVOKED] = {"revoked", "Those whom the operator of the node "
	"believes have revoked it; they alone can say why."},
    [KILL_VIOLATION] = {"a forbidden action", NULL},
    [KILL_CANCELLED] = {"cancelled by its submitter", NULL},
    [KILL_OPERATOR] = {"by the operator of the node", NULL},
    [KILL_WATCHDOG] = {"by a watchdog of the node", NULL},
    [KILL_DEADLINE] = {"its deadline had come", "Give the job a later "
	"`deadline`."},
};

static bool
has(const char *reason)
{
	return reason != NULL && reason[0] != '\0';
}

static void
signal_words(char *out, size_t cap, int32_t code)
{
	const char *name = code > 0 ? sigabbrev_np(code) : NULL;

	(void)snprintf(out, cap, "ended by signal %d%s%s%s", (int)code,
	    name == NULL ? "" : " (SIG", name == NULL ? "" : name,
	    name == NULL ? "" : ")");
}

void
outcome_words(char *out, size_t cap, unsigned outcome, int32_t code,
    const char *reason)
{
	unsigned why = (unsigned)code & 0xff;

	switch (outcome) {
	case JOB_EXITED:
		(void)snprintf(out, cap, "exited with %d", (int)code);
		break;
	case JOB_SIGNALLED:
		signal_words(out, cap, code);
		break;
	case JOB_KILLED:
		if (why == KILL_VIOLATION &&
		    contract_rule_name((unsigned)code >> 8) != NULL) {
			(void)snprintf(out, cap, "killed: against %s of its "
			    "behaviour contract",
			    contract_rule_name((unsigned)code >> 8));
			break;
		}
		(void)snprintf(out, cap, "killed: %s",
		    why < NELEM(KILLS) && KILLS[why].words != NULL ?
			KILLS[why].words : "for a reason not known here");
		break;
	case JOB_LOST:
		(void)snprintf(out, cap, "lost: %s", has(reason) ? reason :
		    "the node did not see its end");
		break;
	case JOB_CANCELLED:
		(void)snprintf(out, cap, "cancelled before it started%s%s",
		    has(reason) ? ": " : "", has(reason) ? reason : "");
		break;
	default:
		(void)snprintf(out, cap, "ended in a way not known here");
	}
}

const char *
outcome_remedy(unsigned outcome, int32_t code)
{
	unsigned why = (unsigned)code & 0xff;

	switch (outcome) {
	case JOB_EXITED:
		return code == 127 ? "127: the command is not in the image." :
		    code == 126 ? "126: the command cannot be executed." : NULL;
	case JOB_KILLED:
		return why < NELEM(KILLS) ? KILLS[why].remedy : NULL;
	case JOB_LOST:
		return "That is the node's trouble, not the job's: submit it "
		       "again, or give it `retries`.";
	default:
		return NULL;
	}
}

const char *
outcome_denied(const struct manifest *m, uint32_t layers)
{
	if (!m->read_only_fs && (layers & LAYER_READONLY) != 0)
		return "the job's root was read-only: the profile of the node "
		       "allows no other";
	return NULL;
}

json_t *
outcome_json_of(unsigned outcome, int32_t code, const char *reason)
{
	const char *kind = outcome_name(outcome);
	const char *why = outcome != JOB_KILLED ? reason :
	    (code & 0xff) == KILL_VIOLATION ?
	    contract_violation((unsigned)code >> 8) :
	    kill_name((unsigned)code & 0xff);

	if (outcome == JOB_EXITED || outcome == JOB_SIGNALLED)
		return json_pack("[s,I]", kind, (json_int_t)code);
	return json_pack("[s?,s?]", kind, has(why) ? why : NULL);
}

const char *
cli_memory(char out[24], uint64_t kb)
{
	if (kb == 0)
		(void)snprintf(out, 24, "not measured");
	else
		(void)cli_bytes(out, kb * 1024);
	return out;
}
