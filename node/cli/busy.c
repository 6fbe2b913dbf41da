/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/busy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/say.h"

#define MINUTE_S 60 /* compute.md 6: what a budget is counted by */
#define FORESEE_S 10 /* ours: less is not worth a line */

static const struct {
	const char *code, *text;
} others[] = {
	{"disk", "the node has no room to store it"},
	{"ledger", "the node cannot write it down"},
	{"trust", "the part of the node that judges keys is slow or away"},
	{"keys", "the part of the node that signs is slow or away"},
	{"load", "the node has too much to do"},
	{"stream", "the node cannot follow another stream on this link"},
};

static bool
is_budget(const struct proto_meta *m)
{
	return m->has_limit && (pstr_is(m->code, "bytes") ||
	    pstr_is(m->code, "requests"));
}

uint64_t
busy_transfer_s(uint64_t bytes, uint64_t limit, uint64_t left)
{
	if (limit == 0 || bytes <= left)
		return 0;
	bytes -= left;
	return bytes > UINT64_MAX / MINUTE_S ? UINT64_MAX / limit :
					       bytes * MINUTE_S / limit + 1;
}

static const char *
seconds(char out[24], uint64_t s)
{
	if (s >= MINUTE_S)
		return cli_duration(out, 1000 *
			(int64_t)MIN_OF(s, (uint64_t)UINT32_MAX));
	(void)snprintf(out, 24, "%u s", (unsigned)s);
	return out;
}

static const char *
whose(const struct proto_meta *m)
{
	if (pstr_is(m->of, "link"))
		return "the budget of this link, which has not identified,";
	if (pstr_is(m->of, "strangers"))
		return "the budget that all strangers share";
	return "your budget";
}

static void
budget_text(char out[BUSY_TEXT], const struct proto_meta *m, uint64_t bytes)
{
	char left[24], limit[24], full[24], all[24];
	bool of_bytes = pstr_is(m->code, "bytes");
	uint64_t s;
	int n;

	if (of_bytes) {
		(void)cli_bytes(left, m->left);
		(void)cli_bytes(limit, m->limit);
	} else {
		(void)snprintf(left, sizeof(left), "%" PRIu64, m->left);
		(void)snprintf(limit, sizeof(limit), "%" PRIu64, m->limit);
	}
	n = snprintf(out, BUSY_TEXT, "%s of %s on this node is used up: %s of "
	    "%s a minute left, full again in %s", whose(m),
	    of_bytes ? "bytes" : "requests", left, limit,
	    seconds(full, m->full_s));
	s = of_bytes ? busy_transfer_s(bytes, m->limit, m->left) : 0;
	if (s > 0 && n > 0 && n < BUSY_TEXT)
		(void)snprintf(out + n, (size_t)(BUSY_TEXT - n),
		    "; what is to be moved still takes about %s",
		    seconds(all, s));
}

void
busy_text(char out[BUSY_TEXT], const struct proto_meta *m, uint64_t bytes)
{
	if (is_budget(m)) {
		budget_text(out, m, bytes);
		return;
	}
	for (size_t i = 0; i < NELEM(others); i++)
		if (pstr_is(m->code, others[i].code)) {
			(void)snprintf(out, BUSY_TEXT, "%s", others[i].text);
			return;
		}
	(void)snprintf(out, BUSY_TEXT, "the node is busy");
}

static json_t *
busy_json(const struct proto_meta *m, uint64_t wait_s, uint64_t bytes)
{
	char code[32], of[32];
	json_t *o;

	pstr_copy(code, sizeof(code), m->code);
	pstr_copy(of, sizeof(of), m->of);
	o = json_pack("{s:s,s:s?,s:I}", "event", "busy", "code",
	    code[0] != '\0' ? code : NULL, "wait_s", (json_int_t)wait_s);
	if (o == NULL || !is_budget(m))
		return o;
	(void)json_object_set_new(o, "of", json_string(of));
	(void)json_object_set_new(o, "limit",
	    json_integer((json_int_t)m->limit));
	(void)json_object_set_new(o, "left", json_integer((json_int_t)m->left));
	(void)json_object_set_new(o, "full_s",
	    json_integer((json_int_t)m->full_s));
	if (pstr_is(m->code, "bytes"))
		(void)json_object_set_new(o, "transfer_s",
		    json_integer((json_int_t)busy_transfer_s(bytes, m->limit,
			m->left)));
	return o;
}

void
busy_say(struct cli *c, struct busy_shown *shown, const struct proto_meta *m,
    uint64_t wait_s, uint64_t bytes)
{
	char text[BUSY_TEXT], what[sizeof(shown->what)], code[32], of[32];

	busy_text(text, m, bytes);
	cli_progress(c, "%s; asking again in %d s", text, (int)wait_s);
	pstr_copy(code, sizeof(code), m->code);
	pstr_copy(of, sizeof(of), m->of);
	(void)snprintf(what, sizeof(what), "busy %s %s", code, of);
	if (strcmp(what, shown->what) == 0)
		return;
	memcpy(shown->what, what, sizeof(what));
	if (c->json)
		cli_json(busy_json(m, wait_s, bytes));
	if (c->json || !c->err_tty)
		cli_note(c, "%s", text);
}

void
busy_foresee(struct cli *c, const char *phase, uint64_t bytes, uint64_t limit,
    uint64_t left, bool kept)
{
	uint64_t s = busy_transfer_s(bytes, limit, left);
	char b[24], per[24], t[24];

	if (s < FORESEE_S)
		return;
	if (c->json)
		cli_json(json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:b}", "event",
		    "budget", "phase", phase, "bytes", (json_int_t)bytes,
		    "limit", (json_int_t)limit, "left", (json_int_t)left,
		    "transfer_s", (json_int_t)s, "kept", kept));
	cli_note(c, "the %s of %s takes about %s: your budget on this node %s "
		    "%s a minute%s",
	    phase, cli_bytes(b, bytes), seconds(t, s), kept ? "was" : "is",
	    cli_bytes(per, limit), kept ? " when it was asked last" : "");
}
