/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/ifnote.h"

#include <stdio.h>

#include "node/cli/ask.h"
#include "node/cli/table.h"

const char *
ifnote_error(const json_t *interface, unsigned k)
{
	const json_t *all = json_object_get(interface, "errors");

	return json_string_value(all != NULL ? json_array_get(all, k) :
	    k == 0 ? json_object_get(interface, "error") : NULL);
}

bool
ifnote_remark(const json_t *interface, char *out, size_t cap)
{
	char age[24];

	if (json_object_get(interface, "remark") == NULL)
		return false;
	(void)snprintf(out, cap, "%s ago: %.200s", cli_age(age,
	    ask_int(interface, "remark_s")), ask_text(interface, "remark"));
	return true;
}
