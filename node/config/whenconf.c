/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/whenconf.h"

#include <string.h>

#include "common/util.h"

#define MEMORY_TOP (1ull << 50)

static const char *const keys[] = {"hours", "days", "load_below", "on_mains",
    "memory_free", "running"};
static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat",
    "sun"};
static const char *const runnings[] = {[WHEN_FINISH] = "finish",
    [WHEN_FREEZE] = "freeze", [WHEN_GIVE_BACK] = "give_back"};

/* HH:MM at *s, which goes on behind it; 24:00 only as an end. */
static bool
clock_time(const char **s, uint16_t *minutes, bool end)
{
	unsigned v[2] = {0, 0};
	const char *p = *s;

	for (unsigned i = 0; i < 2; i++) {
		if (i > 0 && *p++ != ':')
			return false;
		for (unsigned k = 0; k < 2; k++, p++) {
			if (*p < '0' || *p > '9')
				return false;
			v[i] = v[i] * 10 + (unsigned)(*p - '0');
		}
	}
	if (v[1] > 59 || v[0] > 24 || (v[0] == 24 && (!end || v[1] != 0)))
		return false;
	*minutes = (uint16_t)(v[0] * 60 + v[1]);
	*s = p;
	return true;
}

static void
read_hours(struct when_conf *w, const struct ynode *n, struct mistakes *m)
{
	struct when_hours h;
	const char *text, *s;

	if (!ynode_text(n, "compute_when.hours", 1, 20, &text, m))
		return;
	s = text;
	if (!clock_time(&s, &h.from, false) || *s++ != '-' ||
	    !clock_time(&s, &h.to, true) || *s != '\0') {
		mistake_add(m, n->line, n->column, "as in \"18:00-08:00\", in "
		    "quotes: local time, over midnight too",
		    "compute_when.hours \"%s\" are no hours", text);
		return;
	}
	h.to %= WHEN_DAY;
	if (w->nhours == WHEN_HOURS_MAX)
		mistake_add(m, n->line, n->column, NULL,
		    "compute_when.hours has more than %d entries",
		    WHEN_HOURS_MAX);
	else
		w->hours[w->nhours++] = h;
}

static void
read_days(struct when_conf *w, const struct ynode *list, struct mistakes *m)
{
	unsigned day;

	if (!ynode_is_list(list, "compute_when.days", m))
		return;
	w->days = 0;
	for (const struct ynode *n = list->first; n != NULL; n = n->next)
		if (ynode_word(n, "a day", days, NELEM(days), &day, m))
			w->days |= (uint8_t)(1u << day);
	if (list->count == 0)
		mistake_add(m, list->line, list->column, "leave the key out for "
		    "every day; accept_computation_requests: false for none",
		    "compute_when.days names no day");
}

void
when_read(struct when_conf *w, const struct ynode *map, struct mistakes *m)
{
	const struct ynode *n;
	unsigned word;

	if (ynode_null(map) || !ynode_is_map(map, "compute_when", m))
		return;
	(void)ynode_known(map, keys, NELEM(keys), m);
	w->set = true;
	w->days = WHEN_ALL_DAYS;
	if ((n = ynode_get(map, "hours")) != NULL && n->kind == YNODE_LIST) {
		for (n = n->first; n != NULL; n = n->next)
			read_hours(w, n, m);
	} else if (n != NULL) {
		read_hours(w, n, m);
	}
	if ((n = ynode_get(map, "days")) != NULL)
		read_days(w, n, m);
	if ((n = ynode_get(map, "load_below")) != NULL)
		(void)ynode_cpu_milli(n, "compute_when.load_below",
		    &w->load_milli, m);
	if ((n = ynode_get(map, "on_mains")) != NULL)
		(void)ynode_bool(n, "compute_when.on_mains", &w->on_mains, m);
	if ((n = ynode_get(map, "memory_free")) != NULL)
		(void)ynode_size(n, "compute_when.memory_free", 1, MEMORY_TOP,
		    &w->memory_free, m);
	if ((n = ynode_get(map, "running")) != NULL &&
	    ynode_word(n, "compute_when.running", runnings, NELEM(runnings),
		&word, m))
		w->running = (enum when_running)word;
}
