/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "node/work/admit.h"
#include "trust/doc/contract.h"
#include "sandbox/plan/plan.h"
#include "sandbox/plan/wasm.h"
#include "common/layers.h"
#include "common/util.h"

#define NOW 1800000000u
#define MIB (UINT64_C(1024) * 1024)

/* Everything good; each test spoils what it is about. */
struct fix {
	struct policy policy;
	struct admit_node node;
	struct admit_peer peer;
	struct quota_caps caps;
	struct manifest m;
	struct admit_job job;
	struct refusal r;
	struct admitted out;
};
static struct fix f;

static int
setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	policy_init(&f.policy, 2, 4096 * MIB);
	f.policy.accept = true;
	f.policy.required = LAYERS_FLOOR;
	f.node = (struct admit_node){.policy = &f.policy, .layers = 0x7ffff};
	f.peer = (struct admit_peer){.identified = true, .has_binding = true,
	    .level = 2};
	f.caps = (struct quota_caps){16, 120, 86400, 1000, 0};
	manifest_init(&f.m);
	f.m.has = HAS_LIMITS;
	f.m.not_after = NOW + 3600;
	f.m.deadline = NOW + 86400;
	f.job = (struct admit_job){.m = &f.m, .signer_is_peer = true,
	    .now = NOW, .disk_free = 1000 * MIB};
	return 0;
}

static bool
first(void)
{
	return admit_first(&f.r, &f.node, &f.peer);
}

static bool
second(void)
{
	return admit_second(&f.r, &f.out, &f.node, &f.peer, &f.caps, &f.job);
}

static void
refused(bool passed, const char *code, unsigned step, const char *why)
{
	assert_false(passed);
	assert_string_equal(f.r.code, code);
	assert_int_equal(f.r.step, step);
	if (why != NULL && strstr(f.r.why, why) == NULL)
		fail_msg("why: %s", f.r.why);
}

static void
test_pass(void **state)
{
	(void)state;
	assert_true(first());
	assert_null(f.r.code);
	assert_true(second());
	assert_null(f.r.code);
	assert_int_equal(f.out.level, 2);
	assert_int_equal(f.out.limits.v[LIMIT_MEMORY], 256 * MIB);
	assert_false(f.out.held);
}

static void
test_steps_1_to_3(void **state)
{
	(void)state;
	f.policy.accept = false;
	refused(first(), "not_accepting", 1, NULL);
	setup(NULL);
	f.node.shut = "stopping";
	f.node.again_s = 30;
	refused(first(), "not_accepting", 1, "stopping");
	assert_int_equal(f.r.s, 30);
	setup(NULL);
	f.node.layers = 0x7ffff & ~LAYER_SECCOMP;
	refused(first(), "posture", 1, "seccomp");
	f.node.missing = "seccomp: filter: Invalid argument";
	refused(first(), "posture", 1, "seccomp: filter: Invalid argument");
	setup(NULL);
	f.peer.identified = false;
	refused(first(), "not_identified", 2, NULL);
	setup(NULL);
	f.peer.revoked = true;
	refused(first(), "revoked", 3, NULL);
	assert_string_equal(f.r.which, "key");
}

static void
test_steps_4_5(void **state)
{
	(void)state;
	f.peer.has_binding = false;
	refused(first(), "binding", 4, "no key");
	f.peer.bad_binding = true;
	f.peer.why = "expired";
	refused(first(), "binding", 4, "expired");
	assert_false(f.r.live);
	setup(NULL);
	f.policy.live = PROOF_ALWAYS;
	f.peer.live_needed = true;
	refused(first(), "binding", 4, "live");
	assert_true(f.r.live);
	f.peer.live_done = true;
	assert_true(first());
	setup(NULL);
	f.peer.level = 0;
	refused(first(), "trust", 5, "level 0, needed 1");
	f.peer.level = -2;
	f.peer.why = "pinned";
	refused(first(), "trust", 5, "pinned");
	f.peer.level = 2;
	f.policy.floor = 3;
	refused(first(), "trust", 5, "needed 3");
	/* a floor of 0 (auth_required: false): the row of +1, never below 0 */
	f.policy.floor = 0;
	f.peer.level = 0;
	assert_true(first());
	assert_true(second());
	assert_int_equal(f.out.limits.v[LIMIT_MEMORY], 64 * MIB);
	f.policy.floor = -3;
	f.peer.level = -1;
	refused(first(), "trust", 5, "needed 0");
}

