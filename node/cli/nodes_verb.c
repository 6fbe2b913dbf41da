/* SPDX-License-Identifier: BSD-2-Clause */
/* warren nodes; warren describe NODE */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/layers.h"
#include "common/runner.h"
#include "common/units.h"
#include "common/util.h"
#include "common/where.h"

#include "node/cli/ask.h"
#include "node/cli/contact.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/table.h"
#include "node/cli/verb.h"
#include "node/cli/nodes.h"
#include "node/cli/remote.h"

#define WAIT_MS 10000

static bool
set_time(struct cli *c, void *ctx, int option, const char *value)
{
	(void)option; /* each verb has one */
	if (units_time_ms(value, ctx))
		return true;
	cli_error(c, "--wait: %s is no time (like 500ms, 10s, 2m)", value);
	return false;
}

static void
on_announce(void *arg, const struct rns_event *ev)
{
	/* the core keeps it: it is there when all are collected */
	(void)arg;
	(void)ev;
}

static json_t *
node_json(const struct node_info *n)
{
	char dest[33], fp[65];
	json_t *o;

	hex_encode(dest, HASH_BYTES(n->dest));
	hex_encode(fp, HASH_BYTES(n->fp));
	o = json_pack("{s:s,s:s,s:s?,s:i,s:I}", "destination", dest, "name",
	    n->name, "fp", n->has_key ? fp : NULL, "hops", n->hops, "heard",
	    (json_int_t)(n->heard_us / 1000000));
	if (o != NULL && n->own && !n->has_caps)
		(void)json_object_set_new(o, "accepting",
		    json_boolean(n->accepting));
	if (o != NULL && n->has_caps)
		(void)json_object_update_new(o,
		    json_pack("{s:b,s:I,s:I,s:I}", "accepting", n->accepting,
			"cpu", (json_int_t)n->cpu_milli, "memory",
			(json_int_t)n->memory_mib << 20, "queue",
			(json_int_t)n->queue));
	return o;
}

enum { COL_DEST, COL_NAME, COL_ACCEPTS, COL_HOPS, COL_CPU, COL_MEMORY,
	COL_QUEUE, COL_HEARD, COLS };
static const struct cli_column columns[COLS] = {
    /* as many digits as --to takes for a hash: NODE_DIGITS_SAFE */
    [COL_DEST] = {"NODE", COL_ID | COL_LONG},
    [COL_NAME] = {"NAME", COL_CUT},
    [COL_ACCEPTS] = {"ACCEPTS", 0},
    [COL_HOPS] = {"HOPS", COL_RIGHT},
    [COL_CPU] = {"CPU", COL_RIGHT | COL_DROP},
    [COL_MEMORY] = {"MEMORY", COL_RIGHT | COL_DROP},
    [COL_QUEUE] = {"QUEUE", COL_RIGHT | COL_DROP},
    [COL_HEARD] = {"HEARD", COL_RIGHT},
};

static void
add_node(struct cli_table *t, const struct node_info *n, int64_t now)
{
	char dest[33], hops[16] = "", cpu[16] = "", mem[24] = "", queue[8] = "",
	    heard[24] = "";
	const char *row[COLS] = {[COL_DEST] = dest, [COL_NAME] = n->name,
	    [COL_HOPS] = hops, [COL_CPU] = cpu, [COL_MEMORY] = mem,
	    [COL_QUEUE] = queue, [COL_HEARD] = heard};

	hex_encode(dest, HASH_BYTES(n->dest));
	if (n->hops >= 0)
		(void)snprintf(hops, sizeof(hops), "%d", n->hops);
	if (n->heard_us != 0)
		(void)cli_age(heard, now - n->heard_us / 1000000);
	if (n->has_caps || n->own)
		row[COL_ACCEPTS] = n->accepting ? "yes" : "no";
	if (n->has_caps) {
		(void)snprintf(cpu, sizeof(cpu), "%u.%02u",
		    n->cpu_milli / 1000, n->cpu_milli % 1000 / 10);
		(void)cli_bytes(mem, (uint64_t)n->memory_mib << 20);
		(void)snprintf(queue, sizeof(queue), "%u", n->queue);
	}
	cli_table_row(t, row);
	if (row[COL_ACCEPTS] != NULL)
		cli_table_colour(t, COL_ACCEPTS,
		    n->accepting ? COLOUR_GOOD : COLOUR_BAD);
}

