/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/airnote.h"

#include <stdio.h>

#include "node/cli/ask.h"
#include "node/cli/table.h"

/* ", in 4.2 s", ", in 12m"; nothing where there is no time. */
static const char *
when(char *out, size_t cap, const json_t *o)
{
	json_int_t ms = ask_int(o, "next_ms");
	char age[24];

	out[0] = '\0';
	if (!json_is_integer(json_object_get(o, "next_ms")))
		return out;
	if (ms == 0)
		(void)snprintf(out, cap, ", now");
	else if (ms < 60000)
		(void)snprintf(out, cap, ", in %.1f s", (double)ms / 1000);
	else
		(void)snprintf(out, cap, ", in %s", cli_age(age, ms / 1000));
	return out;
}

/* "sent 1.2 % of the last 1h of 10 % allowed (jobs 0.3 %, ...)" */
static void
duty(const json_t *a, char *out, size_t cap)
{
	double window = (double)ask_int(a, "window_s") * 10;
	char age[24], next[40];

	(void)snprintf(out, cap, "sent %.2f %% of the last %s, of %.2f %% that "
	    "it may (announces %.2f %%, jobs %.2f %%)%s%s",
	    (double)ask_int(a, "used_ms") / window,
	    cli_age(age, ask_int(a, "window_s")),
	    (double)ask_int(a, "limit_ms") / window,
	    (double)ask_int(a, "announces_ms") / window,
	    (double)ask_int(a, "jobs_ms") / window,
	    json_is_integer(json_object_get(a, "next_ms")) ? "; next" : "",
	    when(next, sizeof(next), a)[0] != '\0' ? next + 1 : "");
}

bool
airnote(const json_t *interface, unsigned i, char *out, size_t cap)
{
	const json_t *a = json_object_get(interface, "airtime"), *c;
	char next[40];
	size_t k;

	if (a == NULL)
		return false;
	if (json_object_get(a, "limit_ms") != NULL && i-- == 0) {
		duty(a, out, cap);
		return true;
	}
	json_array_foreach(json_object_get(a, "classes"), k, c) {
		if (ask_int(c, "waiting") == 0 || i-- != 0)
			continue;
		(void)snprintf(out, cap, "%lld of %s wait (%lld bytes): %s%s",
		    (long long)ask_int(c, "waiting"), ask_shown(c, "kind"),
		    (long long)ask_int(c, "waiting_bytes"),
		    ask_shown(c, "why"), when(next, sizeof(next), c));
		return true;
	}
	return false;
}

void
airnote_waits(const json_t *o, char *out, size_t cap)
{
	char next[40];

	(void)snprintf(out, cap, "%lld on %s: %s%s",
	    (long long)ask_int(o, "waiting"), ask_text(o, "interface"),
	    ask_shown(o, "why"), when(next, sizeof(next), o));
}
