/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/watchdog_hound.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/jsonhex.h"
#include "common/util.h"

#define MINUTE (60 * MONO_SECOND)
#define TICK_MS 10000u
#define BUSY_PERCENT 95
#define NEWLINE "\\x0a" /* as audit escapes it */

/* What is looked for where node.yaml names no rules. */
static const struct hound_rule own[] = {
    {"miner", "stratum+tcp://", HOUND_TEXT, 0, DOG_FLAG, 900, 60},
    {"miner-tls", "stratum+ssl://", HOUND_TEXT, 0, DOG_FLAG, 900, 60},
    {"alarms", "", HOUND_ALARMS, 2, DOG_FREEZE, 900, 60},
    {"forks", "", HOUND_FORKS, 6000, DOG_THROTTLE, 800, 60},
    {"execs", "", HOUND_EXECS, 3000, DOG_THROTTLE, 800, 60},
    {"lines", "", HOUND_LINES, 60000, DOG_FLAG, 800, 60},
};

static const char *const counts[HOUND_COUNTS] = {"text", "lines_per_minute",
    "forks_per_minute", "execs_per_minute", "cpu_burst", "alarms_per_minute"};

/* ---- patterns ---- */

static bool
same(char a, char b)
{
	return a == '?' || tolower((unsigned char)a) ==
	    tolower((unsigned char)b);
}

