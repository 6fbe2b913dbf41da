/* SPDX-License-Identifier: BSD-2-Clause */
/* What a job of this machine has left: logs of both streams, results. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/util.h"
#include "tests/unit/cli_serve.h"
#include "tests/unit/vec.h"
#include "trust/doc/receipt.h"

static void
test_logs(void **state)
{
	static const char *const one[] = {
	    "{\"ok\":true,\"end\":true,\"base64\":\"aGVsbG8K\","
	    "\"ended\":false}\n",
	    "{\"ok\":true,\"end\":true,\"base64\":\"d29ybGQK\","
	    "\"ended\":true}\n",
	    "{\"ok\":true,\"end\":true,\"base64\":\"\",\"ended\":true}\n"};
	/* hello, then err on the other stream, then world */
	static const char *const both[] = {
	    "{\"ok\":true,\"end\":true,\"base64\":\"aGVsbG8Kd29ybGQK\","
	    "\"ended\":true,\"runs\":\"000000068000000400000006\"}\n",
	    "{\"ok\":true,\"end\":true,\"base64\":\"ZXJyCg==\","
	    "\"ended\":true}\n",
	    "{\"ok\":true,\"end\":true,\"base64\":\"\",\"ended\":true,"
	    "\"runs\":\"\"}\n",
	    "{\"ok\":true,\"end\":true,\"base64\":\"\",\"ended\":true}\n",
	    "{\"ok\":true,\"end\":true,\"base64\":\"\",\"ended\":true}\n"};
	const char *dir = temp_dir(), *hello, *err, *world;
	const struct captured *said;
	pid_t pid = serve(dir, "node.sock", both, NELEM(both));

	(void)state;
	assert_int_equal(call(verb_logs, dir, &said, false, "abcd", "-f"),
	    CLI_OK);
	assert_string_equal(said->out, "hello\nworld\n");
	assert_string_equal(said->err, "err\n");
	(void)waitpid(pid, NULL, 0);
	pid = serve(dir, "node.sock", both, NELEM(both));
	assert_int_equal(call(verb_logs, dir, &said, true, "abcd", "-f"),
	    CLI_OK);
	hello = strstr(said->out, "aGVsbG8K");
	err = strstr(said->out, "ZXJyCg==");
	world = strstr(said->out, "d29ybGQK");
	assert_true(hello != NULL && hello < err && err < world);
	(void)waitpid(pid, NULL, 0);
	pid = serve(dir, "node.sock", one, 3);
	assert_int_equal(call(verb_logs, dir, &said, true, "abcd", NULL),
	    CLI_OK);
	assert_non_null(strstr(said->out, "\"offset\":6"));
	(void)waitpid(pid, NULL, 0);
	temp_remove(dir);
}

/* An operator fetches what a job has left, slice by slice, and it is checked. */
#define EMPTY_TAR                                                              \
	"5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
#define HELLO                                                                  \
	"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
#define NOTHING                                                                \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void
test_result(void **state)
{
	static const struct {
		const char *target, *sha, *log;
		int rc;
	} t[] = {
		{"/out/deep", EMPTY_TAR, "aGVsbG8K", CLI_JOB},
		{"/out/deep", EMPTY_TAR, "aGVsbG8K", CLI_JOB}, /* again */
		{"/out/deep", EMPTY_TAR, "aGVsbG9v", CLI_FAILED},
		{"/out/deep", HELLO, "aGVsbG8K", CLI_FAILED},
		{"/../up", EMPTY_TAR, "aGVsbG8K", CLI_FAILED},
		{"/out/deep", EMPTY_TAR, "", CLI_FAILED}, /* no end of it */
		{"/out/deep", EMPTY_TAR, "aGVsbG8KaGVsbG8K", CLI_FAILED},
	};
	static const char id[] = "cdcdcdcdcdcdcdcd";
	const char *receipt = vec_str(vec_load("compute-receipt.json"),
	    "receipt");
	const char *dir = temp_dir();
	static char first[4096], tar[2048], log[256];
	const char *answers[] = {first, tar, log};
	const struct captured *said;
	char out[400], path[500];
	uint8_t zeros[1024] = {0};
	struct stat st;
	FILE *f;

	(void)state;
	(void)snprintf(out, sizeof(out), "--out=%s/got", dir);
	(void)snprintf(tar, sizeof(tar), "{\"ok\":true,\"end\":true,"
	    "\"size\":1024,\"base64\":\"");
	(void)sodium_bin2base64(tar + strlen(tar), sizeof(tar) - strlen(tar),
	    zeros, sizeof(zeros), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(tar + strlen(tar), sizeof(tar) - strlen(tar), "\"}\n");
	for (size_t i = 0; i < NELEM(t); i++) {
		pid_t pid;
		int rc;

		(void)snprintf(first, sizeof(first), "{\"ok\":true,\"end\":"
		    "true,\"id\":\"%s\",\"state\":\"done\",\"outcome\":"
		    "[\"exited\",3],\"receipt\":\"%s\",\"outputs\":"
		    "[{\"target\":\"%s\",\"sha256\":\"%s\",\"size\":1024}],"
		    "\"logs\":[{\"sha256\":\"" HELLO "\",\"size\":6},"
		    "{\"sha256\":\"" NOTHING "\",\"size\":0}]}\n", id,
		    receipt, t[i].target, t[i].sha);
		(void)snprintf(log, sizeof(log), "{\"ok\":true,\"end\":true,"
		    "\"size\":6,\"ended\":true,\"base64\":\"%s\"}\n",
		    t[i].log);
		pid = serve(dir, "node.sock", answers, 3);
		rc = call(verb_result, dir, &said, false, id, out);
		(void)kill(pid, SIGTERM); /* one that was not asked so often */
		(void)waitpid(pid, NULL, 0);
		if (rc != t[i].rc)
			fail_msg("%zu: %d, %s%s", i, rc, said->out, said->err);
		(void)snprintf(path, sizeof(path), "%s/got/volumes/out/deep",
		    dir);
		assert_int_equal(stat(path, &st), 0);
	}
	(void)snprintf(path, sizeof(path), "%s/got/stdout", dir);
	assert_non_null(f = fopen(path, "r"));
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "%s/got/receipt", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, JOB_RECEIPT_LEN);
	/* a folder that is something else's is left alone */
	assert_int_equal(unlink(path), 0);
	{
		pid_t pid = serve(dir, "node.sock", answers, 1);

		assert_int_equal(call(verb_result, dir, &said, false, id, out),
		    CLI_FAILED);
		(void)waitpid(pid, NULL, 0);
	}
	assert_non_null(strstr(said->err, "is not this job's"));
	temp_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_logs),
	    cmocka_unit_test(test_result),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("cli_left", tests, NULL, NULL);
}
