/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/jobdir_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <rns/rns.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#include "node/cli/pack.h"
#include "trust/doc/binding.h"
#include "trust/doc/envelope.h"
#include "node/cli/say.h"
#include "trust/doc/manifest_parse.h"
#include "trust/doc/manifest_form.h"

#define RESULT_MAX (1u << 20)

static const char *const log_name[2] = {"stdout", "stderr"};

bool
jobdir_envelope_job(const char *text, size_t len, struct id32 *job)
{
	const char *why;
	struct env e;
	bool ok = env_parse(&e, text, len, ENV_MANIFEST_MAX * 2,
		      ENV_MANIFEST_PAYLOAD, &why) == 0;

	if (ok)
		rns_sha256(job, e.payload, e.payload_len);
	env_clear(&e);
	return ok;
}

/* To the byte as submit wrote it: canonical, nothing ignored in it. */
static bool
canonical(const struct env *e, const char *text, size_t len,
    const struct fp *fp)
{
	struct env_signed sig;
	_cleanup_free_ uint8_t *again = malloc(ENV_MANIFEST_MAX * 2);

	if (again == NULL || e->nsigs != 1)
		return false;
	sig.fp = *fp;
	memcpy(sig.sig, e->sigs[0].sig, SIG_LEN);
	return env_build_json(again, ENV_MANIFEST_MAX * 2, e->type, e->payload,
		   e->payload_len, &sig, 1) == len &&
	    memcmp(again, text, len) == 0;
}

/* NULL, or what is wrong with the manifest: a literal. */
static const char *
read_manifest(int dir, const json_t *result, struct jobdir_proof *p)
{
	const json_t *text = json_object_get(result, "submitter");
	_cleanup_free_ char *envelope = NULL;
	char bad[MANIFEST_WHY];
	const char *why = NULL;
	struct klp_key key;
	struct fp fp;
	struct manifest m;
	struct env e;
	size_t len;

	envelope = file_load(dir, "manifest", ENV_MANIFEST_MAX * 2, &len);
	if (envelope == NULL)
		return "manifest is missing";
	if (!json_is_string(text) ||
	    !key_parse(&key, json_string_value(text), json_string_length(text)))
		return "result.json names no submitter";
	key_fp(&fp, &key);
	manifest_init(&m);
	if (env_parse(&e, envelope, len, ENV_MANIFEST_MAX * 2,
		ENV_MANIFEST_PAYLOAD, &why) == 0) {
		if (env_verify(&e, TYPE_MANIFEST, &key, 1, NULL) != 1 ||
		    manifest_parse(&m, e.payload, e.payload_len, bad) != 0 ||
		    !fp_eq(&m.submitter, &fp) ||
		    !canonical(&e, envelope, len, &fp))
			why = "the manifest is not signed by its submitter";
		rns_sha256(&p->job, e.payload, e.payload_len);
	}
	p->has_node = (m.has & HAS_NODE) != 0;
	p->node = m.node;
	manifest_clear(&m);
	env_clear(&e);
	return why;
}

static bool
hex_member(const json_t *o, const char *name, uint8_t *out, size_t n)
{
	const json_t *v = json_object_get(o, name);

	return json_is_string(v) &&
	    hex_decode(out, n, json_string_value(v), json_string_length(v));
}

static bool
read_outputs(struct cli *c, int dir, const json_t *list, struct jobdir_proof *p)
{
	size_t n = json_array_size(list);

	if (n > JOB_OUTPUTS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(list, i);
		const char *target = json_string_value(
		    json_object_get(o, "target"));
		struct id32 listed;
		char path[CLI_PATH];
		struct pack packed;

		if (target == NULL ||
		    manifest_target_bad(target, strlen(target)) != NULL)
			return false;
		memcpy(p->target[i], target, strlen(target) + 1);
		(void)snprintf(path, sizeof(path), "volumes%s", target);
		if (!pack_folder(c, dir, path, TREE_STRICT, &packed))
			return false;
		(void)close(packed.fd);
		if (!hex_member(o, "sha256", HASH_BYTES(listed)) ||
		    !id32_eq(&listed, &packed.sha256) ||
		    (uint64_t)json_integer_value(
			json_object_get(o, "size")) != packed.size)
			return false;
		p->out[i].path = p->target[i];
		p->out[i].size = packed.size;
		p->out[i].sha256 = packed.sha256;
	}
	p->nout = (unsigned)n;
	return true;
}

static bool
text_member(const json_t *o, const char *name, char *out, size_t cap)
{
	const char *s = json_string_value(json_object_get(o, name));

	if (s == NULL || strlen(s) >= cap)
		return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

/* NULL, or what is wrong: a literal. */
static const char *
read_result(struct cli *c, int dir, const json_t *o, struct jobdir_proof *p)
{
	const json_t *node = json_object_get(o, "node");

	p->code = json_integer_value(json_object_get(o, "code"));
	if (!json_is_integer(json_object_get(o, "code")) ||
	    !hex_member(o, "id", HASH_BYTES(p->id)) ||
	    !hex_member(o, "image", HASH_BYTES(p->image)) ||
	    !text_member(o, "outcome", p->outcome, sizeof(p->outcome)) ||
	    !text_member(node, "urn", p->urn, sizeof(p->urn)) ||
	    !hex_member(node, "destination", HASH_BYTES(p->dest)) ||
	    !hex_member(node, "binding", p->binding, BINDING_LEN))
		return "result.json is malformed";
	if (!read_outputs(c, dir, json_object_get(o, "outputs"), p))
		return "an output is missing or is not the one that was fetched";
	for (int i = 0; i < 2; i++) {
		_cleanup_fd_ int fd = openat(dir, log_name[i],
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || !pack_digest(fd, &p->log_sha[i], &p->log_size[i]))
			return "stdout or stderr is missing";
	}
	return read_manifest(dir, o, p);
}

int
jobdir_read(struct cli *c, const char *path, struct jobdir_proof *p)
{
	_cleanup_fd_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *text = NULL;
	const char *why = "result.json is missing or malformed";
	json_t *o = NULL;
	ssize_t got;
	size_t len;

	memset(p, 0, sizeof(*p));
	if (dir < 0) {
		cli_error(c, "%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	got = file_read(dir, "receipt", p->receipt, sizeof(p->receipt));
	if (got < JOB_RECEIPT_LEN ||
	    (size_t)got != job_receipt_len(p->receipt)) {
		cli_error(c, "%s holds no receipt%s", path, got < 0 ? "" :
		    " of the right length");
		cli_hint(c, "`warren result %s` fetches it, once the job has "
		    "ended.", path);
		return CLI_FAILED;
	}
	p->receipt_len = (size_t)got;
	text = file_load(dir, "result.json", RESULT_MAX, &len);
	if (text != NULL)
		o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (o != NULL)
		why = read_result(c, dir, o, p);
	json_decref(o);
	if (why != NULL)
		cli_error(c, "%s: %s", path, why);
	return why == NULL ? CLI_OK : CLI_FAILED;
}
