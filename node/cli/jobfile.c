/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/jobfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "common/ydoc.h"
#include "node/cli/say.h"
#include "trust/doc/manifest_form.h"


struct reading {
	struct job_file *f;
	struct mistakes *bad;
};

static const char *const job_keys[] = {"image", "wasm", "command", "env",
    "cap_drop", "seccomp_profile", "read_only_fs", "limits", "volumes",
    "network", "trust", "behavior_contract", "deadline", "retries"};
static const char *const limit_keys[] = {"memory", "cpu", "time", "pids",
    "output", "log", "io_read", "io_write"};
static const char *const trust_keys[] = {"level", "requires_review",
    "approved_by"};
static const char *const networks[] = {"isolated", "none", "broker"};
static const char *const levels[] = {"none", "low", "medium", "high",
    "critical"};

static void
read_local(struct reading *r, const struct ynode *n, const char *what,
    char out[CLI_PATH], uint32_t flag)
{
	const char *text;

	if (n == NULL || !ynode_text(n, what, 1, CLI_PATH - 1, &text, r->bad))
		return;
	memcpy(out, text, strlen(text) + 1);
	r->f->m.has |= flag;
}

static const char *const wasm_keys[] = {"module", "fuel", "deterministic",
    "files"};
static const char *const wasm_ways[] = {"folders", "memory"};

/* ./FILE, or a map with how it is to run besides. */
static void
read_wasm(struct reading *r, const struct ynode *n)
{
	struct wasm_ask *a = &r->f->m.module;
	const struct ynode *v;
	int64_t fuel;
	unsigned word;

	if (n == NULL || n->kind != YNODE_MAP) {
		read_local(r, n, "wasm", r->f->wasm, HAS_WASM);
		return;
	}
	(void)ynode_known(n, wasm_keys, NELEM(wasm_keys), r->bad);
	if ((v = ynode_get(n, "module")) == NULL)
		mistake_add(r->bad, n->line, n->column,
		    "wasm: {module: ./FILE, ...}", "wasm names no module");
	read_local(r, v, "wasm.module", r->f->wasm, HAS_WASM);
	if ((v = ynode_get(n, "fuel")) != NULL &&
	    ynode_int(v, "wasm.fuel", 1, INT64_C(1) << 53, &fuel, r->bad))
		a->fuel = (uint64_t)fuel;
	if ((v = ynode_get(n, "deterministic")) != NULL)
		(void)ynode_bool(v, "wasm.deterministic", &a->deterministic,
		    r->bad);
	if ((v = ynode_get(n, "files")) != NULL && ynode_word(v, "wasm.files",
		wasm_ways, NELEM(wasm_ways), &word, r->bad))
		a->files = word == 1 ? WASM_FILES_MEMORY : WASM_FILES_FOLDERS;
}

static void
read_texts(struct reading *r, const struct ynode *list, const char *what,
    struct text_list *out, unsigned most, size_t max, uint32_t flag)
{
	if (list == NULL || !ynode_is_list(list, what, r->bad))
		return;
	for (const struct ynode *n = list->first; n != NULL; n = n->next) {
		const char *text;

		if (out->n == most) {
			mistake_add(r->bad, n->line, n->column, NULL,
			    "%s: there are more than %u", what, most);
			break;
		}
		if (!ynode_text(n, what, 0, max, &text, r->bad))
			continue;
		if (!text_list_add(out, text, n->len))
			mistake_add(r->bad, n->line, n->column, NULL,
			    "%s: out of memory", what);
	}
	r->f->m.has |= flag;
}

