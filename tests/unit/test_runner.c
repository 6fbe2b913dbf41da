/* SPDX-License-Identifier: BSD-2-Clause */
/* Runners: a job in each tool's terms, word for word; what warren-inner reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/layers.h"
#include "common/util.h"
#include "sandbox/jail/jail_io.h"
#include "sandbox/jail/jail_lsm.h"
#include "sandbox/runner/inner.h"
#include "sandbox/runner/terms.h"

static char words[4096];

/* Words of its argv may lie in it: it is not copied. */
static struct terms t;

static const char *
argv_text(void)
{
	size_t n = 0;

	words[0] = '\0';
	for (unsigned i = 0; i < t.argc; i++)
		n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s",
		    i > 0 ? " " : "", t.argv[i]);
	assert_true(n < sizeof(words));
	assert_null(t.argv[t.argc]);
	return words;
}

static void
make(unsigned runner, bool read_only)
{
	const struct terms_in in = {.read_only = read_only};
	const struct terms_tool *tool = terms_tool(runner);

	memset(&t, 0, sizeof(t));
	assert_non_null(tool);
	assert_int_equal(tool->number, runner);
	assert_true(tool->pids > 0 && tool->memory > 0);
	assert_true(tool->make(&t, &in));
}

static void
test_bubblewrap(void **state)
{
	(void)state;
	make(RUNNER_BUBBLEWRAP, true);
	assert_string_equal(argv_text(), "bwrap --unshare-user --uid 1000 "
	    "--gid 1000 --unshare-pid --unshare-net --unshare-ipc "
	    "--unshare-uts --unshare-cgroup --hostname burrow "
	    "--die-with-parent --new-session --clearenv --cap-drop ALL "
	    "--cap-add CAP_SYS_ADMIN --cap-add CAP_SETPCAP "
	    "--dev-bind /new/root / --proc /proc --remount-ro / --chdir / "
	    "--as-pid-1 -- /proc/self/fd/3");
	assert_string_equal(t.text, "");
	make(RUNNER_BUBBLEWRAP, false);
	assert_null(strstr(argv_text(), "--remount-ro"));
}

static void
test_nsjail(void **state)
{
	(void)state;
	make(RUNNER_NSJAIL, true);
	assert_string_equal(argv_text(),
	    "nsjail --rw --config /new/bundle/config.json");
	assert_string_equal(t.text, "mode: ONCE\n"
	    "hostname: \"burrow\"\n"
	    "cwd: \"/\"\n"
	    "time_limit: 0\n"
	    "log_fd: 2\n"
	    "log_level: WARNING\n"
	    "keep_env: false\n"
	    "keep_caps: false\n"
	    "disable_no_new_privs: false\n"
	    "disable_rl: true\n"
	    "clone_newnet: true\n"
	    "clone_newuser: true\n"
	    "clone_newns: true\n"
	    "clone_newpid: true\n"
	    "clone_newipc: true\n"
	    "clone_newuts: true\n"
	    "clone_newcgroup: true\n"
	    "iface_no_lo: true\n"
	    "mount_proc: false\n"
	    "uidmap { inside_id: \"1000\" outside_id: \"0\" count: 1 }\n"
	    "gidmap { inside_id: \"1000\" outside_id: \"0\" count: 1 }\n"
	    "mount { src: \"/new/root\" dst: \"/\" is_bind: true rw: false "
	    "nosuid: true nodev: true }\n"
	    "mount { dst: \"/proc\" fstype: \"proc\" options: "
	    "\"hidepid=4,subset=pid\" rw: true nosuid: true nodev: true "
	    "noexec: true }\n"
	    "pass_fd: 3\npass_fd: 4\npass_fd: 5\npass_fd: 6\npass_fd: 7\n"
	    "pass_fd: 8\npass_fd: 9\npass_fd: 10\n"
	    "exec_bin { path: \"/proc/self/fd/3\" }\n");
	make(RUNNER_NSJAIL, false);
	assert_non_null(strstr(t.text, "is_bind: true rw: true"));
}

