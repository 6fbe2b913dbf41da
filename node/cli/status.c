/* SPDX-License-Identifier: BSD-2-Clause */
/* warren status; warren peers */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/hub.h"
#include "node/cli/ifnote.h"
#include "node/cli/options.h"
#include "node/cli/policyline.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "node/cli/warmth.h"

static void
print_programs(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"PROGRAM", 0},
	    {"STATE", 0}, {"RESTARTS", COL_RIGHT}, {"PID", COL_RIGHT}};
	struct cli_table *t = cli_table_new(c, columns);
	const json_t *p;
	size_t i;

	json_array_foreach((json_t *)list, i, p) {
		bool up = json_is_true(json_object_get(p, "running"));
		char restarts[24], pid[24];
		const char *row[] = {ask_shown(p, "name"),
		    up ? "running" : "down", restarts, pid};

		(void)snprintf(restarts, sizeof(restarts), "%lld",
		    (long long)ask_int(p, "restarts"));
		(void)snprintf(pid, sizeof(pid), "%lld",
		    (long long)ask_int(p, "pid"));
		cli_table_row(t, row);
		cli_table_colour(t, 1, up ? COLOUR_GOOD : COLOUR_BAD);
	}
	cli_table_print(t);
}

static void
print_interfaces(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"INTERFACE", COL_CUT},
	    {"STATE", COL_CUT}, {"RECEIVED", COL_RIGHT}, {"SENT", COL_RIGHT},
	    {"DROPPED", COL_RIGHT}};
	struct cli_table *t = cli_table_new(c, columns);
	const json_t *n;
	size_t i;

	json_array_foreach((json_t *)list, i, n) {
		char rx[24], tx[24], drops[24];
		const char *name = json_string_value(
		    json_object_get(n, "name"));
		const char *skipped = json_string_value(
		    json_object_get(n, "skipped"));
		bool up = json_is_true(json_object_get(n, "online"));
		const char *row[] = {name != NULL ? name :
						    ask_shown(n, "section"),
		    skipped != NULL ? skipped : up ? "up" : "down",
		    cli_bytes(rx, (uint64_t)ask_int(n, "rx_bytes")),
		    cli_bytes(tx, (uint64_t)ask_int(n, "tx_bytes")), drops};

		(void)snprintf(drops, sizeof(drops), "%lld",
		    (long long)(ask_int(n, "rx_drops") +
			ask_int(n, "tx_drops")));
		cli_table_row(t, row);
		cli_table_colour(t, 1, skipped != NULL ? COLOUR_WAIT :
				up ? COLOUR_GOOD : COLOUR_BAD);
	}
	cli_table_print(t);
}

static void
interface_note(const json_t *n, const char *text)
{
	char shown[1600];

	text_printable(shown, sizeof(shown), text, strlen(text));
	printf("%s: %s\n", ask_shown(n, "section"), shown);
}

/* Why those that are down are, and what devices complain of, in words. */
static void
print_errors(const json_t *list)
{
	const char *why;
	const json_t *n;
	char text[1200];
	size_t i;

	json_array_foreach((json_t *)list, i, n) {
		for (unsigned k = 0; (why = ifnote_error(n, k)) != NULL; k++) {
			(void)snprintf(text, sizeof(text), "%s%.1100s",
			    json_is_true(json_object_get(n, "given_up")) ?
			    "given up: " : "", why);
			interface_note(n, text);
		}
		if (ifnote_remark(n, text, sizeof(text)))
			interface_note(n, text);
	}
}

static void
print_counts(const json_t *o, const char *title)
{
	const char *key;
	json_t *v;
	bool any = false;

	json_object_foreach((json_t *)o, key, v) {
		if (json_integer_value(v) == 0)
			continue;
		if (!any)
			printf("\n%s\n", title);
		any = true;
		printf("  %-40s %lld\n", key,
		    (long long)json_integer_value(v));
	}
}

static void
print_lxmf(const json_t *o)
{
	json_t *node;
	size_t i;

	if (o == NULL)
		return;
	printf("lxmf      %s", ask_shown(o, "address"));
	json_array_foreach(json_object_get(o, "nodes"), i, node)
		printf("%s%s", i == 0 ? ", propagation node " : ", ",
		    json_string_value(node));
	if (i > 0)
		printf(" %s",
		    json_object_get(o, "look") == NULL ? "not looked at yet" :
		    ask_shown(o, "look"));
	printf(", %lld to go out\n", (long long)ask_int(o, "waiting"));
}

