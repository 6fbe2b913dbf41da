/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/plan.h"

#include <string.h>

#include "common/util.h"
#include "sandbox/plan/wasm.h"

/* ---- codec ---- */

void
plan_encode(struct wr *w, const struct plan *p)
{
	wr_u16(w, PLAN_VERSION);
	wr_bytes(w, HASH_BYTES(p->job));
	wr_bytes(w, HASH_BYTES(p->image));
	wr_u32(w, p->slot);
	wr_u32(w, p->layers);
	wr_u64(w, p->memory);
	wr_u32(w, p->cpu_milli);
	wr_u32(w, p->pids);
	wr_u64(w, p->time_ms);
	wr_u64(w, p->output);
	wr_u64(w, p->io_read);
	wr_u64(w, p->io_write);
	wr_u32(w, p->args_len);
	wr_u32(w, p->targets_len);
	wr_u32(w, p->filter_len);
	wr_bool(w, p->read_only);
	wr_bool(w, p->noexec);
	wr_u8(w, p->ruled);
	wr_u64(w, p->tmp_bytes);
	wr_u32(w, p->tmp_inodes);
	wr_u8(w, p->runtime);
	wr_u8(w, p->wasm);
	wr_u64(w, p->fuel);
	wr_u64(w, p->module);
	wr_u8(w, (uint8_t)p->nvolumes);
	for (uint32_t i = 0; i < p->nvolumes && i < PLAN_VOLUMES_ALL; i++) {
		wr_u8(w, p->volumes[i].kind);
		wr_u8(w, p->volumes[i].index);
		wr_u64(w, p->volumes[i].size);
		wr_u64(w, p->volumes[i].bytes);
		wr_u32(w, p->volumes[i].inodes);
	}
}

bool
plan_decode(struct rd r, struct plan *p)
{
	uint16_t version;
	uint8_t n;

	memset(p, 0, sizeof(*p));
	if (!rd_u16(&r, &version) || version != PLAN_VERSION ||
	    !rd_copy(&r, HASH_BYTES(p->job)) ||
	    !rd_copy(&r, HASH_BYTES(p->image)) ||
	    !rd_u32(&r, &p->slot) || !rd_u32(&r, &p->layers) ||
	    !rd_u64(&r, &p->memory) || !rd_u32(&r, &p->cpu_milli) ||
	    !rd_u32(&r, &p->pids) || !rd_u64(&r, &p->time_ms) ||
	    !rd_u64(&r, &p->output) || !rd_u64(&r, &p->io_read) ||
	    !rd_u64(&r, &p->io_write) || !rd_u32(&r, &p->args_len) ||
	    !rd_u32(&r, &p->targets_len) || !rd_u32(&r, &p->filter_len) || !rd_bool(&r, &p->read_only) ||
	    !rd_bool(&r, &p->noexec) || !rd_u8(&r, &p->ruled) ||
	    !rd_u64(&r, &p->tmp_bytes) || !rd_u32(&r, &p->tmp_inodes) ||
	    !rd_u8(&r, &p->runtime) || !rd_u8(&r, &p->wasm) ||
	    !rd_u64(&r, &p->fuel) || !rd_u64(&r, &p->module) ||
	    !rd_u8(&r, &n) || n > PLAN_VOLUMES_ALL)
		return false;
	p->nvolumes = n;
	for (uint32_t i = 0; i < n; i++)
		if (!rd_u8(&r, &p->volumes[i].kind) ||
		    !rd_u8(&r, &p->volumes[i].index) ||
		    !rd_u64(&r, &p->volumes[i].size) ||
		    !rd_u64(&r, &p->volumes[i].bytes) ||
		    !rd_u32(&r, &p->volumes[i].inodes))
			return false;
	return rd_end(&r);
}

unsigned
plan_blobs(const struct plan *p)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < p->nvolumes; i++)
		if (p->volumes[i].kind == PLAN_VOL_RO ||
		    p->volumes[i].kind == PLAN_VOL_RW)
			n++;
	return n;
}