static void
test_step_6(void **state)
{
	struct quota_answer q = {QUOTA_JOBS_PER_HOUR, 30, 120, 121};

	(void)state;
	assert_false(admit_quota(&f.r, &q));
	assert_string_equal(f.r.code, "quota");
	assert_string_equal(f.r.why, "jobs_per_hour");
	assert_int_equal(f.r.s, 30);
	assert_int_equal(f.r.limit, 120);
	q.kind = QUOTA_FITS;
	memset(&f.r, 0, sizeof(f.r));
	assert_true(admit_quota(&f.r, &q));
	/* the spool share is judged behind the payload, under step 6 */
	f.job.spool_held = 600;
	f.job.spool_more = 401;
	refused(second(), "quota", 6, "spool");
	assert_int_equal(f.r.limit, 1000);
	assert_int_equal(f.r.value, 1001);
}

static void
test_step_7(void **state)
{
	(void)state;
	f.job.signer_is_peer = false;
	refused(second(), "manifest", 7, "submitter");
	setup(NULL);
	f.job.nonce_used = true;
	refused(second(), "manifest", 7, "nonce");
	setup(NULL);
	f.m.not_after = NOW;
	refused(second(), "manifest", 7, "not_after");
	assert_true(f.r.limit == f.r.time && f.r.value == NOW);
	/* ours is a time of which all is known, or some is forgotten */
	f.job.forgotten = NOW - 1;
	refused(second(), "manifest", 7, "not_after");
	assert_true(f.r.limit == f.r.time);
	for (uint32_t d = 0; d < 3; d++) {
		f.job.forgotten = NOW + d;
		refused(second(), "manifest", 7, "not_after");
		assert_true(f.r.limit != f.r.time && f.r.limit > f.r.value);
	}
	f.job.forgotten = 0;
	/* what it knows begins then: one of before may have run, too */
	for (uint32_t d = 0; d < 3; d++) {
		f.job.created = NOW - MANIFEST_AHEAD + d;
		refused(second(), "manifest", 7, "not_after");
		assert_true(f.r.limit != f.r.time && f.r.limit > f.r.value);
	}
	f.job.created = NOW - MANIFEST_AHEAD - 1;
	refused(second(), "manifest", 7, "not_after");
	assert_true(f.r.limit == f.r.time);
	/* ... and one that is still good is taken as ever */
	f.job.created = NOW;
	f.m.not_after = NOW + 1;
	f.m.deadline = NOW + 1;
	(void)second();
	assert_true(f.r.code == NULL || strcmp(f.r.code, "manifest") != 0);
	f.job.created = 0;
	setup(NULL);
	f.m.deadline = NOW - 1;
	f.m.not_after = NOW - 1;
	refused(second(), "manifest", 7, NULL);
	setup(NULL);
	f.m.has |= HAS_NODE;
	f.m.node.b[0] = 1;
	refused(second(), "manifest", 7, "node");
	f.m.node.b[0] = 0;
	assert_true(second());
}