/* Jobs by letter: what is open, and what became of the others. */
static void
print_letters(const json_t *o)
{
	const char *key;
	json_t *v;

	if (o == NULL)
		return;
	printf("letters   %lld open", (long long)ask_int(o, "open"));
	json_object_foreach(json_object_get(o, "became"), key, v)
		printf(", %lld %s", (long long)json_integer_value(v), key);
	printf("\n");
}

/* Where it was found current last, and who gives nothing. */
static void
print_source(const json_t *o)
{
	json_int_t at = ask_int(o, "checked");
	char ago[24];

	if (at > 0) {
		(void)cli_duration(ago,
		    MAX_OF((json_int_t)time(NULL) - at, 0) * 1000);
		printf("          looked at %s ago in %s\n", ago,
		    ask_shown(o, "from"));
	}
	if (ask_shown(o, "failed")[0] != '\0')
		printf("          NOT from %s\n", ask_shown(o, "failed"));
}

/* What audit has seen of the files here. */
static void
print_disk(const json_t *o)
{
	const json_t *list = json_object_get(o, "found"), *f;
	char ago[24];
	size_t i;

	json_array_foreach((json_t *)list, i, f)
		printf("CHANGED   %s %s: %s\n", ask_shown(f, "kind"),
		    ask_shown(f, "name"), ask_shown(f, "why"));
	if (ask_int(o, "passes") == 0 || json_array_size(list) > 0)
		return;
	printf("files     as they were, looked at %s ago\n", cli_duration(ago,
	    ((json_int_t)time(NULL) - ask_int(o, "at")) * 1000));
}

/* A document a line, and what is wrong with it. */
static void
print_law(const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach((json_t *)list, i, o) {
		const char *path = ask_shown(o, "document");
		const char *held = ask_shown(o, "held");
		char left[24] = "";
		json_int_t s = ask_int(o, "expires") - (json_int_t)time(NULL);

		if (ask_int(o, "expires") > 0)
			(void)cli_duration(left, (s < 0 ? -s : s) * 1000);
		printf("%s%s%s%s", i == 0 ? "trust     " : "          ",
		    ask_shown(o, "authority"), path[0] == '\0' ? "" : "/",
		    path);
		if (ask_int(o, "version") > 0)
			printf(" version %lld, %lld entries,",
			    (long long)ask_int(o, "version"),
			    (long long)ask_int(o, "entries"));
		printf(" %s%s%s%s\n", ask_shown(o, "age"),
		    left[0] == '\0' ? "" : s < 0 ? " since " : " for ", left,
		    left[0] != '\0' && s < 0 ?
			": put a new one into klp/documents/" : "");
		print_source(o);
		if (held[0] != '\0')
			printf("          HELD: a newer list %.*s; see "
			       "warren-trust(8)\n",
			    (int)strcspn(held, ":"), held);
	}
}

static void
print_step(const json_t *step)
{
	char from[24], to[24];

	if (step != NULL)
		printf("clock     stepped from %s to %s, %lld s ago\n",
		    cli_time(from, ask_int(step, "from")),
		    cli_time(to, ask_int(step, "to")),
		    (long long)ask_int(step, "ago"));
}

static void
print_node(const json_t *node)
{
	const char *missing = ask_shown(node, "missing");
	const char *watched = ask_shown(node, "watched");
	const char *why = ask_shown(node, "why");
	char spool[24], space[24];

	printf("jobs      %s, %lld running, %lld queued, %lld held\n",
	    json_is_true(json_object_get(node, "accepting")) ?
		"accepting" :
		"not accepting",
	    (long long)ask_int(node, "running"),
	    (long long)ask_int(node, "queued"),
	    (long long)ask_int(node, "held"));
	if (why[0] != '\0' && strcmp(why, "-") != 0)
		printf("why not   %s\n", why);
	printf("layers    %s\n", ask_shown(node, "layers"));
	printf("runner    %s\n", ask_shown(node, "runner"));
	if (missing[0] != '\0' && strcmp(missing, "-") != 0)
		printf("missing   %s\n", missing);
	if (watched[0] != '\0' && strcmp(watched, "-") != 0)
		printf("watched   %s\n", watched);
	if (ask_int(node, "ledger_aside") > 0)
		printf("ledger    %lld jobs cannot be written down: see the log\n",
		    (long long)ask_int(node, "ledger_aside"));
	if (ask_int(node, "clock_behind") > 0)
		printf("clock     untrusted, %lld s behind the least time: "
		    "`warren trust clock`\n",
		    (long long)ask_int(node, "clock_behind"));
	print_step(json_object_get(node, "clock_stepped"));
	print_law(json_object_get(node, "authorities"));
	policyline_print(json_object_get(node, "image_policy"));
	print_letters(json_object_get(node, "letters"));
	warmth_print(json_object_get(node, "warm"));
	hub_print(json_object_get(node, "hub"));
	print_disk(json_object_get(node, "integrity"));
	printf("spool     %s, %s free on the disk\n",
	    cli_bytes(spool, (uint64_t)ask_int(node, "spool")),
	    cli_bytes(space, (uint64_t)ask_int(node, "disk_free")));
}