unsigned
plan_wasm_fds(const struct plan *p)
{
	return p->runtime != PLAN_WASM ? 0 :
	    (p->wasm & WASM_COMPILE) != 0 ? 3 : 1;
}

/* ---- checks of THREATS.md 2 ---- */

uint64_t
plan_memory_least(uint32_t volumes, bool wasm)
{
	return (wasm ? WASM_MEMORY_ROOM : 0) + PLAN_MEMORY_LEAST +
	    (uint64_t)PLAN_MEMORY_VOLUME * volumes;
}

uint64_t
plan_output_least(uint32_t packed)
{
	return MAX_OF(1u, (uint64_t)PLAN_OUTPUT_VOLUME * packed);
}

uint64_t
plan_output_room(uint64_t output)
{
	/* tmpfs counts pages, and rounds up */
	if (output < 4 * PLAN_OUTPUT_PAGE)
		return output;
	return (output - PLAN_OUTPUT_OVER) / PLAN_OUTPUT_PAGE *
	    PLAN_OUTPUT_PAGE;
}

void
plan_volume_room(const struct plan *p, uint32_t i, uint64_t *bytes,
    uint32_t *inodes)
{
	const struct plan_volume *v = &p->volumes[i];

	*bytes = v->bytes != 0 ? v->bytes : plan_output_room(p->output);
	*inodes = v->inodes != 0 ? v->inodes : PLAN_RW_INODES;
}

static const char *
check_volume(const struct plan *p, const struct plan_volume *v,
    const struct plan_limits *l)
{
	if ((v->bytes != 0 || v->inodes != 0) && (v->kind != PLAN_VOL_RW ||
	    v->bytes > p->output || v->inodes > PLAN_RW_INODES))
		return "a volume larger than its limit";
	switch (v->kind) {
	case PLAN_VOL_RO:
	case PLAN_VOL_RW:
		return v->index == 0 ? NULL : "a job volume with an index";
	case PLAN_VOL_PROFILE:
	case PLAN_VOL_PROFILE_RW:
		return v->index < l->nvolumes && v->size == 0 ? NULL :
		    "no such profile volume";
	default:
		return "unknown kind of volume";
	}
}

static const char *
check_numbers(const struct plan *p, const struct plan_limits *l)
{
	if (p->memory < plan_memory_least(p->nvolumes,
	    p->runtime == PLAN_WASM) ||
	    p->memory > l->memory)
		return "memory";
	if (p->cpu_milli == 0 || p->cpu_milli > l->cpu_milli)
		return "cpu";
	if (p->pids == 0 || p->pids > l->pids || p->pids > PLAN_PIDS_MAX ||
	    (p->runtime == PLAN_WASM && p->pids < WASM_PIDS_LEAST))
		return "pids";
	if (p->time_ms == 0 || p->time_ms > l->time_ms)
		return "time";
	if (p->output == 0 || p->output > l->output)
		return "output";
	return NULL;
}

static const char *
check_runtime(const struct plan *p, const struct plan_limits *l)
{
	if (p->runtime == PLAN_NATIVE)
		return p->wasm == 0 && p->fuel == 0 && p->module == 0 ? NULL :
		    "a module of a program";
	if (p->runtime != PLAN_WASM || (p->wasm & ~WASM_FLAGS) != 0)
		return "unknown runtime";
	if (!l->wasm)
		return "WebAssembly is not installed on the node";
	return p->module != 0 && p->module <= ((p->wasm & WASM_COMPILE) != 0 ?
	    WASM_MODULE_MAX : WASM_CODE_MAX) ? NULL : "size of the module";
}

