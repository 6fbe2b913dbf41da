/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_rules.h"

#include <stdlib.h>

#include "audit/rules.h"
#include "common/cleanup.h"

#define FILE_RULES "rules.yaml"

void
check_rules(struct check *c)
{
	struct mistakes m = {0};
	struct rules *r;
	size_t len;
	_cleanup_free_ char *text =
	    check_read(c, FILE_RULES, RULES_BYTES_MAX, &len);

	if (text == NULL || (r = malloc(sizeof(*r))) == NULL)
		return;
	if (rules_read(r, text, len, &m) < 0)
		check_tell_all(c, FILE_RULES, &m);
	free(r);
}