/* Back to the last star only, so a pattern costs at most n * m steps. */
bool
hound_fits(const char *pattern, const char *text, size_t len, bool whole)
{
	const char *p = pattern, *star = whole ? NULL : pattern;
	size_t i = 0, back = 0;

	while (i < len) {
		if (*p == '*') {
			star = ++p;
			back = i;
		} else if (*p == '\0' && !whole) {
			return true;
		} else if (*p != '\0' && same(*p, text[i])) {
			p++;
			i++;
		} else if (star != NULL) {
			p = star;
			i = ++back;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

/* ---- its rules ---- */

static bool
text_in(const json_t *o, const char *name, char *out, size_t max)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s == NULL || strlen(s) > max)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

static bool
number_in(const json_t *o, const char *name, uint32_t *out)
{
	json_int_t v = json_integer_value(json_object_get(o, name));

	if (!json_is_integer(json_object_get(o, name)) || v < 0 ||
	    v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

static bool
rule_in(struct hound_rule *r, const json_t *o)
{
	const char *what = json_string_value(json_object_get(o, "counts"));
	const char *action = json_string_value(json_object_get(o, "action"));
	unsigned i = 0;

	memset(r, 0, sizeof(*r));
	if (what == NULL || action == NULL ||
	    !text_in(o, "name", r->name, HOUND_NAME) ||
	    !text_in(o, "text", r->text, HOUND_GLOB) ||
	    !number_in(o, "most", &r->most) ||
	    !number_in(o, "confidence", &r->confidence) ||
	    !number_in(o, "ttl", &r->ttl_s))
		return false;
	while (i < HOUND_COUNTS && strcmp(counts[i], what) != 0)
		i++;
	r->counts = (enum hound_counts)i;
	r->action = dog_action_of(action);
	return i < HOUND_COUNTS && r->action != DOG_ACTIONS;
}

bool
hound_init(struct hound *h, const json_t *conf,
    void (*say)(void *ctx, const char *line, size_t len), void *ctx)
{
	const json_t *rules = json_object_get(conf, "rules");
	const json_t *allow = json_object_get(conf, "allow"), *v;
	size_t i;

	_Static_assert(HOUND_RULES <= 64, "a bit for each rule in fired");
	memset(h, 0, sizeof(*h));
	h->say = say;
	h->ctx = ctx;
	if (!json_is_array(rules) || !json_is_array(allow) ||
	    json_array_size(rules) > HOUND_RULES ||
	    json_array_size(allow) > HOUND_GLOBS)
		return false;
	json_array_foreach(rules, i, v)
		if (!rule_in(&h->rule[h->nrules++], v))
			return false;
	json_array_foreach(allow, i, v) {
		const char *s = json_string_value(v);

		if (s == NULL || strlen(s) > HOUND_GLOB)
			return false;
		(void)snprintf(h->allow[h->nallow++], HOUND_GLOB + 1, "%s", s);
	}
	for (i = 0; h->nrules == 0 && i < NELEM(own); i++)
		h->rule[i] = own[i];
	h->nrules = h->nrules == 0 ? NELEM(own) : h->nrules;
	return true;
}

/* ---- jobs ---- */

static struct hound_job *
job_of(struct hound *h, const struct id32 *id, struct mono now)
{
	struct hound_job *old = &h->job[0];

	for (unsigned i = 0; i < HOUND_JOBS; i++) {
		struct hound_job *j = &h->job[i];

		if (j->used && id32_eq(&j->id, id)) {
			j->heard = now;
			return j;
		}
		if (!j->used || (old->used && j->heard.us < old->heard.us))
			old = j;
	}
	*old = (struct hound_job){.used = true, .id = *id, .heard = now,
	    .minute = now};
	return old;
}

bool
hound_job_id(const json_t *line, struct id32 *id)
{
	const char *s = json_string_value(json_object_get(line, "job"));

	return s != NULL && hex_decode(HASH_BYTES(*id), s, strlen(s));
}

static void
minute(struct hound_job *j, struct mono now)
{
	if (mono_sub(now, j->minute) < MINUTE)
		return;
	j->minute = now;
	j->lines = j->alarms = 0;
}

/* ---- verdicts ---- */

void
hound_says(struct hound *h, const struct id32 *id, enum dog_action action,
    uint32_t confidence, uint32_t ttl_s, const char *reason)
{
	json_t *refs = json_array(), *o;
	char name[24], why[DOG_REASON_MAX + 1];
	char *text;

	for (unsigned i = 0; i < HOUND_JOBS; i++) {
		const struct hound_job *j = &h->job[i];

		if (!j->used || !id32_eq(&j->id, id))
			continue;
		for (unsigned k = 0; k < j->nrefs; k++)
			(void)json_array_append_new(refs,
			    json_string(j->ref[k]));
	}
	(void)snprintf(name, sizeof(name), "%llu",
	    (unsigned long long)++h->verdicts);
	(void)text_printable(why, sizeof(why), reason, strlen(reason));
	o = json_pack("{s:s, s:s, s:o, s:o, s:s, s:f, s:I, s:s}", "t",
	    "verdict", "id", name, "ref", refs, "job",
	    json_hex(HASH_BYTES(*id)), "action", dog_action_name(action),
	    "confidence", (double)confidence / 1000., "ttl",
	    (json_int_t)ttl_s, "reason", why);
	text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT |
	    JSON_REAL_PRECISION(4));
	json_decref(o);
	if (text != NULL)
		h->say(h->ctx, text, strlen(text));
	free(text);
}

static void
fire(struct hound *h, struct hound_job *j, unsigned i)
{
	const struct hound_rule *r = &h->rule[i];
	char why[HOUND_NAME + 80];

	if ((j->fired >> i & 1) != 0)
		return;
	j->fired |= UINT64_C(1) << i;
	(void)snprintf(why, sizeof(why), "rule %s: %s", r->name,
	    counts[r->counts]);
	hound_says(h, &j->id, r->action, r->confidence, r->ttl_s, why);
}

static void
counted(struct hound *h, struct hound_job *j, enum hound_counts what,
    uint64_t value)
{
	for (unsigned i = 0; i < h->nrules; i++)
		if (h->rule[i].counts == what && value > h->rule[i].most)
			fire(h, j, i);
}

/* ---- what jobs print ---- */

static bool
allowed(const struct hound *h, const char *line, size_t n)
{
	for (unsigned i = 0; i < h->nallow; i++)
		if (hound_fits(h->allow[i], line, n, true))
			return true;
	return false;
}

/* A line, or what there is of it yet; true: a rule's pattern fits. */
static bool
look(struct hound *h, struct hound_job *j, const char *line, size_t n)
{
	bool any = false;

	if (allowed(h, line, n))
		return false;
	for (unsigned i = 0; i < h->nrules; i++) {
		const struct hound_rule *r = &h->rule[i];

		if (r->counts != HOUND_TEXT || (j->fired >> i & 1) != 0 ||
		    !hound_fits(r->text, line, n, false))
			continue;
		any = true;
		if (++j->hits[i] > r->most)
			fire(h, j, i);
	}
	return any;
}

static void
on_log(struct hound *h, struct hound_job *j, const json_t *o)
{
	const char *text = json_string_value(json_object_get(o, "text"));
	const char *stream = json_string_value(json_object_get(o, "stream"));
	unsigned s = stream != NULL && strcmp(stream, "stderr") == 0;
	char line[HOUND_TAIL + DOG_TEXT_MAX + 1];
	const char *nl;
	size_t n, keep;

	if (text == NULL || strlen(text) > DOG_TEXT_MAX)
		return;
	/* what a job prints in pieces is looked at as one line */
	memcpy(line, j->tail[s], j->ntail[s]);
	n = j->ntail[s] + strlen(text);
	memcpy(line + j->ntail[s], text, strlen(text) + 1);
	text = line;
	while ((nl = strstr(text, NEWLINE)) != NULL) {
		j->lines++;
		(void)look(h, j, text, (size_t)(nl - text));
		n -= (size_t)(nl - text) + strlen(NEWLINE);
		text = nl + strlen(NEWLINE);
	}
	/* one that grows without an end moves on by its older part */
	keep = MIN_OF(n, (size_t)HOUND_TAIL);
	if (n > HOUND_TAIL / 2)
		keep = look(h, j, text, n) ? 0 : MIN_OF(n,
		    (size_t)HOUND_GLOB);
	memcpy(j->tail[s], text + n - keep, keep);
	j->ntail[s] = keep;
	counted(h, j, HOUND_LINES, j->lines);
}

/* A line without an end is looked at when it has stood for a tick. */
static void
tails(struct hound *h, struct hound_job *j)
{
	for (unsigned s = 0; s < 2; s++) {
		if (j->ntail[s] > 0 && look(h, j, j->tail[s], j->ntail[s]))
			j->ntail[s] = 0; /* it is counted once */
	}
}

/* ---- what jobs do ---- */

static void
refer(struct hound_job *j, const char *uid)
{
	if (uid == NULL || strlen(uid) > DOG_UID_MAX)
		return;
	(void)snprintf(j->ref[j->next_ref], DOG_UID_MAX + 1, "%s", uid);
	j->next_ref = (j->next_ref + 1) % HOUND_REFS;
	j->nrefs = MIN_OF(j->nrefs + 1, HOUND_REFS);
}

static void
on_event(struct hound *h, const json_t *e, struct mono now)
{
	const json_t *klp = json_object_get(json_object_get(e, "unmapped"),
	    "klp");
	const char *kind = json_string_value(json_object_get(klp, "kind"));
	struct hound_job *j;
	struct id32 id;

	if (kind == NULL || !hound_job_id(klp, &id))
		return;
	j = job_of(h, &id, now);
	minute(j, now);
	if (strcmp(kind, "job_exited") == 0)
		tails(h, j);
	if (strcmp(kind, "rule") != 0 && strcmp(kind, "violation") != 0 &&
	    strcmp(kind, "deviation") != 0)
		return;
	j->alarms++;
	refer(j, json_string_value(json_object_get(json_object_get(e,
	    "metadata"), "uid")));
	counted(h, j, HOUND_ALARMS, j->alarms);
}

/* The oldest goes; what is in between the first and the last is a minute's. */
static uint64_t
in_minute(uint64_t v[HOUND_TICKS], unsigned n, uint64_t now)
{
	if (n == HOUND_TICKS)
		memmove(v, v + 1, (HOUND_TICKS - 1) * sizeof(*v));
	v[MIN_OF(n, HOUND_TICKS - 1)] = now;
	return now > v[0] ? now - v[0] : 0;
}

static uint64_t
big(const json_t *o, const char *name)
{
	json_int_t v = json_integer_value(json_object_get(o, name));

	return v > 0 ? (uint64_t)v : 0;
}

static void
on_counts(struct hound *h, struct hound_job *j, const json_t *c)
{
	uint64_t cpu = big(c, "cpu_ms"), milli = big(c, "cpu_milli");
	uint64_t forks = in_minute(j->forks, j->nticks, big(c, "forks"));
	uint64_t execs = in_minute(j->execs, j->nticks, big(c, "execs"));

	if (j->nticks > 0 && milli > 0 && cpu > j->cpu_ms &&
	    (cpu - j->cpu_ms) * 100000 >= milli * TICK_MS * BUSY_PERCENT)
		j->busy_s += TICK_MS / 1000;
	else
		j->busy_s = 0;
	j->cpu_ms = cpu;
	j->nticks = MIN_OF(j->nticks + 1, HOUND_TICKS);
	counted(h, j, HOUND_FORKS, forks);
	counted(h, j, HOUND_EXECS, execs);
	counted(h, j, HOUND_BURST, j->busy_s);
}

static void
on_tick(struct hound *h, const json_t *o, struct mono now)
{
	const json_t *c;
	struct id32 id;
	size_t i;

	json_array_foreach(json_object_get(o, "jobs"), i, c)
		if (hound_job_id(c, &id))
			on_counts(h, job_of(h, &id, now), c);
	for (i = 0; i < HOUND_JOBS; i++)
		if (h->job[i].used)
			tails(h, &h->job[i]);
	h->say(h->ctx, "{\"t\":\"alive\"}", 13);
}

void
hound_hears(struct hound *h, const json_t *o, struct mono now)
{
	const char *t = json_string_value(json_object_get(o, "t"));
	struct hound_job *j;
	struct id32 id;

	if (t == NULL)
		return;
	if (strcmp(t, "event") == 0) {
		on_event(h, json_object_get(o, "e"), now);
	} else if (strcmp(t, "tick") == 0) {
		on_tick(h, o, now);
	} else if (strcmp(t, "log") == 0 && hound_job_id(o, &id)) {
		j = job_of(h, &id, now);
		minute(j, now);
		on_log(h, j, o);
	}
}