/* Who accepts comes first, then who was heard last. */
static int
by_use(const void *a, const void *b)
{
	const struct node_info *x = a, *y = b;
	bool p = x->accepting, q = y->accepting;

	if (p != q)
		return p ? -1 : 1;
	return (x->heard_us < y->heard_us) - (x->heard_us > y->heard_us);
}

static void
print_nodes(struct cli *c, struct node_list *l, bool all)
{
	int64_t now = (int64_t)time(NULL);
	size_t dropped = all ? 0 : nodes_drop_aged(l, now);
	struct cli_table *t = NULL;
	json_t *a = c->json ? json_array() : NULL;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), by_use);
	if (!c->json && l->n > 0)
		t = cli_table_new(c, columns);
	for (size_t i = 0; i < l->n; i++)
		if (c->json)
			(void)json_array_append_new(a, node_json(&l->v[i]));
		else
			add_node(t, &l->v[i], now);
	if (c->json)
		cli_json(json_pack("{s:o}", "nodes", a));
	else if (l->n == 0) {
		fprintf(stderr, "No compute node has been heard.\n");
		/* the service may have heard one before: it listens always */
		if (!ask_answers(c, ASK_MESH))
			(void)ask_hint_service(c, WHERE_SERVICE);
	}
	cli_table_print(t);
	if (dropped > 0 && !c->json)
		fprintf(stderr, "%zu not heard for a day: --all lists %s.\n",
		    dropped, dropped == 1 ? "it" : "them");
}

struct nodes_options {
	uint64_t wait_ms;
	bool all, wait_given;
};

static bool
set_nodes(struct cli *c, void *ctx, int option, const char *value)
{
	struct nodes_options *o = ctx;

	if (option == OPT_ALL)
		o->all = true;
	else
		o->wait_given = true;
	return option == OPT_ALL || set_time(c, &o->wait_ms, option, value);
}

/* Our own daemon has listened all the time: what it knows is there at once. */
static int
collect(struct cli *c, struct session *s, const struct person *p,
    const struct nodes_options *o, struct node_list *l)
{
	int64_t now = (int64_t)time(NULL);

	if (!o->wait_given && ask_answers(c, ASK_MESH)) {
		if (nodes_collect(c, s, p, l) != 0)
			return -1;
		for (size_t i = 0; i < l->n; i++)
			if (!node_aged(&l->v[i], now))
				return 0;
		free(l->v);
		l->v = NULL;
	}
	(void)session_listen(s, on_announce, NULL);
	cli_progress(c, "listening ...");
	session_run(s, (int64_t)o->wait_ms * 1000);
	cli_progress_end(c);
	return nodes_collect(c, s, p, l);
}

int
verb_nodes(struct cli *c, int argc, char **argv)
{
	struct person p = {.dir = -1};
	struct session *s = NULL;
	struct node_list l = {0};
	struct nodes_options o = {.wait_ms = WAIT_MS};
	int rc = cli_options(c, VERB_NODES, argc, argv, set_nodes, &o);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if ((rc = person_load(c, &p)) == CLI_OK &&
	    (rc = session_open(&s, c, &p)) == CLI_OK) {
		rc = collect(c, s, &p, &o, &l) == 0 ? CLI_OK : CLI_FAILED;
	}
	if (rc == CLI_OK)
		print_nodes(c, &l, o.all);
	free(l.v);
	session_close(s);
	person_clear(&p);
	return rc;
}

/* ---- describe ---- */

