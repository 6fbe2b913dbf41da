/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <string.h>

#include "node/config/nodeconf.h"
#include "node/config/profile.h"
#include "sandbox/plan/plan.h"
#include "common/util.h"

#define KEY                                                                    \
	"pubkey:ecc-secp256k1:"                                                \
	"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define URN                                                                    \
	"urn:klp:kindai:human:"                                                \
	"a17636ee2000e767c974a77c1961d29828c91946019f5833844664ee07f57cad"
#define RNS "00112233445566778899aabbccddeeff"
#define MB (1ull << 20)

/* The five keys of ARCHITECTURE.md 9, with a real key. */
static const char seed[] = "mesh_identity: " KEY "\n"
			   "auth_required: true\n"
			   "trust_graph: klp://trust.kos/mesh-overlay.json\n"
			   "data_limit_per_minute: 5MB\n"
			   "accept_computation_requests: true\n";

static const char full[] =
    "mesh_identity: " KEY "\n"
    "auth_required: true\n"
    "trust_graph: klp://trust.kos/mesh-overlay.json\n"
    "data_limit_per_minute: 1MB\n"
    "accept_computation_requests: true\n"
    "name: burrow-7\n"
    "revocation_list: klp://revoked.kos/core.json\n"
    "trust:\n"
    "  floor: 2\n"
    "  anchors:\n"
    "    - {id: '" URN "', max_level: 2, scopes: [job.submit, \"*\"]}\n"
    "    - id: '" KEY "'\n"
    "  pins:\n"
    "    - {id: '" URN "', level: -3}\n"
    "    - {id: " RNS ", level: 2, ignore_revocation: true}\n"
    "  boards: {\"kOS Core\": {authority: trust.kos, role: core-board}}\n"
    "  anchors_from: [trust.kos]\n"
    "  require_live_secp: always\n"
    "  on_stale: warn\n"
    "  grace: {graph: 1d, list: 2h}\n"
    "klp:\n"
    "  gateways: [\"https://gw.example.net/klp\", \"https://[fd00::1]:8443\"]\n"
    "  private_hosts: [\"[fd00::1]\", gw.lan]\n"
    "  ca: klp/ca.pem\n"
    "  refresh: 1h\n"
    "  mirrors: [" RNS "]\n"
    "  mirror_of: [other.kos]\n"
    "  allow_slow_fetch: true\n"
    "  order: [https, mesh]\n"
    "limits:\n"
    "  jobs_running: 2\n"
    "  memory: 1GB\n"
    "  cpu: 1.5\n"
    "  time: 30m\n"
    "  output: 128MB\n"
    "  spool: 2GB\n"
    "  io_read: 50MB\n"
    "  io_write: 64kB\n"
    "quotas:\n"
    "  jobs_queued: 1\n"
    "  jobs_per_hour: 2\n"
    "  cpu_seconds_per_day: 3\n"
    "  spool: 4MB\n"
    "  requests_per_minute: 5\n"
    "levels: {2: {memory: 512MB, time: 10m, pids: 300}}\n"
    "require_layers: [user, pid, mount, landlock]\n"
    "profile: small\n"
    "neighbour_limit_per_minute: 1MB\n"
    "max_airtime: 1m\n"
    "announce_every: 5m\n"
    "hub: https://hub.example.org/\n"
    "metrics: unix:/run/warren.sock\n"
    "metrics_group: prometheus\n"
    "keep_results: 1h\n"
    "integrity: {every: 10m}\n"
    "probes: raw\n"
    "wasm_engine: none\n"
    "wasm_code: interpreted\n"
    "wasm_module: 20MB\n";

static struct node_config *
good(const char *text)
{
	struct mistakes m = {0};
	struct node_config *c = NULL;

	if (node_config_parse(&c, text, strlen(text), &m) < 0)
		fail_msg("%u:%u: %s", m.v[0].line, m.v[0].column, m.v[0].text);
	return c;
}

