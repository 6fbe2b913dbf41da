/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/radionote.h"

#include <stdio.h>

#include "node/cli/ask.h"

static double
share(const json_t *r, const char *key)
{
	return json_number_value(json_object_get(r, key));
}

/* ", noise -110 dBm" of what it knows, behind what is there. */
static void
add(const json_t *r, const char *key, const char *fmt, char *out, size_t cap,
    size_t *len)
{
	if (json_object_get(r, key) != NULL && *len < cap)
		*len += (size_t)snprintf(out + *len, cap - *len, fmt,
		    (long long)ask_int(r, key));
}

bool
radionote(const json_t *interface, char *out, size_t cap)
{
	const json_t *r = json_object_get(interface, "radio");
	size_t len;

	if (r == NULL)
		return false;
	len = (size_t)snprintf(out, cap, "the radio sent %.2f %% of 15 s and "
	    "%.2f %% of an hour, and heard others in %.2f %% and %.2f %%",
	    share(r, "sent_15s_percent"), share(r, "sent_1h_percent"),
	    share(r, "busy_15s_percent"), share(r, "busy_1h_percent"));
	add(r, "noise_dbm", ", noise %lld dBm", out, cap, &len);
	add(r, "interference_dbm", ", interference %lld dBm", out, cap, &len);
	add(r, "celsius", ", %lld degrees Celsius", out, cap, &len);
	add(r, "battery_percent", ", battery %lld %%", out, cap, &len);
	if (json_object_get(r, "battery") != NULL && len < cap)
		(void)snprintf(out + len, cap - len, " (%s)",
		    ask_shown(r, "battery"));
	return true;
}
