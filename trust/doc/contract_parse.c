/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/contract.h"

#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "trust/doc/jdoc.h"

/*
 * The JSON of klp.md 6.2, strictly: a member that is not known, anywhere but at
 * the top, is a promise that nobody would keep.
 */
#define PATH_MAX_BYTES 255
#define NAME_MAX_BYTES 32 /* ours: of a call */
#define LIFE_MAX (400u * 86400u)

struct reading {
	struct contract *c;
	char *why;
};

static bool
bad(struct reading *r, const char *member, const char *why)
{
	(void)snprintf(r->why, CONTRACT_WHY, "%s: %s", member, why);
	return false;
}

static bool
only(struct reading *r, const json_t *o, const char *where,
    const char *const *names, size_t n)
{
	const char *key;
	json_t *v;

	if (!json_is_object(o))
		return bad(r, where, "is no object");
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= strcmp(names[i], key) == 0;
		if (!known) {
			(void)snprintf(r->why, CONTRACT_WHY,
			    "%s: unknown member %.40s", where, key);
			return false;
		}
	}
	return true;
}

/* A copy in the contract's own room; NULL (said). */
static const char *
keep(struct reading *r, const char *where, const char *s, size_t n)
{
	struct contract *c = r->c;
	char *at = c->text + c->ntext;

	if (memchr(s, '\0', n) != NULL) {
		(void)bad(r, where, "holds a NUL");
		return NULL;
	}
	if (n + 1 > sizeof(c->text) - c->ntext) {
		(void)bad(r, where, "too much text");
		return NULL;
	}
	memcpy(at, s, n);
	at[n] = '\0';
	c->ntext += n + 1;
	return at;
}

/* 0 when absent; at least 1 when there. */
static bool
number(struct reading *r, const json_t *o, const char *member,
    const char *where, uint64_t max, uint64_t *out)
{
	*out = 0;
	if (json_object_get(o, member) == NULL)
		return true;
	if (jdoc_uint(o, member, max, out) && *out >= 1)
		return true;
	return bad(r, where, "is no integer from 1 on");
}

static bool
number32(struct reading *r, const json_t *o, const char *member,
    const char *where, uint32_t *out)
{
	uint64_t v;

	if (!number(r, o, member, where, UINT32_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

/* Absolute and normal; * within a segment, ** at the end alone. */
static bool
path(struct reading *r, const char *where, struct contract_path *p,
    const char *s, size_t n)
{
	size_t part;

	if (n > PATH_MAX_BYTES || n < 1 || s[0] != '/')
		return bad(r, where, "is no absolute path");
	p->beneath = n >= 3 && memcmp(s + n - 3, "/**", 3) == 0;
	if (p->beneath)
		n -= 3;
	for (size_t i = 1; i < n; i++)
		if (s[i - 1] == '*' && s[i] == '*')
			return bad(r, where, "has ** elsewhere than at its end, "
			    "behind a /");
	for (size_t i = 1; n > 0 && i <= n; i += part + 1) {
		for (part = 0; i + part < n && s[i + part] != '/'; part++)
			continue;
		if (part == 0 || (part == 1 && s[i] == '.') ||
		    (part == 2 && s[i] == '.' && s[i + 1] == '.'))
			return bad(r, where, "is not a normal path");
	}
	if (n == 0 && !p->beneath)
		return bad(r, where, "is not a normal path");
	p->path = keep(r, where, n == 0 ? "/" : s, n == 0 ? 1 : n);
	return p->path != NULL;
}

static bool
paths(struct reading *r, const json_t *disk, const char *member,
    const char *where, struct contract_paths *out)
{
	const json_t *list = json_object_get(disk, member), *v;
	size_t i;

	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) > CONTRACT_PATHS)
		return bad(r, where, "is no list of at most 32");
	out->given = true;
	json_array_foreach(list, i, v) {
		if (!json_is_string(v) || !path(r, where, &out->v[i],
			json_string_value(v), json_string_length(v)))
			return json_is_string(v) ? false :
			    bad(r, where, "has no text");
		out->n++;
	}
	return true;
}

static bool
writes(struct reading *r, const json_t *disk, struct contract_paths *out)
{
	static const char *const names[] = {"path", "max_bytes", "max_files"};
	const json_t *list = json_object_get(disk, "write"), *v;
	const char *s;
	size_t i, n;

	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) > CONTRACT_PATHS)
		return bad(r, "disk.write", "is no list of at most 32");
	out->given = true;
	json_array_foreach(list, i, v) {
		struct contract_path *p = &out->v[i];

		if (!only(r, v, "disk.write", names, NELEM(names)))
			return false;
		if (!jdoc_text(v, "path", &s, &n))
			return bad(r, "disk.write", "has no path");
		if (!path(r, "disk.write", p, s, n) ||
		    !number(r, v, "max_bytes", "disk.write.max_bytes",
			JDOC_INT_MAX, &p->max_bytes) ||
		    !number(r, v, "max_files", "disk.write.max_files",
			UINT32_MAX, &p->max_files))
			return false;
		out->n++;
	}
	return true;
}