static void
defaults(void **state)
{
	struct node_config *c = good("");

	(void)state;
	assert_false(c->has_identity);
	assert_true(c->auth_required);
	assert_null(c->trust_graph);
	assert_int_equal(c->data_limit_per_minute, 5 * MB);
	assert_false(c->accept);
	assert_int_equal(c->floor, 1);
	assert_int_equal(c->npins, 0);
	assert_int_equal(c->require_live_secp, LIVE_ABOVE_2);
	assert_int_equal(c->on_stale, STALE_REFUSE_NEW);
	assert_int_equal(c->grace_graph_ms, 604800000);
	assert_int_equal(c->time_ms, 3600000);
	assert_int_equal(c->output, 256 * MB);
	assert_int_equal(c->spool, 1024 * MB);
	assert_int_equal(c->io_read, 0);
	assert_int_equal(c->io_write, 0);
	assert_int_equal(c->cpu_milli, 2000);
	assert_int_equal(c->jobs_queued, 16);
	assert_int_equal(c->jobs_per_hour, 120);
	assert_int_equal(c->cpu_seconds_per_day, 86400);
	assert_int_equal(c->quota_spool, 256 * MB);
	assert_int_equal(c->requests_per_minute, 600);
	assert_int_equal(c->require_layers,
	    LAYERS_FLOOR | LAYER_UTS | LAYER_MEMORY | LAYER_CPU | LAYER_PIDS);
	assert_string_equal(c->profile, "default");
	assert_int_equal(c->announce_every_ms, 1800000);
	assert_int_equal(c->keep_results_ms, 604800000);
	assert_int_equal(c->integrity_ms, 3600000);
	assert_int_equal(c->probes, 0);
	assert_null(node_config_later(c, 0));
	assert_int_equal(c->memory, 0);
	node_config_fit(c, 3, 1000 * MB);
	assert_int_equal(c->memory, 500 * MB);
	assert_int_equal(c->jobs_running, 3);
	node_config_free(c);
	node_config_free(NULL);
}

static void
the_seeds(void **state)
{
	struct node_config *c = good(seed);

	(void)state;
	assert_true(c->has_identity && c->accept && c->auth_required);
	assert_int_equal(c->identity.kind, KEY_SECP256K1);
	assert_string_equal(c->trust_graph,
	    "klp://trust.kos/mesh-overlay.json");
	assert_int_equal(c->data_limit_per_minute, 5 * MB);
	assert_null(node_config_later(c, 0)); /* each key has its effect */
	node_config_free(c);
}

static void
every_key(void **state)
{
	struct node_config *c = good(full);
	struct level_conf l;

	(void)state;
	assert_int_equal(c->probes, 2);
	assert_string_equal(c->name, "burrow-7");
	assert_int_equal(c->floor, 2);
	assert_int_equal(c->nanchors, 2);
	assert_int_equal(c->anchors[0].max_level, 2);
	assert_int_equal(c->anchors[0].scopes,
	    1u << SCOPE_JOB_SUBMIT | 1u << SCOPE_ALL);
	assert_int_equal(c->anchors[1].max_level, 3);
	assert_int_equal(c->anchors[1].scopes, 1u << SCOPE_ALL);
	assert_int_equal(c->npins, 2);
	assert_int_equal(c->pins[0].level, -3);
	assert_false(c->pins[0].is_rns);
	assert_true(c->pins[1].is_rns && c->pins[1].ignore_revocation);
	assert_int_equal(c->pins[1].id.b[15], 0xff);
	assert_int_equal(c->nboards, 1);
	assert_string_equal(c->boards[0].text, "kOS Core");
	assert_string_equal(c->boards[0].role, "core-board");
	assert_int_equal(c->nanchors_from, 1);
	assert_int_equal(c->ngateways, 2);
	assert_string_equal(c->gateways[1], "https://[fd00::1]:8443");
	assert_int_equal(c->nprivate_hosts, 2);
	assert_string_equal(c->ca, "klp/ca.pem");
	assert_int_equal(c->refresh_ms, 3600000);
	assert_int_equal(c->nmirrors, 1);
	assert_int_equal(c->mirrors[0].b[15], 0xff);
	assert_int_equal(c->nmirror_of, 1);
	assert_string_equal(c->mirror_of[0], "other.kos");
	assert_true(c->allow_slow_fetch);
	assert_int_equal(c->nways, 2);
	assert_int_equal(c->ways[0], KLP_HTTPS);
	assert_int_equal(c->ways[1], KLP_MESH);
	assert_int_equal(c->require_live_secp, LIVE_ALWAYS);
	assert_int_equal(c->on_stale, STALE_WARN);
	assert_int_equal(c->grace_list_ms, 7200000);
	assert_int_equal(c->jobs_running, 2);
	assert_int_equal(c->io_read, 50 * MB);
	assert_int_equal(c->io_write, 64 * 1024);
	assert_int_equal(c->memory, 1024 * MB);
	assert_int_equal(c->cpu_milli, 1500);
	assert_int_equal(c->levels[1][LIMIT_MEMORY], 512 * MB);
	assert_int_equal(c->levels[1][LIMIT_TIME], 600000);
	assert_int_equal(c->levels[1][LIMIT_PIDS], 300);
	assert_int_equal(c->levels[1][LIMIT_CPU], 0);
	assert_int_equal(c->require_layers,
	    LAYERS_FLOOR | LAYER_LANDLOCK);
	assert_string_equal(c->hub.url, "https://hub.example.org/");
	l = node_config_levels(c);
	assert_int_equal(l.npins, 2);
	assert_int_equal(node_config_floor(c), 2);
	c->auth_required = false;
	assert_int_equal(node_config_floor(c), 0);
	assert_non_null(strstr(node_config_later(c, 0), "neighbour_limit"));
	assert_null(node_config_later(c, 1));
	node_config_free(c);
}

