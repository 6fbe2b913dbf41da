/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/lsm.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"

#define CATEGORIES 1024u /* of every policy that has them */

static const struct {
	const char *word;
	enum lsm_kind kind;
	bool whole;
} words[] = {{"none", LSM_NONE, false}, {"apparmor shapes", LSM_APPARMOR,
    false}, {"apparmor profile", LSM_APPARMOR, true},
    {"selinux", LSM_SELINUX, false}};

void
lsm_write(char out[LSM_TEXT_MAX], const struct lsm *l)
{
	const char *rest = l->kind == LSM_NONE ? l->why :
	    l->kind == LSM_APPARMOR ? l->name : "";

	out[0] = '\0';
	for (size_t i = 0; i < NELEM(words); i++)
		if (words[i].kind == l->kind && words[i].whole == l->whole)
			(void)snprintf(out, LSM_TEXT_MAX, "%s%s%s",
			    words[i].word, rest[0] == '\0' ? "" : " ", rest);
}

bool
lsm_read(struct lsm *out, const char *text)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < NELEM(words); i++) {
		size_t n = strlen(words[i].word);
		const char *rest = text + n;

		if (strncmp(text, words[i].word, n) != 0 ||
		    (*rest != '\0' && *rest != ' '))
			continue;
		rest += *rest == ' ';
		if (words[i].kind == LSM_NONE)
			return (size_t)snprintf(out->why, sizeof(out->why),
			    "%s", rest) < sizeof(out->why);
		if (words[i].kind == LSM_APPARMOR && (!apparmor_name_ok(rest) ||
		    (!words[i].whole && strlen(rest) > APPARMOR_PREFIX_MAX)))
			return false;
		if (words[i].kind == LSM_SELINUX && *rest != '\0')
			return false;
		(void)snprintf(out->name, sizeof(out->name), "%s", rest);
		out->kind = words[i].kind;
		out->whole = words[i].whole;
		return true;
	}
	return false;
}

bool
selinux_context(char out[LSM_LABEL_MAX], const char *current, uint32_t slot)
{
	const char *role, *type, *level;
	/* pairs (a, b) with a < b, one for each slot, none twice */
	uint32_t a = slot % CATEGORIES, b = slot / CATEGORIES + a + 1;
	int n;

	if ((role = strchr(current, ':')) == NULL ||
	    (type = strchr(role + 1, ':')) == NULL || role == current ||
	    type == role + 1 || b >= CATEGORIES)
		return false;
	level = strchr(type + 1, ':');
	if (type[1] == '\0' || level == type + 1)
		return false;
	n = level == NULL ? snprintf(out, LSM_LABEL_MAX, "%.*s:" SELINUX_JOB,
	    (int)(type - current), current) :
	    snprintf(out, LSM_LABEL_MAX, "%.*s:" SELINUX_JOB ":s0:c%u,c%u",
	    (int)(type - current), current, a, b);
	return n > 0 && n < LSM_LABEL_MAX;
}

bool
lsm_label(char out[LSM_LABEL_MAX], const struct lsm *l, const struct plan *p,
    const struct apparmor_places *at)
{
	struct apparmor_shape s;

	if (l->kind == LSM_SELINUX)
		return selinux_context(out, l->current, p->slot);
	if (l->kind != LSM_APPARMOR)
		return false;
	if (l->whole) {
		(void)snprintf(out, LSM_LABEL_MAX, "%s", l->name);
		return true;
	}
	if (!apparmor_shape_of(&s, p, at))
		return false;
	apparmor_name(out, l->name, &s);
	return true;
}

bool
lsm_label_any(char out[LSM_LABEL_MAX], const struct lsm *l)
{
	static const struct plan none = {.slot = 1, .read_only = true};
	static const struct apparmor_places at = {.dev = "dev", .tmp = "tmp",
	    .proc = "proc"};

	return lsm_label(out, l, &none, &at);
}
