/* SPDX-License-Identifier: BSD-2-Clause */
/* Who asks a registry: files of the form of Docker's config.json. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ipc.h"
#include "common/util.h"
#include "node/cli/regauth.h"

static char path[] = "/tmp/warren-regauth-XXXXXX";

static int
setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	(void)close(fd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return unlink(path);
}

static void
put(const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

/* want: what it gives; NULL: nothing, and why has this in it. */
static void
is(const char *image, const char *text, const char *want, const char *has)
{
	struct regname r;
	char why[400];
	int fd;

	put(text, 0600);
	assert_null(regname_parse(&r, image));
	fd = regauth_load(path, &r, why, sizeof(why));
	if (want == NULL) {
		assert_int_equal(fd, -1);
		assert_null(strstr(why, "s3cret"));
		if (strstr(why, has) == NULL)
			fail_msg("%s", why);
		if (has[0] == '\0')
			assert_string_equal(why, "");
	} else {
		size_t len = 0;
		const uint8_t *p = memfd_map(fd, &len, IPC_PULL_SECRET);

		assert_non_null(p);
		assert_int_equal(len, strlen(want));
		assert_memory_equal(p, want, len);
		memfd_unmap(p, len);
		(void)close(fd);
	}
}

#define KAI "{\"auth\":\"a2FpOnNlY3JldA==\"}" /* kai:secret */

static void
test_found(void **state)
{
	(void)state;
	is("h.test/a", "{\"auths\":{\"h.test\":" KAI "}}", "kai:secret", "");
	is("h.test:5/a", "{\"auths\":{\"h.test\":{},\"h.test:5\":" KAI "}}",
	    "kai:secret", "");
	is("h.test/a", "{\"auths\":{\"https://h.test/v2/\":" KAI "}}",
	    "kai:secret", "");
	is("a", "{\"auths\":{\"https://index.docker.io/v1/\":" KAI "}}",
	    "kai:secret", "");
	is("docker.io/a/b", "{\"auths\":{\"docker.io\":" KAI "}}",
	    "kai:secret", "");
	is("h.test/a", "{\"auths\":{\"h.test\":{\"username\":\"u\","
	    "\"password\":\"p:q\"}}}", "u:p:q", "");
}

static void
test_not_found(void **state)
{
	(void)state;
	is("h.test/a", "{}", NULL, "");
	is("h.test/a", "{\"auths\":{\"h.test.evil\":" KAI ",\"xh.test\":" KAI
	    ",\"h.test:5\":" KAI ",\"https://index.docker.io/v1/\":" KAI "}}",
	    NULL, "");
	is("h.test:5/a", "{\"auths\":{\"h.test\":" KAI "}}", NULL, "");
	is("h.test/a", "{\"credsStore\":\"x\"}", NULL, "helper");
	is("h.test/a", "{\"auths\":{\"h.test\":{\"identitytoken\":\"x\"}}}",
	    NULL, "identity token");
	is("h.test/a", "{\"auths\":{\"h.test\":{\"auth\":\"!\"}}}", NULL,
	    "NAME:PASSWORD");
	is("h.test/a", "{\"auths\":{\"h.test\":{\"auth\":\"a2Fp\"}}}", NULL,
	    "NAME:PASSWORD");
	is("h.test/a", "{\"auths\":{\"h.test\":{}}}", NULL, "NAME:PASSWORD");
	is("h.test/a", "{\"auths\":{\"h.test\":{\"username\":\"a\\nb\","
	    "\"password\":\"c\"}}}", NULL, "NAME:PASSWORD");
	is("h.test/a", "{", NULL, ":1:");
	/* a password without its quotes is not told */
	is("h.test/a", "{\n\"password\": s3cret\n}", NULL, ":2:");
	is("h.test/a", "", NULL, ":1:");
}

static void
test_mode(void **state)
{
	static const mode_t open_[] = {0640, 0604, 0660, 0610};
	struct regname r;
	char why[400];

	(void)state;
	assert_null(regname_parse(&r, "h.test/a"));
	for (size_t i = 0; i < NELEM(open_); i++) {
		put("{\"auths\":{\"h.test\":" KAI "}}", open_[i]);
		assert_int_equal(regauth_load(path, &r, why, sizeof(why)), -1);
		assert_non_null(strstr(why, "others may read it"));
	}
	assert_int_equal(regauth_load("/nonexistent", &r, why, sizeof(why)),
	    -1);
	assert_int_equal(regauth_load("/dev/null", &r, why, sizeof(why)), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_found),
	    cmocka_unit_test(test_not_found),
	    cmocka_unit_test(test_mode),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
