/* SPDX-License-Identifier: BSD-2-Clause */
/* warren interfaces, paths, discovered: tables of the mesh. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"

#include "node/cli/airnote.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/ifnote.h"
#include "node/cli/options.h"
#include "node/cli/radionote.h"
#include "node/cli/reasons.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"

/* ---- interfaces ---- */

/* The name of a caller's connection; of a section that is off, the section. */
static const char *
shown_name(const json_t *n)
{
	const char *name = json_string_value(json_object_get(n, "name"));

	return name != NULL ? name : ask_shown(n, "section");
}

static void
number(char out[24], const json_t *o, const char *key)
{
	out[0] = '\0';
	if (json_object_get(o, key) != NULL)
		(void)snprintf(out, 24, "%lld", (long long)ask_int(o, key));
}

static void
interface_row(struct cli_table *t, const json_t *n)
{
	const char *skipped = json_string_value(json_object_get(n, "skipped"));
	bool up = json_is_true(json_object_get(n, "online"));
	char since[24] = "", rx[24], tx[24], drops[24], queue[24], held[24];
	char clients[24], bitrate[24], ann[24], pr[24];
	const char *row[] = {shown_name(n), ask_shown(n, "type"),
	    skipped != NULL ? skipped : up ? "up" : "down", since, rx, tx,
	    drops, queue, held, clients, ask_text(n, "mode"), bitrate, ann,
	    pr};

	if (json_object_get(n, "since_s") != NULL)
		(void)cli_age(since, ask_int(n, "since_s"));
	(void)cli_bytes(rx, (uint64_t)ask_int(n, "rx_bytes"));
	(void)cli_bytes(tx, (uint64_t)ask_int(n, "tx_bytes"));
	(void)snprintf(drops, sizeof(drops), "%lld",
	    (long long)(ask_int(n, "rx_drops") + ask_int(n, "tx_drops")));
	number(queue, n, "announce_queue");
	number(held, n, "held");
	number(clients, n, "clients");
	number(bitrate, n, "bitrate");
	number(ann, n, "announces_rx");
	number(pr, n, "path_requests_rx");
	cli_table_row(t, row);
	cli_table_colour(t, 2, skipped != NULL ? COLOUR_WAIT :
	    up ? COLOUR_GOOD : COLOUR_BAD);
}

/* One line behind the table, of one interface. */
static void
note(const char *name, const char *text)
{
	char a[512], b[1024];

	text_printable(a, sizeof(a), name, strlen(name));
	text_printable(b, sizeof(b), text, strlen(text));
	printf("%s: %s\n", a, b);
}

static void
note_bursts(const json_t *n)
{
	json_int_t held = ask_int(n, "held");
	char text[200];

	if (ask_int(n, "bursts") > 0 || held > 0) {
		(void)snprintf(text, sizeof(text), "%s, %lld held back",
		    ask_int(n, "bursts") > 0 ? "burst of announces" :
		    "a burst of announces is over", (long long)held);
		note(shown_name(n), text);
	}
	if (ask_int(n, "path_request_bursts") > 0)
		note(shown_name(n), "burst of path requests: unknown "
		    "destinations are not searched for");
}

/* Whom a listener turned away, and why. */
static void
note_callers(const json_t *n)
{
	static const struct {
		const char *key, *text;
	} t[] = {{"refused_flapping", "come and go"},
	    {"refused_share", "over the share of an address"},
	    {"refused_full", "no place"},
	    {"put_out", "put out for others"},
	    {"put_out_useful", "of these were of use"}};
	size_t blocked = json_array_size(json_object_get(n, "blocked"));
	char text[300];
	int len = 0;

	for (size_t i = 0; i < NELEM(t); i++)
		if (ask_int(n, t[i].key) > 0)
			len += snprintf(text + len, sizeof(text) - (size_t)len,
			    "%s%lld %s", len > 0 ? ", " : "turned away: ",
			    (long long)ask_int(n, t[i].key), t[i].text);
	if (blocked > 0)
		len += snprintf(text + len, sizeof(text) - (size_t)len,
		    "%s%zu addresses kept out now", len > 0 ? ", " : "",
		    blocked);
	if (len > 0)
		note(shown_name(n), text);
}

static void
note_drops(const json_t *n)
{
	const struct reason *r;
	const char *key;
	char text[240];
	json_t *v;

	json_object_foreach(json_object_get(n, "drops"), key, v) {
		r = reason_told(key);
		(void)snprintf(text, sizeof(text), "%s%s%lld times: %.150s",
		    r != NULL ? r->name : "", r != NULL ? ", " : "",
		    (long long)json_integer_value(v), key);
		note(shown_name(n), text);
	}
}

static void
notes(const json_t *n)
{
	char text[1000];
	const char *why;

	for (unsigned k = 0; (why = ifnote_error(n, k)) != NULL; k++) {
		(void)snprintf(text, sizeof(text), "%s%.900s",
		    json_is_true(json_object_get(n, "given_up")) ?
		    "given up: " : "", why);
		note(shown_name(n), text);
	}
	note_bursts(n);
	note_callers(n);
	for (unsigned i = 0; airnote(n, i, text, sizeof(text)); i++)
		note(shown_name(n), text);
	if (radionote(n, text, sizeof(text)))
		note(shown_name(n), text);
	if (ifnote_remark(n, text, sizeof(text)))
		note(shown_name(n), text);
	note_drops(n);
}

