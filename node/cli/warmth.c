/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/warmth.h"

#include <stdio.h>

#include "node/cli/ask.h"

void
warmth_print(const json_t *o)
{
	const json_t *cold = json_object_get(o, "cold");
	json_int_t all = ask_int(o, "starts");
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)cold, key, v)
		all += json_integer_value(v);
	if (!json_is_true(json_object_get(o, "on")) && all == 0)
		return;
	printf("warm      %lld prepared", (long long)ask_int(o, "prepared"));
	if (all > 0)
		printf(", %lld of %lld starts into one",
		    (long long)ask_int(o, "starts"), (long long)all);
	json_object_foreach((json_t *)cold, key, v)
		if (json_integer_value(v) > 0)
			printf(", %lld not: %s",
			    (long long)json_integer_value(v), key);
	if (ask_int(o, "failed") > 0)
		printf(", %lld could not be prepared",
		    (long long)ask_int(o, "failed"));
	printf("\n");
}
