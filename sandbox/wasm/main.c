/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * warren-wasm: runs modules and components of WebAssembly, as the command of a
 * job in its own sandbox (compute.md 4.1). The only program that holds the
 * engine, whose sandbox is the second wall and not the first.
 *
 *   warren-wasm compile FLAGS FUEL          module on 0, code to 1, report on 2
 *   warren-wasm run FLAGS FUEL MEMORY MS BYTES:NODES...
 *                       code on WASM_FD_CODE, the plan's args on WASM_FD_ARGS
 *
 * BYTES and NODES: of the folder behind each volume, 0:0 of one that is only read.
 * The words are numbers, and jail's; of a stranger are the descriptors.
 */
#include <sys/prctl.h>
#include <sys/resource.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "sandbox/base/report.h"
#include "sandbox/plan/wasm.h"
#include "sandbox/wasm/compile.h"
#include "sandbox/wasm/run.h"

#define EXIT_CANNOT 126 /* compute.md 5: it was never started */

static uint64_t
number(const char *word)
{
	return strtoull(word, NULL, 10);
}

static int
say(enum compiled c, const char *why)
{
	struct report r = {.kind = c == COMPILE_HERE ? REPORT_FAIL :
		REPORT_HAND, .ok = c == COMPILED, .code = "internal"};

	(void)text_printable(r.why, sizeof(r.why), why, strlen(why));
	report_send(STDERR_FILENO, &r);
	return r.ok ? 0 : 1;
}

static int
compile(char *const *words)
{
	uint64_t flags = number(words[0]);
	struct engine_conf c = {
	    .interpreted = (flags & WASM_INTERPRETED) != 0,
	    .fuel = number(words[1]) != 0};
	char why[ENGINE_WHY] = "";

	return say(compile_module(&c, STDIN_FILENO, STDOUT_FILENO, why), why);
}

/* Its end as a native program's would be: compute.md 5. */
static int
end(const struct run_result *r)
{
	char line[ENGINE_WHY + 16], why[ENGINE_WHY];
	int n, signal_of = r->end == RUN_TIME ? SIGXCPU : r->code;
	struct rlimit none = {0, 0};

	if (r->why[0] != '\0') {
		(void)text_printable(why, sizeof(why), r->why,
		    strlen(r->why));
		n = snprintf(line, sizeof(line), "warren: %s\n", why);
		(void)!write(STDERR_FILENO, line, (size_t)n);
	}
	switch (r->end) {
	case RUN_EXITED:
		/* a status has a byte, and only 0 is a success */
		return r->code == 0 || (r->code & 0xff) != 0 ?
		    r->code & 0xff : 255;
	case RUN_CANNOT:
		return EXIT_CANNOT;
	case RUN_TRAP:
	case RUN_TIME:
		break;
	}
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(signal_of, SIG_DFL);
	(void)raise(signal_of);
	return EXIT_CANNOT;
}

static int
run(char *const *words, unsigned n)
{
	static struct run r;
	static struct run_result result = {.end = RUN_CANNOT};
	uint64_t flags = number(words[0]);
	const uint8_t *args;
	size_t len;

	/* who reads us, or keeps its volumes, may be gone: that is no end of ours */
	(void)signal(SIGPIPE, SIG_IGN);
	r.engine.interpreted = (flags & WASM_INTERPRETED) != 0;
	r.fixed = (flags & WASM_FIXED) != 0;
	r.emulated = (flags & WASM_EMULATED) != 0;
	r.fuel = number(words[1]);
	r.engine.fuel = r.fuel != 0;
	r.memory = number(words[2]);
	r.time_ms = number(words[3]);
	for (unsigned i = 4; i < n; i++) {
		r.volumes[i - 4].bytes = number(words[i]);
		r.volumes[i - 4].nodes = (uint32_t)number(words[i] +
		    strcspn(words[i], ":") + 1);
	}
	r.code = engine_map(WASM_FD_CODE, &r.code_len);
	args = engine_map(WASM_FD_ARGS, &len);
	(void)close(WASM_FD_CODE);
	(void)close(WASM_FD_ARGS);
	if (r.code == NULL || args == NULL ||
	    plan_args_parse(args, len, &r.args) != NULL ||
	    r.args.ntargets + 4 != n)
		(void)snprintf(result.why, sizeof(result.why), "descriptors");
	else
		run_module(&r, &result);
	return end(&result);
}

int
main(int argc, char *argv[])
{
	int rv;

	if (argc == 4 && strcmp(argv[1], "compile") == 0)
		rv = compile(argv + 2);
	else if (argc >= 6 && argc <= 6 + PLAN_VOLUMES_ALL &&
	    strcmp(argv[1], "run") == 0)
		rv = run(argv + 2, (unsigned)argc - 2);
	else
		return 2;
	/* threads of the engine have nothing to say at an end */
	_exit(rv);
}