static void
test_step_8(void **state)
{
	(void)state;
	f.job.image = IMAGE_UNKNOWN;
	refused(second(), "image", 8, "is not on the node");
	f.job.image = IMAGE_BROKEN;
	refused(second(), "image", 8, "is not complete on the node");
	setup(NULL);
	f.m.has |= HAS_WASM;
	refused(second(), "image", 8, "wasm");
	f.node.layers |= LAYER_WASM;
	refused(second(), "image", 8, "empty");
	assert_int_equal(f.r.limit, 0);
	f.m.wasm.size = WASM_MODULE_USUAL + 1;
	refused(second(), "image", 8, "too large");
	assert_int_equal(f.r.limit, WASM_MODULE_USUAL);
	assert_int_equal(f.r.value, WASM_MODULE_USUAL + 1);
	/* the engine's own: threads, and memory beside the module's */
	f.m.wasm.size = WASM_MODULE_USUAL;
	f.m.limit[LIMIT_PIDS] = 1;
	assert_true(second());
	assert_int_equal(f.out.limits.v[LIMIT_PIDS], WASM_PIDS_LEAST);
	f.m.limit[LIMIT_MEMORY] = WASM_MEMORY_ROOM;
	refused(second(), "limits", 9, "memory");
	assert_true(f.r.limit > WASM_MEMORY_ROOM);
	setup(NULL);
	f.m.has |= HAS_CONTRACT;
	refused(second(), "contract", 8, "empty");
	f.m.contract.size = CONTRACT_BYTES + 1;
	refused(second(), "contract", 8, "too large");
	assert_int_equal(f.r.limit, CONTRACT_BYTES);
	f.m.contract.size = CONTRACT_BYTES;
	assert_true(second());
	f.job.volume_code = "volume";
	f.job.volume_why = "/etc/passwd is a file";
	refused(second(), "volume", 8, "/etc/passwd is a file");
}

/* The least of each limit; the refusal says it. */
static void
test_least(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		f.m.limit[i] = i == LIMIT_MEMORY ? 2 * MIB :
		    i >= LIMIT_IO_READ ? LIMIT_IO_LEAST : 1;
	assert_true(second());
	for (unsigned i = LIMIT_IO_READ; i <= LIMIT_IO_WRITE; i++) {
		f.m.limit[i]--;
		refused(second(), "limits", 9, i == LIMIT_IO_READ ? "io_read" :
		    "io_write");
		assert_int_equal(f.r.limit, LIMIT_IO_LEAST);
		assert_int_equal(f.r.value, LIMIT_IO_LEAST - 1);
		f.m.limit[i]++;
	}
	f.m.limit[LIMIT_MEMORY]--;
	refused(second(), "limits", 9, "memory: too little to start in");
	assert_true(f.r.has_limit);
	assert_int_equal(f.r.limit, 2 * MIB);
	assert_int_equal(f.r.value, 2 * MIB - 1);
	/* each volume needs some, those of the profile as well */
	f.m.nvolumes = 2;
	f.policy.profile_volumes = 1;
	f.m.limit[LIMIT_MEMORY] = 2 * MIB + 3 * (256 << 10);
	assert_true(second());
	f.m.limit[LIMIT_MEMORY]--;
	refused(second(), "limits", 9, "memory");
	assert_int_equal(f.r.limit, 2 * MIB + 3 * (256 << 10));
	f.m.limit[LIMIT_MEMORY]++;
	/* an empty volume comes back as 1,024 bytes */
	f.m.volume[1].rw = true;
	refused(second(), "limits", 9, "output: too little");
	assert_int_equal(f.r.limit, 1024);
	f.m.limit[LIMIT_OUTPUT] = 1024;
	assert_true(second());
	f.m.volume[0].rw = true;
	refused(second(), "limits", 9, "output");
	assert_int_equal(f.r.limit, 2048);
	/* what the operator gives to who does not ask is held to it too */
	setup(NULL);
	f.policy.profile.v[LIMIT_MEMORY] = MIB;
	refused(second(), "limits", 9, "memory");
	assert_int_equal(f.r.value, MIB);
}

static void
test_step_9(void **state)
{
	(void)state;
	f.m.limit[LIMIT_MEMORY] = 256 * MIB + 1;
	refused(second(), "limits", 9, "memory");
	assert_int_equal(f.r.limit, 256 * MIB);
	assert_int_equal(f.r.value, 256 * MIB + 1);
	f.peer.level = 3;
	assert_true(second());
	/* the manifest's own claim can only lower */
	f.m.trust_level = 1;
	refused(second(), "limits", 9, "memory");
	f.m.limit[LIMIT_MEMORY] = 0;
	assert_true(second());
	assert_int_equal(f.out.level, 1);
	assert_int_equal(f.out.limits.v[LIMIT_MEMORY], 64 * MIB);
	f.m.trust_level = 0;
	refused(second(), "trust", 5, NULL);
	setup(NULL);
	f.m.network = NET_BROKER;
	refused(second(), "limits", 9, "network");
	setup(NULL);
	f.job.seccomp_why = "not here";
	refused(second(), "limits", 9, "seccomp_profile");
}

