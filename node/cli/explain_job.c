/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/ask.h"
#include "node/cli/explain_job.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/outcome.h"
#include "node/cli/refusal.h"
#include "trust/doc/receipt.h"

static json_t *
told(const char *text, const char *rule, const char *remedy,
    const char *operator)
{
	char safe[4 * REFUSAL_TEXT];

	(void)text_printable(safe, sizeof(safe), text, strlen(text));
	return json_pack("{s:s,s:s,s:s,s:s}", "text", safe, "rule", rule,
	    "remedy", remedy == NULL ? "" : remedy, "operator", operator);
}

static json_t *
refused(const char *reason)
{
	char words[REFUSAL_TEXT], remedy[REFUSAL_TEXT];
	struct cli_refusal r;

	refusal_reason(&r, reason);
	refusal_words(words, &r);
	refusal_remedy(remedy, &r, true);
	return told(words, r.code, remedy, refusal_operator(&r));
}

/* The limit that ended it and what it came to, in the ledger's units. */
static void
add_limit(json_t *o, const json_t *job, int32_t code)
{
	static const char *const names[KILL_REASONS] = {
	    [KILL_MEMORY] = "memory", [KILL_TIME] = "time",
	    [KILL_PIDS] = "pids", [KILL_OUTPUT] = "output"};
	const json_t *used = json_object_get(job, "usage");
	unsigned why = (unsigned)code & 0xff;
	const char *name = why < KILL_REASONS ? names[why] : NULL;
	json_int_t value = why == KILL_TIME ? ask_int(used, "wall_ms") :
	    why == KILL_MEMORY ? ask_int(used, "memory_kb") * 1024 : 0;

	if (why == KILL_DEADLINE)
		(void)json_object_set_new(o, "limit",
		    json_integer(ask_int(job, "deadline")));
	if (name == NULL)
		return;
	(void)json_object_set_new(o, "limit", json_integer(ask_int(
	    json_object_get(job, "limits"), name)));
	/* of what a group counts alone the peak is not kept */
	if (value > 0)
		(void)json_object_set_new(o, "value", json_integer(value));
}

static json_t *
ended(const json_t *job, const char *state)
{
	const json_t *out = json_object_get(job, "outcome");
	const char *kind = json_string_value(json_array_get(out, 0));
	const json_t *detail = json_array_get(out, 1);
	unsigned outcome = JOB_OUTCOMES;
	int32_t code = 0;
	char words[512];
	json_t *o;

	if (strcmp(state, "lost") == 0)
		outcome = JOB_LOST;
	else if (strcmp(state, "cancelled") == 0)
		outcome = JOB_CANCELLED;
	else if (kind == NULL || !outcome_parse(&outcome, &code, kind,
	    json_is_string(detail) ? json_string_value(detail) : "",
	    json_integer_value(detail)))
		outcome = JOB_OUTCOMES;
	outcome_words(words, sizeof(words), outcome, code,
	    ask_text(job, "reason"));
	o = told(words, outcome == JOB_KILLED ? kill_name((unsigned)code &
		0xff) : state, outcome_remedy(outcome, code, ask_text(job,
	    "reason")), outcome_operator(outcome, code, ask_text(job,
	    "reason")));
	if (outcome == JOB_KILLED)
		add_limit(o, job, code);
	return o;
}