/* Each with the place and a word of what is said. */
static const struct {
	const char *text;
	unsigned line, column;
	const char *says, *hint;
} bad[] = {
    {"accept_computation_request: true\n", 1, 1, "unknown key",
	"accept_computation_requests"},
    {"a: 1\n", 1, 1, "unknown key", ""},
    {"auth_required: yes\n", 1, 16, "true or false", "write true"},
    {"auth_required: False\n", 1, 16, "true or false", "write false"},
    {"auth_required: true\xc2\xa0\n", 1, 16, "true or false", "no-break"},
    {"auth_required:true\n", 1, 1, "must be a map", "behind the colon"},
    {"limits: {jobs_running: \"2\"}\n", 1, 24, "whole number", "quotes"},
    {"limits: 2GB\n", 1, 9, "must be a map", "key: value"},
    {"auth_required = true\n", 1, 1, "must be a map", "with a colon"},
    {"pins: []\n", 1, 1, "wrong place", "below \"trust:\", indented"},
    {"limits: {profile: x}\n", 1, 10, "wrong place",
	"beside \"limits:\", not below it"},
    {"limits:\n", 1, 8, "not nothing", "indented"},
    {"limits: {mem: 1GB}\n", 1, 10, "unknown key", "\"memory\""},
    {"limits: {timeout: 1h}\n", 1, 10, "unknown key", "\"time\""},
    {"limits: {disk: 1}\n", 1, 10, "unknown key",
	"known: jobs_running, memory, cpu, time, output, spool, io_read, io_write"},
    {"trust: {pins: {id: x}}\n", 1, 15, "must be a list", "\"- \""},
    {"trust:\n  pins:\n    - {id: 'urn:klp:kindai:human:a1...', level: 1}"
     "\n", 3, 12, "names nobody", "64 hex digits"},
    {"mesh_identity: 0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815"
     "b16f81798\n", 1, 16, "no public key", "with pubkey:ecc-secp256k1:"},
    {"mesh_identity: key " KEY "\n", 1, 16, "no public key",
	"from \"pubkey:\""},
    {"profile: default.yaml\n", 1, 10, "no name", "without .yaml"},
    {"auth_required: \"true\"\n", 1, 16, "true or false", "quotes"},
    {"auth_required:\n", 1, 15, "not nothing", ""},
    {"accept_computation_requests: [true]\n", 1, 30, "not a list", ""},
    {"mesh_identity: pubkey:ecc-secp256k1:02ab...\n", 1, 16, "no public key",
	"66 hex"},
    {"mesh_identity: pubkey:ed25519:"
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\n",
	1, 16, "secp256k1", ""},
    {"trust_graph: https://trust.kos/x\n", 1, 14, "klp://", ""},
    {"trust_graph: klp://trust.kos\n", 1, 14, "klp://", ""},
    {"data_limit_per_minute: 5 MB\n", 1, 24, "a size", "5MB"},
    {"data_limit_per_minute: fast\n", 1, 24, "a size", ""},
    {"data_limit_per_minute: 10\n", 1, 24, "must be 1kB to", ""},
    {"data_limit_per_minute: -5MB\n", 1, 24, "a size", ""},
    {"name: 123456789012345678901234567890123\n", 1, 7, "0 to 32 bytes", ""},
    {"name: {}\n", 1, 7, "a text, not a map", ""},
    {"trust: []\n", 1, 8, "a map, not a list", ""},
    {"trust: {flor: 1}\n", 1, 9, "unknown key", "floor"},
    {"trust: {floor: 4}\n", 1, 16, "from -3 to 3", ""},
    {"trust: {floor: high}\n", 1, 16, "from -3 to 3", ""},
    {"trust:\n  pins:\n    - {id: nobody, level: 1}\n", 3, 12,
	"names nobody", "Reticulum"},
    {"trust:\n  pins:\n    - {level: 1}\n", 3, 7, "needs an id", "urn:klp"},
    {"trust:\n  pins:\n    - {id: " RNS "}\n", 3, 7, "needs a level", ""},
    {"trust:\n  pins:\n    - {id: " RNS ", level: 9}\n", 3, 53,
	"from -3 to 3", ""},
    {"trust:\n  pins:\n    - " RNS "\n", 3, 7, "a pin must be a map", ""},
    {"trust:\n  anchors:\n    - {id: " RNS "}\n", 3, 12, "names nobody", ""},
    {"trust:\n  anchors:\n    - {id: '" URN "', scopes: [job]}\n", 3, 110,
	"unknown scope", "job.submit"},
    {"trust: {require_live_secp: above2}\n", 1, 28, "above_2", "above_2"},
    {"trust: {on_stale: panic}\n", 1, 19, "refuse_new", ""},
    {"trust: {grace: {graph: 7}}\n", 1, 24, "a time", "60s"},
    {"klp: {gateways: [http://gw]}\n", 1, 18, "begin with https://", "gw."},
    {"klp: {gateways: [https://gw/]}\n", 1, 18, "ends in none", "gw."},
    {"klp: {gateways: [https://gw/x?a]}\n", 1, 18, "no query", "gw."},
    {"klp: {gateways: [https://a@gw]}\n", 1, 18, "user", "gw."},
    {"klp: {private_hosts: [gw/x]}\n", 1, 23, "gw/x", "host alone"},
    {"klp: {private_hosts: [GW]}\n", 1, 23, "lower case", "host alone"},
    {"klp: {refresh: 1s}\n", 1, 16, "klp.refresh", ""},
    {"klp: {mirrors: [trust.kos]}\n", 1, 17, "32 hex digits", "warren nodes"},
    {"klp: {mirror_of: [A_B]}\n", 1, 19, "no name of an authority", "trust"},
    {"klp: {order: [mesh, tor]}\n", 1, 21, "no way", "mesh or https"},
    {"klp: {order: [mesh, mesh]}\n", 1, 21, "twice", ""},
    {"klp: {allow_slow_fetch: 7}\n", 1, 25, "allow_slow_fetch", ""},
    {"gateways: []\n", 1, 1, "wrong place", "klp:"},
    {"trust: {boards: {x: {authority: a}}}\n", 1, 18, "authority and role",
	""},
    {"limits: {jobs_running: 0}\n", 1, 24, "from 1 to 64", ""},
    {"limits: {memory: 1MB}\n", 1, 18, "must be 16MB", ""},
    {"limits: {cpu: 0}\n", 1, 15, "number of cores", "0.5"},
    {"limits: {time: 10}\n", 1, 16, "a time", ""},
    {"limits: {log: 1MB}\n", 1, 10, "unknown key", ""},
    {"quotas: {jobs_queued: many}\n", 1, 23, "whole number", ""},
    {"levels: {4: {memory: 1MB}}\n", 1, 10, "unknown key",
	"known: 1, 2, 3"},
    {"levels: {2: {memory: 512}}\n", 1, 22, "must be 1MB to", "it is bytes"},
    {"levels: {2: {mem: 1MB}}\n", 1, 14, "unknown key", ""},
    {"require_layers: [user, secomp]\n", 1, 24, "a layer", "seccomp"},
    {"require_layers: user\n", 1, 17, "a list", "[a, b]"},
    {"require_layers: [gpu]\n", 1, 18, "a layer",
	"\"cpu\"? known: user, pid, mount, net, ipc, uts, "},
    {"require_layers: [no_new_priv]\n", 1, 18, "a layer", "landlock, memory, cpu, pids, rlimits, "},
    {"profile: ../x\n", 1, 10, "no name", "profiles/"},
    {"announce_every: 1m\n", 1, 17, "must be 5m to 1d", ""},
    {"hub: ftp://x\n", 1, 6, "not usable", "https"},
    {"hub: {ca: x}\n", 1, 6, "needs its url", "url: https://"},
    {"hub: {accept: [nobody]}\n", 1, 16, "names nobody", "identity"},
    {"hub: {accept: a}\n", 1, 15, "a list", ""},
    {"hub: [a]\n", 1, 6, "hub must be a map", ""},
    {"hub: {url: \"https://h/\", dir: x}\n", 1, 26, "hub.accept", "accept"},
    {"hub: {accept: [0123456789abcdef0123456789abcdef], keep: 15MB}\n", 1,
	57, "16", ""},
    {"hub: {accept: [0123456789abcdef0123456789abcdef], dir: [x]}\n", 1, 56,
	"hub.dir", ""},
    {"hub: {url: \"https://h/x y\"}\n", 1, 12, "a character", "https"},
    {"hub: {url: \"https://h/\", pim: x}\n", 1, 26, "unknown key", "pin"},
    {"hub: {url: \"https://h/\", pin: x}\n", 1, 31, "sha256//", "warren.yaml"},
    {"hub: {url: \"https://h/\", pin: sha256//AAAA}\n", 1, 31, "32 bytes",
	""},
    {"hub: {url: \"https://h/\", cert: c}\n", 1, 6, "without hub.key",
	"both"},
    {"hub: {url: \"https://h/\", key: c}\n", 1, 6, "without hub.cert",
	"both"},
    {"hub: {url: \"https://h/\", min_severity: 6}\n", 1, 40, "1 to 5", ""},
    {"hub: {url: \"https://h/\", batch_events: 501}\n", 1, 40, "1 to 500",
	""},
    {"hub: {url: \"https://h/\", batch_bytes: 1kB}\n", 1, 39, "32", ""},
    {"hub: {url: 0123456789abcdef0123456789abcdef, ca: x}\n", 1, 46,
	"for a hub with https://", "leave it out"},
    {"metrics: here\n", 1, 10, "not usable", "HOST:PORT"},
    {"metrics: 127.0.0.1:1\nmetrics_group: prom\n", 2, 16, "is for a socket",
	"unix:/PATH"},
    {"metrics_group: prom\n", 1, 16, "is for a socket", "unix:/PATH"},
    {"metrics: here:9464\n", 1, 10, "not usable", "localhost"},
    {"metrics: 127.0.0.1:0\n", 1, 10, "not usable", "HOST:PORT"},
    {"metrics: 127.0.0.1:65536\n", 1, 10, "not usable", "HOST:PORT"},
    {"metrics: \"[::1:9464\"\n", 1, 10, "not usable", "HOST:PORT"},
    {"metrics: \":9464\"\n", 1, 10, "not usable", "HOST:PORT"},
    {"keep_results: 1ms\n", 1, 15, "must be 1s", ""},
    {"integrity: {every: 1s}\n", 1, 20, "must be 1m", ""},
    {"integrity: {often: 1h}\n", 1, 13, "often", ""},
    {"probes: best\n", 1, 9, "best", "counters"},
    {"wasm_engine: wasmer\n", 1, 14, "wasmer", "wasmtime, or none"},
    {"wasm_engine: wasmcloud\n", 1, 14, "wasmcloud", "wasmtime, or none"},
    {"wasm_engine: wasm3\n", 1, 14, "wasm3", "wasmtime, or none"},
    {"wasm_code: fast\n", 1, 12, "", ""},
    {"wasm_module: 257MB\n", 1, 14, "run nowhere", "at most 256MB"},
    {"wasm_module: 0\n", 1, 14, "", ""},
    {"require_layers: [wasm]\n", 1, 18, "", ""},
    {"probes: [raw]\n", 1, 9, "", ""},
    {"every: 1h\n", 1, 1, "every", "belongs below"},
    {"- a\n", 1, 1, "a map, not a list", ""},
    {"auth_required: true\nauth_required: true\n", 2, 1, "twice", ""},
};

