/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/check/policytext.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/pattern.h"

bool
policy_meets(const char *pattern, const char *form)
{
	return pattern_meet(pattern, strlen(pattern), form, strlen(form));
}

void
policy_never(struct check *c, const struct ynode *n, const char *hint,
    const char *fmt, ...)
{
	char text[200]; /* of a mistake */
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	check_tell(c, false, "node.yaml", n->line, n->column, hint, "%s", text);
	c->off++;
}

static const char *
sign_of(const char *s)
{
	size_t n = strlen(s);

	if (s[0] == '^')
		return "^";
	if (n > 0 && s[n - 1] == '$')
		return "$";
	if (strchr(s, '\\') != NULL)
		return "\\";
	if (s[0] == '.' && (s[1] == '*' || s[1] == '+'))
		return ".*";
	if (strstr(s, ".+") != NULL)
		return ".+";
	if (strstr(s, "(?") != NULL)
		return "(?";
	if (strchr(s, '|') != NULL)
		return "(|)";
	if (strchr(s, '[') != NULL && strchr(s, ']') != NULL)
		return "[]";
	return NULL;
}

bool
policy_literal(const char *sign)
{
	return strcmp(sign, ".+") == 0 || strcmp(sign, "(|)") == 0 ||
	    strcmp(sign, "[]") == 0;
}

const char *
policy_regex(const char *s, char hint[POLICY_HINT_MAX])
{
	const char *sign = sign_of(s);
	size_t n = 0;

	hint[0] = '\0';
	if (sign == NULL)
		return NULL;
	for (s += *s == '^'; *s != '\0' && n + 1 < POLICY_HINT_MAX; s++) {
		if (s[0] == '$' && s[1] == '\0')
			break;
		if (s[0] == '.' && (s[1] == '*' || s[1] == '+')) {
			hint[n++] = '*';
			s++;
		} else if (s[0] == '\\' && ispunct((unsigned char)s[1])) {
			hint[n++] = *++s;
		} else if (strchr("\\[](){}|?+", *s) != NULL) {
			n = 0;
			break;
		} else {
			hint[n++] = *s;
		}
	}
	hint[n] = '\0';
	return sign;
}