/* env: values become text as they are written. */
static void
read_env(struct reading *r, const struct ynode *map)
{
	if (map == NULL || !ynode_is_map(map, "env", r->bad))
		return;
	for (const struct ynode *n = map->first; n != NULL; n = n->next) {
		char pair[MANIFEST_ENV_NAME + MANIFEST_ENV_VALUE + 2];
		int k;

		if (n->kind != YNODE_SCALAR) {
			mistake_add(r->bad, n->line, n->column, NULL,
			    "env: %s is no text", n->key);
			continue;
		}
		if (r->f->m.env.n == MANIFEST_ENV_MAX) {
			mistake_add(r->bad, n->line, n->column, NULL,
			    "env: there are more than %d", MANIFEST_ENV_MAX);
			break;
		}
		k = snprintf(pair, sizeof(pair), "%s=%s", n->key, n->text);
		if (!env_name_ok(n->key, MIN_OF(strlen(n->key),
			MANIFEST_ENV_NAME)))
			mistake_add(r->bad, n->line, n->column,
			    "letters, digits and _, no digit first",
			    "env: %s is no name of a variable", n->key);
		else if (k < 0 || (size_t)k >= sizeof(pair) ||
		    strlen(n->key) > MANIFEST_ENV_NAME)
			mistake_add(r->bad, n->line, n->column,
			    "names have at most 128 bytes, values 4096",
			    "env: %s is too long", n->key);
		else if (!text_list_add(&r->f->m.env, pair, (size_t)k))
			mistake_add(r->bad, n->line, n->column, NULL,
			    "env: out of memory");
	}
	r->f->m.has |= HAS_ENV;
}

static void
read_limits(struct reading *r, const struct ynode *map)
{
	uint64_t *v = r->f->m.limit;
	uint32_t cpu;
	int64_t pids;
	const struct ynode *n;

	if (map == NULL || !ynode_is_map(map, "limits", r->bad))
		return;
	(void)ynode_known(map, limit_keys, NELEM(limit_keys), r->bad);
	if ((n = ynode_get(map, "memory")) != NULL)
		(void)ynode_size(n, "limits.memory", 1, INT64_MAX,
		    &v[LIMIT_MEMORY], r->bad);
	if ((n = ynode_get(map, "output")) != NULL)
		(void)ynode_size(n, "limits.output", 1, INT64_MAX,
		    &v[LIMIT_OUTPUT], r->bad);
	if ((n = ynode_get(map, "log")) != NULL)
		(void)ynode_size(n, "limits.log", 1, INT64_MAX, &v[LIMIT_LOG],
		    r->bad);
	for (unsigned i = LIMIT_IO_READ; i <= LIMIT_IO_WRITE; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "limits.%s", limit_keys[i]);
		if ((n = ynode_get(map, limit_keys[i])) != NULL)
			(void)ynode_size(n, name, LIMIT_IO_LEAST, INT64_MAX,
			    &v[i], r->bad);
	}
	if ((n = ynode_get(map, "time")) != NULL)
		(void)ynode_time_ms(n, "limits.time", 1, JOB_FILE_TIME_MAX,
		    &v[LIMIT_TIME], r->bad);
	if ((n = ynode_get(map, "cpu")) != NULL &&
	    ynode_cpu_milli(n, "limits.cpu", &cpu, r->bad))
		v[LIMIT_CPU] = cpu;
	if ((n = ynode_get(map, "pids")) != NULL &&
	    ynode_int(n, "limits.pids", 1, 1 << 22, &pids, r->bad))
		v[LIMIT_PIDS] = (uint64_t)pids;
	r->f->m.has |= HAS_LIMITS;
}