static void
metrics_addresses(void **state)
{
	static const char *const good[] = {"127.0.0.1:1", "localhost:9464",
	    "[::1]:65535", "0.0.0.0:80"};
	static const char *const wrong[] = {"", ":", "1", "[]:1", "[::1]",
	    "1.2.3:4", "127.0.0.1:", "127.0.0.1:1x", "127.0.0.1:-1", "::1:5"};
	struct sockaddr_storage sa;
	socklen_t len;

	(void)state;
	for (size_t i = 0; i < NELEM(good); i++)
		if (!metrics_address(good[i], &sa, &len))
			fail_msg("%s", good[i]);
	assert_int_equal(sa.ss_family, AF_INET);
	for (size_t i = 0; i < NELEM(wrong); i++)
		if (metrics_address(wrong[i], &sa, &len))
			fail_msg("%s", wrong[i]);
}

static void
mistakes_have_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(bad); i++) {
		struct mistakes m = {0};
		struct node_config *c = NULL;
		const struct mistake *v = &m.v[0];

		assert_int_equal(node_config_parse(
				     &c, bad[i].text, strlen(bad[i].text), &m),
		    -1);
		assert_null(c);
		if (m.n != 1 || v->line != bad[i].line ||
		    v->column != bad[i].column ||
		    strstr(v->text, bad[i].says) == NULL ||
		    strstr(v->hint, bad[i].hint) == NULL)
			fail_msg("%s: %u: %u:%u %s (%s)", bad[i].text, m.n,
			    v->line, v->column, v->text, v->hint);
	}
}