#define OCI(readonly, more)                                                    \
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":false,"           \
	"\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"/proc/self/fd/3\"],"       \
	"\"env\":[],\"cwd\":\"/\",\"capabilities\":{"                          \
	"\"bounding\":[\"CAP_SETFCAP\"],\"effective\":[\"CAP_SETFCAP\"],"      \
	"\"permitted\":[\"CAP_SETFCAP\"],\"inheritable\":[],\"ambient\":[]},"  \
	"\"noNewPrivileges\":true},\"root\":{\"path\":\"/new/root\","          \
	"\"readonly\":" readonly "},\"hostname\":\"burrow\",\"mounts\":["      \
	"{\"destination\":\"/dev\",\"type\":\"bind\",\"source\":\"/dev\","     \
	"\"options\":[\"rbind\",\"ro\",\"nosuid\",\"noexec\"]},"               \
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\","    \
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"hidepid=4\","          \
	"\"subset=pid\"]}],\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"     \
	"{\"type\":\"network\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},"        \
	"{\"type\":\"mount\"}" more "]}}\n"

static void
test_oci(void **state)
{
	(void)state;
	make(RUNNER_CRUN, true);
	assert_string_equal(argv_text(), "crun --root /new/state "
	    "--cgroup-manager=disabled run --bundle /new/bundle "
	    "--no-new-keyring --preserve-fds 8 job");
	assert_string_equal(t.text, OCI("true", ",{\"type\":\"cgroup\"}"));
	make(RUNNER_RUNC, false);
	assert_string_equal(argv_text(), "runc --root /new/state run "
	    "--bundle /new/bundle --no-new-keyring --preserve-fds 8 job");
	assert_string_equal(t.text, OCI("false", ""));
}

static void
test_podman(void **state)
{
	(void)state;
	/* the root that it is told is the stub: of the job's jail has decided */
	for (unsigned read_only = 0; read_only < 2; read_only++) {
		make(RUNNER_PODMAN, read_only != 0);
		assert_string_equal(argv_text(), "podman "
		    "--root /new/state/store --runroot /new/state/run "
		    "--tmpdir /new/state/tmp --storage-driver vfs "
		    "--cgroup-manager cgroupfs --events-backend none "
		    "--runtime crun --runtime-flag root=/new/state/crun "
		    "--log-level error --default-mounts-file /dev/null run --rm --rootfs --pull never "
		    "--cgroups disabled --network none --no-hosts --ipc none "
		    "--log-driver none --read-only --read-only-tmpfs=false "
		    "--cap-drop all --cap-add SETFCAP --cap-add SYS_ADMIN "
		    "--security-opt unmask=ALL --security-opt no-new-privileges "
		    "--security-opt seccomp=unconfined "
		    "--security-opt label=disable --systemd false "
		    "--image-volume ignore --passwd=false --http-proxy=false "
		    "--unsetenv-all --hostname burrow --ulimit host --mount "
		    "type=bind,src=/dev,dst=/dev,ro=true --preserve-fds 8 "
		    "--user 0:0 --workdir / --entrypoint /proc/self/fd/3 "
		    "/new/stub");
		assert_string_equal(t.text, "[engine]\nlock_type = \"file\"\n"
		    "hooks_dir = []\nnum_locks = 16\n"
		    "[containers]\nkeyring = false\n");
	}
	assert_true(terms_tool(RUNNER_PODMAN)->stub);
	assert_false(terms_tool(RUNNER_CRUN)->stub);
	assert_true(terms_tool(RUNNER_BUBBLEWRAP)->proc);
	assert_false(terms_tool(RUNNER_CRUN)->proc);
}

static void
test_tools(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RUNNER_COUNT + 2; i++) {
		/* what has a program here has terms, and the other way round */
		assert_int_equal(terms_tool(i) != NULL,
		    runner_program(i) != NULL);
		if (terms_tool(i) != NULL)
			assert_int_equal(terms_tool(i)->daemon,
			    terms_tool(i)->make == NULL);
		if (runner_name(i) != NULL)
			assert_int_equal(runner_number(runner_name(i)), i);
	}
	assert_null(terms_tool(RUNNER_NATIVE));
	assert_int_equal(runner_number("Docker"), -1);
	assert_null(runner_name(RUNNER_COUNT));
}

