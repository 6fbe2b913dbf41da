/* SPDX-License-Identifier: BSD-2-Clause */
/* warren trust clock: the least time that there is (klp.md 1.7) */
#include <poll.h>
#include <stdio.h>

#include <jansson.h>

#include "node/cli/ask.h"
#include "node/cli/cli.h"
#include "node/cli/format.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"

#define LOOKS 60 /* until trust has done it */
#define LOOK_MS 50

static bool
set(struct cli *c, void *arg, int id, const char *value)
{
	(void)c;
	(void)value;
	if (id == OPT_LOWER)
		*(bool *)arg = true;
	return true;
}

static bool
keep(void *arg, const json_t *o)
{
	json_t **to = arg;

	json_decref(*to);
	*to = json_deep_copy(o);
	return true;
}

/* Trust does it by a message of its own, and says that it has. */
static int
lower(struct cli *c, json_t **o)
{
	int rc = ask(c, ASK_NODE, json_pack("{s:s,s:b}", "verb", "clock",
	    "lower", true), keep, o);
	json_int_t before = ask_int(*o, "lowered");

	for (int i = 0; rc == CLI_OK && i < LOOKS &&
	     ask_int(*o, "lowered") == before; i++) {
		(void)poll(NULL, 0, LOOK_MS);
		rc = ask(c, ASK_NODE, json_pack("{s:s}", "verb", "clock"),
		    keep, o);
	}
	if (rc == CLI_OK && ask_int(*o, "lowered") == before) {
		cli_error(c, "warren-trust does not answer");
		rc = CLI_FAILED;
	}
	return rc;
}

static void
print(const json_t *o)
{
	char now[24], floor[24], signed_at[24];
	json_int_t behind = ask_int(o, "behind");

	printf("clock     %s\n", cli_time(now, ask_int(o, "now")));
	if (ask_int(o, "floor") > 0)
		printf("least     %s\n", cli_time(floor, ask_int(o, "floor")));
	if (ask_int(o, "signed") > 0)
		printf("signed    %s, the latest of an authority\n",
		    cli_time(signed_at, ask_int(o, "signed")));
	if (behind == 0)
		printf("time is   the clock's\n");
	else
		printf("time is   the least one's: the clock is %lld s behind "
		    "it\n", (long long)behind);
}

int
verb_trust_clock(struct cli *c, int argc, char **argv)
{
	bool lowers = false;
	json_t *o = NULL;
	int rc = cli_options(c, VERB_TRUST_CLOCK, argc, argv, set, &lowers);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	rc = lowers ? lower(c, &o) : ask(c, ASK_NODE, json_pack("{s:s}",
	    "verb", "clock"), keep, &o);
	if (rc == CLI_OK && c->json)
		cli_json(json_deep_copy(o));
	else if (rc == CLI_OK)
		print(o);
	if (rc == CLI_OK && !c->json && ask_int(o, "behind") > 0)
		cli_hint(c, lowers ? "An authority has signed something later "
		    "than this clock: set the clock." : "Set the clock; where "
		    "it is right, and was ahead once: `warren trust clock "
		    "--lower`.");
	json_decref(o);
	return rc;
}
