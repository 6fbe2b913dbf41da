/* SPDX-License-Identifier: BSD-2-Clause */
#include "audit/watchdog_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/jsonhex.h"
#include "common/util.h"

static const char *const actions[DOG_ACTIONS] = {"note", "flag", "throttle",
    "freeze", "kill", "propose_revocation"};

const char *
dog_action_name(enum dog_action a)
{
	return (unsigned)a < DOG_ACTIONS ? actions[a] : "?";
}

enum dog_action
dog_action_of(const char *name)
{
	unsigned i = 0;

	while (i < DOG_ACTIONS && strcmp(actions[i], name) != 0)
		i++;
	return (enum dog_action)i;
}

/* ---- what it says ---- */

bool
dog_shallow(const char *s, size_t n, unsigned most)
{
	unsigned depth = 0;
	bool text = false;

	for (size_t i = 0; i < n; i++) {
		if (text && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			text = !text;
		else if (!text && (s[i] == '{' || s[i] == '[') &&
		    ++depth > most)
			return false;
		else if (!text && (s[i] == '}' || s[i] == ']') && depth > 0)
			depth--;
	}
	return true;
}

/* false: there is one, and it is none of at most max bytes. */
static bool
text_of(const json_t *o, const char *name, char *out, size_t max)
{
	const json_t *v = json_object_get(o, name);
	size_t n = v == NULL ? 0 : json_string_length(v);

	out[0] = '\0';
	if (v == NULL)
		return true;
	if (!json_is_string(v) || n > max ||
	    strlen(json_string_value(v)) != n)
		return false;
	memcpy(out, json_string_value(v), n + 1);
	return true;
}

static bool
confidence_of(const json_t *o, unsigned *permille)
{
	const json_t *v = json_object_get(o, "confidence");
	double d;

	if (!json_is_number(v))
		return false;
	d = json_number_value(v);
	if (!(d >= 0. && d <= 1.))
		return false;
	/* down: what is not 0.9 does not become it */
	*permille = (unsigned)(d * 1000. + 1e-6);
	return true;
}

static bool
ttl_of(const json_t *o, struct dog_verdict *v)
{
	const json_t *t = json_object_get(o, "ttl");

	v->has_ttl = t != NULL;
	v->ttl_s = 0;
	if (t == NULL)
		return true;
	if (!json_is_integer(t) || json_integer_value(t) < 0 ||
	    json_integer_value(t) > UINT32_MAX)
		return false;
	v->ttl_s = (uint32_t)json_integer_value(t);
	return true;
}

static bool
refs_of(const json_t *o, struct dog_verdict *v)
{
	const json_t *list = json_object_get(o, "ref");

	v->nrefs = 0;
	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) > DOG_REFS_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);

		if (!json_is_string(e) ||
		    json_string_length(e) > DOG_UID_MAX ||
		    strlen(json_string_value(e)) != json_string_length(e))
			return false;
		memcpy(v->ref[v->nrefs++], json_string_value(e),
		    json_string_length(e) + 1);
	}
	return true;
}

static bool
job_of(const json_t *o, struct dog_verdict *v)
{
	const json_t *j = json_object_get(o, "job");

	v->has_job = j != NULL;
	return j == NULL || (json_is_string(j) &&
	    json_string_length(j) == 2 * sizeof(v->job) &&
	    hex_decode(HASH_BYTES(v->job), json_string_value(j),
		json_string_length(j)));
}

/* NULL: it is a verdict. */
static const char *
verdict_of(const json_t *o, struct dog_verdict *v)
{
	const char *action = json_string_value(json_object_get(o, "action"));

	memset(v, 0, sizeof(*v));
	if (action == NULL ||
	    (v->action = dog_action_of(action)) == DOG_ACTIONS)
		return "an action that is none";
	if (!text_of(o, "id", v->id, DOG_ID_MAX))
		return "an id that is no text of 64 bytes";
	if (!text_of(o, "reason", v->reason, DOG_REASON_MAX))
		return "a reason that is no text of 256 bytes";
	if (!job_of(o, v))
		return "a job that is no 64 hexadecimal digits";
	if (!confidence_of(o, &v->confidence))
		return "a confidence that is no number from 0 to 1";
	if (!ttl_of(o, v))
		return "a ttl that is no number of seconds";
	if (!refs_of(o, v))
		return "a ref that is no list of up to 16 uids of events";
	return NULL;
}

