/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/mailway.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/jsonhex.h"
#include "common/util.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/say.h"

#define FOLDER PERSON_LETTERS
#define KEPT_MAX 8192

static const char *const steps[MAILWAY_STEPS] = {"seeks", "stamps", "sends",
    "waits", "handed_over", "asks", "given_up"};

static int64_t
unix_of(struct mono then, struct mono now, int64_t unix_now)
{
	return then.us == MONO_NEVER.us ? 0 :
	    unix_now + mono_sub(then, now) / MONO_SECOND;
}

static void
text(char out[MAILWAY_WHY], const char *why)
{
	(void)snprintf(out, MAILWAY_WHY, "%s", why != NULL ? why : "");
}

static void
tried(struct mailway_tried *out, const struct mailway_tried *begun,
    const struct post_tried *t)
{
	out->failed = begun->failed + t->failed;
	if (t->failed > 0)
		text(out->why, t->why);
}

void
mailway_resume(struct mailway *w, const struct mailway *old)
{
	w->since = old->since;
	w->looks = old->looks;
	w->looked = old->looked;
	w->direct = old->direct;
	w->by_node = false;
	for (unsigned i = 0; i < w->nvia; i++)
		for (unsigned k = 0; k < old->nvia; k++) {
			if (!hash16_eq(&w->via[i], &old->via[k]))
				continue;
			w->tried[i] = old->tried[k];
			if (old->by_node && old->to == k) {
				w->by_node = true;
				w->to = i;
			}
		}
}

void
mailway_from(struct mailway *w, const struct mailway *begun,
    const struct post_where *p, struct mono now, int64_t unix_now)
{
	static const enum mailway_step step[] = {
		[POST_SEEKS] = MAILWAY_SEEKS,
		[POST_STAMPS] = MAILWAY_STAMPS,
		[POST_SENDS] = MAILWAY_SENDS,
		[POST_WAITS] = MAILWAY_WAITS,
	};

	w->step = step[p->stage];
	w->by_node = p->by_node;
	w->to = p->node;
	w->next = p->stage == POST_WAITS ? unix_of(p->next, now, unix_now) : 0;
	tried(&w->direct, &begun->direct, &p->direct);
	for (unsigned i = 0; i < POST_NODES; i++)
		tried(&w->tried[i], &begun->tried[i], &p->nodes[i]);
}

/* ---- kept ---- */

static json_t *
tried_json(const struct mailway_tried *t, json_t *to)
{
	return json_pack("{s:o,s:i,s:s?}", "to", to, "failed", (int)t->failed,
	    "why", t->why[0] != '\0' ? t->why : NULL);
}

json_t *
mailway_json(const struct mailway *w)
{
	json_t *list = json_array();

	(void)json_array_append_new(list, tried_json(&w->direct,
	    json_string("node")));
	for (unsigned i = 0; i < w->nvia; i++)
		(void)json_array_append_new(list, tried_json(&w->tried[i],
		    json_hex(HASH_BYTES(w->via[i]))));
	return json_pack("{s:s,s:i,s:I,s:I,s:I,s:s?,s:i,s:I,s:o}", "step",
	    steps[w->step], "through", w->by_node ? (int)w->to : -1, "since",
	    (json_int_t)w->since, "at", (json_int_t)w->at, "next",
	    (json_int_t)w->next, "why", w->why[0] != '\0' ? w->why : NULL,
	    "looks", (int)w->looks, "looked", (json_int_t)w->looked, "tried",
	    list);
}

static void
name_of(char out[72], const struct id32 *job)
{
	hex_encode(out, HASH_BYTES(*job));
	(void)snprintf(out + 64, 8, ".way");
}

void
mailway_put(const struct person *p, const struct id32 *job,
    const struct mailway *w)
{
	_cleanup_fd_ int dir = dir_open(p->dir, FOLDER, true, 0700);
	_cleanup_free_ char *text = NULL;
	json_t *o = mailway_json(w);
	char name[72];

	name_of(name, job);
	text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (dir >= 0 && text != NULL)
		(void)file_replace(dir, name, text, strlen(text), 0600);
}

static void
read_tried(struct mailway_tried *t, const json_t *o)
{
	const json_int_t n = ask_int(o, "failed");

	t->failed = n > 0 && n < UINT32_MAX ? (unsigned)n : 0;
	text(t->why, ask_text(o, "why"));
}

static bool
read_list(struct mailway *w, const json_t *list)
{
	const size_t n = json_array_size(list);

	if (n < 1 || n > 1 + POST_NODES)
		return false;
	read_tried(&w->direct, json_array_get(list, 0));
	w->nvia = (unsigned)n - 1;
	for (unsigned i = 0; i < w->nvia; i++) {
		const json_t *o = json_array_get(list, i + 1);
		const char *to = ask_text(o, "to");

		if (!hex_decode(HASH_BYTES(w->via[i]), to, strlen(to)))
			return false;
		read_tried(&w->tried[i], o);
	}
	return true;
}

