/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/reload.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"
#include "transport/engine/engine.h"

void
reload_clear(struct engine *e)
{
	for (unsigned i = 0; i < e->reload.n; i++)
		free(e->reload.line[i].text);
	e->reload.n = 0;
}

void
reload_said(struct engine *e, const struct msg_RELOAD_SAID *m)
{
	struct reload *r = &e->reload;

	if (m->seq != r->seq || r->n == RELOAD_LINES)
		return;
	r->line[r->n].text = strdup(m->text);
	r->line[r->n].kind = m->kind;
	r->n += r->line[r->n].text != NULL;
}

void
reload_end(struct engine *e, const struct msg_RELOAD_END *m)
{
	if (m->seq != e->reload.seq)
		return;
	e->reload.last = m->seq;
	e->reload.ok = m->ok;
}

void
reload_ask(struct engine *e)
{
	struct reload *r = &e->reload;
	struct msg_RELOAD m = {0};

	if (r->last != r->seq)
		return;
	reload_clear(e);
	r->seq += r->seq == UINT32_MAX ? 2 : 1; /* never 0 */
	m.seq = r->seq;
	if (program_send_RELOAD(&e->program, &m, NULL, 0) < 0) {
		r->last = r->seq;
		r->ok = false;
	}
}

json_t *
reload_next(struct view *v, bool *end)
{
	*end = true;
	reload_ask(v->e);
	return json_pack("{s:I}", "seq", (json_int_t)v->e->reload.seq);
}

static const char *
kind_name(uint8_t kind)
{
	static const char *const names[] = {[RELOAD_CHANGED] = "changed",
	    [RELOAD_WAITS] = "waits", [RELOAD_NOTE] = "note",
	    [RELOAD_MISTAKE] = "mistake"};

	return kind < NELEM(names) && names[kind] != NULL ? names[kind] : "?";
}

json_t *
reloaded_next(struct view *v, bool *end)
{
	const struct reload *r = &v->e->reload;
	char text[4096];
	unsigned i = v->line++;

	*end = r->last != r->seq || i >= r->n;
	if (*end)
		return json_pack("{s:b,s:b,s:I}", "done", r->last == r->seq,
		    "changed", r->ok, "seq", (json_int_t)r->seq);
	(void)text_printable(text, sizeof(text), r->line[i].text,
	    strlen(r->line[i].text));
	return json_pack("{s:s,s:s}", "kind", kind_name(r->line[i].kind),
	    "text", text);
}