static bool
disk(struct reading *r, const json_t *root)
{
	static const char *const names[] = {"read", "write", "exec",
	    "max_read_bytes", "max_write_rate"};
	const json_t *o = json_object_get(root, "disk");
	struct contract *c = r->c;

	if (o == NULL)
		return true;
	return only(r, o, "disk", names, NELEM(names)) &&
	    paths(r, o, "read", "disk.read", &c->read) &&
	    writes(r, o, &c->write) &&
	    paths(r, o, "exec", "disk.exec", &c->exec) &&
	    number(r, o, "max_read_bytes", "disk.max_read_bytes", JDOC_INT_MAX,
		&c->max_read_bytes) &&
	    number(r, o, "max_write_rate", "disk.max_write_rate", JDOC_INT_MAX,
		&c->max_write_rate);
}

static bool
memory(struct reading *r, const json_t *root)
{
	static const char *const names[] = {"typical", "max", "max_pids",
	    "anonymous_exec"};
	const json_t *o = json_object_get(root, "memory"), *v;
	struct contract *c = r->c;

	c->anonymous_exec = true;
	if (o == NULL)
		return true;
	if (!only(r, o, "memory", names, NELEM(names)) ||
	    !number(r, o, "typical", "memory.typical", JDOC_INT_MAX,
		&c->typical) ||
	    !number(r, o, "max", "memory.max", JDOC_INT_MAX, &c->memory) ||
	    !number32(r, o, "max_pids", "memory.max_pids", &c->max_pids))
		return false;
	v = json_object_get(o, "anonymous_exec");
	if (v != NULL && !json_is_boolean(v))
		return bad(r, "memory.anonymous_exec", "is not true or false");
	c->anonymous_exec = v == NULL || json_is_true(v);
	return true;
}

static bool
cpu(struct reading *r, const json_t *root)
{
	static const char *const names[] = {"milli", "max_seconds",
	    "burst_seconds"};
	const json_t *o = json_object_get(root, "cpu");
	struct contract *c = r->c;

	if (o == NULL)
		return true;
	return only(r, o, "cpu", names, NELEM(names)) &&
	    number32(r, o, "milli", "cpu.milli", &c->cpu_milli) &&
	    number32(r, o, "max_seconds", "cpu.max_seconds",
		&c->max_seconds) &&
	    number32(r, o, "burst_seconds", "cpu.burst_seconds",
		&c->burst_seconds);
}

static bool
syscalls(struct reading *r, const json_t *root)
{
	static const char *const names[] = {"profile", "deny"};
	const json_t *o = json_object_get(root, "syscalls"), *list, *v;
	struct contract *c = r->c;
	const char *s;
	size_t i, n;

	if (o == NULL)
		return true;
	if (!only(r, o, "syscalls", names, NELEM(names)))
		return false;
	if (json_object_get(o, "profile") != NULL) {
		if (!jdoc_text(o, "profile", &s, &n) || n < 1 ||
		    n >= sizeof(c->profile) || memchr(s, '/', n) != NULL ||
		    memchr(s, '\0', n) != NULL)
			return bad(r, "syscalls.profile", "is no name");
		memcpy(c->profile, s, n);
	}
	list = json_object_get(o, "deny");
	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) > CONTRACT_DENY)
		return bad(r, "syscalls.deny", "is no list of at most 64");
	json_array_foreach(list, i, v) {
		n = json_string_length(v);
		if (!json_is_string(v) || n < 1 || n > NAME_MAX_BYTES)
			return bad(r, "syscalls.deny", "has no name of a call");
		c->deny[i] = keep(r, "syscalls.deny", json_string_value(v), n);
		if (c->deny[i] == NULL)
			return false;
		c->ndeny++;
	}
	return true;
}

/* Only how many: a node without a broker takes none. Their form all the same. */
static bool
apis(struct reading *r, const json_t *root)
{
	static const char *const names[] = {"id", "scheme", "host", "port",
	    "methods", "path_prefix", "calls_per_minute", "max_request",
	    "max_response"};
	const json_t *list = json_object_get(root, "external_apis"), *v;
	size_t i;

	if (list == NULL)
		return true;
	if (!json_is_array(list) || json_array_size(list) > CONTRACT_PATHS)
		return bad(r, "external_apis", "is no list of at most 32");
	json_array_foreach(list, i, v) {
		if (!only(r, v, "external_apis", names, NELEM(names)))
			return false;
	}
	r->c->napis = (unsigned)json_array_size(list);
	return true;
}