static void
print_status(const struct cli *c, const json_t *s, const json_t *node)
{
	char up[24];

	printf("node      %s, %s, up %s\n", ask_shown(s, "identity"),
	    json_is_true(json_object_get(s, "transport")) ?
		"relays for others" :
		"does not relay",
	    cli_duration(up, ask_int(s, "uptime_s") * 1000));
	if (strcmp(ask_shown(s, "instance"), "") == 0)
		printf("instance  not shared: no program can attach "
		       "(share_instance in config)\n");
	else
		printf("instance  %s, %lld program%s attached\n",
		    ask_shown(s, "instance"), (long long)ask_int(s, "attached"),
		    ask_int(s, "attached") == 1 ? "" : "s");
	if (json_object_get(s, "reaches_nobody") != NULL)
		printf("mesh      reaches NOBODY beyond this machine: %s\n",
		    ask_shown(s, "reaches_nobody"));
	print_lxmf(json_object_get(s, "lxmf"));
	if (json_object_size(node) > 0)
		print_node(node);
	printf("\n");
	print_programs(c, json_object_get(s, "programs"));
	printf("\n");
	print_interfaces(c, json_object_get(s, "interfaces_list"));
	print_errors(json_object_get(s, "interfaces_list"));
	print_counts(json_object_get(s, "counts"), "Counters");
	print_counts(json_object_get(s, "drops"), "Dropped");
	print_counts(json_object_get(s, "node_bridge"), "Mesh to node");
	print_counts(json_object_get(s, "mesh_sock"), "Asked at mesh.sock");
	print_counts(json_object_get(node, "node_sock"), "Asked at node.sock");
	print_counts(json_object_get(s, "rpc"), "Asked at the RPC socket");
	print_counts(json_object_get(node, "counts"), "Requests of jobs");
}

int
verb_status(struct cli *c, int argc, char **argv)
{
	json_t *s = json_object(), *ifs = json_object(), *node = json_object();
	int rc = cli_options(c, VERB_STATUS, argc, argv, NULL, NULL);

	if (rc == CLI_OK)
		rc = ask_whole(c, ASK_MESH, "status", s);
	if (rc == CLI_OK)
		rc = ask_whole(c, ASK_MESH, "interfaces", ifs);
	if (rc == CLI_OK && json_is_true(json_object_get(s, "compute")) &&
	    ask_possible(c, ASK_NODE))
		rc = ask_whole(c, ASK_NODE, "status", node);
	if (rc == CLI_OK) {
		json_t *list = json_object_get(ifs, "interfaces");

		if (list != NULL)
			(void)json_object_set(s, "interfaces_list", list);
		if (json_object_size(node) > 0)
			(void)json_object_set(s, "node", node);
		if (c->json)
			cli_json(json_incref(s));
		else
			print_status(c, s, node);
	}
	json_decref(s);
	json_decref(ifs);
	json_decref(node);
	return rc < 0 ? CLI_OK : rc;
}

/* ---- peers ---- */

/* Whom this node reaches without help. */
static void
print_neighbours(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"PEER", COL_ID},
	    {"KIND", 0}, {"PATHS", COL_RIGHT}, {"INTERFACE", COL_CUT}};
	struct cli_table *t;
	const json_t *o;
	size_t i;

	if (json_array_size(list) == 0) {
		fprintf(stderr, "No neighbour has been heard.\n");
		return;
	}
	t = cli_table_new(c, columns);
	json_array_foreach((json_t *)list, i, o) {
		char paths[24];
		const char *row[] = {ask_shown(o, "hash"), ask_shown(o, "kind"),
		    paths, ask_shown(o, "interface")};

		(void)snprintf(paths, sizeof(paths), "%lld",
		    (long long)ask_int(o, "paths"));
		cli_table_row(t, row);
	}
	cli_table_print(t);
}

/* Who is linked comes first, then who has used most. */
static int
by_use(const void *a, const void *b)
{
	static const char *const keys[] = {"links", "bytes", "requests"};
	const json_t *x = *(const json_t *const *)a;
	const json_t *y = *(const json_t *const *)b;

	for (size_t i = 0; i < NELEM(keys); i++) {
		json_int_t m = ask_int(x, keys[i]), n = ask_int(y, keys[i]);

		if (m != n)
			return m < n ? 1 : -1;
	}
	return strcmp(ask_shown(x, "identity"), ask_shown(y, "identity"));
}

