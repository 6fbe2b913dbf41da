/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/base/attr.h"
#include "sandbox/base/caps.h"
#include "sandbox/base/group.h"
#include "sandbox/base/limits.h"
#include "sandbox/base/sys.h"
#include "sandbox/plan/wasm.h"

#define EXIT_CANNOT 126
#define EXIT_NOT_FOUND 127

static void
complain(struct command *c, const char *name, const char *why)
{
	char line[400];
	int n = snprintf(line, sizeof(line), "warren: %.200s: %s\n", name, why);

	c->unstarted = true;
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

/* As execvp() looks for a program, with the job's own PATH. */
static void
exec_command(struct command *c)
{
	const struct plan_args *a = c->args;
	const char *name = a->argv[0], *path = NULL, *end;
	char *const *argv = (char *const *)(uintptr_t)a->argv;
	char *const *env = (char *const *)(uintptr_t)a->env;
	int err = ENOENT;
	char file[4096];

	if (strchr(name, '/') != NULL) {
		(void)execve(name, argv, env);
		err = errno;
	} else {
		for (uint32_t i = 0; i < a->envc; i++)
			if (strncmp(a->env[i], "PATH=", 5) == 0)
				path = a->env[i] + 5;
		if (path == NULL)
			path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:"
			    "/usr/bin:/sbin:/bin";
		for (; name[0] != '\0'; path = end + 1) {
			end = path + strcspn(path, ":");
			if ((size_t)snprintf(file, sizeof(file), "%.*s%s%s",
			    (int)(end - path), path, end > path ? "/" : "",
			    name) < sizeof(file)) {
				(void)execve(file, argv, env);
				if (errno != ENOENT && errno != ENOTDIR)
					err = errno;
			}
			if (*end == '\0')
				break;
		}
	}
	complain(c, name, err == ENOENT || err == ENOTDIR ? "not found" :
	    strerror(err));
	_exit(err == ENOENT || err == ENOTDIR ? EXIT_NOT_FOUND : EXIT_CANNOT);
}

/*
 * A module: the runner is the command, by its own loader and with nothing of a
 * stranger in its words and environment; those are in args, which it reads.
 */
static void
exec_runner(struct command *c)
{
	const struct plan *p = c->plan;
	char words[4 + PLAN_VOLUMES_ALL][48], *env[] = {NULL};
	char loader[] = "/" WASM_PLACE "/ld.so", option[] = "--library-path",
	    place[] = "/" WASM_PLACE, runner[] = "/" WASM_PLACE "/warren-wasm",
	    run[] = "run";
	char *argv[5 + NELEM(words) + 1] = {loader, option, place, runner,
	    run};
	const uint64_t n[4] = {p->wasm, p->fuel, p->memory - WASM_MEMORY_ROOM,
	    p->time_ms};
	unsigned w = 0;

	for (; w < NELEM(n); w++)
		(void)snprintf(words[w], sizeof(words[w]), "%llu",
		    (unsigned long long)n[w]);
	for (uint32_t i = 0; i < p->nvolumes; i++, w++) {
		uint64_t bytes = 0;
		uint32_t inodes = 0;

		if (p->volumes[i].kind == PLAN_VOL_RW ||
		    p->volumes[i].kind == PLAN_VOL_PROFILE_RW)
			plan_volume_room(p, i, &bytes, &inodes);
		(void)snprintf(words[w], sizeof(words[w]), "%llu:%u",
		    (unsigned long long)bytes, inodes);
	}
	for (unsigned i = 0; i < w; i++)
		argv[5 + i] = words[i];
	(void)execve(loader, argv, env);
	complain(c, "the runner of modules", strerror(errno));
	_exit(EXIT_CANNOT);
}

static void
command_fail(struct command *c, const char *what)
{
	c->error = errno;
	c->failed = what;
	_exit(1);
}

/* What a module's runner holds besides 0 to 2; the first that is nobody's. */
static int
module_streams(const struct command *c)
{
	int code, words;

	if (c->plan->runtime != PLAN_WASM)
		return STDERR_FILENO + 1;
	/* out of the way first: either may be where the other goes */
	code = fcntl(c->code, F_DUPFD_CLOEXEC, 16);
	words = fcntl(c->words, F_DUPFD_CLOEXEC, 16);
	if (code < 0 || words < 0 || dup2(code, WASM_FD_CODE) < 0 ||
	    dup2(words, WASM_FD_ARGS) < 0)
		_exit(EXIT_CANNOT);
	return WASM_FD_ARGS + 1;
}

void
command_run(struct command *c)
{
	const struct plan *p = c->plan;
	struct job_limits l = {
	    /* more than the group takes: it is the one that counts refusals */
	    .pids = p->pids + GROUP_PIDS_INIT + GROUP_PIDS_SLACK,
	    .fsize = MAX_OF(p->output, p->memory),
	    .files = limits_files(c->file_max, c->slots, p->pids,
		c->root)};
	char cwd[4096];
	int null;

	if (c->no_memory_group)
		l.data = p->memory;
	(void)setsid();
	/* what jail ignores is inherited through clone and execve */
	for (int s = 1; s < NSIG; s++)
		(void)signal(s, SIG_DFL); /* fails for two of them */
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(c->out, STDOUT_FILENO) < 0 ||
	    dup2(c->err, STDERR_FILENO) < 0)
		command_fail(c, "standard streams");
	/* an open folder of outside would be a way out */
	if (sys_close_range((unsigned)module_streams(c), ~0u) < 0)
		command_fail(c, "close_range");
	if (limits_apply(&l) < 0)
		command_fail(c, "rlimits");
	if (caps_drop_all() < 0)
		command_fail(c, "capabilities");
	if (no_new_privs() < 0)
		command_fail(c, "no_new_privs");
	if (chdir(c->args->cwd) < 0) {
		complain(c, c->args->cwd, strerror(errno));
		_exit(EXIT_CANNOT);
	}
	if (getcwd(cwd, sizeof(cwd)) == NULL || cwd[0] != '/')
		command_fail(c, "working folder outside");
	/* before the last filters, which a job could not be labelled behind */
	if (c->label != NULL && attr_exec(c->lsm, c->proc, c->label) < 0)
		command_fail(c, COMMAND_LABEL);
	if (c->landlock_abi > 0 &&
	    landlock_apply(c->landlock_abi, c->paths, c->npaths) < 0)
		command_fail(c, "landlock");
	if (filter_load(c->job) < 0)
		command_fail(c, "base filter");
	if (filter_load(&c->own) < 0)
		command_fail(c, "seccomp program");
	if (p->runtime == PLAN_WASM) /* it loads a last one of its own */
		exec_runner(c);
	/* where node's refuses it, it refuses the job's own as well */
	if (filter_load(c->seal) < 0 && errno == ENOMEM)
		command_fail(c, "last filter");
	exec_command(c);
	_exit(EXIT_CANNOT);
}