const char *
plan_check(const struct plan *p, const struct plan_limits *l,
    const char **why)
{
	uint32_t must = p->layers | l->required | LAYERS_FLOOR;

	*why = "unknown layer";
	if ((must & ~LAYERS_KNOWN) != 0)
		return "posture";
	*why = "a required layer is not available";
	if ((must & ~l->available) != 0)
		return "posture";
	*why = "no such slot";
	if (p->slot == 0 || p->slot > l->slots)
		return "internal";
	if ((*why = check_numbers(p, l)) != NULL)
		return "limits";
	*why = "argv and environment";
	if (p->args_len == 0 || p->args_len > PLAN_MEMFD_MAX)
		return "internal";
	*why = "targets";
	if (p->targets_len >= p->args_len ||
	    p->targets_len > PLAN_TARGETS_BYTES)
		return "internal";
	*why = "seccomp program";
	if (p->filter_len == 0 || p->filter_len > PLAN_FILTER_MAX)
		return "internal";
	if ((*why = check_runtime(p, l)) != NULL)
		return "image";
	*why = "tmp";
	if (p->tmp_bytes > MAX_OF(p->memory / 4, 65536u) ||
	    p->tmp_inodes > PLAN_TMP_INODES)
		return "limits";
	*why = "unknown rules";
	if ((p->ruled & ~(PLAN_MAY_READ | PLAN_MAY_WRITE | PLAN_MAY_EXEC)) != 0)
		return "internal";
	/* what nothing would hold the job to is not promised */
	*why = "rules of paths without Landlock";
	if (p->ruled != 0 && (l->available & LAYER_LANDLOCK) == 0)
		return "posture";
	*why = "too many job volumes";
	if (plan_blobs(p) > PLAN_VOLUMES_MAX)
		return "volume";
	for (uint32_t i = 0; i < p->nvolumes; i++)
		if ((*why = check_volume(p, &p->volumes[i], l)) != NULL)
			return "volume";
	*why = NULL;
	return NULL;
}

/* ---- args ---- */

void
plan_args_encode(struct wr *w, const struct plan_args *a)
{
	const char *const *lists[] = {a->targets, a->argv, a->env, a->rules};
	const uint32_t counts[] = {a->ntargets, a->argc, a->envc, a->nrules};

	for (unsigned l = 0; l < NELEM(lists); l++) {
		wr_u16(w, (uint16_t)counts[l]);
		for (uint32_t i = 0; i < counts[l]; i++) {
			size_t n = strlen(lists[l][i]);

			wr_u32(w, (uint32_t)n);
			wr_bytes(w, lists[l][i], n + 1);
		}
	}
	wr_u32(w, (uint32_t)strlen(a->cwd));
	wr_bytes(w, a->cwd, strlen(a->cwd) + 1);
}

/* A string with its NUL; total: bytes that all of a kind may still have. */
static bool
get_text(struct rd *r, const char **out, size_t *total)
{
	const uint8_t *p;
	uint32_t n;

	if (!rd_u32(r, &n) || n > *total || !rd_ref(r, &p, (size_t)n + 1) ||
	    p[n] != '\0' || memchr(p, 0, n) != NULL)
		return false;
	*total -= n;
	*out = (const char *)p;
	return true;
}

static bool
get_list(struct rd *r, const char **out, uint32_t *count, uint32_t max,
    size_t total)
{
	uint16_t n;

	if (!rd_u16(r, &n) || n > max)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!get_text(r, &out[i], &total))
			return false;
	*count = n;
	return true;
}

/* compute.md 2.1, env */
static bool
env_ok(const char *s)
{
	size_t n = strcspn(s, "=");

	if (n == 0 || n > PLAN_ENV_NAME || s[n] != '=' ||
	    strlen(s + n + 1) > PLAN_ENV_VALUE)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    c == '_' || (i > 0 && c >= '0' && c <= '9')))
			return false;
	}
	return true;
}

uint32_t
plan_targets_len(const struct plan_args *a)
{
	size_t n = 2;

	for (uint32_t i = 0; i < a->ntargets; i++)
		n += 4 + strlen(a->targets[i]) + 1;
	return (uint32_t)n;
}