const char *
job_file_volume(struct job_file *f, const char *text)
{
	static const char form[] = "a volume is LOCAL:TARGET:ro or "
				   "LOCAL:TARGET:rw, and TARGET begins with /";
	struct manifest *m = &f->m;
	struct manifest_volume *v;
	const char *mode = strrchr(text, ':'), *target = NULL, *bad;
	size_t target_len;

	for (const char *p = text; mode != NULL && p < mode; p++)
		if (p[0] == ':' && p[1] == '/')
			target = p + 1;
	if (target == NULL || target - 1 == text ||
	    target - 1 - text >= CLI_PATH ||
	    (strcmp(mode, ":ro") != 0 && strcmp(mode, ":rw") != 0))
		return form;
	target_len = (size_t)(mode - target);
	bad = manifest_target_bad(target, target_len);
	if (bad != NULL)
		return bad;
	if (m->nvolumes == MANIFEST_VOLUMES)
		return "there are more than 16";
	v = &m->volume[m->nvolumes];
	memcpy(v->target, target, target_len);
	v->target[target_len] = '\0';
	v->rw = strcmp(mode, ":rw") == 0;
	for (unsigned i = 0; i < m->nvolumes; i++)
		if (manifest_target_inside(v->target, m->volume[i].target) ||
		    manifest_target_inside(m->volume[i].target, v->target))
			return "it lies in another target";
	memcpy(f->local[m->nvolumes], text, (size_t)(target - 1 - text));
	f->local[m->nvolumes][target - 1 - text] = '\0';
	m->nvolumes++;
	m->has |= HAS_VOLUMES;
	return NULL;
}

/* ./data:/agent/data:ro */
static void
read_volume(struct reading *r, const struct ynode *n)
{
	const char *text, *bad;

	if (!ynode_text(n, "volumes", 1, CLI_PATH, &text, r->bad))
		return;
	bad = job_file_volume(r->f, text);
	if (bad != NULL)
		mistake_add(r->bad, n->line, n->column, NULL, "volumes: %s: %s",
		    text, bad);
}

static void
read_volumes(struct reading *r, const struct ynode *list)
{
	if (list == NULL || !ynode_is_list(list, "volumes", r->bad))
		return;
	for (const struct ynode *n = list->first; n != NULL; n = n->next)
		read_volume(r, n);
	r->f->m.has |= HAS_VOLUMES;
}

static void
read_trust(struct reading *r, const struct ynode *map)
{
	struct manifest *m = &r->f->m;
	const struct ynode *n;
	const char *text;
	unsigned word;

	if (map == NULL || !ynode_is_map(map, "trust", r->bad))
		return;
	(void)ynode_known(map, trust_keys, NELEM(trust_keys), r->bad);
	if ((n = ynode_get(map, "level")) != NULL &&
	    ynode_word(n, "trust.level", levels, NELEM(levels), &word,
		r->bad)) {
		m->trust_level = (int)MIN_OF(word, 3u);
		m->trust_critical = word == 4;
		m->has |= HAS_TRUST_LEVEL;
	}
	if ((n = ynode_get(map, "requires_review")) != NULL &&
	    ynode_bool(n, "trust.requires_review", &m->requires_review,
		r->bad))
		m->has |= HAS_REVIEW;
	if ((n = ynode_get(map, "approved_by")) != NULL &&
	    ynode_text(n, "trust.approved_by", 0, MANIFEST_TEXT, &text,
		r->bad)) {
		memcpy(m->approved_by, text, strlen(text) + 1);
		m->has |= HAS_APPROVED_BY;
	}
	m->has |= HAS_TRUST;
}

static void
read_rest(struct reading *r, const struct ynode *root)
{
	struct manifest *m = &r->f->m;
	const struct ynode *n;
	const char *text;
	unsigned word;
	uint64_t ms;
	int64_t v;

	if ((n = ynode_get(root, "seccomp_profile")) != NULL &&
	    ynode_text(n, "seccomp_profile", 1, MANIFEST_TEXT, &text,
		r->bad)) {
		memcpy(m->seccomp, text, strlen(text) + 1);
		m->has |= HAS_SECCOMP;
	}
	if ((n = ynode_get(root, "read_only_fs")) != NULL &&
	    ynode_bool(n, "read_only_fs", &m->read_only_fs, r->bad))
		m->has |= HAS_READ_ONLY_FS;
	if ((n = ynode_get(root, "network")) != NULL &&
	    ynode_word(n, "network", networks, NELEM(networks), &word,
		r->bad)) {
		m->network = word == 2 ? NET_BROKER : NET_ISOLATED;
		m->network_none = word == 1;
		m->has |= HAS_NETWORK;
	}
	if ((n = ynode_get(root, "deadline")) != NULL &&
	    ynode_time_ms(n, "deadline", 1000, JOB_FILE_TIME_MAX, &ms, r->bad))
		r->f->deadline_s = (int64_t)(ms / 1000);
	if ((n = ynode_get(root, "retries")) != NULL &&
	    ynode_int(n, "retries", 0, MANIFEST_RETRIES, &v, r->bad)) {
		m->retries = (unsigned)v;
		m->has |= HAS_RETRIES;
	}
}