/* NULL: the node says nothing of it. */
static json_t *
air_json(const struct proto_describe *d)
{
	return d->air.bitrate == 0 ? NULL : json_pack(
	    "{s:I,s:f,s:I,s:I,s:I,s:I,s:I,s:I}", "bitrate", (json_int_t)d->air.bitrate,
	    "loss_percent", (double)d->air.loss / 10, "rtt_ms",
	    (json_int_t)d->air.rtt_ms, "kib_ms", (json_int_t)d->air.kib_ms,
	    "kib16_ms", (json_int_t)d->air.kib16_ms, "kib_p90_ms",
	    (json_int_t)MAX_OF(d->air.kib_p90_ms, d->air.kib_ms),
	    "kib16_p90_ms",
	    (json_int_t)MAX_OF(d->air.kib16_p90_ms, d->air.kib16_ms),
	    "max_airtime_s",
	    (json_int_t)d->air.max_s);
}

/* "11.3 s", "14.0 s (perhaps 31.2 s)": nine of ten take no longer. */
static const char *
about(char *out, size_t cap, uint64_t ms, uint64_t p90_ms)
{
	char a[24], b[24];

	(void)cli_duration(a, (int64_t)MIN_OF(ms, (uint64_t)INT64_MAX));
	(void)cli_duration(b, (int64_t)MIN_OF(p90_ms, (uint64_t)INT64_MAX));
	if (p90_ms > ms)
		(void)snprintf(out, cap, "%s (perhaps %s)", a, b);
	else
		(void)snprintf(out, cap, "%s", a);
	return out;
}

static void
air_text(const struct proto_describe *d)
{
	char one[64], more[64], most[24];

	if (d->air.bitrate == 0)
		return;
	printf("airtime   %s for 1 KiB of inputs, %s for 16 KiB",
	    about(one, sizeof(one), d->air.kib_ms, d->air.kib_p90_ms),
	    about(more, sizeof(more), d->air.kib16_ms, d->air.kib16_p90_ms));
	if (d->air.max_s > 0)
		printf("; a job may need %s", cli_duration(most,
		    (int64_t)MIN_OF(d->air.max_s, UINT64_C(31622400)) * 1000));
	printf("\n          over %" PRIu64 " bit/s at the node, there and back "
	    "in %.1f s, %.1f %% lost\n", d->air.bitrate,
	    (double)d->air.rtt_ms / 1000, (double)d->air.loss / 10);
}

static const char *
describe_runner(char out[RUNNER_TEXT], const struct proto_describe *d)
{
	uint16_t version[RUNNER_PARTS];

	for (unsigned i = 0; i < RUNNER_PARTS; i++)
		version[i] = (uint16_t)d->runner[1 + i];
	runner_text(out, RUNNER_TEXT, (unsigned)d->runner[0], version);
	return out;
}

static void
describe_json(const struct proto_describe *d, const struct remote *r)
{
	json_t *images = json_array();
	char dest[33], name[65], runner[RUNNER_TEXT], why[PROTO_TEXT_MAX + 1];

	hex_encode(dest, HASH_BYTES(r->dest));
	pstr_copy(why, sizeof(why), d->why);
	for (size_t i = 0; i < d->nimages; i++) {
		char hex[65];

		pstr_copy(name, sizeof(name), d->images[i].name);
		hex_encode(hex, d->images[i].digest, 32);
		(void)json_array_append_new(images,
		    json_pack("{s:s,s:s}", "name", name, "digest", hex));
	}
	cli_json(json_pack(
	    "{s:s,s:s,s:s,s:b,s:i,s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I},"
	    "s:{s:I,s:I,s:I},s:I,s:I,s:o,s:s,s:I,s:o,s:s?,s:o*}",
	    "destination", dest, "name", r->name, "urn", r->urn, "accepting",
	    d->accepting, "level", d->level, "limits", "memory",
	    (json_int_t)d->limits.memory, "cpu", (json_int_t)d->limits.cpu,
	    "time", (json_int_t)d->limits.time, "pids",
	    (json_int_t)d->limits.pids, "output",
	    (json_int_t)d->limits.output, "log", (json_int_t)d->limits.log,
	    "slice", (json_int_t)d->limits.slice, "spool",
	    (json_int_t)d->limits.spool, "left", "jobs_queued",
	    (json_int_t)d->left.jobs_queued, "jobs_per_hour",
	    (json_int_t)d->left.jobs_per_hour, "spool",
	    (json_int_t)d->left.spool, "queued", (json_int_t)d->queued,
	    "running", (json_int_t)d->running, "layers",
	    cli_layers_json((uint32_t)d->layers), "runner",
	    describe_runner(runner, d), "time",
	    (json_int_t)d->time, "images", images, "why",
	    d->why.p == NULL ? NULL : why, "air", air_json(d)));
}