static void
test_version(void **state)
{
	static const struct {
		const char *said;
		uint16_t v[RUNNER_PARTS];
	} rows[] = {{"bubblewrap 0.8.0", {0, 8, 0}},
	    {"crun version 1.8.1\ncommit: f8a096be06\n", {1, 8, 1}},
	    {"runc version 1.1.5+ds1\nspec: 1.0.2-dev\n", {1, 1, 5}},
	    {"podman version 4.3", {4, 3, 0}}, {"v12.70000.1.9", {12, 65535, 1}},
	    {"", {0}}, {"no number", {0}}, {"just 7, and 8.", {0}},
	    {"99999999999999999999.1", {65535, 1, 0}}, {"1..2 3.4.", {3, 4, 0}}};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		uint16_t v[RUNNER_PARTS] = {7, 7, 7};
		char text[RUNNER_TEXT];

		terms_version(v, rows[i].said);
		assert_memory_equal(v, rows[i].v, sizeof(v));
		runner_text(text, sizeof(text), RUNNER_CRUN, v);
		assert_memory_equal(text, "crun", 4);
		assert_int_equal(text[4] == '\0', (v[0] | v[1] | v[2]) == 0);
	}
}

/* ---- warren-inner ---- */

static struct inner
example(void)
{
	struct inner m = {.root = true, .grouped = true, .landlock_abi = 3,
	    .slots = 4, .required = LAYER_CPU, .file_max = 1u << 20,
	    .ns = {1, 2, 3, 4, 5, 6},
	    .outer = {21, 22, 23, 24, 25, 26}, .njob = 3, .nseal = 2,
	    .nplaces = PLACE_FIXED + 1};

	m.stub = m.proc = true;
	m.lsm = LSM_APPARMOR;
	(void)snprintf(m.label, sizeof(m.label), "warren-1-tmp");
	m.plan.slot = 1;
	m.plan.memory = 1u << 24;
	m.plan.nvolumes = 1;
	m.plan.volumes[0].kind = PLAN_VOL_RW;
	for (unsigned i = 0; i < m.nplaces; i++)
		(void)snprintf(m.places[i].path, sizeof(m.places[i].path),
		    "place/%u", i);
	m.places[3].in_tmp = true;
	return m;
}

