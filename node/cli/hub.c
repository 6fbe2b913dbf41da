/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/hub.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/ipc_msg.h"
#include "common/util.h"
#include "node/cli/format.h"
#include "node/cli/say.h"

static const char *
ago(char out[24], json_int_t at)
{
	return cli_duration(out, MAX_OF((json_int_t)time(NULL) - at, 0) *
	    1000);
}

void
hub_print(const json_t *o)
{
	char when[24];

	if (o == NULL)
		return;
	printf("hub       line %lld taken, %lld behind, %lld sent",
	    (long long)ask_int(o, "acked"), (long long)ask_int(o, "behind"),
	    (long long)ask_int(o, "sent"));
	if (ask_int(o, "acked_at") > 0)
		printf(", %s ago", ago(when, ask_int(o, "acked_at")));
	printf("\n");
	if (ask_text(o, "error")[0] != '\0')
		printf("          NOT taken %s ago: %s; tried again within "
		       "%lld s\n", ago(when, ask_int(o, "failed_at")),
		    ask_shown(o, "error"), (long long)ask_int(o, "wait_s"));
}

/* What the operator can do about it. */
static const char *
remedy(const json_t *o)
{
	json_int_t code = ask_int(o, "code");

	switch (ask_int(o, "end")) {
	case FETCH_OK:
		return "It answered, and not what a hub answers: is hub.url "
		       "the address of its receiver?";
	case FETCH_REFUSED:
		return "See what `warren check-config` says of hub; the log "
		       "has the start's lines about it.";
	case FETCH_NAME:
		return "Ask whether this machine finds that host: getent hosts "
		       "HOST.";
	case FETCH_UNREACHABLE:
		return "Nobody listens there, or a firewall is in between.";
	case FETCH_TLS:
		return "Its certificate is not one that hub.ca, hub.pin and "
		       "the host of hub.url allow, or it does not take "
		       "hub.cert: openssl s_client -connect HOST:PORT shows "
		       "what it has.";
	case FETCH_REDIRECT:
		return "Put the address that it leads to into hub.url.";
	case FETCH_SLOW:
		return "It is too slow: a smaller hub.batch_events may help.";
	case FETCH_SIZE:
		return "It answers with more than a few words: is hub.url the "
		       "address of its receiver?";
	case FETCH_HTTP:
		return code == 401 || code == 403 ? "It does not let this "
		       "node in: look at hub.token_file, or hub.cert and "
		       "hub.key." : code >= 500 ? "Its own trouble: its log "
		       "says what." : "It does not take such requests: is "
		       "hub.url the address of its receiver?";
	default:
		return "Its log, and this node's, may say more.";
	}
}

static void
say(const json_t *o)
{
	hub_print(o);
	if (ask_text(o, "error")[0] != '\0')
		printf("what now  %s\n", remedy(o));
	printf("meanwhile The trail keeps what is not taken yet; when it is "
	       "full, its oldest lines of severity 1, then 2, go, and the hub "
	       "learns which and how many.\n");
}

int
hub_explain(struct cli *c)
{
	json_t *node = json_object(), *o;
	int rc = ask_whole(c, ASK_NODE, "status", node);

	if (rc == CLI_OK) {
		o = json_object_get(node, "hub");
		if (c->json)
			cli_json(o != NULL ? json_incref(o) : json_object());
		else if (o == NULL)
			printf("No hub is named: events stay in the trail "
			       "here (hub of node.yaml).\n");
		else
			say(o);
	}
	json_decref(node);
	return rc;
}