/* Of a peer without a key there are no jobs. */
static const char *
number_of(const json_t *o, const char *key, char out[24])
{
	if (json_object_get(o, key) == NULL)
		return "-";
	(void)snprintf(out, 24, "%lld", (long long)ask_int(o, key));
	return out;
}

static void
add_user(struct cli_table *t, const json_t *o)
{
	char level[24], n[9][24], used[24], left[24], spool[24];
	const char *fp = json_string_value(json_object_get(o, "fp"));
	const char *row[] = {fp, level, number_of(o, "links", n[0]), used,
	    number_of(o, "requests", n[1]), number_of(o, "refused", n[2]),
	    ask_shown(o, "identity"), number_of(o, "delayed", n[3]),
	    number_of(o, "blobs_bad", n[4]), left,
	    number_of(o, "requests_left", n[5]),
	    number_of(o, "jobs_waiting", n[6]),
	    number_of(o, "jobs_hour_left", n[7]),
	    number_of(o, "cpu_s_today", n[8]), spool};

	(void)snprintf(level, sizeof(level), "%+lld",
	    (long long)ask_int(o, "level"));
	(void)cli_bytes(used, (uint64_t)ask_int(o, "bytes"));
	(void)cli_bytes(left, (uint64_t)ask_int(o, "bytes_left"));
	(void)cli_bytes(spool, (uint64_t)ask_int(o, "spool"));
	cli_table_row(t, row);
	if (ask_int(o, "level") < 0)
		cli_table_colour(t, 1, COLOUR_BAD);
	if (ask_int(o, "links") > 0)
		cli_table_colour(t, 2, COLOUR_GOOD);
}

/* Who asks this node for work. */
static void
print_users(const struct cli *c, const json_t *list)
{
	static const struct cli_column columns[] = {{"PERSON", COL_ID},
	    {"LEVEL", COL_RIGHT}, {"LINKS", COL_RIGHT}, {"USED", COL_RIGHT},
	    {"REQUESTS", COL_RIGHT}, {"REFUSED", COL_RIGHT | COL_DROP},
	    {"IDENTITY", COL_ID | COL_DROP}, {"DELAYED", COL_RIGHT | COL_WIDE},
	    {"BAD BLOBS", COL_RIGHT | COL_WIDE},
	    {"LEFT", COL_RIGHT | COL_WIDE},
	    {"REQUESTS LEFT", COL_RIGHT | COL_WIDE},
	    {"JOBS WAIT", COL_RIGHT | COL_WIDE},
	    {"JOBS/H LEFT", COL_RIGHT | COL_WIDE},
	    {"CPU S TODAY", COL_RIGHT | COL_WIDE},
	    {"SPOOL", COL_RIGHT | COL_WIDE}};
	size_t n = json_array_size(list);
	const json_t **sorted = calloc(n + 1, sizeof(*sorted));
	struct cli_table *t = cli_table_new(c, columns);

	for (size_t i = 0; sorted != NULL && i < n; i++)
		sorted[i] = json_array_get(list, i);
	if (sorted != NULL)
		qsort(sorted, n, sizeof(*sorted), by_use);
	for (size_t i = 0; sorted != NULL && i < n; i++)
		add_user(t, sorted[i]);
	free(sorted);
	cli_table_print(t);
}

int
verb_peers(struct cli *c, int argc, char **argv)
{
	json_t *mesh = json_object(), *node = json_object();
	int rc = cli_options(c, VERB_PEERS, argc, argv, NULL, NULL);

	if (rc == CLI_OK)
		rc = ask_whole(c, ASK_MESH, "peers", mesh);
	if (rc == CLI_OK && ask_possible(c, ASK_NODE))
		rc = ask_whole(c, ASK_NODE, "peers", node);
	if (rc == CLI_OK && c->json) {
		cli_json(json_pack("{s:O?,s:O?}", "mesh",
		    json_object_get(mesh, "peers"), "compute",
		    json_object_get(node, "peers")));
	} else if (rc == CLI_OK) {
		print_neighbours(c, json_object_get(mesh, "peers"));
		if (json_array_size(json_object_get(node, "peers")) > 0) {
			printf("\n");
			print_users(c, json_object_get(node, "peers"));
		}
	}
	json_decref(mesh);
	json_decref(node);
	return rc < 0 ? CLI_OK : rc;
}