static void
all_mistakes_at_once(void **state)
{
	static const char text[] = "auth_required: 1\nfoo: 2\nlimits: {cpu: x}\n";
	struct mistakes m = {0};
	struct node_config *c = NULL;

	(void)state;
	assert_int_equal(node_config_parse(&c, text, strlen(text), &m), -1);
	assert_int_equal(m.n, 3);
}

static void
cuts(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(full); n++) {
		struct mistakes m = {0};
		struct node_config *c = NULL;

		if (node_config_parse(&c, full, n, &m) == 0)
			node_config_free(c);
		else
			assert_true(m.n > 0);
	}
}

/* ---- container profiles ---- */

/* The container profile of ARCHITECTURE.md 9, as it stands. */
static const char agent[] = "image: kai/agent-runtime:latest\n"
			    "cap_drop:\n"
			    "  - ALL\n"
			    "seccomp_profile: /etc/seccomp/kai-default.json\n"
			    "read_only_fs: true\n"
			    "limits:\n"
			    "  memory: 256MB\n"
			    "  cpu: 0.5\n"
			    "  io_write: 20MB\n"
			    "volumes:\n"
			    "  - ./data:/agent/data:ro\n"
			    "  - ./tmp:/agent/tmp:rw\n"
			    "network: isolated\n";