enum dog_says
dog_line_read(struct dog_verdict *v, const char *line, size_t len,
    const char **why)
{
	enum dog_says says = DOG_SAYS_NOTHING;
	const char *t;
	json_t *o;

	*why = "longer than 4096 bytes";
	if (len > DOG_LINE_MAX)
		return DOG_SAYS_NOTHING;
	*why = "nested too deep";
	if (!dog_shallow(line, len, DOG_DEPTH))
		return DOG_SAYS_NOTHING;
	*why = "no JSON object, or a member twice";
	o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	t = json_string_value(json_object_get(o, "t"));
	if (t != NULL && strcmp(t, "alive") == 0)
		says = DOG_SAYS_ALIVE;
	else if (t != NULL && strcmp(t, "verdict") == 0 &&
	    (*why = verdict_of(o, v)) == NULL)
		says = DOG_SAYS_VERDICT;
	else if (t != NULL && strcmp(t, "verdict") != 0)
		*why = "a t that is neither alive nor verdict";
	json_decref(o);
	return says;
}

/* ---- what it hears ---- */

size_t
dog_event_line(char *out, size_t cap, const char *event, size_t len)
{
	int n = snprintf(out, cap, "{\"t\":\"event\",\"e\":%.*s}\n", (int)len,
	    event);

	return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

static size_t
put(char *out, size_t cap, json_t *o)
{
	char *text = o == NULL ? NULL :
	    json_dumps(o, JSON_COMPACT | JSON_ENSURE_ASCII);
	int n = text == NULL ? -1 : snprintf(out, cap, "%s\n", text);

	free(text);
	json_decref(o);
	return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

/* As much of the rest as is 1 KiB when it is made printable. */
static size_t
piece(char safe[4 * DOG_TEXT_MAX + 1], const uint8_t *p, size_t n)
{
	n = MIN_OF(n, (size_t)DOG_TEXT_MAX);
	while (text_printable(safe, 4 * DOG_TEXT_MAX + 1, p, n),
	    strlen(safe) > DOG_TEXT_MAX)
		n /= 2;
	return n;
}

size_t
dog_log_line(char *out, size_t cap, const struct msg_D_LOG *m, size_t *at)
{
	char safe[4 * DOG_TEXT_MAX + 1];
	size_t n = piece(safe, m->text + *at, m->text_len - *at);
	json_t *o = json_pack("{s:s, s:o, s:s, s:I, s:b, s:s}", "t", "log",
	    "job", json_hex(HASH_BYTES(m->job)), "stream",
	    m->stream == 0 ? "stdout" : "stderr", "seq",
	    (json_int_t)MIN_OF(m->seq + *at, (uint64_t)INT64_MAX),
	    "untrusted", 1, "text", safe);

	*at += n;
	return put(out, cap, o);
}

size_t
dog_tick_line(char *out, size_t cap, uint64_t lost, const struct dog_count *c,
    unsigned n)
{
	json_t *jobs = json_array(), *o = json_pack("{s:s}", "t", "tick");

	for (unsigned i = 0; i < n; i++)
		(void)json_array_append_new(jobs, json_pack(
		    "{s:o, s:I, s:I, s:I, s:i}", "job",
		    json_hex(HASH_BYTES(c[i].job)), "forks",
		    (json_int_t)c[i].forks, "execs", (json_int_t)c[i].execs,
		    "cpu_ms", (json_int_t)c[i].cpu_ms, "cpu_milli",
		    (int)c[i].cpu_milli));
	if (lost > 0)
		(void)json_object_set_new(o, "lost", json_integer(
		    (json_int_t)MIN_OF(lost, (uint64_t)INT64_MAX)));
	if (n > 0)
		(void)json_object_set(o, "jobs", jobs);
	json_decref(jobs);
	return put(out, cap, o);
}
