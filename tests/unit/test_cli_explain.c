/* SPDX-License-Identifier: BSD-2-Clause */
/* warren explain: against a pretended daemon and a trail of its own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <rns/rns.h>

#include "audit/trail_line.h"
#include "common/util.h"
#include "node/cli/verb.h"
#include "tests/unit/cli_capture.h"
#include "tests/unit/cli_serve.h"

#define JOB "4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a"
#define FP "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define RNS "cccccccccccccccccccccccccccccccc"
#define NOTHING "{\"ok\":true,\"end\":true,\"jobs\":[],\"peers\":[]}\n"

/* Lines of a trail: who, what kind, code, message, and more members. */
struct line {
	const char *kind, *job, *peer, *code, *message, *more;
};

static void
trail(const char *dir, const struct line *l, size_t n)
{
	struct id32 prev = {0};
	char path[400];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/warren", dir);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/warren/trail", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/warren/trail/00000001.jsonl",
	    dir);
	f = fopen(path, "w");
	assert_non_null(f);
	for (size_t i = 0; i < n; i++) {
		char body[1024], line[1500];
		int len = snprintf(body, sizeof(body), "{\"class_uid\":6003,"
		    "\"severity_id\":2,\"time\":1800000000000,\"message\":"
		    "\"%s\",\"unmapped\":{\"klp\":{\"kind\":\"%s\",\"job\":"
		    "\"%s\",\"peer\":\"%s\",\"code\":\"%s\"%s}}}",
		    l[i].message, l[i].kind, l[i].job, l[i].peer, l[i].code,
		    l[i].more);
		size_t size = trail_line_event(line, sizeof(line), i + 1,
		    &prev, body, (size_t)len);

		assert_true(size > 0);
		assert_int_equal(fwrite(line, 1, size, f), size);
		rns_sha256(&prev, line, size - 1);
	}
	/* what is no line of a trail, one of another form, one that was torn */
	assert_true(fputs("4a4a\n{\"seq\":9,\"prev\":\"" JOB "\",\"e\":"
	    "{\"unmapped\":[\"" JOB FP "\"]}}\n{\"seq\":10,\"prev\":\"" JOB,
	    f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const struct captured *
says(const char *dir, const char *id, bool json, int want)
{
	const struct captured *said;
	int rc = call(verb_explain, dir, &said, json, id, NULL);

	if (rc != want)
		fail_msg("%s: %d, %s%s", id, rc, said->out, said->err);
	return said;
}

static void
has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("not there: %s\n%s", what, text);
}

/* It never came into the ledger, and no daemon runs: the trail has it. */
static void
test_refused(void **state)
{
	static const struct line lines[] = {
	    {"job_refused", JOB, FP, "limits", "log", ",\"a\":9,\"limit\":"
	     "1048576,\"value\":2097152"},
	    {"job_refused", "77", FP, "quota", "spool", ""},
	    {"job_refused", JOB, FP, "limits", "odd: name: seccomp_profile: "
	     "there is none", ",\"a\":9"},
	    {"job_refused", JOB, FP, "manifest", "not_after: is past",
		",\"a\":7,\"limit\":1800000000,\"value\":1799999000"},
	    {"job_refused", JOB, FP, "quota", "jobs_per_hour", ",\"a\":6,"
	     "\"b\":90,\"limit\":120,\"value\":121"},
	    {"job_refused", JOB, FP, "refused", "refused volume: bad\\u001b",
		""}};
	const struct captured *said;
	const char *dir = temp_dir(), *at;

	(void)state;
	trail(dir, lines, NELEM(lines));
	said = says(dir, "4A4a", false, CLI_OK);
	has(said->err, "no node answers here");
	has(said->out, "refused: limits (step 9): log: 2.0 MiB asked, 1.0 MiB "
	    "allowed\n  submitter Lower `log` of `limits` in the job");
	has(said->out, "  operator  Raise that limit at this level");
	has(said->out, "limits (step 9): seccomp_profile: there is none: odd: "
	    "name\n  submitter Leave `seccomp_profile` out");
	has(said->out, "manifest (step 7): not_after: is past: 2027-01-15 "
	    "07:43:20, and the clock of the node says 2027-01-15 08:00:00");
	has(said->out, "121 asked, 120 allowed\n  submitter That is your own "
	    "budget on this node; it comes back by and by. Again in 1 min 30 s "
	    "at the earliest.");
	has(said->out, "volume (after it was admitted): bad\\x1b");
	assert_null(strstr(said->out, "spool"));
	/* the newest comes first */
	at = strstr(said->out, "volume (after");
	assert_true(at < strstr(said->out, "log: 2.0 MiB"));
	said = says(dir, JOB, true, CLI_OK);
	has(said->out, "\"limit\":1048576,\"value\":2097152");
	has(said->out, "\"remedy\":\"Lower `log` of `limits`");
	/* nothing there: where it was looked for */
	said = says(dir, "12345678", false, CLI_FAILED);
	has(said->err, "nothing is known of 12345678");
	has(said->err, "(which does not answer), and in the trail.");
	(void)says(dir, "123", false, CLI_USAGE);
	(void)says(dir, "no such name", false, CLI_USAGE);
	temp_remove(dir);
}

#define HEAD "{\"ok\":true,\"end\":true,\"peers\":[],\"jobs\":[{\"id\":\"" JOB \
	"\",\"owner\":\"5555\",\"level\":2,\"at\":1800000000,\"attempts\":1,"   \
	"\"deadline\":1800003600,\"limits\":{\"memory\":67108864,\"time\":"   \
	"60000},\"usage\":{\"wall_ms\":61000,\"cpu_ms\":1,\"memory_kb\":"    \
	"65536},"
#define WAITS "\"waits\":{\"phase\":\"none\",\"deadline\":1800003600,"        \
	"\"jail\":true,\"asleep\":false,\"suspended\":false,\"frozen\":"     \
	"false,\"aside\":false,\"kill\":\"\",\"end_s\":90,"                   \
	"\"wait_s\":30,\"lent_s\":0,\"missing_bytes\":0,"                    \
	"\"slots\":{\"asked\":1,\"used\":2,\"of\":2},"                       \
	"\"memory\":{\"asked\":67108864,\"used\":1048576,\"of\":134217728},"  \
	"\"cpu\":{\"asked\":500,\"used\":0,\"of\":0}}"

static const struct {
	const char *answer, *says[4];
} JOBS[] = {
    {HEAD "\"state\":\"queued\",\"reason\":\"slots\",\"waits\":{"
     "\"phase\":\"none\",\"jail\":true,\"shut\":\"the disk of the node is "
     "read-only\"}}]}\n",
	{"why       waits: the disk of the node is read-only\n",
	    "operator  The log says what the ledger could not write",
	    "submitter Nothing: it goes on by itself."}},
    {HEAD "\"state\":\"queued\",\"reason\":\"slots\"," WAITS "}]}\n",
	{"why       waits for its turn\n", "its turn  in about 30.0 s\n"
	 "slots     asks for 1; 2 of 2 are taken\nmemory    asks for 64.0 MiB; "
	 "1.0 MiB of 128 MiB are taken\nuntil     1 min 30 s from now",
	    "operator  Raise `jobs_running`",
	    "deadline  2027-01-15 09:00:00\n"}},
    {HEAD "\"state\":\"held\",\"reason\":\"review\"," WAITS "}]}\n",
	{"waits for a reviewer\n", "operator  `warren approve`",
	    "submitter Tell a reviewer"}},
    {HEAD "\"state\":\"running\",\"waits\":{\"phase\":\"running\","
     "\"frozen\":true,\"kill\":\"\"}}]}\n",
	{"stands still: this machine is not lent now", "compute_when"}},
    {HEAD "\"state\":\"running\",\"waits\":{\"phase\":\"running\","
     "\"frozen\":true,\"kill\":\"\",\"ruled_by\":\"disk.exec\","
     "\"ruled_s\":90}}]}\n",
	{"stands still: it has broken disk.exec, and goes on in 1 min 30 s",
	    "operator  `warren cancel`"}},
    {HEAD "\"state\":\"running\",\"waits\":{\"phase\":\"running\","
     "\"kill\":\"\",\"throttled\":true}}]}\n",
	{"is running, and slowed down as its contract says"}},
    {HEAD "\"state\":\"running\",\"waits\":{\"phase\":\"running\","
     "\"suspended\":true,\"kill\":\"\"}}]}\n",
	{"suspended by a revocation list"}},
    {HEAD "\"state\":\"running\",\"waits\":{\"phase\":\"running\","
     "\"kill\":\"operator\"}}]}\n", {"is being ended: operator"}},
    {HEAD "\"state\":\"done\",\"waits\":null,\"letters\":["
     "{\"state\":\"due\",\"from\":\"" RNS "\",\"came\":1800000000,"
     "\"tries\":3,\"under_way\":false,\"again_s\":120,\"why\":"
     "\"there is no path to its destination\"},"
     "{\"state\":\"due\",\"from\":\"" RNS "\",\"came\":1800000000,"
     "\"tries\":0,\"under_way\":true},"
     "{\"state\":\"waits\",\"from\":\"" RNS "\",\"came\":1800000000},"
     "{\"state\":\"over\",\"from\":\"" RNS "\",\"came\":1800000000}]}]}\n",
	{"letter    of cccccccccccccccc, 2027-01-15 08:00:00: the answer was "
	 "not handed over, tried 3 times: there is no path to its destination; "
	 "again in 2 min",
	    "the answer is being handed over\n",
	    "answered when the job has ended\n",
	    "answered, or none is owed\n"}},
    {HEAD "\"state\":\"done\",\"outcome\":[\"killed\",\"memory\"],"
     "\"waits\":null}]}\n",
	{"why       killed: over its memory\nlimit     memory 64.0 MiB, and it "
	 "came to 64.0 MiB\nsubmitter Give it a higher `memory`",
	    "operator  `levels`"}},
    {HEAD "\"state\":\"done\",\"outcome\":[\"killed\",\"time\"],"
     "\"waits\":null}]}\n",
	{"limit     time 1 min 0 s, and it came to 1 min 1 s"}},
    {HEAD "\"state\":\"done\",\"outcome\":[\"killed\",\"deadline\"],"
     "\"waits\":null}]}\n", {"limit     deadline 2027-01-15 09:00:00\n"}},
    {HEAD "\"state\":\"done\",\"outcome\":[\"exited\",127],"
     "\"waits\":null}]}\n", {"exited with 127\n", "not in the image"}},
    {HEAD "\"state\":\"lost\",\"reason\":\"the jail fell\",\"outcome\":null,"
     "\"waits\":null}]}\n", {"lost: the jail fell\n", "submit it again",
	"`warren audit tail`"}},
    {HEAD "\"state\":\"refused\",\"reason\":\"trust: level 0, needed 1\","
     "\"outcome\":null,\"waits\":null}]}\n",
	{"trust (after it was admitted): level 0, needed 1",
	    "operator  Pin the key"}},
    {HEAD "\"state\":\"refused\",\"reason\":\"signature: nobody\","
     "\"outcome\":null,\"waits\":null}],\"image_policy\":[{\"kind\":"
     "\"file\",\"name\":\"a.json\",\"entries\":7}]}\n",
	{"\nSignatures of images are judged by:\nroots     klp/roots/a.json, "
	 "7 entries\n"}},
    /* what an answer may be as well: nothing of it is believed */
    {"{\"ok\":true,\"end\":true,\"jobs\":[{}],\"peers\":7}\n",
	{"ended in a way not known here"}},
};

static void
test_jobs(void **state)
{
	const char *dir = temp_dir();

	(void)state;
	for (size_t i = 0; i < NELEM(JOBS); i++) {
		pid_t pid = serve(dir, "node.sock", &JOBS[i].answer, 1);
		const struct captured *said = says(dir, "4a4a", false, CLI_OK);

		(void)waitpid(pid, NULL, 0);
		for (size_t k = 0; k < 4 && JOBS[i].says[k] != NULL; k++)
			has(said->out, JOBS[i].says[k]);
		has(said->err, "the trail is not read: ");
	}
	temp_remove(dir);
}

/* The node holds a verdict of long ago; the judge says what is. */
static void
test_peer_judged(void **state)
{
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"jobs\":[],\"peers\":[{\"identity\":\""
	    RNS "\",\"fp\":\"" FP "\",\"level\":2,\"floor\":1,\"why\":"
	    "\"expired\",\"listed\":\"\",\"links\":0}]}\n",
	    ("{\"ok\":true,\"end\":true,\"level\":-1,\"why\":\"a pin\","
	    "\"jobs\":\"\"}\n")};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid;

	(void)state;
	trail(dir, NULL, 0);
	pid = serve(dir, "node.sock", answers, 2);
	said = says(dir, "cccc", false, CLI_OK);
	(void)waitpid(pid, NULL, 0);
	has(said->out, "level     -1, jobs need +1\n");
	has(said->out, "because   a pin (");
	assert_null(strstr(said->out, "expired"));
	temp_remove(dir);
}