static int
action_of(const json_t *v)
{
	static const char *const names[ACTION_COUNT] = {
	    [ACTION_NOTE] = "note", [ACTION_DENY] = "deny",
	    [ACTION_THROTTLE] = "throttle", [ACTION_FREEZE] = "freeze",
	    [ACTION_KILL] = "kill"};
	const char *s = json_string_value(v);

	for (int i = 0; s != NULL && i < ACTION_COUNT; i++) {
		if (strcmp(names[i], s) == 0)
			return i;
	}
	return -1;
}

static bool
on_violation(struct reading *r, const json_t *root)
{
	static const uint8_t mild[] = {RULE_DISK_READ, RULE_DISK_MAX_BYTES,
	    RULE_DISK_MAX_FILES};
	const json_t *o = json_object_get(root, "on_violation");
	const char *key;
	int all = ACTION_KILL, one;
	json_t *v;

	if (o != NULL && !json_is_object(o))
		return bad(r, "on_violation", "is no object");
	v = json_object_get(o, "default");
	if (v != NULL && (all = action_of(v)) < 0)
		return bad(r, "on_violation", "unknown action");
	memset(r->c->action, all, sizeof(r->c->action));
	/* klp.md 6.3: of class 2, where nobody says otherwise */
	for (size_t i = 0; v == NULL && i < NELEM(mild); i++)
		r->c->action[mild[i]] = ACTION_DENY;
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		unsigned rule = 1;

		if (strcmp(key, "default") == 0)
			continue;
		while (rule < RULE_COUNT &&
		    strcmp(contract_rule_name(rule), key) != 0)
			rule++;
		if (rule == RULE_COUNT) {
			(void)snprintf(r->why, CONTRACT_WHY,
			    "on_violation: unknown rule %.40s", key);
			return false;
		}
		if ((one = action_of(v)) < 0)
			return bad(r, "on_violation", "unknown action");
		r->c->action[rule] = (uint8_t)one;
	}
	return true;
}

static bool
head(struct reading *r, const json_t *root)
{
	const char *s;
	uint64_t v;
	size_t n;

	if (!jdoc_text(root, "_type", &s, &n) || n != 21 ||
	    memcmp(s, "klp.behavior-contract", 21) != 0)
		return bad(r, "_type", "is not klp.behavior-contract");
	/* no member of ours is optional knowledge */
	if (json_object_get(root, "crit") != NULL &&
	    json_array_size(json_object_get(root, "crit")) > 0)
		return bad(r, "crit", "names what is not known here");
	if (!jdoc_text(root, "agent", &s, &n) ||
	    !urn_parse(&r->c->agent, s, n))
		return bad(r, "agent", "is no URN");
	if (!jdoc_text(root, "image", &s, &n) || n != 71 ||
	    memcmp(s, "sha256:", 7) != 0 ||
	    !hex_decode(HASH_BYTES(r->c->image), s + 7, 64))
		return bad(r, "image", "is not sha256: and 64 digits");
	if (!jdoc_uint(root, "version", UINT32_MAX, &v) || v < 1)
		return bad(r, "version", "is no integer from 1 on");
	r->c->version = (uint32_t)v;
	if (!jdoc_uint(root, "issued", UINT32_MAX, &v))
		return bad(r, "issued", "is no time");
	r->c->issued = (uint32_t)v;
	if (!jdoc_uint(root, "expires", UINT32_MAX, &v) ||
	    v <= r->c->issued || v - r->c->issued > LIFE_MAX)
		return bad(r, "expires",
		    "is no time behind issued, at most 400 days");
	r->c->expires = (uint32_t)v;
	return true;
}

int
contract_parse(struct contract *c, const void *payload, size_t len,
    char why[CONTRACT_WHY])
{
	struct reading r = {c, why};
	const char *bad_json;
	json_t *root;
	bool ok;

	memset(c, 0, sizeof(*c));
	root = jdoc_parse_canonical(payload, len, CONTRACT_BYTES, &bad_json);
	if (root == NULL) {
		(void)bad(&r, "payload", bad_json);
		return -1;
	}
	ok = json_is_object(root) ? head(&r, root) && apis(&r, root) &&
	    disk(&r, root) && memory(&r, root) && cpu(&r, root) &&
	    syscalls(&r, root) && on_violation(&r, root) :
	    bad(&r, "payload", "is no object");
	json_decref(root);
	return ok ? 0 : -1;
}
