/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* mkdtemp */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/authkit.h"
#include "common/util.h"
#include "node/check/check.h"
#include "node/check/lsmlook.h"
#include "node/config/keyset.h"
#include "trust/doc/secp.h"

/* The operator's files as a start finds them, and what is said of them. */

#define SAID_MAX 40
#define ON "accept_computation_requests: true\n"

static char top[64];
static char said[SAID_MAX][1600]; /* as they are printed, DIR away */
static unsigned nsaid, nbad;

static void
put(const char *name, const char *text)
{
	char path[300], *slash;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	for (slash = strchr(path + sizeof("/tmp/"), '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void
drop(const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	assert_int_equal(remove(path), 0);
}

static void
hear(void *ctx, bool note, const char *file, const struct mistake *m)
{
	(void)ctx;
	assert_true(nsaid < SAID_MAX);
	check_line(said[nsaid++], sizeof(said[0]), ".", note, file, m);
}

static unsigned
check(bool root)
{
	nsaid = 0;
	return nbad = check_config(top, root, NULL, hear, NULL);
}

/* The finding that begins so and says so; fails when there is none. */
static void
expect(const char *begins, const char *says)
{
	for (unsigned i = 0; i < nsaid; i++)
		if (strncmp(said[i], begins, strlen(begins)) == 0 &&
		    strstr(said[i], says) != NULL)
			return;
	for (unsigned i = 0; i < nsaid; i++)
		print_error("%s\n", said[i]);
	fail_msg("nothing like: %s ... %s", begins, says);
}

static void
mesh_key(const char *path, char text[KEY_TEXT_MAX])
{
	int dir = open(top, O_RDONLY | O_DIRECTORY);
	struct klp_secret secret = {.kind = KEY_SECP256K1};
	struct klp_key key;
	char why[KEYSET_WHY];

	assert_true(dir >= 0);
	assert_int_equal(keyset_read(dir, path, secret.raw, 32, KEYSET_MAKE,
	    NULL, why), 0);
	assert_true(secret_public(&key, &secret));
	key_text(text, &key);
	(void)close(dir);
}

static int
away(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

static int
setup(void **state)
{
	char home[80];

	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/check.XXXXXX");
	if (mkdtemp(top) == NULL)
		return -1;
	(void)snprintf(home, sizeof(home), "%s/home", top);
	return setenv("XDG_CONFIG_HOME", home, 1);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(top, away, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- what there is ---- */

static void
nothing(void **state)
{
	(void)state;
	assert_int_equal(check(false), 0);
	assert_int_equal(nsaid, 1);
	expect("note: ./config: ", "the first start writes one");
	assert_int_equal(check_config("/nonexistent/x", false, NULL, hear, NULL), 1);
}

/* What this machine has not, and what cannot be meant; each once. */
static void
interfaces(void **state)
{
	static const char text[] = "[interfaces]\n"
	    "[[A]]\nenabled = yes\ntype = TCPServerInterface\n"
	    "listen_ip = 127.0.0.256\nlisten_port = 4242\nifac_size = 64\n"
	    "[[B]]\nenabled = yes\ntype = TCPServerInterface\n"
	    "listen_ip = 198.51.100.7\nlisten_port = 4243\n"
	    "announce_cap = 200\n"
	    "[[C]]\nenabled = yes\ntype = PipeInterface\n"
	    "command = /nonexistent/program\n"
	    "[[D]]\nenabled = yes\ntype = AutoInterface\n"
	    "devices = nosuch0, lo\n"
	    "[[E]]\nenabled = yes\ntype = TCPClientInterface\n"
	    "target_host = 1.2.3.4.5\ntarget_port = 4242\nbitrate = 3\n"
	    "[[F]]\nenabled = yes\ntype = SerialInterface\n"
	    "port = /nonexistent/tty\n";

	(void)state;
	put("config", text);
	assert_int_equal(check(false), 0);
	expect("note: ./config:7:1: ", "no effect (it takes network_name");
	expect("note: ./config:2:1: ", "listen_ip that is none: 127.0.0.256");
	expect("note: ./config:13:1: ", "no effect (more than 0 per cent");
	expect("note: ./config:8:1: ", "has no address 198.51.100.7");
	expect("note: ./config:14:1: ", "no program /nonexistent/program");
	expect("note: ./config:18:1: ", "device nosuch0");
	expect("note: ./config:22:1: ", "target_host that is none: 1.2.3.4.5");
	expect("note: ./config:27:1: ", "no effect (at least 5 bits");
	expect("note: ./config:28:1: ", "/nonexistent/tty");
	assert_int_equal(nsaid, 9);
	/* what is well is not named, in whatever form */
	put("config", "[interfaces]\n"
	    "[[A]]\nenabled = yes\ntype = TCPServerInterface\n"
	    "listen_ip = 127.0.0.2\nlisten_port = 4242\n"
	    "[[B]]\nenabled = yes\ntype = TCPClientInterface\n"
	    "target_host = 127.1\ntarget_port = 4242\n"
	    "[[C]]\nenabled = yes\ntype = PipeInterface\ncommand = cat -u\n"
	    "[[D]]\nenabled = yes\ntype = AutoInterface\ndevices = lo\n");
	assert_int_equal(check(false), 0);
	assert_int_equal(nsaid, 0);
	/* a folder is no program; the daemon has another PATH and folder */
	put("config", "[interfaces]\n"
	    "[[A]]\nenabled = yes\ntype = PipeInterface\ncommand = /tmp\n"
	    "[[B]]\nenabled = yes\ntype = PipeInterface\n"
	    "command = no-such-program\n"
	    "[[C]]\nenabled = yes\ntype = PipeInterface\n"
	    "command = bin/none\n");
	assert_int_equal(check(false), 0);
	expect("note: ./config:2:1: ", "no program /tmp");
	expect("note: ./config:6:1: ", "not found in this PATH");
	expect("note: ./config:10:1: ", "no program bin/none");
	assert_int_equal(nsaid, 3);
	(void)check(true);
	expect("note: ./config:10:1: ", "runs its command in /: bin/none");
	/* a hint is whole; a key that stands for two is wrong once */
	put("config", "");
	(void)check(false);
	expect("note: ./config: no interface", "and WeaveInterface)");
	put("config", "[interfaces]\n[[A]]\nenabled = yes\n"
	    "type = UDPInterface\nlisten_ip = 0.0.0.0\n"
	    "forward_ip = 127.0.0.1\nport = 4242 ; mine\n");
	assert_int_equal(check(false), 1);
	expect("./config:7:8: ", "65535; a comment begins with #)");
}

/* The start may go on without an interface, and this check still fails. */
static void
interface_off(void **state)
{
	static const char text[] = "[interfaces]\n[[A]]\nenabled = yes\n"
	    "type = TCPClientInterface\ntarget_host = x\n"
	    "target_port = 70000\n%s";
	char all[300];
	unsigned off;

	(void)state;
	(void)snprintf(all, sizeof(all), text, "");
	put("config", all);
	nsaid = 0;
	assert_int_equal(check_config(top, false, &off, hear, NULL), 1);
	assert_int_equal(off, 1);
	expect("./config:6:15: ", "from 1 to 65535");
	(void)snprintf(all, sizeof(all), text, "[reticulum]\n"
	    "share_instance = 7\n");
	put("config", all);
	assert_int_equal(check_config(top, false, &off, hear, NULL), 2);
	assert_int_equal(off, 1);
	/* who wants no interface missing says so */
	(void)snprintf(all, sizeof(all), text, "[reticulum]\n"
	    "panic_on_interface_error = yes\n");
	put("config", all);
	assert_int_equal(check_config(top, false, &off, hear, NULL), 1);
	assert_int_equal(off, 0);
}

/* Each file's mistakes, in one go. */
static void
all_files(void **state)
{
	(void)state;
	put("config", "[reticulum]\nshare_instance = 3\nenable_transport = 4\n"
	    "[interfaces]\n[[A]]\ntype = TCPClientInterfac\nenabled = yes\n");
	put("node.yaml", "trust: {floor: 7}\naccept: true\n");
	put("profiles/a.yaml", "limits: {memori: 1}\n");
	put("profiles/b.yml", "limits: {memory: 1MB}\n");
	put("profiles/seccomp/s.json", "{\n \"defaultAction\": 1,\n}");
	put("profiles/seccomp/t.json", "{\"defaultAction\":\"SCMP_ACT_ALLOW\","
	    "\"sycalls\":[]}");
	put("profiles/seccomp/bad name.json", "{}");
	assert_int_equal(check(false), 9);
	expect("./config:2:18: ", "yes or no");
	expect("./config:3:20: ", "yes or no");
	expect("note: ./config:6:1: ", "\"TCPClientInterface\"");
	expect("./node.yaml:1:16: ", "trust.floor");
	expect("./node.yaml:2:1: ", "unknown key");
	expect("./profiles/a.yaml:1:10: ", "memory");
	expect("note: ./profiles/b.yml: ", "only .yaml");
	expect("./profiles/seccomp/s.json:3:", "near");
	expect("./profiles/seccomp/t.json: ", "sycalls");
	expect("./profiles/seccomp/bad name.json: ", "no name");
	/* from the top of a file to its end */
	put("node.yaml", "name: [x]\nlimits: {cpu: x}\nfloor: 1\n");
	(void)check(false);
	for (unsigned i = 0, line = 0; i < nsaid; i++) {
		unsigned at;

		if (sscanf(said[i], "./node.yaml:%u:", &at) != 1)
			continue;
		assert_true(at >= line);
		line = at;
	}
	put("node.yaml", "");
	/* notes stand beside mistakes, and where there are none */
	put("config", "[interfaces]\n[[A]]\ntype = TCPClientInterfac\n"
	    "enabled = yes\n");
	assert_int_equal(check(false), 5);
	expect("note: ./config:3:1: ", "\"TCPClientInterface\"");
}

/* ---- what a profile names ---- */

static void
profile_names(void **state)
{
	static const char text[] = "image: kai/agent:1\n"
	    "seccomp_profile: kai-defualt\nvolumes:\n  - ./data:/d:ro\n"
	    "  - ./config:/e:rw\nnetwork: broker\n";

	(void)state;
	put("config", "");
	put("node.yaml", ON "profile: small\n");
	put("profiles/seccomp/kai-default.json",
	    "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	assert_int_equal(check(false), 1);
	expect("./node.yaml:2:10: ", "profiles/small.yaml");
	put("profiles/small.yaml", text);
	assert_int_equal(check(false), 3);
	expect("./profiles/small.yaml:2:18: ", "did you mean \"kai-default\"?");
	expect("./profiles/small.yaml:4:5: ", "no such folder");
	expect("./profiles/small.yaml:5:5: ", "that is no folder");
	expect("note: ./profiles/small.yaml:1:8: ", "image import");
	expect("note: ./profiles/small.yaml:6:10: ", "no network");
	/* not in use: nothing of it keeps a start */
	put("node.yaml", ON);
	assert_int_equal(check(false), 0);
	expect("note: ./profiles/small.yaml:4:5: ", "no such folder");
	put("node.yaml", "profile: small\n");
	assert_int_equal(check(false), 0);
	/* mended */
	put("profiles/small.yaml", "image: UPPER\n"
	    "seccomp_profile: ./own/s.json\nvolumes: ['./data:/d:ro']\n");
	put("data/x", "");
	put("own/s.json", "{\"defaultAction\":\"SCMP_ACT_ALOW\"}");
	put("node.yaml", ON "profile: small\n");
	assert_int_equal(check(false), 2);
	expect("./profiles/small.yaml:1:8: ", "no name");
	expect("./own/s.json: ", "SCMP_ACT_ALOW");
	put("own/s.json", "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
	put("profiles/small.yaml", "image: kai/agent:1\n"
	    "seccomp_profile: ./own/s.json\nvolumes: ['./data:/d:ro']\n");
	assert_int_equal(check(false), 0);
	/* in the store */
	put("warren/images/names", "kai/agent:1 "
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	    "\n");
	put("warren/images/roots/00112233445566778899aabbccddeeff"
	    "00112233445566778899aabbccddeeff/x", "");
	assert_int_equal(check(false), 0);
	for (unsigned i = 0; i < nsaid; i++)
		assert_null(strstr(said[i], "image import"));
}

/* A runner's program is looked for where the start does, a daemon may come. */
static void
runners(void **state)
{
	(void)state;
	put("config", "");
	put("node.yaml", ON "runner_path: /nowhere/tool\n");
	put("profiles/default.yaml", "runner: bubblewrap\n");
	assert_int_equal(check(false), 0);
	expect("note: ./profiles/default.yaml:1:9: ", "/nowhere/tool");
	put("node.yaml", ON "runner: docker\nrunner_path: /nowhere/sock\n");
	assert_int_equal(check(false), 0);
	expect("note: ./node.yaml:2:9: ", "/nowhere/sock");
	put("node.yaml", ON "runner: docker\nrunner_path: /dev/null\n");
	assert_int_equal(check(false), 1);
	expect("./node.yaml:2:9: ", "is no socket");
	put("node.yaml", ON "runner: runc\nrunner_path: /nowhere/tool\n");
	assert_int_equal(check(false), 1);
	expect("./node.yaml:2:9: ", "/nowhere/tool");
}

/* ---- what this machine has ---- */

/* Which policy a kernel enforces, by a folder that stands for /sys. */
static void
policies(void **state)
{
	static const char apparmor[] = "sys/module/apparmor/parameters/enabled",
	    selinux[] = "sys/fs/selinux/enforce";
	char path[300];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sys", top);
	assert_int_equal(lsmlook(path), LSM_NONE);
	put(selinux, "0");
	put(apparmor, "N\n");
	assert_int_equal(lsmlook(path), LSM_NONE);
	put(selinux, "1");
	assert_int_equal(lsmlook(path), LSM_SELINUX);
	put(apparmor, "");
	assert_int_equal(lsmlook(path), LSM_SELINUX);
	put(apparmor, "Y\n");
	assert_int_equal(lsmlook(path), LSM_APPARMOR);
}

/* Profiles as AppArmor lists them. */
static void
enforced(void **state)
{
	static const char list[] = "sys/kernel/security/apparmor/profiles";
	char path[300], text[1200];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/sys", top);
	assert_false(lsmlook_enforced(path, "a"));
	memset(text, 'x', 1000);
	(void)snprintf(text + 1000, sizeof(text) - 1000, " (enforce)\n"
	    "a (complain)\nb c (enforce)\na/d (enforce)\ne (enforce)");
	put(list, text);
	assert_false(lsmlook_enforced(path, "a"));
	assert_false(lsmlook_enforced(path, "c"));
	assert_false(lsmlook_enforced(path, "x"));
	assert_false(lsmlook_enforced(path, ""));
	assert_false(lsmlook_enforced(path, "e")); /* cut off */
	assert_true(lsmlook_enforced(path, "a/d"));
}

static void
machine(void **state)
{
	(void)state;
	put("config", "");
	put("node.yaml", "limits: {memory: 900TB, cpu: 5000, spool: 900TB}\n");
	assert_int_equal(check(false), 3);
	expect("./node.yaml:1:18: limits.memory is 900TB", "this machine has ");
	expect("./node.yaml:1:30: limits.cpu is 5000", " processor");
	expect("./node.yaml:1:43: limits.spool is 900TB", "the disk");
	put("node.yaml", ON "require_layers: [user, lsm]\n");
	assert_int_equal(check(false), 0);
	/* a machine that enforces a policy can have it */
	if (lsmlook("/sys") == LSM_NONE)
		expect("note: ./node.yaml:2:24: ", "no job is taken: layer "
		    "lsm");
	put("node.yaml", ON "require_layers: [user, io]\n");
	assert_int_equal(check(false), 0);
	expect("note: ./node.yaml:2:24: ", "no job is taken: layer io");
	put("node.yaml", ON "require_layers: [user, io]\n"
	    "limits: {io_read: 1MB}\n");
	assert_int_equal(check(false), 0);
	for (unsigned i = 0; i < nsaid; i++)
		assert_null(strstr(said[i], "layer io"));
	put("node.yaml", "limits: {memory: 16MB, cpu: 0.5, spool: 1MB}\n");
	assert_int_equal(check(false), 0);
	/* a mistake in the text hides none of the machine */
	put("node.yaml", "floor: 1\nprofile: none\n"
	    "limits: {memory: 900TB, cpu: x, spool: [a], jobs_running: 0}\n"
	    "require_layers: [user, lsm, [x], foo]\n" ON);
	assert_int_equal(check(false), 8);
	expect("./node.yaml:1:1: \"floor\"", "wrong place");
	expect("./node.yaml:3:18: limits.memory is 900TB", "this machine has ");
	expect("./node.yaml:3:30: limits.cpu", "cores");
	expect("./node.yaml:2:10: there is no ", "profiles/none.yaml");
	if (lsmlook("/sys") == LSM_NONE)
		expect("note: ./node.yaml:4:24: ", "no job is taken: layer "
		    "lsm");
	put("node.yaml", "metrics: unix:/run/x\nmetrics_group: no such group\n");
	assert_int_equal(check(false), 0);
	expect("note: ./node.yaml:2:16: ", "there is no group");
	put("node.yaml", "metrics: unix:/run/x\nmetrics_group: root\n");
	assert_int_equal(check(false), 0);
	for (unsigned i = 0; i < nsaid; i++)
		assert_null(strstr(said[i], "group"));
	put("config", "[reticulum]\n[interfaces]\n[[Radio 1]]\ntype = "
	    "RNodeInterface\nenabled = no\n[[Net]]\ntype = "
	    "UDPInterface\nenabled = yes\nlisten_ip = 127.0.0.1\n"
	    "listen_port = 4242\n");
	put("node.yaml", "airtime:\n  Radio 1: {duty_cycle: 10%}\n"
	    "  Radio: {duty_cycle: 10%}\n  Net: {duty_cycle: 10%}\n");
	assert_int_equal(check(false), 2);
	expect("./node.yaml:3:3: ", "no interface \"Radio\"");
	expect("./node.yaml:4:3: ", "\"Net\" is an interface of the network");
	drop("config");
	put("node.yaml", "watchdog:\n  run: socket\n  user: no such user\n");
	assert_int_equal(check(false), 0);
	expect("note: ./node.yaml:3:9: ", "there is no user");
	put("node.yaml", "watchdog: {run: socket, user: root}\n");
	assert_int_equal(check(false), 0);
	for (unsigned i = 0; i < nsaid; i++)
		assert_null(strstr(said[i], "user \"root\""));
	put("node.yaml", "mesh_identity: x\naccept_computation_requests: "
	    "true\n");
	assert_int_equal(check(false), 1);
	expect("./node.yaml:1:16: ", "is no public key");
	put("node.yaml", "[a, b]\n");
	assert_int_equal(check(false), 1);
}

/* ---- authorities ---- */

static void
put_bytes(const char *name, const uint8_t *p, size_t n)
{
	char path[300];
	FILE *f;

	put(name, "");
	(void)snprintf(path, sizeof(path), "%s/%s", top, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void
none_about(const char *what)
{
	for (unsigned i = 0; i < nsaid; i++)
		assert_null(strstr(said[i], what));
}

/* What warren-egress would not do is said before it is tried. */
static void
gateways(void **state)
{
	(void)state;
	put("config", "");
	put("node.yaml", ON "klp: {gateways: [\"https://gw.example.net\"]}\n");
	(void)check(false);
	expect("note: ./node.yaml:", "no authority is named");
	put("node.yaml", ON "trust_graph: klp://test.kos/g.json\n"
	    "klp:\n  gateways: [\"https://10.0.0.1/klp\", "
	    "\"https://[::1]\", \"https://9.9.9.9\"]\n"
	    "  private_hosts: [\"[::1]\"]\n");
	(void)check(false);
	expect("note: ./node.yaml:", "10.0.0.1, a private address");
	none_about("of this machine");
	none_about("9.9.9.9");
	put("node.yaml", ON "trust_graph: klp://test.kos/g.json\n"
	    "klp:\n  gateways: [\"https://gw.example.net\"]\n  ca: ca.pem\n");
	(void)check(false);
	expect("./node.yaml:", "klp.ca: ca.pem");
	put("ca.pem", "no certificate\n");
	(void)check(false);
	expect("./node.yaml:", "ca.pem has no certificate");
	put("ca.pem", "-----BEGIN CERTIFICATE-----\n");
	(void)check(false);
	none_about("ca.pem");
}

/* Programs that say whose a signature is: where they can be executed. */
static void
verifiers(void **state)
{
	char dir[] = "/tmp/check-verifier.XXXXXX", path[80], yaml[300];
	FILE *f;

	(void)state;
	put("config", "");
	put("verify", "");
	(void)snprintf(path, sizeof(path), "%s/verify", top);
	assert_int_equal(chmod(path, 0755), 0);
	(void)snprintf(yaml, sizeof(yaml), ON "image_policy:\n  - image: '*'\n"
	    "    any_of: [{verifier: {program: %s}}]\n", path);
	put("node.yaml", yaml);
	(void)check(false);
	expect("note: ./node.yaml: ", "hidden from it");
	/* mkdtemp() makes it ours alone */
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/verify", dir);
	assert_non_null(f = fopen(path, "w"));
	(void)fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
	(void)snprintf(yaml, sizeof(yaml), ON "image_policy:\n  - image: '*'\n"
	    "    any_of: [{verifier: {program: %s}}]\n", path);
	put("node.yaml", yaml);
	(void)check(false);
	none_about("counts for nothing");
	(void)check(true);
	expect("note: ./node.yaml: ", "may enter /tmp/check-verifier.");
	assert_int_equal(chmod(dir, 0755), 0);
	(void)check(true);
	none_about("counts for nothing");
	assert_int_equal(chmod(path, 0750), 0);
	(void)check(false);
	expect("note: ./node.yaml: ", "may execute it");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* The files of a hub: secrets are held to what keys are. */
static void
hub(void **state)
{
	static const char yaml[] = ON "hub:\n  url: https://h.example/x\n"
	    "  token_file: token\n  cert: c.pem\n  key: k.pem\n  ca: ca.pem\n";
	char path[300];

	(void)state;
	put("config", "");
	put("node.yaml", yaml);
	put("ca.pem", "-----BEGIN CERTIFICATE-----\n");
	(void)check(false);
	expect("./node.yaml:", "hub.token_file: token: No such file");
	put("token", "abc\n");
	(void)snprintf(path, sizeof(path), "%s/token", top);
	assert_int_equal(chmod(path, 0640), 0);
	(void)check(false);
	expect("./node.yaml:", "hub.token_file: token: others can read");
	assert_int_equal(chmod(path, 0600), 0);
	(void)check(false);
	expect("./node.yaml:", "hub.cert: c.pem: No such file");
	put("c.pem", "-----BEGIN CERTIFICATE-----\n");
	put("k.pem", "-----BEGIN PRIVATE KEY-----\n");
	(void)snprintf(path, sizeof(path), "%s/k.pem", top);
	assert_int_equal(chmod(path, 0604), 0);
	(void)check(false);
	expect("./node.yaml:", "hub.key: k.pem: others can read");
	assert_int_equal(chmod(path, 0600), 0);
	(void)check(false);
	none_about("hub");
	put("k.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
	(void)check(false);
	expect("./node.yaml:", "hub.key: k.pem: has a passphrase");
	put("k.pem", "-----BEGIN PRIVATE KEY-----\n");
	put("token", "two words\n");
	(void)check(false);
	expect("./node.yaml:", "hub.token_file: token: is not one word");
	put("token", "a\n");
	put("c.pem", "x");
	(void)check(false);
	expect("./node.yaml:", "hub.cert: c.pem: is no PEM");
	put("node.yaml", "hub: https://h.example/x\n");
	(void)check(false);
	expect("note: ./node.yaml:", "no events to send");
}

static void
authorities(void **state)
{
	static const char root[] = "klp/authorities/test.kos.root.json";
	static const char head[] = "klp/documents/test.kos/head";
	const struct kit_root r = {.version = 1}, other = {.name = "a.kos"};
	struct head h = {.root_version = 1, .version = 1};
	uint8_t buf[8192];
	char path[300];
	struct id32 id;
	size_t n;

	(void)state;
	put("config", "");
	put("node.yaml", ON "trust_graph: klp://test.kos/g.json\n"
	    "revocation_list: klp://test.kos/core.json\n");
	assert_int_equal(check(true) - check(true), 0);
	expect("note: ./node.yaml: ", "there is no klp/authorities/test.kos");
	put(root, "{}");
	(void)check(false);
	expect("note: ./klp/authorities/test.kos.root.json: ", "is not used");
	n = kit_root(buf, sizeof(buf), &other, &id);
	put_bytes(root, buf, n);
	(void)check(false);
	expect("note: ./klp/authorities/test.kos.root.json: ",
	    "another authority");
	n = kit_root(buf, sizeof(buf), &r, &id);
	put_bytes(root, buf, n);
	(void)check(false);
	none_about("klp/");
	/* for warren-trust, which has a number of its own */
	(void)snprintf(path, sizeof(path), "%s/%s", top, root);
	assert_int_equal(chmod(path, 0600), 0);
	(void)check(true);
	expect("note: ./klp/authorities/test.kos.root.json: ", "cannot read");
	assert_int_equal(chmod(path, 0644), 0);
	/* its head: of nobody, expired, good */
	put(head, "KH");
	(void)check(false);
	expect("note: ./klp/documents/test.kos/head: ", "no head");
	h.issued = 1000000000;
	h.expires = h.issued + 86400;
	n = kit_head(buf, sizeof(buf), &h, 1);
	put_bytes(head, buf, n);
	(void)check(false);
	expect("note: ./klp/documents/test.kos/head: ", "another authority");
	memcpy(h.atag, id.b, sizeof(h.atag));
	n = kit_head(buf, sizeof(buf), &h, 1);
	put_bytes(head, buf, n);
	(void)check(false);
	expect("note: ./klp/documents/test.kos/head: ", "has expired");
	h.issued = (uint32_t)time(NULL);
	h.expires = h.issued + 86400;
	n = kit_head(buf, sizeof(buf), &h, 1);
	put_bytes(head, buf, n);
	(void)check(false);
	none_about("klp/");
}

/* ---- whose key it is ---- */

static void
identity(void **state)
{
	char mine[KEY_TEXT_MAX], text[300], node[KEY_TEXT_MAX];

	(void)state;
	put("config", "");
	put("node.yaml", ON);
	assert_int_equal(check(false), 0);
	expect("note: ./node.yaml: ", "mesh_identity is missing");
	put("home/warren/x", "");
	mesh_key("home/warren/mesh", mine);
	(void)snprintf(text, sizeof(text), ON "mesh_identity: %s\n", mine);
	put("node.yaml", text);
	assert_int_equal(check(false), 1);
	expect("./node.yaml:2:16: ", "your personal key; this node has none");
	mesh_key(KEYSET_MESH, node);
	assert_int_equal(check(false), 1);
	(void)snprintf(text, sizeof(text), "personal key; this node's is %s",
	    node);
	expect("./node.yaml:2:16: ", text);
	drop("home/warren/mesh");
	assert_int_equal(check(false), 1);
	(void)snprintf(text, sizeof(text), "not this node's key, which is %s",
	    node);
	expect("./node.yaml:2:16: ", text);
	(void)snprintf(text, sizeof(text), ON "mesh_identity: %s\n", node);
	put("node.yaml", text);
	assert_int_equal(check(false), 0);
	drop(KEYSET_MESH);
	assert_int_equal(check(false), 1);
	expect("./node.yaml:2:16: ", KEYSET_MESH);
	put(KEYSET_RNS, "cut");
	assert_int_equal(check(false), 2);
	expect("./" KEYSET_RNS ": ", "another length than a key");
}

/* What would keep root from starting, who may not write for others. */
static void
ownership(void **state)
{
	char path[100];

	(void)state;
	if (geteuid() != 0) /* others are not asked */
		return;
	put("config", "");
	assert_int_equal(check(true), 0);
	(void)snprintf(path, sizeof(path), "%s/config", top);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(check(true), 1);
	expect(path, "can be written by other users");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(chown(top, 65534, 65534), 0);
	assert_int_equal(check(true), 1);
	expect(top, "belongs to another user");
}

/* What RNS 1.6 keeps there and we do not read is named, and no mistake. */
static void
of_later(void **state)
{
	(void)state;
	put("config", "");
	assert_int_equal(check(false), 0);
	for (unsigned i = 0; i < nsaid; i++)
		assert_null(strstr(said[i], "blocked_ips"));
	put("rules.yaml", "- rule: a\n  condition: evt.type = execv\n");
	assert_int_equal(check(false), 0);
	expect("note: ./rules.yaml:2:14: ", "execve");
	put("blocked_ips", "192.0.2.1\n");
	assert_int_equal(check(false), 0);
	expect("note: ./blocked_ips: ", "it keeps nobody out");
}

/* As root no link is followed, and that is said before the start fails. */
static void
links(void **state)
{
	char path[100];

	(void)state;
	put("elsewhere", "name: x\n");
	(void)snprintf(path, sizeof(path), "%s/node.yaml", top);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(check(false), 0);
	if (geteuid() == 0)
		assert_int_equal(check(true), 0); /* root's own, all the way */
	drop("node.yaml");
	assert_int_equal(symlink("no/where", path), 0);
	assert_int_equal(check(false), 1);
	expect("./node.yaml: ", "leads nowhere");
	assert_int_equal(check(true), 1);
	drop("node.yaml");
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(check(false), 1);
	expect("./node.yaml: ", "not a regular file");
}

int
main(void)
{
#define CHECK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
	    CHECK_TEST(nothing),
	    CHECK_TEST(all_files),
	    CHECK_TEST(interfaces),
	    CHECK_TEST(interface_off),
	    CHECK_TEST(profile_names), CHECK_TEST(runners),
	    CHECK_TEST(policies), CHECK_TEST(enforced), CHECK_TEST(machine),
	    CHECK_TEST(gateways), CHECK_TEST(verifiers),
	    CHECK_TEST(hub),
	    CHECK_TEST(authorities),
	    CHECK_TEST(identity),
	    CHECK_TEST(ownership),
	    CHECK_TEST(of_later), CHECK_TEST(links),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