static void
test_peer(void **state)
{
	static const struct line lines[] = {
	    {"job_state", JOB, FP, "running", "running", ""},
	    {"peer_throttled", "", FP, "bytes", "", ",\"a\":12"},
	    {"peer_blocked", "", RNS, "trust", "", ""}};
	static const char *const answers[] = {
	    "{\"ok\":true,\"end\":true,\"jobs\":[],\"peers\":[{\"identity\":\""
	    RNS "\",\"fp\":\"" FP "\",\"level\":-3,\"floor\":1,\"why\":\"pin\","
	    "\"listed\":\"revoked\",\"links\":0,\"requests\":9,\"refused\":4,"
	    "\"delayed\":2,\"blobs_bad\":1,\"bytes_left\":1024,"
	    "\"bytes_limit\":4096,\"bytes_full_s\":45,\"images_left\":1024,"
	    "\"images_limit\":3072,\"images_full_s\":45,\"requests_left\":0,"
	    "\"requests_limit\":0,\"jobs_waiting\":3,\"jobs_waiting_limit\":"
	    "16}]}\n",
	    "{\"ok\":true,\"end\":true,\"pending\":true}\n",
	    ("{\"ok\":true,\"end\":true,\"level\":-3,\"why\":\"a pin\","
	    "\"jobs\":\"\"}\n")};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid;

	(void)state;
	trail(dir, lines, NELEM(lines));
	pid = serve(dir, "node.sock", answers, 3);
	said = says(dir, "cccc", false, CLI_OK);
	(void)waitpid(pid, NULL, 0);
	has(said->out, "key       " FP "\nlevel     -3, jobs need +1: pin\n");
	has(said->out, "because   a pin (");
	has(said->out, "listed    revoked: its links are closed");
	has(said->out, "9 requests, 4 refused, 2 told to wait");
	has(said->out, "bytes a minute");
	has(said->out, "images a day");
	has(said->out, "2.0 KiB");
	has(said->out, "3.0 KiB");
	has(said->out, "45.0 s");
	has(said->out, "no limit");
	/* lines that name it by the key, and by the identity */
	has(said->out, "peer_throttled bytes");
	has(said->out, "peer_blocked trust");
	/* and not each step of its jobs */
	assert_null(strstr(said->out, "job_state"));
	temp_remove(dir);
}

