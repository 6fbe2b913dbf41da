/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/check_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "audit/rules.h"
#include "common/cleanup.h"

#define FILE_RULES "rules.yaml"

/* Rules about calls that no event is of: a word that was misspelt, mostly. */
static void
never_holds(struct check *c, const struct rules *r)
{
	const char *call, *near;

	for (unsigned i = 0; i < r->n; i++) {
		const struct rule *at = &r->rule[i];
		char hint[100] = "man warren-rules lists them";

		if (at->line == 0 || (call = cond_unknown(&at->cond)) == NULL)
			continue;
		if (!event_call_known(call, &near) && near != NULL)
			(void)snprintf(hint, sizeof(hint), "did you mean %s? "
			    "man warren-rules lists them", near);
		check_tell(c, true, FILE_RULES, at->line, at->column, hint,
		    "rule %s: no event has the evt.type \"%.40s\"", at->name,
		    call);
	}
}

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
	else
		never_holds(c, r);
	free(r);
}
