/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/config/watchdogconf.h"

#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define URL_MAX 200
#define MODEL_MAX 100
#define SOCKET_MAX 100
#define TTL_MAX_MS (600u * 1000u) /* klp.md 10 */

static const char *const keys[] = {"run", "mode", "required", "corroborate",
    "socket", "user", "allow", "deny", "rules", "model"};
static const char *const runs[] = {"off", "rules", "model", "socket"};
static const char *const modes[] = {"note", "act"};
static const char *const actions[DOG_ACTIONS] = {"note", "flag", "throttle",
    "freeze", "kill", "propose_revocation"};
static const char *const rule_keys[] = {"name", "text", "lines_per_minute",
    "forks_per_minute", "execs_per_minute", "cpu_burst", "alarms_per_minute",
    "times", "action", "confidence", "ttl"};
static const char *const model_keys[] = {"url", "name", "timeout"};

static const char *const counts[WATCHDOG_COUNTS] = {
    [WATCHDOG_TEXT] = "text",
    [WATCHDOG_LINES] = "lines_per_minute",
    [WATCHDOG_FORKS] = "forks_per_minute",
    [WATCHDOG_EXECS] = "execs_per_minute",
    [WATCHDOG_BURST] = "cpu_burst",
    [WATCHDOG_ALARMS] = "alarms_per_minute",
};

const char *
watchdog_counts_name(enum watchdog_counts c)
{
	return (unsigned)c < WATCHDOG_COUNTS ? counts[c] : "?";
}

const char *
watchdog_action_name(enum dog_action a)
{
	return (unsigned)a < DOG_ACTIONS ? actions[a] : "?";
}

void
watchdog_defaults(struct watchdog_conf *w)
{
	*w = (struct watchdog_conf){.corroborate = true, .model = "",
	    .timeout_ms = 20000};
}

const char *
watchdog_url(struct watchdog_url *u, const char *s)
{
	static const struct {
		const char *text;
		bool v6;
	} starts[] = {{"http://127.0.0.1:", false}, {"http://[::1]:", true}};
	char *end;
	unsigned long port;

	for (size_t i = 0; i < NELEM(starts); i++) {
		size_t n = strlen(starts[i].text);

		if (strncmp(s, starts[i].text, n) != 0)
			continue;
		s += n;
		if (*s < '1' || *s > '9')
			return "its port is no number";
		port = strtoul(s, &end, 10);
		if (port > 65535 || *end != '/')
			return "its port is no number with a path behind it";
		for (s = end; *s != '\0'; s++)
			if (*s <= ' ' || *s > '~' || *s == '#')
				return "its path is no path";
		u->v6 = starts[i].v6;
		u->port = (uint16_t)port;
		return NULL;
	}
	return "it is not on this machine";
}

static void
read_globs(const struct ynode *list, const char *what,
    const char *out[WATCHDOG_GLOBS_MAX], size_t *n, struct mistakes *m)
{
	const char *s;

	if (list == NULL || !ynode_is_list(list, what, m))
		return;
	for (const struct ynode *c = list->first; c != NULL; c = c->next) {
		if (!ynode_text(c, what, 1, WATCHDOG_GLOB_MAX, &s, m))
			continue;
		if (*n == WATCHDOG_GLOBS_MAX) {
			mistake_add(m, c->line, c->column, NULL,
			    "%s has more than %d entries", what,
			    WATCHDOG_GLOBS_MAX);
			return;
		}
		out[(*n)++] = s;
	}
}

/* Permille; written as a decimal fraction, as verdicts have it. */
static bool
read_confidence(const struct ynode *n, uint32_t *out, struct mistakes *m)
{
	const char *s;
	char *end;
	double d;

	if (!ynode_text(n, "confidence", 1, 10, &s, m))
		return false;
	d = strtod(s, &end);
	if (*end == '\0' && *s >= '0' && *s <= '1' && d >= 0. && d <= 1.) {
		*out = (uint32_t)(d * 1000. + 1e-6);
		return true;
	}
	mistake_add(m, n->line, n->column, "as in 0.95",
	    "confidence \"%.20s\" is no number from 0 to 1", s);
	return false;
}

/* The one thing that it counts. */
static void
read_counted(struct watchdog_rule *r, const struct ynode *map,
    struct mistakes *m)
{
	unsigned found = 0;
	uint64_t ms;
	int64_t v;

	for (unsigned i = 0; i < WATCHDOG_COUNTS; i++) {
		const struct ynode *n = ynode_get(map, counts[i]);

		if (n == NULL)
			continue;
		found++;
		r->counts = (enum watchdog_counts)i;
		if (i == WATCHDOG_TEXT)
			(void)ynode_text(n, counts[i], 1, WATCHDOG_GLOB_MAX,
			    &r->text, m);
		else if (i == WATCHDOG_BURST &&
		    ynode_time_ms(n, counts[i], 1000, 86400000, &ms, m))
			r->most = (uint32_t)(ms / 1000);
		else if (i != WATCHDOG_BURST &&
		    ynode_int(n, counts[i], 0, 1000000, &v, m))
			r->most = (uint32_t)v;
	}
	if (found != 1)
		mistake_add(m, map->line, map->column, "text, "
		    "lines_per_minute, forks_per_minute, execs_per_minute, "
		    "cpu_burst or alarms_per_minute",
		    "a rule of watchdog counts one thing, and this %s",
		    found == 0 ? "none" : "several");
}