static void
the_seeds_profile(void **state)
{
	struct mistakes m = {0};
	struct profile *p = NULL;
	char name[PROFILE_NAME_MAX + 1];

	(void)state;
	assert_int_equal(profile_parse(&p, agent, strlen(agent), &m), 0);
	assert_string_equal(p->image, "kai/agent-runtime:latest");
	assert_true(profile_seccomp_name(name, p->seccomp));
	assert_string_equal(name, "kai-default");
	assert_true(p->read_only_fs);
	assert_int_equal(p->limit[LIMIT_MEMORY], 256 * MB);
	assert_int_equal(p->limit[LIMIT_CPU], 500);
	assert_int_equal(p->limit[LIMIT_IO_WRITE], 20 * MB);
	assert_int_equal(p->limit[LIMIT_TIME], 0);
	assert_int_equal(p->nvolumes, 2);
	assert_string_equal(p->volume[0].source, "./data");
	assert_string_equal(p->volume[0].target, "/agent/data");
	assert_false(p->volume[0].rw);
	assert_true(p->volume[1].rw);
	profile_free(p);
	profile_free(NULL);
	/* the built-in one: the same without image and volumes */
	assert_int_equal(profile_parse(&p, profile_default_text(),
			     strlen(profile_default_text()), &m),
	    0);
	assert_null(p->image);
	assert_int_equal(p->nvolumes, 0);
	assert_int_equal(p->limit[LIMIT_CPU], 500);
	assert_int_equal(p->anchor, ANCHOR_OFF);
	profile_free(p);
	assert_int_equal(profile_parse(&p, "anchor: require\n", 16, &m), 0);
	assert_int_equal(p->anchor, ANCHOR_REQUIRE);
	assert_int_equal(p->anchor_logs, 1);
	profile_free(p);
	assert_int_equal(profile_parse(&p, "anchor: maybe\n", 14, &m), -1);
	assert_int_equal(m.n, 1);
	m.n = 0;
	assert_int_equal(profile_parse(&p, "anchor_logs: 3\n", 15, &m), 0);
	assert_int_equal(p->anchor_logs, 3);
	profile_free(p);
	assert_int_equal(profile_parse(&p, "anchor_logs: 0\n", 15, &m), -1);
	assert_int_equal(m.n, 1);
	m.n = 0;
	assert_int_equal(profile_parse(&p, "apparmor: a/b.c:d\n", 18, &m), 0);
	assert_string_equal(p->apparmor, "a/b.c:d");
	profile_free(p);
	assert_int_equal(profile_parse(&p, "", 0, &m), 0);
	assert_null(p->apparmor);
	assert_null(p->seccomp);
	assert_true(p->read_only_fs);
	profile_free(p);
}