static void
print_interfaces(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"INTERFACE", COL_CUT},
	    {"TYPE", COL_CUT | COL_DROP}, {"STATE", COL_CUT},
	    {"FOR", COL_RIGHT}, {"RECEIVED", COL_RIGHT}, {"SENT", COL_RIGHT},
	    {"DROPPED", COL_RIGHT}, {"QUEUE", COL_RIGHT | COL_DROP},
	    {"HELD", COL_RIGHT | COL_DROP},
	    {"CLIENTS", COL_RIGHT | COL_DROP | COL_SPARSE},
	    {"MODE", COL_WIDE}, {"BIT/S", COL_RIGHT | COL_WIDE},
	    {"ANNOUNCES", COL_RIGHT | COL_WIDE},
	    {"REQUESTS", COL_RIGHT | COL_WIDE}};
	struct cli_table *t = cli_table_new(c, columns);
	const json_t *n;
	size_t i;

	json_array_foreach((json_t *)list, i, n)
		interface_row(t, n);
	cli_table_print(t);
	json_array_foreach((json_t *)list, i, n)
		notes(n);
}

/* ---- paths ---- */

static void
print_paths(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"DESTINATION", COL_ID},
	    {"HOPS", COL_RIGHT}, {"VIA", COL_ID}, {"INTERFACE", COL_CUT},
	    {"HEARD", COL_RIGHT}, {"EXPIRES", COL_RIGHT | COL_DROP}};
	struct cli_table *t;
	const json_t *o;
	size_t i;

	if (json_array_size(list) == 0) {
		fprintf(stderr, "No path is known: nothing has announced "
		    "itself yet, or all were forgotten.\n");
		return;
	}
	t = cli_table_new(c, columns);
	json_array_foreach((json_t *)list, i, o) {
		bool direct = strcmp(ask_text(o, "via"),
		    ask_text(o, "destination")) == 0;
		char hops[24], age[24], left[24];
		const char *row[] = {ask_shown(o, "destination"), hops,
		    direct ? "direct" : ask_shown(o, "via"),
		    ask_shown(o, "interface"), cli_age(age,
			ask_int(o, "age_s")),
		    cli_age(left, ask_int(o, "expires_s"))};

		number(hops, o, "hops");
		cli_table_row(t, row);
	}
	cli_table_print(t);
}

/* ---- discovered ---- */

static void
discovered_row(struct cli_table *t, const json_t *o)
{
	char where[300], hops[24], heard[24], value[24];
	const char *row[] = {ask_shown(o, "name"), ask_shown(o, "type"),
	    ask_shown(o, "status"), where, hops, value, heard,
	    ask_shown(o, "transport_id"), ask_shown(o, "network_id")};

	where[0] = '\0';
	if (json_object_get(o, "port") != NULL)
		(void)snprintf(where, sizeof(where), "%.250s:%lld",
		    ask_text(o, "reachable_on"),
		    (long long)ask_int(o, "port"));
	else
		(void)snprintf(where, sizeof(where), "%.250s",
		    ask_text(o, "reachable_on"));
	number(hops, o, "hops");
	(void)snprintf(value, sizeof(value), "%.1f",
	    json_number_value(json_object_get(o, "value")));
	(void)cli_age(heard, ask_int(o, "heard_s"));
	cli_table_row(t, row);
	cli_table_colour(t, 2, strcmp(row[2], "available") == 0 ?
	    COLOUR_GOOD : COLOUR_WAIT);
}

static void
print_discovered(const struct cli *c, const json_t *o)
{
	static const struct cli_column columns[] = {{"NAME", COL_CUT},
	    {"TYPE", COL_CUT}, {"STATUS", 0}, {"REACHED AT", COL_CUT},
	    {"HOPS", COL_RIGHT}, {"VALUE", COL_RIGHT | COL_DROP},
	    {"HEARD", COL_RIGHT}, {"TRANSPORT", COL_ID | COL_WIDE},
	    {"NETWORK", COL_ID | COL_WIDE}};
	const json_t *list = json_object_get(o, "discovered"), *one;
	struct cli_table *t;
	const char *key;
	json_t *v;
	size_t i;

	if (!json_is_true(json_object_get(o, "listening")))
		fprintf(stderr, "Nobody listens for them: set "
		    "discover_interfaces = yes in [reticulum] of config.\n");
	else if (json_array_size(list) == 0)
		fprintf(stderr, "No interface has been offered.\n");
	if (json_array_size(list) > 0) {
		t = cli_table_new(c, columns);
		json_array_foreach((json_t *)list, i, one)
			discovered_row(t, one);
		cli_table_print(t);
	}
	json_object_foreach(json_object_get(o, "refused"), key, v)
		printf("refused %lld times: %s\n",
		    (long long)json_integer_value(v), key);
}

/* ---- the verbs ---- */

static int
mesh_table(struct cli *c, enum cli_verb_id id, int argc, char **argv,
    const char *list, void (*print)(const struct cli *, const json_t *))
{
	int rc = cli_options(c, id, argc, argv, NULL, NULL);
	json_t *all = json_object();

	if (rc == CLI_OK)
		rc = ask_whole(c, ASK_MESH, cli_verbs[id].name, all);
	if (rc == CLI_OK && c->json)
		cli_json(json_incref(all));
	else if (rc == CLI_OK)
		print(c, list != NULL ? json_object_get(all, list) : all);
	json_decref(all);
	return rc < 0 ? CLI_OK : rc;
}

int
verb_interfaces(struct cli *c, int argc, char **argv)
{
	return mesh_table(c, VERB_INTERFACES, argc, argv, "interfaces",
	    print_interfaces);
}

int
verb_paths(struct cli *c, int argc, char **argv)
{
	return mesh_table(c, VERB_PATHS, argc, argv, "paths", print_paths);
}

int
verb_discovered(struct cli *c, int argc, char **argv)
{
	return mesh_table(c, VERB_DISCOVERED, argc, argv, NULL,
	    print_discovered);
}