static bool
read_way(struct mailway *w, const json_t *o)
{
	const char *step = ask_text(o, "step");
	const json_int_t through = ask_int(o, "through");

	memset(w, 0, sizeof(*w));
	while (w->step < MAILWAY_STEPS && strcmp(steps[w->step], step) != 0)
		w->step++;
	if (w->step == MAILWAY_STEPS ||
	    !read_list(w, json_object_get(o, "tried")) || through < -1 ||
	    through >= (json_int_t)w->nvia)
		return false;
	w->by_node = through >= 0;
	w->to = w->by_node ? (unsigned)through : 0;
	w->since = ask_int(o, "since");
	w->at = ask_int(o, "at");
	w->next = ask_int(o, "next");
	w->looked = ask_int(o, "looked");
	w->looks = (unsigned)MIN_OF(MAX_OF(ask_int(o, "looks"), 0), INT32_MAX);
	text(w->why, ask_text(o, "why"));
	return true;
}

bool
mailway_get(const struct person *p, const struct id32 *job, struct mailway *w)
{
	_cleanup_fd_ int dir = dir_open(p->dir, FOLDER, false, 0);
	_cleanup_free_ char *data = NULL;
	json_t *o = NULL;
	char name[72];
	size_t n;
	bool ok;

	name_of(name, job);
	data = dir < 0 ? NULL : file_load(dir, name, KEPT_MAX, &n);
	if (data != NULL)
		o = json_loadb(data, n, JSON_REJECT_DUPLICATES, NULL);
	ok = o != NULL && read_way(w, o);
	json_decref(o);
	return ok;
}

/* ---- for people ---- */

/* "the propagation node 1122...", or its own node. */
static const char *
whom(char out[80], const struct mailway *w)
{
	char hex[33];

	if (!w->by_node)
		return "its node";
	hex_encode(hex, HASH_BYTES(w->via[w->to]));
	(void)snprintf(out, 80, "the propagation node %s", hex);
	return out;
}

static void
print_step(const struct mailway *w)
{
	char to[80];

	switch (w->step) {
	case MAILWAY_SEEKS:
		printf("a way to %s is looked for", whom(to, w));
		break;
	case MAILWAY_STAMPS:
		printf("a stamp for %s is searched for", whom(to, w));
		break;
	case MAILWAY_SENDS:
		printf("it is being handed to %s", whom(to, w));
		break;
	case MAILWAY_WAITS:
		printf("it waits: %s", w->by_node ? "no propagation node could "
		    "be had" : "nobody could be had");
		break;
	case MAILWAY_HANDED:
		printf("%s has it%s", whom(to, w), w->by_node ? ", until the "
		    "node looks there" : "");
		break;
	case MAILWAY_ASKS:
		printf("it was handed over; its answer is asked for");
		break;
	case MAILWAY_GIVEN_UP:
	case MAILWAY_STEPS:
	default:
		printf("it was given up");
		break;
	}
	if (w->why[0] != '\0') {
		char safe[MAILWAY_WHY * 4];

		(void)text_printable(safe, sizeof(safe), w->why,
		    strlen(w->why));
		printf(": %s", safe);
	}
}

static void
print_tried(const char *name, const struct mailway_tried *t)
{
	char safe[MAILWAY_WHY * 4];

	if (t->failed == 0)
		return;
	(void)text_printable(safe, sizeof(safe), t->why, strlen(t->why));
	printf("tried     %s: %u time%s in vain, last %s\n", name, t->failed,
	    t->failed == 1 ? "" : "s", safe);
}

void
mailway_print(const struct mailway *w, const struct id32 *job,
    const struct hash16 *dest)
{
	char hex[65], node[33], when[24];

	hex_encode(hex, HASH_BYTES(*job));
	hex_encode(node, HASH_BYTES(*dest));
	printf("job       %s\nby letter to node %s, since %s\n", hex, node,
	    cli_time(when, w->since));
	printf("%s  ", cli_time(when, w->at));
	print_step(w);
	printf("\n");
	if (w->next != 0)
		printf("next      %s\n", cli_time(when, w->next));
	print_tried("its node", &w->direct);
	for (unsigned i = 0; i < w->nvia; i++) {
		hex_encode(node, HASH_BYTES(w->via[i]));
		print_tried(node, &w->tried[i]);
	}
	if (w->looked != 0)
		printf("looked    %u times for its answer, last %s\n",
		    w->looks, cli_time(when, w->looked));
	switch (w->step) {
	case MAILWAY_HANDED:
	case MAILWAY_ASKS:
		printf("  submitter `warren result --via-lxmf ... %.16s` looks "
		    "for its answer; over a link `warren show %.16s` asks its "
		    "node.\n", hex, hex);
		break;
	case MAILWAY_GIVEN_UP:
		printf("  submitter The same `submit` sends the same job again; "
		    "--via-lxmf takes up to %d propagation nodes.\n",
		    POST_NODES);
		break;
	default:
		printf("  submitter `warren explain` of a hash above says what "
		    "is known of the way there; --via-lxmf takes up to %d "
		    "propagation nodes.\n", POST_NODES);
		break;
	}
}
