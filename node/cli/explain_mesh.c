/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/explain_mesh.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "node/cli/airnote.h"
#include "node/cli/ask.h"
#include "node/cli/format.h"
#include "node/cli/ifnote.h"
#include "node/cli/reasons.h"
#include "node/cli/table.h"

json_t *
explain_mesh_ask(struct cli *c, const char *digits)
{
	json_t *o = json_object();

	if (ask_answers(c, ASK_MESH) && ask_whole_of(c, ASK_MESH,
	    json_pack("{s:s, s:s}", "verb", "explain", "id", digits), o) ==
	    CLI_OK)
		return o;
	json_decref(o);
	return NULL;
}

bool
explain_mesh_knows(const json_t *o)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)o, key, v)
		if (strcmp(key, "hash") != 0 &&
		    !(json_is_array(v) && json_array_size(v) == 0))
			return true;
	return false;
}

void
explain_mesh_add(json_t *o)
{
	const struct reason *r;
	json_t *d;
	size_t i;

	json_array_foreach(json_object_get(o, "drops"), i, d)
		if ((r = reason_named(ask_text(d, "reason"))) != NULL) {
			(void)json_object_set_new(d, "means",
			    json_string(r->means));
			(void)json_object_set_new(d, "remedy",
			    json_string(r->remedy));
		}
}

/* "name      text", with what strangers said in it escaped. */
static void
line(const char *name, const char *text)
{
	char safe[2048];

	text_printable(safe, sizeof(safe), text, strlen(text));
	printf("%-10s%s\n", name, safe);
}

#define LINE(name, ...)                                                        \
	do {                                                                   \
		char line_text[1024];                                          \
		(void)snprintf(line_text, sizeof(line_text), __VA_ARGS__);     \
		line((name), line_text);                                       \
	} while (0)

static void
print_path(const json_t *o)
{
	const json_t *p = json_object_get(o, "path");
	const json_t *rate = json_object_get(o, "rate");
	bool direct = strcmp(ask_text(p, "via"), ask_text(o, "hash")) == 0;
	char age[24], left[24];

	if (p != NULL)
		LINE("path", "%lld hop%s, %s%s, on %s; heard %s ago, forgotten "
		    "in %s, its links: %s", (long long)ask_int(p, "hops"),
		    ask_int(p, "hops") == 1 ? "" : "s", direct ? "direct" :
		    "via ", direct ? "" : ask_text(p, "via"),
		    ask_shown(p, "interface"), cli_age(age,
		    ask_int(p, "age_s")), cli_age(left,
		    ask_int(p, "expires_s")), ask_shown(p, "state"));
	if (json_is_true(json_object_get(p, "not_passed_on")))
		line("", "its announces are not passed on: it sends too many");
	if (json_is_true(json_object_get(p, "no_announce_kept")))
		line("", "no announce is kept: others who ask get no answer");
	if (rate != NULL)
		LINE("announces", "%lld counted, the last %s ago, %lld times "
		    "too soon%s%s", (long long)ask_int(rate, "times"),
		    cli_age(age, ask_int(rate, "last_s")),
		    (long long)ask_int(rate, "violations"),
		    ask_int(rate, "blocked_s") > 0 ? "; not passed on for " :
		    "", ask_int(rate, "blocked_s") > 0 ? cli_age(left,
		    ask_int(rate, "blocked_s")) : "");
}

static void
print_waits(const json_t *o)
{
	const json_t *h = json_object_get(o, "held");
	const json_t *w = json_object_get(o, "announces_waiting");
	const json_t *s = json_object_get(o, "searched"), *a;
	char left[24], text[600];
	size_t i;

	if (h != NULL)
		LINE("held", "its announce, on %s, for %s or more: a burst "
		    "there; one is let go every %.0f s", ask_shown(h,
		    "interface"), cli_age(left, ask_int(h, "left_s")),
		    json_number_value(json_object_get(h, "release_s")));
	if (w != NULL)
		LINE("waiting", "%lld announces or answers are to leave, the "
		    "first in %lld ms", (long long)ask_int(w, "count"),
		    (long long)ask_int(w, "first_ms"));
	json_array_foreach(json_object_get(o, "air"), i, a) {
		airnote_waits(a, text, sizeof(text));
		line("airtime", text);
		if (ifnote_remark(a, text, sizeof(text)))
			line("", text);
	}
	if (ask_int(o, "announces_queued") > 0)
		LINE("queued", "on %lld interfaces, for their share of the "
		    "bitrate", (long long)ask_int(o, "announces_queued"));
	if (json_object_get(o, "asked_for_s") != NULL)
		LINE("asked", "this node asked for its path %s ago",
		    cli_age(left, ask_int(o, "asked_for_s")));
	if (s != NULL)
		LINE("searched", "for %lld interfaces, for %s more",
		    (long long)ask_int(s, "waiting"), cli_age(left,
		    ask_int(s, "left_s")));
}

