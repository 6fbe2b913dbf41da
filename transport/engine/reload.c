/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/reload.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "transport/engine/engine.h"

static void
lines_clear(struct reload_lines *l)
{
	for (unsigned i = 0; i < l->n; i++)
		free(l->line[i].text);
	l->n = 0;
}

void
reload_clear(struct engine *e)
{
	lines_clear(&e->reload.said);
	lines_clear(&e->reload.comes);
}

void
reload_said(struct engine *e, const struct msg_RELOAD_SAID *m)
{
	struct reload *r = &e->reload;
	struct reload_lines *l = &r->comes;

	if (m->seq != r->seq || r->last == r->seq || l->n == RELOAD_LINES)
		return;
	l->line[l->n].text = strdup(m->text);
	l->line[l->n].kind = m->kind;
	l->n += l->line[l->n].text != NULL;
}

static void
answered(struct reload *r, bool ok)
{
	lines_clear(&r->said);
	r->said = r->comes;
	r->comes.n = 0;
	r->last = r->seq;
	r->ok = ok;
}

bool
reload_end(struct engine *e, const struct msg_RELOAD_END *m)
{
	struct reload *r = &e->reload;

	if (m->seq != r->seq || r->last == r->seq)
		return false;
	answered(r, m->ok);
	return true;
}

/* Never 0. */
static uint32_t
behind(uint32_t seq)
{
	return seq + (seq == UINT32_MAX ? 2 : 1);
}

bool
reload_answered(const struct reload *r, uint32_t seq)
{
	return (int32_t)(r->last - seq) >= 0;
}

static bool
send_next(struct engine *e)
{
	struct reload *r = &e->reload;
	struct msg_RELOAD m = {.seq = behind(r->seq)};

	r->seq = m.seq;
	if (program_send_RELOAD(&e->program, &m, NULL, 0) == 0)
		return true;
	answered(r, false);
	return false;
}

uint32_t
reload_ask(struct engine *e)
{
	struct reload *r = &e->reload;

	if (r->last != r->seq) {
		r->again = true;
		return behind(r->seq);
	}
	(void)send_next(e);
	return r->seq;
}

bool
reload_again(struct engine *e)
{
	if (!e->reload.again)
		return true;
	e->reload.again = false;
	return send_next(e);
}

json_t *
reload_next(struct view *v, bool *end)
{
	*end = true;
	return json_pack("{s:I}", "seq", (json_int_t)reload_ask(v->e));
}

static const char *
kind_name(uint8_t kind)
{
	static const char *const names[] = {[RELOAD_CHANGED] = "changed",
	    [RELOAD_WAITS] = "waits", [RELOAD_NOTE] = "note",
	    [RELOAD_MISTAKE] = "mistake"};

	return kind < NELEM(names) && names[kind] != NULL ? names[kind] : "?";
}

/* Another answer may come between two lines of one: then it is not done. */
json_t *
reloaded_next(struct view *v, bool *end)
{
	const struct reload *r = &v->e->reload;
	char text[4096];
	unsigned i = v->line++;
	bool done;

	if (i == 0)
		v->shown = r->last;
	done = reload_answered(r, v->seq != 0 ? v->seq : r->seq) &&
	    v->shown == r->last;
	*end = !done || i >= r->said.n;
	if (*end)
		return json_pack("{s:b,s:b,s:I}", "done", done, "changed",
		    r->ok, "seq", (json_int_t)r->last);
	(void)text_printable(text, sizeof(text), r->said.line[i].text,
	    strlen(r->said.line[i].text));
	return json_pack("{s:s,s:s}", "kind",
	    kind_name(r->said.line[i].kind), "text", text);
}
