/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said to a SAM bridge (reticulum-transport.md 10.5), and what not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "transport/engine/sam.h"

static struct sam s;
static char out[SAM_LINE_MAX];

static void
begin(enum sam_role role)
{
	s.role = role;
	memcpy(s.id, "reticulum-abcdef", 17);
	sam_begin(&s, out);
	assert_string_equal(out, "HELLO VERSION MIN=3.1 MAX=3.1\n");
}

static int
setup(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	return 0;
}

#define SAY(line, want)                                                        \
	do {                                                                   \
		assert_int_equal(sam_line(&s, line, out), SAM_SAY);            \
		assert_string_equal(out, want);                                \
	} while (0)
#define HELLO "HELLO REPLY RESULT=OK VERSION=3.1"

static void
sessions(void **state)
{
	(void)state;
	begin(SAM_SESSION);
	SAY(HELLO, "DEST GENERATE SIGNATURE_TYPE=7\n");
	SAY("DEST REPLY PUB=AAAA PRIV=AB-~==", "SESSION CREATE STYLE=STREAM "
	    "ID=reticulum-abcdef DESTINATION=AB-~== \n");
	assert_true(s.made);
	assert_int_equal(sam_line(&s, "SESSION STATUS RESULT=OK "
	    "DESTINATION=AB-~==", out), SAM_DONE);
	/* with a key that is there */
	begin(SAM_SESSION);
	SAY(HELLO, "SESSION CREATE STYLE=STREAM ID=reticulum-abcdef "
	    "DESTINATION=AB-~== \n");
	assert_false(s.made);
	/* and one to somebody */
	(void)setup(NULL);
	s.transient = true;
	memcpy(s.peer, "x.b32.i2p", 10);
	begin(SAM_SESSION);
	SAY(HELLO, "SESSION CREATE STYLE=STREAM ID=reticulum-abcdef "
	    "DESTINATION=TRANSIENT \n");
	SAY("SESSION STATUS RESULT=OK DESTINATION=ABCD",
	    "NAMING LOOKUP NAME=x.b32.i2p\n");
	assert_int_equal(sam_line(&s, "NAMING REPLY RESULT=OK NAME=x.b32.i2p "
	    "VALUE=ABCD~", out), SAM_DONE);
	assert_string_equal(s.peer, "ABCD~");
}

static void
streams(void **state)
{
	(void)state;
	memcpy(s.peer, "ABCD", 5);
	begin(SAM_CONNECT);
	SAY(HELLO, "STREAM CONNECT ID=reticulum-abcdef DESTINATION=ABCD "
	    "SILENT=false\n");
	assert_int_equal(sam_line(&s, "STREAM STATUS RESULT=OK", out),
	    SAM_DONE);
	begin(SAM_ACCEPT);
	SAY(HELLO, "STREAM ACCEPT ID=reticulum-abcdef SILENT=false\n");
	assert_int_equal(sam_line(&s, "STREAM STATUS RESULT=OK", out),
	    SAM_WAIT);
	assert_int_equal(sam_line(&s, "ABCD FROM_PORT=0 TO_PORT=0", out),
	    SAM_DONE);
}

static void
refused(void **state)
{
	static char longer[SAM_KEY_MAX + 100] = "DEST REPLY PRIV=";
	static const char *const hellos[] = {"", " ", "HELLO",
	    "HELLO REPLY RESULT=NOVERSION", "HELLO REPLY",
	    "hello reply RESULT=OK", "HELLO REPLY XRESULT=OK", "RESULT=OK",
	    "HELLO REPLY RESULT=OKAY"};

	(void)state;
	for (size_t i = 0; i < sizeof(hellos) / sizeof(*hellos); i++) {
		begin(SAM_SESSION);
		assert_int_equal(sam_line(&s, hellos[i], out), SAM_FAILED);
		assert_non_null(strstr(s.why, "version 3.1"));
	}
	begin(SAM_CONNECT);
	(void)sam_line(&s, HELLO, out);
	assert_int_equal(sam_line(&s, "STREAM STATUS RESULT=CANT_REACH_PEER "
	    "MESSAGE=\"no \033lease set\"", out), SAM_FAILED);
	assert_string_equal(s.why, "the SAM bridge refused a stream: "
	    "CANT_REACH_PEER: no \\x1blease set");
	/* a key that would be a line of its own, none, one without end */
	begin(SAM_SESSION);
	(void)sam_line(&s, HELLO, out);
	assert_int_equal(sam_line(&s, "DEST REPLY PUB=A PRIV=\"A B\"", out),
	    SAM_FAILED);
	begin(SAM_SESSION);
	(void)sam_line(&s, HELLO, out);
	assert_int_equal(sam_line(&s, "DEST REPLY PUB=A", out), SAM_FAILED);
	memset(longer + 16, 'A', SAM_KEY_MAX);
	begin(SAM_SESSION);
	(void)sam_line(&s, HELLO, out);
	assert_int_equal(sam_line(&s, longer, out), SAM_FAILED);
	assert_string_equal(s.key, "");
	begin(SAM_ACCEPT);
	(void)sam_line(&s, HELLO, out);
	(void)sam_line(&s, "STREAM STATUS RESULT=OK", out);
	assert_int_equal(sam_line(&s, "STREAM STATUS RESULT=I2P_ERROR", out),
	    SAM_FAILED);
}

/* From python: base64 and SHA-256 of 384 * "A", then the certificate. */
static void
addresses(void **state)
{
	char key[700], b32[53];
	size_t n;

	(void)state;
	/* 384 bytes 'A' are 128 times "QUFB"; 05 0004 0007 0000: "BQAEAAcAAA" */
	for (n = 0; n < 512; n += 4)
		memcpy(key + n, "QUFB", 4);
	memcpy(key + n, "BQAEAAcAAA", 11);
	assert_true(sam_b32(key, b32));
	assert_string_equal(b32, "uayqgk4facvz42uo7rise2s4azba2uhjliv3oltct5i6fpfofhwa");
	/* what is behind the destination does not count */
	memcpy(key + n, "BQAEAAcAAEFBQUE", 16);
	assert_true(sam_b32(key, b32));
	assert_string_equal(b32, "uayqgk4facvz42uo7rise2s4azba2uhjliv3oltct5i6fpfofhwa");
	memcpy(key + n, "BQAE", 5); /* cut */
	assert_false(sam_b32(key, b32));
	assert_false(sam_b32("", b32));
	assert_false(sam_b32("AB CD", b32));
	assert_false(sam_b32("AB+D", b32));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sessions, setup),
		cmocka_unit_test_setup(streams, setup),
		cmocka_unit_test_setup(refused, setup),
		cmocka_unit_test_setup(addresses, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
