/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suite MODULE DIR files|memory|none: a test of the public suite of WASI, by
 * the runner's own code, with DIR as its root folder. As root: the engine opens
 * folders by their path, and the suite's is called "/", so it becomes ours.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/wasm/compile.h"
#include "sandbox/wasm/memfs.h"
#include "sandbox/wasm/run.h"

static void
die(const char *what)
{
	fprintf(stderr, "suite: %s\n", what);
	exit(99);
}

int
main(int argc, char *argv[])
{
	static struct run r = {.memory = 256u << 20, .time_ms = 20000,
	    .volumes = {{64u << 20, MEMFS_NODES}}};
	static char env[64][256];
	struct run_result result;
	char why[ENGINE_WHY] = "";
	int module, code = -1;

	if (argc < 4 || (module = open(argv[1], O_RDONLY)) < 0 ||
	    (code = memfd_create("code", MFD_CLOEXEC)) < 0)
		die("usage");
	if (compile_module(&r.engine, module, code, why) != COMPILED)
		die(why);
	r.code = engine_map(code, &r.code_len);
	r.emulated = strcmp(argv[3], "memory") == 0;
	r.args.argv[r.args.argc++] = "test";
	for (int i = 4; i < argc && r.args.argc < PLAN_ARGS_MAX; i++) {
		if (strncmp(argv[i], "--env=", 6) == 0) {
			(void)snprintf(env[r.args.envc], sizeof(env[0]), "%s",
			    argv[i] + 6);
			r.args.env[r.args.envc] = env[r.args.envc];
			r.args.envc++;
		} else {
			r.args.argv[r.args.argc++] = argv[i];
		}
	}
	r.args.cwd = "/";
	if (strcmp(argv[3], "none") != 0)
		r.args.targets[r.args.ntargets++] = "/";
	if (chdir(argv[2]) < 0 || chroot(".") < 0)
		die("chroot");
	run_module(&r, &result);
	if (result.end != RUN_EXITED) {
		fprintf(stderr, "suite: %s\n", result.why);
		return result.end == RUN_TRAP ? 128 + result.code : 98;
	}
	return result.code;
}
