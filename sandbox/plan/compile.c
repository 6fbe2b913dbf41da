/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/plan/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

#define PATH_DEFAULT                                                           \
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool
collides(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), k = MIN_OF(n, m);

	if (strncmp(a, b, k) != 0)
		return false;
	return n == m || (n > m ? a : b)[k] == '/';
}

static void
add_volume(struct plan *p, struct plan_args *a, uint8_t kind, uint8_t index,
    uint64_t size, const char *target)
{
	p->volumes[p->nvolumes].kind = kind;
	p->volumes[p->nvolumes].index = index;
	p->volumes[p->nvolumes].size = size;
	a->targets[p->nvolumes++] = target;
	a->ntargets = p->nvolumes;
}

static void
volumes(struct plan *p, struct plan_args *a, const struct compile_in *in)
{
	const struct manifest *m = in->m;

	for (unsigned i = 0; i < m->nvolumes; i++)
		add_volume(p, a, m->volume[i].rw ? PLAN_VOL_RW : PLAN_VOL_RO,
		    0, m->volume[i].blob.size, m->volume[i].target);
	for (unsigned i = 0; in->profile != NULL &&
	    i < in->profile->nvolumes; i++) {
		const struct volume_spec *v = &in->profile->volume[i];
		bool taken = p->nvolumes == PLAN_VOLUMES_ALL;

		for (unsigned k = 0; k < m->nvolumes && !taken; k++)
			taken = collides(v->target, m->volume[k].target);
		if (!taken)
			add_volume(p, a, v->rw ? PLAN_VOL_PROFILE_RW :
			    PLAN_VOL_PROFILE, (uint8_t)i, 0, v->target);
	}
}

uint32_t
plan_targets(const char **out, const struct manifest *m,
    const struct profile *profile)
{
	struct compile_in in = {.m = m, .profile = profile};
	struct plan_args a = {.ntargets = 0};
	struct plan p = {.nvolumes = 0};

	volumes(&p, &a, &in);
	memcpy(out, a.targets, a.ntargets * sizeof(*out));
	return a.ntargets;
}

/* "NAME=": does the list have it? */
static bool
has_name(const char *const *list, uint32_t n, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (uint32_t i = 0; i < n; i++)
		if (strncmp(list[i], entry, len) == 0)
			return true;
	return false;
}

static void
environment(struct plan_args *a, const struct compile_in *in)
{
	const struct text_list *own = &in->m->env;

	for (unsigned i = 0; i < own->n && a->envc < PLAN_ENV_MAX; i++)
		a->env[a->envc++] = own->v[i];
	for (uint32_t i = 0; i < in->rec->envc && a->envc < PLAN_ENV_MAX; i++)
		if (!has_name(a->env, a->envc, in->rec->env[i]))
			a->env[a->envc++] = in->rec->env[i];
	/* a module has no programs to find */
	if ((in->m->has & HAS_WASM) != 0)
		return;
	if (a->envc < PLAN_ENV_MAX && !has_name(a->env, a->envc, PATH_DEFAULT))
		a->env[a->envc++] = PATH_DEFAULT;
}

static void
command(struct plan_args *a, const struct compile_in *in)
{
	if (in->m->command.n > 0) {
		for (unsigned i = 0; i < in->m->command.n &&
		    a->argc < PLAN_ARGS_MAX; i++)
			a->argv[a->argc++] = in->m->command.v[i];
		return;
	}
	for (uint32_t i = 0; i < in->rec->argc; i++)
		a->argv[a->argc++] = in->rec->argv[i];
}

/* ---- a behaviour contract (klp.md 6.3) ---- */

/*
 * Files that are made by a pattern: the kernel lets their folder, and the
 * probes tell of what is not among them.
 */
static bool
add_rules(struct plan_args *a, char **room, size_t *left,
    const struct contract_paths *p, unsigned may)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct contract_path *v = &p->v[i];
		size_t len = 0;
		bool made = may == PLAN_MAY_WRITE && contract_path_open(v, &len);
		int n = snprintf(*room, *left, "%u%c%.*s", may,
		    v->beneath || made ? '*' : '=',
		    made ? (int)len : (int)strlen(v->path), v->path);

		if (a->nrules == PLAN_RULES_MAX || n < 0 || (size_t)n >= *left)
			return false;
		a->rules[a->nrules++] = *room;
		*room += n + 1;
		*left -= (size_t)n + 1;
	}
	return true;
}

