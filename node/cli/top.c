/* SPDX-License-Identifier: BSD-2-Clause */
/* warren top: what passes now, a second. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/units.h"
#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/toprates.h"
#include "node/cli/verb.h"

#define WAIT_MS 2000
/* the cursor to the corner, and what was there is gone */
#define CLEAR "\033[H\033[J"

struct top {
	struct cli *c;
	uint64_t wait_ms;
	json_t *look; /* the last one */
	struct mono at;
};

/* "1.2 k", "380": a rate in three digits or so. */
static void
short_number(char out[24], double v)
{
	static const char *const unit[] = {"", " k", " M", " G", " T"};
	size_t i = 0;

	while (v >= 1000 && i + 1 < NELEM(unit)) {
		v /= 1000;
		i++;
	}
	(void)snprintf(out, 24, v > 0 && v < 10 ? "%.1f%s" : "%.0f%s", v,
	    unit[i]);
}

static double
real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void
print_head(const json_t *r)
{
	const json_t *counts = json_object_get(r, "counts");
	const json_t *packets = json_object_get(r, "packets");
	const json_t *jobs = json_object_get(r, "jobs");
	char up[24], n[4][24];

	short_number(n[0], real(packets, "rx_packets"));
	short_number(n[1], real(packets, "tx_packets"));
	short_number(n[2], real(packets, "relayed"));
	short_number(n[3], real(packets, "announces"));
	printf("up        %s\n", cli_duration(up, ask_int(r, "uptime_s") *
	    1000));
	printf("a second  %s packets in, %s out, %s relayed, %s announces\n",
	    n[0], n[1], n[2], n[3]);
	printf("tables    %lld paths, %lld known, %lld links, %lld relayed "
	    "links, %lld announces held\n",
	    (long long)ask_int(counts, "paths"),
	    (long long)ask_int(counts, "known"),
	    (long long)ask_int(counts, "links"),
	    (long long)ask_int(counts, "relayed_links"),
	    (long long)ask_int(counts, "held"));
	if (jobs != NULL)
		printf("jobs      %s, %lld running, %lld queued, %lld held\n",
		    json_is_true(json_object_get(jobs, "accepting")) ?
		    "accepting" : "not accepting",
		    (long long)ask_int(jobs, "running"),
		    (long long)ask_int(jobs, "queued"),
		    (long long)ask_int(jobs, "held"));
	printf("\n");
}

static void
print_rates(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"INTERFACE", COL_CUT},
	    {"STATE", 0}, {"IN BIT/S", COL_RIGHT}, {"OUT BIT/S", COL_RIGHT},
	    {"IN/S", COL_RIGHT}, {"OUT/S", COL_RIGHT}, {"DROPS/S", COL_RIGHT},
	    {"QUEUE", COL_RIGHT | COL_DROP}, {"HELD", COL_RIGHT | COL_DROP}};
	static const char *const keys[] = {"rx_bps", "tx_bps", "rx_pps",
	    "tx_pps", "drops"};
	struct cli_table *t = cli_table_new(c, columns);
	const json_t *n;
	size_t i;

	json_array_foreach((json_t *)list, i, n) {
		bool up = json_is_true(json_object_get(n, "online"));
		char v[NELEM(keys)][24], queue[24], held[24];
		const char *row[] = {ask_shown(n, "name"), up ? "up" : "down",
		    v[0], v[1], v[2], v[3], v[4], queue, held};

		for (size_t k = 0; k < NELEM(keys); k++)
			short_number(v[k], real(n, keys[k]));
		(void)snprintf(queue, sizeof(queue), "%lld",
		    (long long)ask_int(n, "announce_queue"));
		(void)snprintf(held, sizeof(held), "%lld",
		    (long long)ask_int(n, "held"));
		cli_table_row(t, row);
		cli_table_colour(t, 1, up ? COLOUR_GOOD : COLOUR_BAD);
	}
	cli_table_print(t);
}

static void
print_top(const struct cli *c, const json_t *r)
{
	const char *key;
	json_t *v;
	bool any = false;
	char n[24];

	print_head(r);
	print_rates(c, json_object_get(r, "interfaces"));
	json_object_foreach(json_object_get(r, "drops"), key, v) {
		short_number(n, json_number_value(v));
		printf("%s  %6s  %s\n", any ? "" : "\nDropped a second\n", n,
		    key);
		any = true;
	}
	(void)fflush(stdout);
}

/* NULL: said. */
static json_t *
look(struct cli *c, int *rc)
{
	json_t *s = json_object(), *ifs = json_object(), *node = json_object();
	json_t *out = NULL;

	*rc = ask_whole(c, ASK_MESH, "status", s);
	if (*rc == CLI_OK)
		*rc = ask_whole(c, ASK_MESH, "interfaces", ifs);
	if (*rc == CLI_OK && json_is_true(json_object_get(s, "compute")) &&
	    ask_possible(c, ASK_NODE))
		*rc = ask_whole(c, ASK_NODE, "status", node);
	if (*rc == CLI_OK)
		out = json_pack("{s:O, s:O?}", "status", s, "interfaces",
		    json_object_get(ifs, "interfaces"));
	if (out != NULL && json_object_size(node) > 0)
		(void)json_object_set(out, "node", node);
	if (*rc == CLI_OK && out == NULL)
		*rc = CLI_FAILED;
	json_decref(s);
	json_decref(ifs);
	json_decref(node);
	return out;
}

/* One more look, and what passed since the last one; NULL with *rc. */
static json_t *
step(struct top *t, int *rc)
{
	struct timespec ts = {(time_t)(t->wait_ms / 1000),
	    (long)(t->wait_ms % 1000) * 1000000};
	struct mono at;
	json_t *now, *r;

	(void)nanosleep(&ts, NULL);
	if ((now = look(t->c, rc)) == NULL)
		return NULL;
	at = clock_mono();
	r = toprates(t->look, now, (double)mono_sub(at, t->at) / 1e6);
	json_decref(t->look);
	t->look = now;
	t->at = at;
	if (r == NULL)
		*rc = CLI_FAILED;
	return r;
}

static int
top(struct top *t)
{
	bool live = t->c->out_tty && !t->c->json;
	json_t *r;
	int rc;

	t->at = clock_mono();
	if ((t->look = look(t->c, &rc)) == NULL)
		return rc;
	do {
		if ((r = step(t, &rc)) == NULL)
			break;
		if (live)
			printf(CLEAR);
		if (t->c->json)
			cli_json(json_incref(r));
		else
			print_top(t->c, r);
		json_decref(r);
	} while (live && !ferror(stdout));
	json_decref(t->look);
	return rc;
}

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct top *t = ctx;

	if (option != OPT_WAIT || (units_time_ms(value, &t->wait_ms) &&
	    t->wait_ms > 0 && t->wait_ms <= 3600000))
		return true;
	cli_error(c, "--wait: %s is no time from 1ms to 1h (like 500ms, 2s)",
	    value);
	return false;
}

int
verb_top(struct cli *c, int argc, char **argv)
{
	struct top t = {.c = c, .wait_ms = WAIT_MS};
	int rc = cli_options(c, VERB_TOP, argc, argv, set, &t);

	if (rc == CLI_OK)
		rc = top(&t);
	return rc < 0 ? CLI_OK : rc;
}