/* above_2: level 3 without a proof counts as 2; more asks for the proof. */
static void
test_live_above_2(void **state)
{
	(void)state;
	f.peer.level = 3;
	f.peer.live_needed = true;
	assert_true(first());
	assert_true(second());
	assert_int_equal(f.out.level, 2);
	f.m.limit[LIMIT_MEMORY] = 512 * MIB;
	refused(second(), "binding", 4, "live");
	assert_true(f.r.live);
	f.peer.live_done = true;
	assert_true(second());
	assert_int_equal(f.out.level, 3);
	/* beyond the operator's ceiling no proof helps */
	f.peer.live_done = false;
	f.m.limit[LIMIT_MEMORY] = 4096 * MIB;
	refused(second(), "limits", 9, "memory");
	assert_false(f.r.live);
}

static void
test_steps_10_11(void **state)
{
	uint32_t airtime;

	(void)state;
	f.policy.machine_memory = 100 * MIB;
	refused(second(), "too_large", 10, "memory");
	assert_int_equal(f.r.limit, 100 * MIB);
	setup(NULL);
	f.policy.machine_cpu_milli = 100;
	refused(second(), "too_large", 10, "cpu");
	setup(NULL);
	f.job.disk_free = 10;
	f.job.spool_more = 11;
	refused(second(), "too_large", 10, "disk");
	setup(NULL);
	f.job.path.bitrate = 1000;
	f.job.bytes_to_come = 55000;
	f.job.bytes_to_go = 3000;
	airtime = forecast_s(forecast(&f.job.path, 55000, 3000).us);
	/* headers, rounds and proofs of some ten slices besides the bytes */
	assert_in_range(airtime, 58 * 8 + 20, 600);
	assert_true(second());
	assert_int_equal(f.out.airtime_s, airtime);
	f.policy.max_airtime_s = airtime;
	assert_true(second());
	f.policy.max_airtime_s = airtime - 1;
	refused(second(), "airtime", 11, "max_airtime");
	assert_int_equal(f.r.value, airtime);
	assert_int_equal(f.r.limit, airtime - 1);
	/* what stands around a packet, and the way back and forth */
	f.policy.max_airtime_s = airtime;
	f.job.path.frame_us = 100000;
	refused(second(), "airtime", 11, "max_airtime");
	f.job.path.frame_us = 0;
	f.job.path.rtt_us = 5000000;
	refused(second(), "airtime", 11, "max_airtime");
	f.job.path.rtt_us = 0;
	f.policy.max_airtime_s = 0;
	assert_true(second());
	f.m.not_after = NOW + 400;
	f.m.deadline = NOW + 480;
	refused(second(), "airtime", 11, "deadline");
	f.job.bytes_to_come = 0;
	assert_true(second());
	f.job.wait_s = 480;
	refused(second(), "airtime", 11, "deadline");
}

static struct forecast
foreseen(uint64_t bitrate, uint32_t loss, uint64_t come, uint64_t go)
{
	return forecast(&(struct forecast_path){.bitrate = bitrate,
	    .loss_permille = loss}, come, go);
}

