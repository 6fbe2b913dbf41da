/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/airconf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define WHOLE 100000u /* 100 % */
#define WINDOW_LEAST 10000u
#define WINDOW_MOST 86400000u

static const char *const keys[] = {"duty_cycle", "window", "announces",
    "jobs"};

/* "0.1%", "10%", "10": three places behind the point at most. */
static bool
per_cent(const char *s, uint32_t *out)
{
	uint32_t v = 0, places = 0;
	bool point = false;
	const char *p;

	for (p = s; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if ((point && ++places > 3) || v > WHOLE)
			return false;
		v = v * 10 + (uint32_t)(*p - '0');
	}
	if (p == s || p[-1] == '.' || s[0] == '.' ||
	    (strcmp(p, "%") != 0 && *p != '\0'))
		return false;
	for (; places < 3; places++)
		v *= 10;
	*out = v;
	return v > 0 && v <= WHOLE;
}

static void
read_share(const struct ynode *map, const char *key, uint32_t *out,
    struct mistakes *m)
{
	const struct ynode *n = ynode_get(map, key);
	char what[40];
	const char *s;

	(void)snprintf(what, sizeof(what), "airtime: %s", key);
	if (n == NULL || !ynode_text(n, what, 1, 16, &s, m))
		return;
	if (!per_cent(s, out))
		mistake_add(m, n->line, n->column, "from 0.001% to 100%, as in "
		    "10%", "%s \"%s\" is no share", what, s);
}

static void
read_one(struct air_conf *c, const struct ynode *map, struct mistakes *m)
{
	uint32_t announces = 25000, jobs = 50000;
	const struct ynode *n;

	if (!ynode_is_map(map, c->name, m))
		return;
	(void)ynode_known(map, keys, NELEM(keys), m);
	read_share(map, "duty_cycle", &c->duty, m);
	read_share(map, "announces", &announces, m);
	read_share(map, "jobs", &jobs, m);
	/* in whole per cent, at least one */
	c->announces = MAX_OF(announces / 1000, 1u);
	c->jobs = MAX_OF(jobs / 1000, 1u);
	if ((n = ynode_get(map, "window")) != NULL)
		(void)ynode_time_ms(n, "airtime: window", WINDOW_LEAST,
		    WINDOW_MOST, &c->window_ms, m);
	if (ynode_get(map, "duty_cycle") == NULL)
		mistake_add(m, map->line, map->column, "duty_cycle: 10%",
		    "airtime of \"%.80s\" has no duty_cycle, of which the "
		    "others are parts", c->name);
}

unsigned
air_read(struct air_conf *v, const struct ynode *map, struct mistakes *m)
{
	unsigned n = 0;

	if (ynode_null(map) || !ynode_is_map(map, "airtime", m))
		return 0;
	for (const struct ynode *c = map->first; c != NULL; c = c->next) {
		if (n == AIR_CONF_MAX) {
			mistake_add(m, c->key_line, c->key_column, NULL,
			    "airtime has more than %d interfaces",
			    AIR_CONF_MAX);
			break;
		}
		v[n] = (struct air_conf){.name = c->key, .line = c->key_line,
		    .column = c->key_column, .window_ms = 3600000};
		read_one(&v[n++], c, m);
	}
	return n;
}