/* It has a slot: runs, stands still, or is on its way out. */
static json_t *
active(const json_t *w, const char *state)
{
	const char *kill = ask_text(w, "kill");
	char words[256], time[24];

	if (kill[0] != '\0') {
		(void)snprintf(words, sizeof(words), "is being ended: %s",
		    kill);
		return told(words, kill, NULL, "");
	}
	if (json_is_true(json_object_get(w, "suspended")))
		return told("stands still: it, or who sent it, is suspended by "
		    "a revocation list", "suspended", NULL, "`warren trust "
		    "why` with its submitter says who lists it.");
	if (strcmp(ask_text(w, "held"), "evidence") == 0)
		return told("stands still: for evidence", "evidence", NULL,
		    "`warren forensics` lets it go on, `warren cancel` ends "
		    "it.");
	if (ask_text(w, "ruled_by")[0] != '\0') {
		(void)snprintf(words, sizeof(words), "stands still: it has "
		    "broken %.60s, and goes on in %s", ask_text(w, "ruled_by"),
		    cli_duration(time, ask_int(w, "ruled_s") * 1000));
		return told(words, ask_text(w, "ruled_by"), NULL,
		    "`warren cancel` ends it; the lines below say what it did.");
	}
	if (json_is_true(json_object_get(w, "watchdog")))
		return told("stands still: a watchdog has frozen it", "watchdog",
		    "Nothing: it goes on in ten minutes at most.",
		    "The trail has its verdict; `watchdog` of node.yaml.");
	if (json_is_true(json_object_get(w, "frozen")))
		return told("stands still: this machine is not lent now",
		    "when", "Nothing: it goes on by itself.",
		    "`compute_when` of node.yaml.");
	(void)snprintf(words, sizeof(words), "is %s%s", strcmp(ask_text(w,
	    "phase"), "none") == 0 ? state : ask_text(w, "phase"),
	    json_is_true(json_object_get(w, "throttled")) ?
	    ", and slowed down as its contract says" : "");
	return told(words, state, NULL, "");
}

static json_t *
waits(const json_t *w, const char *reason)
{
	const char *words, *submitter, *operator;
	char text[256];

	if (!json_is_true(json_object_get(w, "jail")))
		return told("waits for warren-jail, which does not run", "jail",
		    NULL, "`warren status` tells how it is.");
	if (ask_text(w, "shut")[0] != '\0') {
		(void)snprintf(text, sizeof(text), "waits: %s", ask_text(w,
		    "shut"));
		return told(text, "ledger", "Nothing: it goes on by itself.",
		    "The log says what the ledger could not write; look at the "
		    "disk.");
	}
	if (json_is_true(json_object_get(w, "asleep")) &&
	    strcmp(reason, "slots") == 0)
		reason = "trust";
	if (!outcome_waits(reason, &words, &submitter, &operator)) {
		(void)snprintf(text, sizeof(text), "waits: %s", reason);
		return told(text, reason, NULL, "");
	}
	(void)snprintf(text, sizeof(text), "waits for %s", words);
	return told(text, reason, submitter, operator);
}

/* It has ended, and nobody is told before that is written down. */
static json_t *
unwritten(const json_t *job, const json_t *w, const char *state)
{
	json_t *as = ended(job, state), *o;
	char words[700];

	(void)snprintf(words, sizeof(words), "%s; its end waits for the ledger"
	    "%s%s", ask_text(as, "text"), ask_text(w, "shut")[0] != '\0' ?
	    ": " : "", ask_text(w, "shut"));
	json_decref(as);
	o = told(words, "ledger", "Nothing: it is told when it is written.",
	    "The log says what the ledger could not write; look at the disk.");
	return o;
}

json_t *
explain_job(const json_t *job)
{
	const char *state = ask_text(job, "state");
	const json_t *w = json_object_get(job, "waits");

	if (json_is_true(json_object_get(w, "unwritten")))
		return unwritten(job, w, state);
	if (strcmp(state, "refused") == 0)
		return refused(ask_text(job, "reason"));
	if (strcmp(state, "queued") == 0)
		return waits(w, ask_text(job, "reason"));
	if (strcmp(state, "held") == 0)
		return waits(w, "review");
	if (json_is_object(w))
		return active(w, state);
	return ended(job, state);
}

/* ---- for people ---- */

static const char *
amount(char out[24], const char *rule, json_int_t v)
{
	if (strcmp(rule, "memory") == 0 || strcmp(rule, "output") == 0)
		return cli_bytes(out, (uint64_t)MAX_OF(v, 0));
	if (strcmp(rule, "time") == 0)
		return cli_duration(out, v);
	if (strcmp(rule, "deadline") == 0)
		return cli_time(out, v);
	if (strcmp(rule, "cpu") == 0)
		(void)snprintf(out, 24, "%lld.%03lld", (long long)v / 1000,
		    (long long)v % 1000);
	else
		(void)snprintf(out, 24, "%lld", (long long)v);
	return out;
}