static void
test_inner(void **state)
{
	static uint8_t buf[INNER_MAX], again[INNER_MAX];
	struct inner m = example(), out;
	struct wr w = wr_make(buf, sizeof(buf)), v = wr_make(again,
	    sizeof(again));

	(void)state;
	inner_encode(&w, &m);
	assert_true(wr_ok(&w));
	assert_true(inner_decode(rd_make(buf, w.len), &out));
	inner_encode(&v, &out);
	assert_int_equal(v.len, w.len);
	assert_memory_equal(buf, again, w.len);
	assert_true(out.stub && out.proc && !out.trial && out.root);
	for (size_t n = 0; n < w.len; n++)
		assert_false(inner_decode(rd_make(buf, n), &out));
	/* each bit that is turned is refused, or read and written as it is */
	for (size_t i = 0; i < w.len * 8; i++) {
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
		if (inner_decode(rd_make(buf, w.len), &out)) {
			assert_in_range(out.nplaces, PLACE_FIXED, PLACES_ALL);
			assert_true(out.trial || out.nplaces ==
			    PLACE_FIXED + out.plan.nvolumes);
			assert_true(out.njob <= PLAN_FILTER_MAX);
			assert_true(out.lsm <= LSM_SELINUX);
			assert_true((out.lsm == LSM_NONE) ==
			    (out.label[0] == '\0'));
		}
		buf[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	/* one place more than volumes, and filters that no kernel takes */
	m.nplaces++;
	w = wr_make(buf, sizeof(buf));
	inner_encode(&w, &m);
	assert_false(inner_decode(rd_make(buf, w.len), &out));
	m = example();
	m.nseal = PLAN_FILTER_MAX + 1;
	w = wr_make(buf, sizeof(buf));
	inner_encode(&w, &m);
	assert_false(inner_decode(rd_make(buf, w.len), &out));
}

/* A layer that is not there is not named, whatever the tool was told. */
static void
test_layers(void **state)
{
	static const uint32_t bits[INNER_NS] = {LAYER_USER, LAYER_PID,
	    LAYER_MOUNT, LAYER_NET, LAYER_IPC, LAYER_UTS};
	struct inner m = example();
	struct inner_seen s = {.ns = {11, 12, 13, 14, 15, 16},
	    .read_only = true};
	uint32_t all = inner_layers(&m, &s);

	(void)state;
	assert_int_equal(all & LAYERS_FLOOR, LAYERS_FLOOR);
	assert_true((all & LAYER_READONLY) != 0 && (all & LAYER_UTS) != 0);
	assert_true((all & LAYER_LANDLOCK) != 0 && (all & LAYER_CGROUP) != 0);
	for (unsigned i = 0; i < INNER_NS; i++) {
		struct inner_seen less = s;

		less.ns[i] = m.ns[i];
		assert_int_equal(inner_layers(&m, &less), all & ~bits[i]);
		/* nor is the machine's own, which a daemon could give */
		less.ns[i] = m.outer[i];
		assert_int_equal(inner_layers(&m, &less), all & ~bits[i]);
		less.ns[i] = 0; /* it could not be looked at */
		assert_int_equal(inner_layers(&m, &less), all & ~bits[i]);
	}
	s.label = true;
	assert_int_equal(inner_layers(&m, &s), all | LAYER_LSM);
	s.label = false;
	s.read_only = false;
	assert_int_equal(inner_layers(&m, &s), all & ~(uint32_t)LAYER_READONLY);
	m.landlock_abi = 0;
	m.grouped = false;
	assert_int_equal(inner_layers(&m, &s), all & ~(uint32_t)(LAYER_READONLY |
	    LAYER_LANDLOCK | LAYER_CGROUP));
}

/* The bound on the disk: of version 2 in each case, else of who is a child. */
static void
test_io(void **state)
{
	static const char in[] = "3:blkio:/warren-12345678/jobs\n0::/x\n";
	struct msg_PARAMS p = {.instance = "12345678"};

	(void)state;
	assert_int_equal(jail_io(in, &p, false), 0);
	p.cg_v1 = LAYER_IO | LAYER_PIDS;
	assert_int_equal(jail_io(in, &p, false), LAYER_IO);
	assert_int_equal(jail_io("3:blkio:/\n", &p, false), 0);
	assert_int_equal(jail_io(in, &p, true), 0);
	p.cg_v2 = LAYER_IO | LAYER_PIDS;
	assert_int_equal(jail_io(in, &p, true), LAYER_IO);
	assert_int_equal(jail_io("", &p, true), LAYER_IO);
}

/* Where the machine has a policy and a container lets nobody go there. */
static void
test_label(void **state)
{
	static struct lsm l;
	char text[200] = "";

	(void)state;
	jail_lsm_missing(&l, false, text, sizeof(text));
	assert_string_equal(text, "");
	l.kind = LSM_APPARMOR;
	jail_lsm_missing(&l, true, text, sizeof(text));
	assert_string_equal(text, "");
	jail_lsm_missing(&l, false, text, sizeof(text));
	assert_string_equal(text, "lsm: in its container the runner's jobs "
	    "cannot get a label");
	(void)snprintf(l.why, sizeof(l.why), "AppArmor: no");
	jail_lsm_missing(&l, false, text, sizeof(text));
	assert_string_equal(text, "lsm: in its container the runner's jobs "
	    "cannot get a label; lsm: AppArmor: no");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bubblewrap), cmocka_unit_test(test_nsjail),
	    cmocka_unit_test(test_oci), cmocka_unit_test(test_podman),
	    cmocka_unit_test(test_tools),
	    cmocka_unit_test(test_version), cmocka_unit_test(test_inner),
	    cmocka_unit_test(test_layers), cmocka_unit_test(test_io),
	    cmocka_unit_test(test_label)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
