/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/contract.h"

#include <string.h>

#include "common/util.h"
#include "common/wire.h"

#define EARLY_S 300 /* klp.md 1.7 */

static const struct {
	const char *name, *violation;
} RULES[RULE_COUNT] = {
#define R(rule, name) [rule] = {name, "violation:" name}
    [RULE_NONE] = {NULL, "violation"},
    R(RULE_APIS, "external_apis"),
    R(RULE_APIS_RATE, "external_apis.calls_per_minute"),
    R(RULE_DISK_READ, "disk.read"),
    R(RULE_DISK_WRITE, "disk.write"),
    R(RULE_DISK_EXEC, "disk.exec"),
    R(RULE_DISK_MAX_BYTES, "disk.max_bytes"),
    R(RULE_DISK_MAX_FILES, "disk.max_files"),
    R(RULE_DISK_READ_BYTES, "disk.read_bytes"),
    R(RULE_DISK_WRITE_RATE, "disk.write_rate"),
    R(RULE_MEMORY_MAX, "memory.max"),
    R(RULE_MAX_PIDS, "memory.max_pids"),
    R(RULE_ANONYMOUS_EXEC, "memory.anonymous_exec"),
    R(RULE_CPU_SECONDS, "cpu.max_seconds"),
    R(RULE_CPU_BURST, "cpu.burst_seconds"),
    R(RULE_SYSCALLS, "syscalls"),
#undef R
};

/* From RULE_WATCH on; never in another order. */
static const char *const WATCHED[] = {"violation:write_proc",
    "violation:write_dev", "violation:write_boot", "violation:anonymous_exec",
    "violation:write_then_exec", "violation:map_deleted",
    "violation:run_memory", "violation:credentials_changed",
    "violation:credentials_asked", "violation:cpu_burst",
    "violation:forbidden_call"};
#define OWN "violation:own_rule"

unsigned
contract_watch_rule(const char *name)
{
	const size_t head = strlen("violation:");

	for (unsigned i = 0; i < NELEM(WATCHED); i++) {
		if (strcmp(WATCHED[i] + head, name) == 0)
			return RULE_WATCH + i;
	}
	return RULE_WATCH_LAST;
}

const char *
contract_rule_name(unsigned rule)
{
	return rule < RULE_COUNT ? RULES[rule].name : NULL;
}

const char *
contract_violation(unsigned rule)
{
	if (rule >= RULE_WATCH && rule - RULE_WATCH < NELEM(WATCHED))
		return WATCHED[rule - RULE_WATCH];
	if (rule >= RULE_WATCH && rule <= RULE_WATCH_LAST)
		return OWN;
	return RULES[rule < RULE_COUNT ? rule : RULE_NONE].violation;
}

const char *
contract_times(const struct contract *c, uint32_t now)
{
	if (c->issued > (uint64_t)now + EARLY_S)
		return "issued in the future";
	if (c->expires <= now)
		return "expired";
	return NULL;
}

bool
contract_path_open(const struct contract_path *p, size_t *folder)
{
	const char *last = strrchr(p->path, '/');

	*folder = last == NULL || last == p->path ? 1 :
	    (size_t)(last - p->path);
	return !p->beneath && last != NULL && strchr(last, '*') != NULL;
}

/* ---- the record ---- */

static void
put_paths(struct wr *w, const struct contract_paths *p)
{
	wr_bool(w, p->given);
	wr_u8(w, (uint8_t)p->n);
	for (unsigned i = 0; i < p->n; i++) {
		wr_str(w, p->v[i].path);
		wr_bool(w, p->v[i].beneath);
		wr_u64(w, p->v[i].max_bytes);
		wr_u64(w, p->v[i].max_files);
	}
}