static void
read_root(struct reading *r, const struct ynode *root)
{
	struct manifest *m = &r->f->m;
	const struct ynode *image, *wasm;
	const char *text;

	if (root == NULL) {
		mistake_add(r->bad, 0, 0, "`man warren` has an example",
		    "the file is empty");
		return;
	}
	if (!ynode_is_map(root, "the job", r->bad))
		return;
	(void)ynode_known(root, job_keys, NELEM(job_keys), r->bad);
	image = ynode_get(root, "image");
	wasm = ynode_get(root, "wasm");
	if ((image == NULL) == (wasm == NULL))
		mistake_add(r->bad, root->line, root->column,
		    "image: NAME:TAG, or wasm: ./FILE",
		    "a job has exactly one of image and wasm");
	if (image != NULL &&
	    ynode_text(image, "image", 1, MANIFEST_TEXT, &text, r->bad))
		memcpy(m->image, text, strlen(text) + 1);
	read_wasm(r, wasm);
	read_local(r, ynode_get(root, "behavior_contract"),
	    "behavior_contract", r->f->contract, HAS_CONTRACT);
	read_texts(r, ynode_get(root, "command"), "command", &m->command,
	    MANIFEST_ARGS_MAX, MANIFEST_ARGS_BYTES, HAS_COMMAND);
	read_texts(r, ynode_get(root, "cap_drop"), "cap_drop", &m->cap_drop,
	    MANIFEST_CAPS_MAX, 64, HAS_CAP_DROP);
	read_env(r, ynode_get(root, "env"));
	read_limits(r, ynode_get(root, "limits"));
	read_volumes(r, ynode_get(root, "volumes"));
	read_trust(r, ynode_get(root, "trust"));
	read_rest(r, root);
}

void
job_file_init(struct job_file *f)
{
	memset(f, 0, sizeof(*f));
	f->dir = -1;
	manifest_init(&f->m);
}

int
job_file_read(struct cli *c, const char *path, struct job_file *f)
{
	static struct mistakes bad; /* 13 kB: not on the stack */
	_cleanup_free_ char *text = NULL;
	struct reading r = {f, &bad};
	struct ydoc *doc = NULL;
	char dir[CLI_PATH];
	const char *slash = strrchr(path, '/');
	size_t len, n = slash != NULL ? (size_t)(slash - path) + 1 : 0;

	job_file_init(f);
	memset(&bad, 0, sizeof(bad));
	if (n >= sizeof(dir)) {
		cli_error(c, "%s: the path is too long", path);
		return CLI_USAGE;
	}
	memcpy(dir, path, n);
	dir[n] = '\0';
	f->dir = open(n > 0 ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	text = f->dir >= 0 ?
	    file_load(f->dir, path + n, YDOC_BYTES_MAX, &len) :
	    NULL;
	if (text == NULL) {
		cli_error(c, "%s: %s", path, strerror(errno));
		return CLI_USAGE;
	}
	if (ydoc_parse(&doc, text, len, &bad) == 0)
		read_root(&r, ydoc_root(doc));
	ydoc_free(doc);
	return bad.n > 0 ? cli_mistakes(c, path, &bad) : CLI_OK;
}

void
job_file_clear(struct job_file *f)
{
	manifest_clear(&f->m);
	if (f->dir >= 0)
		(void)close(f->dir);
	f->dir = -1;
}