void
nodes_say_limits(const struct proto_describe *d)
{
	char a[24], b[24], e[24], t[24];

	/* without memory nothing starts: a row of noughts, said in words */
	if (d->accepting && d->limits.memory == 0) {
		printf("limits    no job of yours is taken at this level\n");
		printf("          its operator pins the urn of your `warren "
		       "identity` to raise it\n");
		return;
	}
	printf("limits    memory %s, cpu %" PRIu64 ".%03" PRIu64
	       ", time %s, pids %" PRIu64 ", output %s, log %s\n",
	    cli_bytes(a, d->limits.memory), d->limits.cpu / 1000,
	    d->limits.cpu % 1000, cli_duration(t, (int64_t)d->limits.time),
	    d->limits.pids, cli_bytes(b, d->limits.output),
	    cli_bytes(e, d->limits.log));
	printf("left      %" PRIu64 " jobs queued, %" PRIu64
	       " this hour, spool %s\n",
	    d->left.jobs_queued, d->left.jobs_per_hour,
	    cli_bytes(a, d->left.spool));
}

static void
describe_text(const struct proto_describe *d, const struct remote *r)
{
	char safe[80], profile[80], dest[33], layers[256], runner[RUNNER_TEXT],
	    why[4 * PROTO_TEXT_MAX + 1];

	hex_encode(dest, HASH_BYTES(r->dest));
	text_escape(safe, sizeof(safe), r->name, strlen(r->name));
	text_escape(profile, sizeof(profile), d->profile.p, d->profile.n);
	printf("node      %s %s\n", dest, safe);
	printf("urn       %s\n", r->urn);
	printf("state     %s, %" PRIu64 " running, %" PRIu64 " queued\n",
	    d->accepting ? "accepting jobs" : "not accepting jobs", d->running,
	    d->queued);
	if (d->why.p != NULL) {
		text_printable(why, sizeof(why), d->why.p,
		    MIN_OF(d->why.n, (size_t)PROTO_TEXT_MAX));
		printf("why not   %s\n", why);
	}
	printf("you       level %+d, profile %s\n", d->level, profile);
	nodes_say_limits(d);
	air_text(d);
	layers_text(layers, sizeof(layers), (uint32_t)d->layers);
	printf("layers    %s\n", layers);
	printf("runner    %s\n", describe_runner(runner, d));
	for (size_t i = 0; i < d->nimages; i++) {
		char hex[65], name[256];

		hex_encode(hex, d->images[i].digest, 32);
		text_escape(name, sizeof(name), d->images[i].name.p,
		    d->images[i].name.n);
		printf("image     %s sha256:%.16s...\n", name, hex);
	}
}

int
verb_describe(struct cli *c, int argc, char **argv)
{
	struct person p = {.dir = -1};
	struct session *s = NULL;
	struct remote r = {0};
	struct proto_describe d;
	uint64_t ms = SESSION_CONTACT_MS;
	struct session_opts o = {.identify = true};
	enum node_by by;
	int rc = cli_options(c, VERB_DESCRIBE, argc, argv, set_time, &ms);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	o.contact_us = (int64_t)ms * 1000;
	if ((rc = person_load(c, &p)) == CLI_OK &&
	    (rc = session_open(&s, c, &p)) == CLI_OK &&
	    (rc = nodes_resolve(c, s, &p, argv[c->arg], o.contact_us, &r.dest,
		 &by)) == CLI_OK &&
	    (rc = session_connect(s, &r.dest, &o)) == CLI_OK &&
	    (rc = remote_describe_full(c, s, &p, &r, &d)) == CLI_OK) {
		nodes_note(&p, &r.dest, &r.fp, r.name);
		if (c->json)
			describe_json(&d, &r);
		else
			describe_text(&d, &r);
	}
	session_close(s);
	person_clear(&p);
	return rc;
}