size_t
contract_record_put(uint8_t *out, size_t cap, const struct contract *c)
{
	struct wr w = wr_make(out, cap);

	wr_bytes(&w, HASH_BYTES(c->agent));
	wr_u32(&w, c->version);
	wr_u32(&w, c->issued);
	wr_u32(&w, c->expires);
	wr_bytes(&w, HASH_BYTES(c->image));
	wr_u32(&w, c->napis);
	put_paths(&w, &c->read);
	put_paths(&w, &c->write);
	put_paths(&w, &c->exec);
	wr_u64(&w, c->max_read_bytes);
	wr_u64(&w, c->max_write_rate);
	wr_u64(&w, c->typical);
	wr_u64(&w, c->memory);
	wr_u32(&w, c->max_pids);
	wr_u32(&w, c->cpu_milli);
	wr_u32(&w, c->max_seconds);
	wr_u32(&w, c->burst_seconds);
	wr_bool(&w, c->anonymous_exec);
	wr_str(&w, c->profile);
	wr_u8(&w, (uint8_t)c->ndeny);
	for (unsigned i = 0; i < c->ndeny; i++)
		wr_str(&w, c->deny[i]);
	wr_bytes(&w, c->action, sizeof(c->action));
	return wr_ok(&w) ? w.len : 0;
}

/* A text into the contract's own room; NULL: malformed, or no room. */
static const char *
get_text(struct rd *r, struct contract *c)
{
	char *at = c->text + c->ntext;

	if (!rd_str(r, at, sizeof(c->text) - c->ntext))
		return NULL;
	c->ntext += strlen(at) + 1;
	return at;
}

static bool
get_paths(struct rd *r, struct contract *c, struct contract_paths *p)
{
	uint8_t n;

	if (!rd_bool(r, &p->given) || !rd_u8(r, &n) || n > CONTRACT_PATHS)
		return false;
	for (unsigned i = 0; i < n; i++) {
		struct contract_path *v = &p->v[i];

		if ((v->path = get_text(r, c)) == NULL || v->path[0] != '/' ||
		    !rd_bool(r, &v->beneath) || !rd_u64(r, &v->max_bytes) ||
		    !rd_u64(r, &v->max_files))
			return false;
	}
	p->n = n;
	return true;
}

static bool
get_numbers(struct rd *r, struct contract *c)
{
	return rd_u64(r, &c->max_read_bytes) &&
	    rd_u64(r, &c->max_write_rate) && rd_u64(r, &c->typical) &&
	    rd_u64(r, &c->memory) && rd_u32(r, &c->max_pids) &&
	    rd_u32(r, &c->cpu_milli) && rd_u32(r, &c->max_seconds) &&
	    rd_u32(r, &c->burst_seconds) && rd_bool(r, &c->anonymous_exec) &&
	    rd_str(r, c->profile, sizeof(c->profile));
}

bool
contract_record_get(struct contract *c, const uint8_t *buf, size_t len)
{
	struct rd r = rd_make(buf, len);
	uint32_t napis;
	uint8_t n;

	memset(c, 0, sizeof(*c));
	if (!rd_copy(&r, HASH_BYTES(c->agent)) || !rd_u32(&r, &c->version) ||
	    !rd_u32(&r, &c->issued) || !rd_u32(&r, &c->expires) ||
	    !rd_copy(&r, HASH_BYTES(c->image)) || !rd_u32(&r, &napis) ||
	    !get_paths(&r, c, &c->read) || !get_paths(&r, c, &c->write) ||
	    !get_paths(&r, c, &c->exec) || !get_numbers(&r, c) ||
	    !rd_u8(&r, &n) || n > CONTRACT_DENY)
		return false;
	c->napis = napis;
	for (unsigned i = 0; i < n; i++) {
		if ((c->deny[i] = get_text(&r, c)) == NULL)
			return false;
	}
	c->ndeny = n;
	if (!rd_copy(&r, c->action, sizeof(c->action)) || !rd_end(&r))
		return false;
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		if (c->action[i] >= ACTION_COUNT)
			return false;
	}
	return true;
}