static void
read_rule(struct watchdog_conf *w, const struct ynode *map, struct mistakes *m)
{
	struct watchdog_rule r = {.action = DOG_FLAG, .confidence = 800,
	    .ttl_s = 60};
	const struct ynode *n;
	unsigned word;
	uint64_t ms;
	int64_t v;

	if (!ynode_is_map(map, "a rule of watchdog", m))
		return;
	(void)ynode_known(map, rule_keys, NELEM(rule_keys), m);
	if ((n = ynode_get(map, "name")) == NULL)
		mistake_add(m, map->line, map->column, NULL,
		    "a rule of watchdog has no name");
	else
		(void)ynode_text(n, "name", 1, WATCHDOG_NAME_MAX, &r.name, m);
	read_counted(&r, map, m);
	if ((n = ynode_get(map, "times")) != NULL &&
	    ynode_int(n, "times", 1, 1000000, &v, m)) {
		if (r.counts != WATCHDOG_TEXT)
			mistake_add(m, n->line, n->column, NULL,
			    "times is for rules with text");
		else
			r.most = (uint32_t)v - 1;
	}
	if ((n = ynode_get(map, "action")) != NULL &&
	    ynode_word(n, "action", actions, NELEM(actions), &word, m))
		r.action = (enum dog_action)word;
	if ((n = ynode_get(map, "confidence")) != NULL)
		(void)read_confidence(n, &r.confidence, m);
	if ((n = ynode_get(map, "ttl")) != NULL &&
	    ynode_time_ms(n, "ttl", 1000, TTL_MAX_MS, &ms, m))
		r.ttl_s = (uint32_t)(ms / 1000);
	if (w->nrules == WATCHDOG_RULES_MAX)
		mistake_add(m, map->line, map->column, NULL,
		    "watchdog has more than %d rules", WATCHDOG_RULES_MAX);
	else if (r.name != NULL)
		w->rule[w->nrules++] = r;
}

static void
read_model(struct watchdog_conf *w, const struct ynode *map,
    struct mistakes *m)
{
	struct watchdog_url u;
	const struct ynode *n;
	const char *why;
	uint64_t ms;

	if (!ynode_is_map(map, "watchdog.model", m))
		return;
	(void)ynode_known(map, model_keys, NELEM(model_keys), m);
	if ((n = ynode_get(map, "url")) != NULL &&
	    ynode_text(n, "watchdog.model.url", 1, URL_MAX, &w->url, m) &&
	    (why = watchdog_url(&u, w->url)) != NULL) {
		mistake_add(m, n->line, n->column,
		    "http://127.0.0.1:PORT/v1/chat/completions: what jobs "
		    "print does not leave this machine",
		    "watchdog.model.url \"%.80s\": %s", w->url, why);
		w->url = NULL;
	}
	if ((n = ynode_get(map, "name")) != NULL)
		(void)ynode_text(n, "watchdog.model.name", 0, MODEL_MAX,
		    &w->model, m);
	if ((n = ynode_get(map, "timeout")) != NULL &&
	    ynode_time_ms(n, "watchdog.model.timeout", 1000, 120000, &ms, m))
		w->timeout_ms = (uint32_t)ms;
}

void
watchdog_read(struct watchdog_conf *w, const struct ynode *map,
    struct mistakes *m)
{
	unsigned before = m->n, word;
	const struct ynode *n;

	if (ynode_null(map) || !ynode_is_map(map, "watchdog", m))
		return;
	(void)ynode_known(map, keys, NELEM(keys), m);
	w->run = WATCHDOG_RULES;
	if ((n = ynode_get(map, "run")) != NULL &&
	    ynode_word(n, "watchdog.run", runs, NELEM(runs), &word, m))
		w->run = (enum watchdog_run)word;
	if ((n = ynode_get(map, "mode")) != NULL &&
	    ynode_word(n, "watchdog.mode", modes, NELEM(modes), &word, m))
		w->act = word == 1;
	if ((n = ynode_get(map, "required")) != NULL)
		(void)ynode_bool(n, "watchdog.required", &w->required, m);
	if ((n = ynode_get(map, "corroborate")) != NULL)
		(void)ynode_bool(n, "watchdog.corroborate", &w->corroborate,
		    m);
	if ((n = ynode_get(map, "socket")) != NULL &&
	    ynode_text(n, "watchdog.socket", 2, SOCKET_MAX, &w->socket, m) &&
	    w->socket[0] != '/')
		mistake_add(m, n->line, n->column, "as in "
		    "/run/warren/watchdog.sock", "watchdog.socket \"%.80s\" "
		    "does not begin with /", w->socket);
	if ((n = ynode_get(map, "user")) != NULL)
		(void)ynode_text(n, "watchdog.user", 1, 64, &w->user, m);
	read_globs(ynode_get(map, "allow"), "watchdog.allow", w->allow,
	    &w->nallow, m);
	read_globs(ynode_get(map, "deny"), "watchdog.deny", w->deny,
	    &w->ndeny, m);
	if ((n = ynode_get(map, "rules")) != NULL &&
	    ynode_is_list(n, "watchdog.rules", m))
		for (n = n->first; n != NULL; n = n->next)
			read_rule(w, n, m);
	if ((n = ynode_get(map, "model")) != NULL)
		read_model(w, n, m);
	if (w->run == WATCHDOG_MODEL && w->url == NULL && m->n == before)
		mistake_add(m, map->line, map->column,
		    "model: {url: \"http://127.0.0.1:8080/v1/chat/"
		    "completions\"}", "watchdog.run is model, and "
		    "watchdog.model.url is not set");
}