/* With loss of any size it is a time, and no shorter one. */
static void
test_forecast(void **state)
{
	static const uint64_t rates[] = {1000, 100000, 10000000};
	static const uint32_t losses[] = {1, 20, 100, 300, 500, 1000};
	struct forecast kept, got;

	(void)state;
	for (size_t r = 0; r < NELEM(rates); r++)
		for (uint64_t n = 1; n < 1000000; n = n * 5 + 1) {
			kept = foreseen(rates[r], 0, n, n);
			assert_int_equal(kept.us, kept.p90_us);
			for (size_t i = 0; i < NELEM(losses); i++) {
				got = foreseen(rates[r], losses[i], n, n);
				if (got.us < kept.us || got.p90_us < got.us ||
				    got.us == INT64_MAX)
					fail_msg("%u of 1,000 lost: %lld us",
					    losses[i], (long long)got.us);
				/* asked again the answer is the same */
				assert_int_equal(got.us, foreseen(rates[r],
				    losses[i], n, n).us);
			}
		}
	assert_int_equal(foreseen(0, 0, 1, 1).us, 0);
	assert_int_equal(forecast_s(foreseen(1000000, 0, 1, 0).us), 1);
	assert_int_equal(forecast_s(INT64_MAX), UINT32_MAX);
	assert_int_equal(forecast_s(foreseen(1, 500, UINT64_MAX,
	    UINT64_MAX).us), UINT32_MAX);
	assert_int_equal(forecast_request(&(struct forecast_path){.bitrate =
	    1, .frame = 1, .loss_permille = 1000, .slot_us = UINT32_MAX,
	    .frame_us = UINT32_MAX, .listen_us = UINT32_MAX, .rtt_us =
	    UINT32_MAX}, UINT32_MAX, UINT32_MAX).p90_us > 0, 1);
	/* a packet of two frames is lost with either */
	assert_true(forecast(&(struct forecast_path){.bitrate = 1200,
	    .frame = 254, .loss_permille = 100}, 9500, 0).us >
	    foreseen(1200, 100, 9500, 0).us * 11 / 10);
}

/* Spoil steps from the last to the first: the first failing one decides. */
static void
test_order(void **state)
{
	(void)state;
	f.job.wait_s = 90000;
	refused(second(), "airtime", 11, NULL);
	f.policy.machine_memory = 1;
	refused(second(), "too_large", 10, NULL);
	f.m.network = NET_BROKER;
	refused(second(), "limits", 9, NULL);
	f.m.has |= HAS_CONTRACT;
	refused(second(), "contract", 8, NULL);
	f.job.image = IMAGE_UNKNOWN;
	refused(second(), "image", 8, NULL);
	f.job.spool_more = 5000;
	refused(second(), "quota", 6, NULL);
	f.job.nonce_used = true;
	refused(second(), "manifest", 7, NULL);

	f.peer.level = 0;
	refused(first(), "trust", 5, NULL);
	f.peer.has_binding = false;
	refused(first(), "binding", 4, NULL);
	f.peer.revoked = true;
	refused(first(), "revoked", 3, NULL);
	f.peer.identified = false;
	refused(first(), "not_identified", 2, NULL);
	f.node.layers = 0;
	refused(first(), "posture", 1, NULL);
	f.policy.accept = false;
	refused(first(), "not_accepting", 1, NULL);
}

static void
test_review(void **state)
{
	const char *const boards[] = {"kOS Core Trust Board v1.4"};

	(void)state;
	f.m.requires_review = true;
	assert_true(second());
	assert_true(f.out.held);
	setup(NULL);
	/* unmapped: as if absent; mapped: until the board has signed */
	f.m.has |= HAS_APPROVED_BY;
	(void)snprintf(f.m.approved_by, sizeof(f.m.approved_by), "%s",
	    boards[0]);
	assert_true(second());
	assert_false(f.out.held);
	f.policy.boards = boards;
	f.policy.nboards = 1;
	assert_true(second());
	assert_true(f.out.held);
}

static void
test_again(void **state)
{
	(void)state;
	assert_true(admit_again(&f.r, &f.node, &f.peer, &f.job));
	f.job.image = IMAGE_UNKNOWN;
	refused(admit_again(&f.r, &f.node, &f.peer, &f.job), "image", 8, NULL);
	f.peer.level = 0;
	refused(admit_again(&f.r, &f.node, &f.peer, &f.job), "trust", 5, NULL);
	f.peer.revoked = true;
	refused(admit_again(&f.r, &f.node, &f.peer, &f.job), "revoked", 3,
	    NULL);
}

int
main(void)
{
#define T(x) cmocka_unit_test_setup(x, setup)
	const struct CMUnitTest tests[] = {
	    T(test_pass), T(test_steps_1_to_3), T(test_steps_4_5),
	    T(test_step_6), T(test_step_7), T(test_step_8), T(test_step_9),
	    T(test_least), T(test_live_above_2), T(test_steps_10_11),
	    T(test_forecast), T(test_order), T(test_review), T(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