static bool
get_targets(struct rd *r, struct plan_args *a)
{
	memset(a, 0, sizeof(*a));
	return get_list(r, a->targets, &a->ntargets, PLAN_VOLUMES_ALL,
	    (size_t)PLAN_VOLUMES_ALL * PLAN_TARGET_MAX);
}

const char *
plan_targets_parse(const uint8_t *buf, size_t len, struct plan_args *a)
{
	struct rd r = rd_make(buf, len);

	return !get_targets(&r, a) || !rd_end(&r) ? "targets" :
	    plan_targets_check(a->targets, a->ntargets);
}

const char *
plan_args_parse(const uint8_t *buf, size_t len, struct plan_args *a)
{
	struct rd r = rd_make(buf, len);
	size_t cwd_max = 4095;
	const char *why;

	if (!get_targets(&r, a))
		return "targets";
	if (!get_list(&r, a->argv, &a->argc, PLAN_ARGS_MAX, PLAN_ARGS_BYTES) ||
	    a->argc == 0)
		return "command";
	if (!get_list(&r, a->env, &a->envc, PLAN_ENV_MAX,
	    PLAN_ENV_MAX * (PLAN_ENV_NAME + 1 + PLAN_ENV_VALUE)))
		return "env";
	if (!get_list(&r, a->rules, &a->nrules, PLAN_RULES_MAX,
	    PLAN_RULES_BYTES))
		return "rules";
	for (uint32_t i = 0; i < a->nrules; i++) {
		const char *path;
		bool beneath;

		if (plan_rule(a->rules[i], &beneath, &path) == 0)
			return "rules";
	}
	if (!get_text(&r, &a->cwd, &cwd_max) || a->cwd[0] != '/' ||
	    !rd_end(&r))
		return "working folder";
	for (uint32_t i = 0; i < a->envc; i++)
		if (!env_ok(a->env[i]))
			return "env";
	if ((why = plan_targets_check(a->targets, a->ntargets)) != NULL)
		return why;
	return NULL;
}

uint8_t
plan_rule(const char *rule, bool *beneath, const char **path)
{
	if (rule[0] < '1' || rule[0] > '7' ||
	    (rule[1] != '*' && rule[1] != '=') || rule[2] != '/')
		return 0;
	*beneath = rule[1] == '*';
	*path = rule + 2;
	return (uint8_t)(rule[0] - '0');
}

bool
plan_target_ok(const char *t)
{
	static const char *const closed[] = {"/proc", "/sys", "/dev"};
	size_t len = strnlen(t, PLAN_TARGET_MAX + 1), n;

	if (t[0] != '/' || len < 2 || len > PLAN_TARGET_MAX ||
	    !utf8_valid(t, len))
		return false;
	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)t[i];

		if (c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (uint8_t)t[i + 1] < 0xa0))
			return false;
	}
	for (const char *p = t + 1;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') ||
		    (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (p[n] == '\0')
			break;
	}
	for (size_t i = 0; i < NELEM(closed); i++) {
		n = strlen(closed[i]);
		if (strncmp(t, closed[i], n) == 0 &&
		    (t[n] == '\0' || t[n] == '/'))
			return false;
	}
	return true;
}

static bool
inside(const char *a, const char *b)
{
	size_t n = strlen(b);

	return strncmp(a, b, n) == 0 && (a[n] == '\0' || a[n] == '/');
}

const char *
plan_targets_check(const char *const *t, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!plan_target_ok(t[i]))
			return "a target that is not allowed";
		for (uint32_t j = 0; j < i; j++)
			if (inside(t[i], t[j]) || inside(t[j], t[i]))
				return "a target inside another";
	}
	return NULL;
}

void
plan_group_name(char *out, const struct id32 *job)
{
	memcpy(out, "job-", 4);
	hex_encode(out + 4, job->b, 16);
}
