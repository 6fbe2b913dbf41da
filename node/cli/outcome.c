/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/outcome.h"

#include <stdio.h>
#include <string.h>

#include "common/layers.h"
#include "trust/doc/contract.h"
#include "common/util.h"
#include "node/cli/format.h"
#include "trust/doc/receipt.h"
#include "common/libc.h"

static const struct {
	const char *words, *remedy;
} KILLS[] = {
    [KILL_MEMORY] = {"over its memory", "Give it a higher `memory` of "
	"`limits`, or let it use less: its volumes and /tmp count as well."},
    [KILL_TIME] = {"over its time", "Give it a higher `time` of `limits`; a "
	"module that says it is out of fuel, more `fuel`."},
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

/* What a job waits for, by the reason of its state (compute.md 3.4). */
static const struct {
	const char *reason, *words, *submitter, *operator;
} WAITS[] = {
    {"inputs", "inputs that have not come",
	"Leave `warren submit` running, or run it again: it goes on sending.",
	"Nothing: its submitter sends them; it is cancelled after 36 hours "
	"without a byte."},
    {"slots", "its turn", "Nothing: it starts by itself.", "Raise "
	"`jobs_running` of `limits` in node.yaml, or end another job."},
    {"resources", "memory, cpu or disk that others have", "Lower `memory` or "
	"`cpu` of `limits` in the job.", "Raise `memory` or `cpu` of `limits` "
	"in node.yaml, or make room on the disk."},
    {"trust", "a fresh word of the node's judge of keys", "Nothing: it is "
	"asked again each second.", "`warren status` tells how warren-trust "
	"is."},
    {"binding", "a binding of its submitter's key, which is asked for and "
	"does not hold for the moment", "Talk to the node again, by any verb: "
	"that brings the binding; after an hour without one the job is refused.",
	"Nothing; `warren status` tells whether the clock is right."},
    {"clock", "the clock of the node, which may be years ahead",
	"Nothing: it keeps the time that it had left.", "Set the clock; where "
	"it is right: `warren trust clock --lower`."},
    {"image", "its image to be unpacked", "Nothing: it starts by itself.",
	"Nothing."},
    {"when", "the hours in which this machine is lent", "Take another node, "
	"or wait.", "`compute_when` of node.yaml."},
    {"review", "a reviewer", "Tell a reviewer of that node its id.",
	"`warren approve` or `warren reject` it."},
};

bool
outcome_waits(const char *reason, const char **words, const char **submitter,
    const char **operator)
{
	for (size_t i = 0; i < NELEM(WAITS); i++)
		if (strcmp(WAITS[i].reason, reason) == 0) {
			*words = WAITS[i].words;
			*submitter = WAITS[i].submitter;
			*operator = WAITS[i].operator;
			return true;
		}
	return false;
}

/* Why a job was cancelled before it started (compute.md 5). */
static const struct {
	const char *reason, *submitter, *operator;
} CANCELS[] = {
    {"deadline", "Give the job a later `deadline`; what it waited for until "
	"then is in the trail of the node.", "Nothing: its submitter had set "
	"that time."},
    {"inputs", "Its inputs did not come for 36 hours: submit it again and "
	"leave `warren submit` running until it has sent them.",
	"Nothing: its submitter sends them."},
    {"review", "A reviewer has rejected it, or nobody has approved it for "
	"24 hours: ask one before you submit it again.",
	"`warren approve` its next submission in time."},
    {"operator", "Its operator has ended it, and alone can say why.", ""},
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

/* Of the rules that watch all jobs; NULL: none of them. */
static const char *
watch_rule(unsigned rule)
{
	const char *text = rule >= RULE_WATCH ? contract_violation(rule) :
	    NULL;
	const char *colon = text != NULL ? strchr(text, ':') : NULL;

	return colon != NULL ? colon + 1 : NULL;
}

void
outcome_words(char *out, size_t cap, unsigned outcome, int32_t code,
    const char *reason)
{
	unsigned why = (unsigned)code & 0xff;
	const char *watch;

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
		if (why == KILL_VIOLATION &&
		    (watch = watch_rule((unsigned)code >> 8)) != NULL) {
			(void)snprintf(out, cap, "killed: against rule %s of "
			    "the node", watch);
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

static const char *
cancelled_remedy(const char *reason, bool operator)
{
	for (size_t i = 0; has(reason) && i < NELEM(CANCELS); i++)
		if (strcmp(CANCELS[i].reason, reason) == 0)
			return operator ? CANCELS[i].operator :
			    CANCELS[i].submitter;
	return operator ? "" : NULL;
}

const char *
outcome_remedy(unsigned outcome, int32_t code, const char *reason)
{
	unsigned why = (unsigned)code & 0xff;

	switch (outcome) {
	case JOB_EXITED:
		return code == 127 ? "127: the command is not in the image." :
		    code == 126 ? "126: the command cannot be executed, "
		    "or its contract does not let it be: what that lists for "
		    "`read` and `exec` must have its program and loader." : NULL;
	case JOB_KILLED:
		return why < NELEM(KILLS) ? KILLS[why].remedy : NULL;
	case JOB_LOST:
		return "That is the node's trouble, not the job's: submit it "
		       "again, or give it `retries`.";
	case JOB_CANCELLED:
		return cancelled_remedy(reason, false);
	default:
		return NULL;
	}
}

const char *
outcome_operator(unsigned outcome, int32_t code, const char *reason)
{
	if (outcome == JOB_CANCELLED)
		return cancelled_remedy(reason, true);
	if (outcome == JOB_LOST)
		return "`warren audit tail` and the log say what fell.";
	if (outcome != JOB_KILLED)
		return "";
	switch (code & 0xff) {
	case KILL_MEMORY:
	case KILL_TIME:
	case KILL_PIDS:
	case KILL_OUTPUT:
		return "`levels` and the profile of node.yaml say what a job "
		       "may ask for.";
	case KILL_REVOKED:
		return "`warren trust why` with its submitter says who lists "
		       "it.";
	case KILL_WATCHDOG:
		return "The trail has its verdict: `warren explain` with the "
		       "job, warren-watchdog(8) says what it may.";
	default:
		return "";
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

bool
outcome_parse(unsigned *outcome, int32_t *code, const char *kind,
    const char *detail, int64_t number)
{
	*outcome = strcmp(kind, "exited") == 0 ? JOB_EXITED :
	    strcmp(kind, "signalled") == 0 ? JOB_SIGNALLED : JOB_KILLED;
	*code = (int32_t)number;
	if (*outcome != JOB_KILLED)
		return true;
	for (unsigned i = 1; i < KILL_REASONS; i++)
		if (strcmp(kill_name(i), detail) == 0)
			*code = (int32_t)i;
	for (unsigned i = 1; i <= RULE_WATCH_LAST; i++)
		if (contract_violation(i) != NULL &&
		    strchr(contract_violation(i), ':') != NULL &&
		    strcmp(contract_violation(i), detail) == 0)
			*code = (int32_t)(KILL_VIOLATION + 256 * i);
	return *code != 0 && strcmp(kind, "killed") == 0;
}