/* What the job may do where; by the places, since a rule follows no link. */
static unsigned
collect_paths(const struct plan *p, const struct place *places,
    struct landlock_path *out)
{
	static char names[PLACES_ALL][PLACE_PATH_MAX + 2];
	static const int fixed[PLACE_FIXED] = {
	    [PLACE_DEV] = LANDLOCK_MAY_NODES,
	    [PLACE_TMP] = LANDLOCK_MAY_WRITE,
	    [PLACE_PROC] = LANDLOCK_MAY_NODES};
	unsigned n = 0;

	out[n++] = (struct landlock_path){"/", p->read_only ?
	    LANDLOCK_MAY_READ : LANDLOCK_MAY_READ | LANDLOCK_MAY_WRITE};
	for (unsigned i = 0; i < PLACE_FIXED + p->nvolumes; i++) {
		uint8_t kind = i < PLACE_FIXED ? 0 :
		    p->volumes[i - PLACE_FIXED].kind;

		if (i >= PLACE_FIXED && kind != PLAN_VOL_RW &&
		    kind != PLAN_VOL_PROFILE_RW)
			continue;
		(void)snprintf(names[i], sizeof(names[i]), "/%s",
		    places[i].path);
		out[n++] = (struct landlock_path){names[i], i < PLACE_FIXED ?
		    fixed[i] : LANDLOCK_MAY_WRITE};
	}
	return n;
}

/* What a contract takes away from all of these, and gives back by path. */
static void
add_rules(struct command *c)
{
	struct landlock_path *paths = c->paths;
	const struct plan *p = c->plan;
	int less = ((p->ruled & PLAN_MAY_READ) != 0 ? LANDLOCK_NOT_READ : 0) |
	    ((p->ruled & PLAN_MAY_WRITE) != 0 ? LANDLOCK_NOT_WRITE : 0) |
	    ((p->ruled & PLAN_MAY_EXEC) != 0 ? LANDLOCK_NOT_EXEC : 0);

	for (unsigned i = 0; i < c->npaths; i++) {
		/* devices and /proc are no files of anybody's */
		if ((paths[i].may & LANDLOCK_MAY_NODES) != 0)
			paths[i].may |= less & LANDLOCK_NOT_EXEC;
		else
			paths[i].may |= less;
	}
	for (uint32_t i = 0; i < c->args->nrules; i++) {
		const char *path;
		bool beneath;
		uint8_t may = plan_rule(c->args->rules[i], &beneath, &path);

		paths[c->npaths++] = (struct landlock_path){path,
		    ((may & PLAN_MAY_READ) != 0 ? LANDLOCK_READ : 0) |
		    ((may & PLAN_MAY_WRITE) != 0 ? LANDLOCK_WRITE : 0) |
		    ((may & PLAN_MAY_EXEC) != 0 ? LANDLOCK_EXEC : 0) |
		    (beneath ? 0 : LANDLOCK_FILE) |
		    (strchr(path, '*') != NULL ? LANDLOCK_PATTERN : 0)};
	}
	/* a module's contract knows nothing of who runs it */
	if (p->runtime == PLAN_WASM)
		paths[c->npaths++] = (struct landlock_path){"/" WASM_PLACE,
		    LANDLOCK_READ | LANDLOCK_EXEC};
}

void
command_paths(struct command *c, const struct place *places)
{
	c->npaths = collect_paths(c->plan, places, c->paths);
	add_rules(c);
}
