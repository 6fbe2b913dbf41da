/* SPDX-License-Identifier: BSD-2-Clause */
/* warren status; warren peers */
#include <stdio.h>
#include <string.h>

#include "common/util.h"

#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"

static const char *
text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "-";
}

static json_int_t
int_of(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static bool
keep(void *arg, const json_t *o)
{
	json_t *all = arg;
	const char *key;
	json_t *v;

	/* several lines of one list: put together again */
	json_object_foreach((json_t *)o, key, v) {
		json_t *old = json_object_get(all, key);

		if (strcmp(key, "ok") == 0 || strcmp(key, "end") == 0)
			continue;
		if (json_is_array(old) && json_is_array(v))
			(void)json_array_extend(old, v);
		else
			(void)json_object_set(all, key, v);
	}
	return true;
}

static int
ask_all(struct cli *c, enum ask_whom whom, const char *verb, json_t *into)
{
	return ask(c, whom, json_pack("{s:s}", "verb", verb), keep, into);
}

static void
print_programs(const json_t *list)
{
	static const char *const heads[] = {"PROGRAM", "STATE", "RESTARTS",
	    "PID"};
	struct cli_table *t = cli_table_new(heads, NELEM(heads));
	const json_t *p;
	size_t i;

	json_array_foreach((json_t *)list, i, p) {
		char restarts[24], pid[24];
		const char *row[] = {text_of(p, "name"),
		    json_is_true(json_object_get(p, "running")) ? "running" :
								  "down",
		    restarts, pid};

		(void)snprintf(restarts, sizeof(restarts), "%lld",
		    (long long)int_of(p, "restarts"));
		(void)snprintf(pid, sizeof(pid), "%lld",
		    (long long)int_of(p, "pid"));
		cli_table_row(t, row);
	}
	cli_table_print(t);
}

static void
print_interfaces(const json_t *list)
{
	static const char *const heads[] = {"INTERFACE", "STATE", "RECEIVED",
	    "SENT", "DROPPED"};
	struct cli_table *t = cli_table_new(heads, NELEM(heads));
	const json_t *n;
	size_t i;

	json_array_foreach((json_t *)list, i, n) {
		char rx[24], tx[24], drops[24];
		const char *name = json_string_value(
		    json_object_get(n, "name"));
		const char *skipped = json_string_value(
		    json_object_get(n, "skipped"));
		const char *row[] = {name != NULL ? name :
						    text_of(n, "section"),
		    skipped != NULL ? skipped :
			json_is_true(json_object_get(n, "online")) ? "up" :
								     "down",
		    cli_bytes(rx, (uint64_t)int_of(n, "rx_bytes")),
		    cli_bytes(tx, (uint64_t)int_of(n, "tx_bytes")), drops};

		(void)snprintf(drops, sizeof(drops), "%lld",
		    (long long)(int_of(n, "rx_drops") +
			int_of(n, "tx_drops")));
		cli_table_row(t, row);
	}
	cli_table_print(t);
}

/* Why those that are down are, in words. */
static void
print_errors(const json_t *list)
{
	const json_t *n;
	size_t i;

	json_array_foreach((json_t *)list, i, n)
		if (json_object_get(n, "error") != NULL)
			printf("%s%s: %s\n",
			    json_is_true(json_object_get(n, "given_up")) ?
				"given up: " : "", text_of(n, "section"),
			    text_of(n, "error"));
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
print_node(const json_t *node)
{
	const char *missing = text_of(node, "missing");
	const char *why = text_of(node, "why");
	char spool[24], space[24];

	printf("jobs      %s, %lld running, %lld queued, %lld held\n",
	    json_is_true(json_object_get(node, "accepting")) ?
		"accepting" :
		"not accepting",
	    (long long)int_of(node, "running"),
	    (long long)int_of(node, "queued"), (long long)int_of(node, "held"));
	if (why[0] != '\0' && strcmp(why, "-") != 0)
		printf("why not   %s\n", why);
	printf("layers    %s\n", text_of(node, "layers"));
	if (missing[0] != '\0' && strcmp(missing, "-") != 0)
		printf("missing   %s\n", missing);
	printf("spool     %s, %s free on the disk\n",
	    cli_bytes(spool, (uint64_t)int_of(node, "spool")),
	    cli_bytes(space, (uint64_t)int_of(node, "disk_free")));
}

static void
print_status(const json_t *s, const json_t *node)
{
	char up[24];

	printf("node      %s, %s, up %s\n", text_of(s, "identity"),
	    json_is_true(json_object_get(s, "transport")) ?
		"relays for others" :
		"does not relay",
	    cli_duration(up, int_of(s, "uptime_s") * 1000));
	printf("instance  %s, %lld programs attached\n",
	    text_of(s, "instance"), (long long)int_of(s, "attached"));
	if (json_object_get(s, "reaches_nobody") != NULL)
		printf("mesh      reaches NOBODY beyond this machine: %s\n",
		    text_of(s, "reaches_nobody"));
	if (json_object_size(node) > 0)
		print_node(node);
	printf("\n");
	print_programs(json_object_get(s, "programs"));
	printf("\n");
	print_interfaces(json_object_get(s, "interfaces_list"));
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
		rc = ask_all(c, ASK_MESH, "status", s);
	if (rc == CLI_OK)
		rc = ask_all(c, ASK_MESH, "interfaces", ifs);
	if (rc == CLI_OK && json_is_true(json_object_get(s, "compute")) &&
	    ask_possible(c, ASK_NODE))
		rc = ask_all(c, ASK_NODE, "status", node);
	if (rc == CLI_OK) {
		json_t *list = json_object_get(ifs, "interfaces");

		if (list != NULL)
			(void)json_object_set(s, "interfaces_list", list);
		if (json_object_size(node) > 0)
			(void)json_object_set(s, "node", node);
		if (c->json)
			cli_json(json_incref(s));
		else
			print_status(s, node);
	}
	json_decref(s);
	json_decref(ifs);
	json_decref(node);
	return rc < 0 ? CLI_OK : rc;
}

/* A list of flat objects as a table whose columns are its first one's keys. */
static void
print_list(const json_t *list, const char *empty)
{
	const json_t *first = json_array_get(list, 0), *o;
	const char *heads[12], *row[12];
	char cells[12][256];
	struct cli_table *t;
	size_t n = 0, i;
	const char *key;
	json_t *v;

	if (first == NULL) {
		fprintf(stderr, "%s\n", empty);
		return;
	}
	json_object_foreach((json_t *)first, key, v)
		if (n < NELEM(heads))
			heads[n++] = key;
	t = cli_table_new(heads, n);
	json_array_foreach((json_t *)list, i, o) {
		for (size_t k = 0; k < n; k++) {
			v = json_object_get(o, heads[k]);
			row[k] = cells[k];
			if (json_is_string(v))
				row[k] = json_string_value(v);
			else if (json_is_integer(v))
				(void)snprintf(cells[k], sizeof(cells[k]),
				    "%lld", (long long)json_integer_value(v));
			else if (json_is_boolean(v))
				row[k] = json_is_true(v) ? "yes" : "no";
			else
				row[k] = "-";
		}
		cli_table_row(t, row);
	}
	cli_table_print(t);
}

int
verb_peers(struct cli *c, int argc, char **argv)
{
	json_t *mesh = json_object(), *node = json_object();
	int rc = cli_options(c, VERB_PEERS, argc, argv, NULL, NULL);

	if (rc == CLI_OK)
		rc = ask_all(c, ASK_MESH, "peers", mesh);
	if (rc == CLI_OK && ask_possible(c, ASK_NODE))
		rc = ask_all(c, ASK_NODE, "peers", node);
	if (rc == CLI_OK && c->json) {
		cli_json(json_pack("{s:O?,s:O?}", "mesh",
		    json_object_get(mesh, "peers"), "compute",
		    json_object_get(node, "peers")));
	} else if (rc == CLI_OK) {
		print_list(json_object_get(mesh, "peers"),
		    "No neighbour has been heard.");
		if (json_array_size(json_object_get(node, "peers")) > 0) {
			printf("\n");
			print_list(json_object_get(node, "peers"), "");
		}
	}
	json_decref(mesh);
	json_decref(node);
	return rc < 0 ? CLI_OK : rc;
}