/* The limits of disk.write, which are of whole volumes. */
static void
bound_volumes(struct plan *p, const struct plan_args *a,
    const struct contract_paths *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		const struct contract_path *v = &w->v[i];
		/* the volume's own folder is one more */
		uint64_t files = v->max_files == 0 ? 0 : v->max_files + 1;

		if (!v->beneath)
			continue;
		if (strcmp(v->path, "/tmp") == 0) {
			p->tmp_bytes = MIN_OF(v->max_bytes,
			    MAX_OF(p->memory / 4, 65536u));
			p->tmp_inodes = (uint32_t)MIN_OF(files,
			    (uint64_t)PLAN_TMP_INODES);
		}
		for (uint32_t k = 0; k < p->nvolumes; k++) {
			if (p->volumes[k].kind != PLAN_VOL_RW ||
			    strcmp(a->targets[k], v->path) != 0)
				continue;
			p->volumes[k].bytes = MIN_OF(v->max_bytes, p->output);
			p->volumes[k].inodes = (uint32_t)MIN_OF(files,
			    (uint64_t)PLAN_RW_INODES);
		}
	}
}

static bool
contract(struct plan *p, struct plan_args *a, const struct contract *c,
    char *room, size_t left)
{
	if (c == NULL)
		return true;
	p->noexec = !c->anonymous_exec;
	/* an overlay has no such bit for what is written, so nothing is */
	if (p->noexec)
		p->read_only = true;
	p->ruled = (uint8_t)((c->read.given ? PLAN_MAY_READ : 0) |
	    (c->write.given ? PLAN_MAY_WRITE : 0) |
	    (c->exec.given ? PLAN_MAY_EXEC : 0));
	bound_volumes(p, a, &c->write);
	return add_rules(a, &room, &left, &c->read, PLAN_MAY_READ) &&
	    add_rules(a, &room, &left, &c->write, PLAN_MAY_WRITE) &&
	    add_rules(a, &room, &left, &c->exec, PLAN_MAY_EXEC);
}

static uint32_t
u32_of(uint64_t v)
{
	return (uint32_t)MIN_OF(v, (uint64_t)UINT32_MAX);
}

const char *
plan_compile(struct compiled *out, const struct compile_in *in,
    const char **why)
{
	struct plan_args *a = calloc(1, sizeof(*a));
	static char room[CONTRACT_TEXT + 2 * PLAN_RULES_MAX];
	struct plan *p = &out->plan;
	const char *code = NULL;
	struct wr w;

	memset(out, 0, sizeof(*out));
	*why = "out of memory";
	out->args = malloc(PLAN_MEMFD_MAX);
	if (a == NULL || out->args == NULL) {
		code = "internal";
		goto out;
	}
	p->job = in->m->job;
	p->image = *in->image;
	p->slot = in->slot;
	p->layers = in->required;
	p->memory = in->granted[LIMIT_MEMORY];
	p->cpu_milli = u32_of(in->granted[LIMIT_CPU]);
	p->pids = u32_of(in->granted[LIMIT_PIDS]);
	p->time_ms = in->granted[LIMIT_TIME];
	p->output = in->granted[LIMIT_OUTPUT];
	p->io_read = in->granted[LIMIT_IO_READ];
	p->io_write = in->granted[LIMIT_IO_WRITE];
	/* only a manifest and a profile that both allow it get a writable root */
	p->read_only = in->m->read_only_fs ||
	    (in->profile != NULL && in->profile->read_only_fs);
	p->filter_len = in->filter_len;
	if ((in->m->has & HAS_WASM) != 0) {
		p->runtime = PLAN_WASM;
		p->wasm = in->wasm;
		p->fuel = in->m->module.fuel;
		p->module = in->module;
	}
	volumes(p, a, in);
	environment(a, in);
	command(a, in);
	if (a->argc == 0 && p->runtime == PLAN_WASM)
		a->argv[a->argc++] = "module";
	a->cwd = in->rec->cwd;
	code = "contract";
	*why = "too many paths";
	if (!contract(p, a, in->contract, room, sizeof(room)))
		goto out;
	code = "image";
	*why = "it has no command, and the manifest gives none";
	if (a->argc == 0)
		goto out;
	w = wr_make(out->args, PLAN_MEMFD_MAX);
	plan_args_encode(&w, a);
	p->args_len = (uint32_t)w.len;
	p->targets_len = plan_targets_len(a);
	/* what jail will say, said now: an image's own texts may be too long */
	code = wr_ok(&w) ? "manifest" : "internal";
	*why = "arguments and environment are too large";
	if (!wr_ok(&w) ||
	    (*why = plan_args_parse(out->args, w.len, a)) != NULL)
		goto out;
	code = NULL;
out:
	free(a);
	if (code != NULL) {
		free(out->args);
		out->args = NULL;
	}
	return code;
}
