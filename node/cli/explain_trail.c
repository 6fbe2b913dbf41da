/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/ask.h"
#include "node/cli/explain_trail.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/trail_verify.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/refusal.h"

struct search {
	const struct explain_wanted *want;
	json_t *ring[EXPLAIN_LINES];
	size_t n;
};

static bool
begins(const json_t *klp, const char *name, const char *id)
{
	return strncmp(ask_text(klp, name), id, strlen(id)) == 0;
}

/* The trail has each step of all jobs of a peer: these explain something. */
static bool
is_trouble(const json_t *klp)
{
	static const char *const kinds[] = {"job_refused", "peer_throttled",
	    "peer_blocked", "binding_bad", "challenge_bad", "blob_bad",
	    "volume_dropped", "revoked", "violation", "penalty"};

	for (size_t i = 0; i < NELEM(kinds); i++)
		if (strcmp(ask_text(klp, "kind"), kinds[i]) == 0)
			return true;
	return false;
}

static bool
is_wanted(const struct search *s, const json_t *klp)
{
	for (size_t i = 0; i < EXPLAIN_IDS; i++) {
		const char *id = s->want->id[i];

		if (id != NULL && (begins(klp, "job", id) ||
		    (begins(klp, "peer", id) && is_trouble(klp))))
			return true;
	}
	return false;
}

/* A line is JSON only when one of the ids is in it at all. */
static bool
may_be(const struct search *s, const char *text, size_t len)
{
	for (size_t i = 0; i < EXPLAIN_IDS; i++) {
		const char *id = s->want->id[i];

		if (id != NULL && memmem(text, len, id, strlen(id)) != NULL)
			return true;
	}
	return false;
}

/* A refusal at admission, or what a job that was admitted ended with. */
static void
explain_refused(json_t *o)
{
	const char *message = ask_text(o, "message");
	char words[REFUSAL_TEXT], remedy[REFUSAL_TEXT];
	char safe[4 * REFUSAL_TEXT];
	struct cli_refusal r;

	if (strcmp(ask_text(o, "code"), "refused") == 0 &&
	    strncmp(message, "refused ", 8) == 0) {
		refusal_reason(&r, message + 8);
	} else {
		refusal_trail(&r, ask_text(o, "code"), message,
		    (uint64_t)json_integer_value(json_object_get(o, "limit")),
		    (uint64_t)json_integer_value(json_object_get(o, "value")),
		    json_integer_value(json_object_get(o, "time")));
		r.step = (int)json_integer_value(json_object_get(o, "a"));
		r.s = (uint64_t)json_integer_value(json_object_get(o, "b"));
		r.has_s = r.s > 0;
	}
	refusal_words(words, &r);
	refusal_remedy(remedy, &r, true);
	(void)text_printable(safe, sizeof(safe), words, strlen(words));
	(void)json_object_update_new(o, json_pack("{s:s,s:s,s:s}", "text",
	    safe, "remedy", remedy, "operator", refusal_operator(&r)));
}

static json_t *
event_of(uint64_t seq, const json_t *e, const json_t *klp)
{
	static const char *const names[] = {"kind", "job", "peer", "code", "a",
	    "b", "limit", "value"};
	json_t *o = json_pack("{s:I,s:I,s:s}", "seq", (json_int_t)seq, "time",
	    json_integer_value(json_object_get(e, "time")) / 1000, "message",
	    ask_text(e, "message")), *v;

	for (size_t i = 0; i < NELEM(names); i++)
		if ((v = json_object_get(klp, names[i])) != NULL)
			(void)json_object_set(o, names[i], v);
	if (strcmp(ask_text(o, "kind"), "job_refused") == 0)
		explain_refused(o);
	return o;
}

static void
take(void *arg, const struct trail_line *l, const char *text, size_t len)
{
	struct search *s = arg;
	json_t *e, *klp;

	if (l->is_tomb || !may_be(s, text, len))
		return;
	e = json_loadb(l->body, l->body_len, 0, NULL);
	klp = json_object_get(json_object_get(e, "unmapped"), "klp");
	if (is_wanted(s, klp)) {
		json_t **place = &s->ring[s->n++ % EXPLAIN_LINES];

		json_decref(*place);
		*place = event_of(l->seq, e, klp);
	}
	json_decref(e);
}

json_t *
explain_trail(struct cli *c, const struct explain_wanted *want, char why[256])
{
	_cleanup_fd_ int fd = -1;
	struct search s = {.want = want};
	char dir[CLI_PATH], path[CLI_PATH];
	json_t *list;

	why[0] = '\0';
	if (!cli_config_dir(c, dir) || !cli_path(path, dir, "warren/trail"))
		return NULL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || trail_each(fd, take, &s) != 0) {
		(void)snprintf(why, 256, "%.200s: %s", path, strerror(errno));
		for (size_t i = 0; i < EXPLAIN_LINES; i++)
			json_decref(s.ring[i]);
		return NULL;
	}
	list = json_array();
	for (size_t i = 0; i < MIN_OF(s.n, (size_t)EXPLAIN_LINES); i++)
		(void)json_array_append_new(list,
		    s.ring[(s.n - 1 - i) % EXPLAIN_LINES]);
	return list;
}