static void
bad_profiles(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} list[] = {
	    {"imag: x\n", 1, 1, "unknown key"},
	    {"image: []\n", 1, 8, "a text"},
	    {"cap_drop: ALL\n", 1, 11, "a list"},
	    {"cap_drop: [all]\n", 1, 12, "no capability"},
	    {"seccomp_profile: /\n", 1, 18, "no usable name"},
	    {"seccomp_profile: /etc/.json\n", 1, 18, "no usable name"},
	    {"read_only_fs: maybe\n", 1, 15, "true or false"},
	    {"limits: {memory: 0}\n", 1, 18, "must be"},
	    {"limits: {disk: 1MB}\n", 1, 10, "unknown key"},
	    {"limits: {pids: 0}\n", 1, 16, "whole number"},
	    {"limits: {io_read: 63kB}\n", 1, 19, "must be 64kB"},
	    {"network: host\n", 1, 10, "isolated, none or broker"},
	    {"volumes: x\n", 1, 10, "a list"},
	    {"volumes: [a]\n", 1, 11, "SOURCE:TARGET"},
	    {"volumes: ['a:/b']\n", 1, 11, ":ro or :rw"},
	    {"volumes: ['/b:ro']\n", 1, 11, "SOURCE:TARGET"},
	    {"volumes: [':/b:ro']\n", 1, 11, "source"},
	    {"apparmor: a//&b\n", 1, 11, "no name of a profile"},
	    {"apparmor: a b\n", 1, 11, "no name of a profile"},
	    {"apparmor: unconfined\n", 1, 11, "no name of a profile"},
	    {"apparmor: ''\n", 1, 11, ""},
	    {"apparmor: [off]\n", 1, 11, ""},
	    {"volumes: ['a::ro']\n", 1, 11, "target"},
	    {"volumes: ['a:b:ro']\n", 1, 11, ""},
	    {"volumes: ['a:/b/../c:ro']\n", 1, 11, ""},
	    {"volumes: ['a:/proc/x:ro']\n", 1, 11, ""},
	    {"volumes: ['a:/b:ro', 'c:/b/d:rw']\n", 1, 22, "inside"},
	};

	(void)state;
	for (size_t i = 0; i < NELEM(list); i++) {
		struct mistakes m = {0};
		struct profile *p = NULL;

		assert_int_equal(profile_parse(&p, list[i].text,
				     strlen(list[i].text), &m),
		    -1);
		if (m.n != 1 || m.v[0].line != list[i].line ||
		    m.v[0].column != list[i].column ||
		    strstr(m.v[0].text, list[i].says) == NULL)
			fail_msg("%s: %u: %u:%u %s", list[i].text, m.n,
			    m.v[0].line, m.v[0].column, m.v[0].text);
	}
}

static void
names(void **state)
{
	char name[PROFILE_NAME_MAX + 1];

	(void)state;
	assert_true(profile_name_ok("default"));
	assert_false(profile_name_ok(""));
	assert_false(profile_name_ok(".x"));
	assert_false(profile_name_ok("a/b"));
	assert_true(profile_seccomp_name(name, "default"));
	assert_true(profile_seccomp_name(name, "a/b.c.json"));
	assert_string_equal(name, "b.c");
	assert_false(profile_seccomp_name(name, ""));
	assert_false(profile_seccomp_name(name, "a/.."));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(defaults),
	    cmocka_unit_test(the_seeds),
	    cmocka_unit_test(every_key),
	    cmocka_unit_test(mistakes_have_places),
	    cmocka_unit_test(all_mistakes_at_once),
	    cmocka_unit_test(cuts),
	    cmocka_unit_test(the_seeds_profile),
	    cmocka_unit_test(bad_profiles),
	    cmocka_unit_test(metrics_addresses),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