static void
print_links(const json_t *o)
{
	const json_t *r = json_object_get(o, "relayed_link");
	const json_t *l = json_object_get(o, "link");
	char used[24];

	if (r != NULL)
		LINE("relayed", "a link to %s, %s, from %s (%lld hops) to %s "
		    "(%lld hops), used %s ago", ask_shown(r, "destination"),
		    json_is_true(json_object_get(r, "proved")) ? "proved" :
		    "not answered yet", ask_shown(r, "from"),
		    (long long)ask_int(r, "hops_taken"), ask_shown(r, "to"),
		    (long long)ask_int(r, "hops_left"), cli_age(used,
		    ask_int(r, "used_s")));
	if (l != NULL)
		LINE("link", "%s, %s %s, on %s; there and back in %.1f s, "
		    "%.1f %% is lost", ask_shown(l, "state"),
		    json_is_true(json_object_get(l, "initiator")) ?
		    "opened by this node to" : "of this node's",
		    ask_shown(l, "destination"), ask_shown(l, "interface"),
		    (double)ask_int(l, "rtt_ms") / 1000,
		    (double)ask_int(l, "loss_permille") / 10);
	if (json_object_get(o, "proof_back_to") != NULL)
		LINE("packet", "was passed on; its proof would go back to %s",
		    ask_shown(o, "proof_back_to"));
}

static void
print_who(const json_t *o)
{
	const json_t *b = json_object_get(o, "blackholed");
	const json_t *t = json_object_get(o, "tunnel");
	const json_t *i = json_object_get(o, "interface");
	char left[24], text[300];

	line("hash", ask_text(o, "hash"));
	if (json_is_true(json_object_get(o, "this_node")))
		line("", "this node's own identity");
	if (json_is_true(json_object_get(o, "own_destination")))
		line("", "a destination of this node");
	if (json_object_get(o, "identity") != NULL)
		line("identity", ask_text(o, "identity"));
	if (b != NULL)
		LINE("BLACKHOLE", "listed by %s%s%s%s%.300s", ask_shown(b,
		    "by"), json_object_get(b, "left_s") != NULL ? ", for " :
		    "", json_object_get(b, "left_s") != NULL ? cli_age(left,
		    ask_int(b, "left_s")) : "", json_object_get(b, "reason") !=
		    NULL ? ": " : "", ask_text(b, "reason"));
	if (ask_int(o, "paths_through") > 0)
		LINE("relay", "%lld paths go through it",
		    (long long)ask_int(o, "paths_through"));
	if (t != NULL)
		LINE("tunnel", "%s %s, forgotten in %s",
		    json_is_true(json_object_get(t, "up")) ? "up, on" :
		    "waits for its interface", ask_text(t, "interface"),
		    cli_age(left, ask_int(t, "expires_s")));
	if (i != NULL)
		LINE("interface", "%s, %s%s%.300s", ask_shown(i, "name"),
		    json_is_true(json_object_get(i, "online")) ? "up" : "down",
		    ask_text(i, "error")[0] != '\0' ? ": " : "", ask_text(i,
		    "error"));
	if (i != NULL && ifnote_remark(i, text, sizeof(text)))
		line("", text);
}

static void
print_drop(const json_t *o, const json_t *d)
{
	bool of_it = strcmp(ask_text(d, "about"), ask_text(o, "hash")) == 0;
	char age[24], text[600];

	(void)snprintf(text, sizeof(text), "%s ago%s%s: %s%s%s",
	    cli_age(age, ask_int(d, "last_s")),
	    json_is_string(json_object_get(d, "interface")) ? " on " : "",
	    ask_text(d, "interface"), ask_shown(d, "text"),
	    of_it ? "" : ", for ", of_it ? "" : ask_text(d, "about"));
	line(ask_shown(d, "reason"), "");
	line("", text);
	if (ask_int(d, "times") > 1)
		LINE("", "%lld times since %s ago",
		    (long long)ask_int(d, "times"), cli_age(age,
		    ask_int(d, "first_s")));
	if (ask_text(d, "means")[0] != '\0')
		line("", ask_text(d, "means"));
	if (ask_text(d, "remedy")[0] != '\0')
		line("  remedy", ask_text(d, "remedy"));
}

void
explain_mesh_print(const json_t *o)
{
	const json_t *drops = json_object_get(o, "drops"), *d;
	size_t i;

	print_who(o);
	print_path(o);
	print_waits(o);
	print_links(o);
	if (json_array_size(drops) > 0)
		printf("\nDropped, held or refused lately:\n");
	json_array_foreach((json_t *)drops, i, d)
		print_drop(o, d);
}
