/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/policyline.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "node/cli/ask.h"
#include "node/cli/format.h"

static void
rule(const json_t *o)
{
	printf("policy    rule %lld, image %s: NOBODY can sign for it: %s\n",
	    (long long)ask_int(o, "version"), ask_shown(o, "name"),
	    ask_shown(o, "why"));
}

static void
roots(const json_t *o)
{
	const bool document = strcmp(ask_shown(o, "kind"), "document") == 0;
	const json_int_t now = (json_int_t)time(NULL);
	const json_int_t age = now - ask_int(o, "since");
	const json_int_t left = ask_int(o, "until") - now;
	char since[24], until[24];

	printf("roots     %s%s", document ? "" : "klp/roots/",
	    ask_shown(o, "name"));
	if (document && ask_int(o, "version") > 0)
		printf(" version %lld",
		    (long long)ask_int(o, "version"));
	if (ask_int(o, "since") > 0)
		printf(", %s old",
		    cli_duration(since, (age < 0 ? 0 : age) * 1000));
	if (ask_int(o, "entries") == 0) {
		printf("; count for NOTHING: %s\n", ask_shown(o, "why"));
		return;
	}
	printf(", %lld entries", (long long)ask_int(o, "entries"));
	if (document && strcmp(ask_shown(o, "age"), "fresh") != 0)
		printf(", EXPIRED: newer signatures count for nothing");
	if (ask_int(o, "until") > 0 && left <= 0)
		printf(", at an END: %s", ask_shown(o, "ends"));
	else if (ask_int(o, "until") > 0)
		printf(json_is_true(json_object_get(o, "near")) ?
		    ", END in %s: %s" : ", for %s (%s)",
		    cli_duration(until, left * 1000), ask_shown(o, "ends"));
	printf("\n");
}

void
policyline_print(const json_t *list)
{
	const json_t *o;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, o)
		if (strcmp(ask_shown(o, "kind"), "rule") == 0)
			rule(o);
		else
			roots(o);
}