static void
print_share(const json_t *w, const char *name)
{
	const json_t *o = json_object_get(w, name);
	char asked[24], used[24], of[24];

	if (o != NULL && ask_int(o, "of") > 0)
		printf("%-9s asks for %s; %s of %s are taken\n", name,
		    amount(asked, name, ask_int(o, "asked")),
		    amount(used, name, ask_int(o, "used")),
		    amount(of, name, ask_int(o, "of")));
}

static void
print_waits(const json_t *job, const json_t *w)
{
	char text[24];

	if (ask_int(w, "missing_bytes") > 0)
		printf("inputs    %s have not come\n",
		    cli_bytes(text, (uint64_t)ask_int(w, "missing_bytes")));
	if (ask_int(w, "lent_s") > 0)
		printf("lent      in %s at the earliest: %s\n",
		    cli_duration(text, ask_int(w, "lent_s") * 1000),
		    ask_text(w, "lent_why"));
	if (json_object_get(w, "wait_s") != NULL) {
		printf("its turn  in about %s\n",
		    cli_duration(text, ask_int(w, "wait_s") * 1000));
		print_share(w, "slots");
		print_share(w, "memory");
		print_share(w, "cpu");
	}
	if (json_object_get(w, "end_s") != NULL)
		printf("until     %s from now; it is ended then\n",
		    cli_duration(text, ask_int(w, "end_s") * 1000));
	if (!json_is_true(json_object_get(w, "unwritten")))
		printf("deadline  %s\n", cli_time(text, ask_int(job, "deadline")));
	if (json_is_true(json_object_get(w, "aside")))
		printf("ledger    its row cannot be written: see the log\n");
}

/* Jobs by letter: what is owed for one, and what keeps it. */
static void
print_letter(const json_t *l)
{
	const char *state = ask_text(l, "state"), *why = ask_text(l, "why");
	char at[24], t[24];

	printf("letter    of %.16s, %s: ", ask_shown(l, "from"),
	    cli_time(at, ask_int(l, "came")));
	if (strcmp(state, "due") != 0)
		printf("%s\n", strcmp(state, "asks") == 0 ?
			"it is being looked at" : strcmp(state, "waits") == 0 ?
			"answered when the job has ended" :
			"answered, or none is owed");
	else if (json_is_true(json_object_get(l, "under_way")))
		printf("the answer is being handed over%s%s\n",
		    why[0] != '\0' ? "; before: " : "", why);
	else if (ask_int(l, "tries") == 0)
		printf("the answer is to be handed over\n");
	else
		printf("the answer was not handed over, tried %lld times: %s; "
		       "again in %s\n",
		    (long long)ask_int(l, "tries"), why,
		    cli_duration(t, ask_int(l, "again_s") * 1000));
}

void
explain_job_print(const json_t *job, const json_t *x)
{
	const json_t *w = json_object_get(job, "waits");
	const char *rule = ask_text(x, "rule");
	char a[24], b[24], at[24];
	json_t *l;
	size_t i;

	printf("job       %s\nperson    %s, level %+lld\n", ask_text(job, "id"),
	    ask_text(job, "owner"), (long long)ask_int(job, "level"));
	printf("state     %s since %s, attempt %lld\n", ask_text(job, "state"),
	    cli_time(at, ask_int(job, "at")),
	    (long long)ask_int(job, "attempts"));
	printf("why       %s\n", ask_text(x, "text"));
	if (json_object_get(x, "limit") != NULL) {
		printf("limit     %s %s", rule,
		    amount(a, rule, ask_int(x, "limit")));
		if (json_object_get(x, "value") != NULL)
			printf(", and it came to %s",
			    amount(b, rule, ask_int(x, "value")));
		printf("\n");
	}
	if (json_is_object(w))
		print_waits(job, w);
	json_array_foreach(json_object_get(job, "letters"), i, l)
		print_letter(l);
	if (ask_text(x, "remedy")[0] != '\0')
		printf("submitter %s\n", ask_text(x, "remedy"));
	if (ask_text(x, "operator")[0] != '\0')
		printf("operator  %s\n", ask_text(x, "operator"));
}