static void
test_which(void **state)
{
	static const char *const two[] = {
	    "{\"ok\":true,\"end\":true,\"jobs\":[{\"id\":\"" JOB "\"}],"
	    "\"peers\":[{\"identity\":\"" RNS "\"}]}\n"};
	static const char *const none[] = {NOTHING};
	static const char *const old[] = {"{\"ok\":false,\"exit\":2,\"why\":"
	    "\"the node does not know this verb\"}\n"};
	const char *dir = temp_dir();
	const struct captured *said;
	pid_t pid = serve(dir, "node.sock", two, 1);

	(void)state;
	said = says(dir, "4a4a", false, CLI_USAGE);
	(void)waitpid(pid, NULL, 0);
	has(said->err, "more than one begins with 4a4a");
	has(said->err, "peer " RNS);
	pid = serve(dir, "node.sock", none, 1);
	said = says(dir, FP, false, CLI_FAILED);
	(void)waitpid(pid, NULL, 0);
	has(said->err, "this machine's node, and in the trail (");
	pid = serve(dir, "node.sock", old, 1);
	(void)says(dir, FP, false, CLI_USAGE);
	(void)waitpid(pid, NULL, 0);
	temp_remove(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_jobs), cmocka_unit_test(test_peer),
	    cmocka_unit_test(test_peer_judged),
	    cmocka_unit_test(test_which)};

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("cli_explain", tests, NULL, NULL);
}
