/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/person.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include <rns/rns.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"

#include "node/config/keyset.h"
#include "node/cli/folders.h"
#include "node/cli/say.h"

#define JOB_NOTE_MAX 8192

/* Makes every missing folder of a path; the last one 0700. */
static int
make_path(const char *path)
{
	char part[CLI_PATH];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(part))
		return -1;
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, i == n ? 0700 : 0755) != 0 && errno != EEXIST)
			return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int
load_pair(struct cli *c, int dir, const char *rns_name, const char *mesh_name,
    bool make, bool private, struct person *p)
{
	unsigned flags = make ? KEYSET_MAKE : 0;
	char why[KEYSET_WHY];
	uint8_t seed[32];

	randombytes_buf(seed, sizeof(seed));
	if (!secp_init(seed)) {
		cli_error(c, "out of memory");
		return CLI_FAILED;
	}
	p->secret.kind = KEY_SECP256K1;
	/* Reticulum itself writes its identity readable by all */
	if (keyset_read(dir, rns_name, p->rns_priv, 64,
		flags | (private ? KEYSET_PRIVATE : 0), NULL, why) != 0 ||
	    keyset_read(dir, mesh_name, p->secret.raw, 32,
		flags | KEYSET_PRIVATE, NULL, why) != 0) {
		cli_error(c, "%s", why);
		return CLI_FAILED;
	}
	if (rns_identity_derive(p->rns_pub, p->rns_hash, p->rns_priv) !=
		RNS_OK ||
	    !secret_public(&p->key, &p->secret)) {
		cli_error(c, "%s or %s holds no valid key", rns_name,
		    mesh_name);
		return CLI_FAILED;
	}
	key_fp(p->fp, &p->key);
	return CLI_OK;
}

int
person_node(struct cli *c, int dir, bool make, struct person *p)
{
	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (load_pair(c, dir, KEYSET_RNS, KEYSET_MESH, make, false, p) !=
	    CLI_OK)
		return CLI_FAILED;
	(void)urn_make(p->urn, "kindai", "device", p->fp);
	return CLI_OK;
}

static bool
binding_fresh(const struct person *p, const uint8_t *raw, size_t n,
    uint32_t now)
{
	struct binding b;

	return binding_parse(&b, raw, n) &&
	    binding_check(&b, p->rns_pub, now) == NULL &&
	    memcmp(b.secp, p->key.raw, 33) == 0 && now < binding_renew_at(&b);
}

static int
load_binding(struct cli *c, struct person *p)
{
	uint32_t now = (uint32_t)time(NULL);
	struct binding b = {.serial = now,
	    .not_before = now - 60,
	    .not_after = now + BINDING_LIFE};
	struct binding old;
	uint8_t aux[32];

	if (file_read(p->dir, "binding", p->binding, BINDING_LEN) ==
		BINDING_LEN) {
		if (binding_fresh(p, p->binding, BINDING_LEN, now))
			return CLI_OK;
		/* a node takes none that is older, whatever our clock says */
		if (binding_parse(&old, p->binding, BINDING_LEN) &&
		    old.serial >= b.serial)
			b.serial = old.serial + (old.serial < UINT32_MAX);
	}
	memcpy(b.secp, p->key.raw, 33);
	memcpy(b.rns, p->rns_pub, sizeof(b.rns));
	randombytes_buf(aux, sizeof(aux));
	if (!binding_sign_secp(&b, &p->secret, aux) ||
	    !binding_sign_rns(&b, p->rns_priv + 32)) {
		cli_error(c, "the binding could not be signed");
		return CLI_FAILED;
	}
	binding_put(p->binding, &b);
	if (file_replace(p->dir, "binding", p->binding, BINDING_LEN, 0600) !=
	    0) {
		cli_error(c, "binding: %s", strerror(errno));
		return CLI_FAILED;
	}
	return CLI_OK;
}

int
person_load(struct cli *c, struct person *p)
{
	char path[CLI_PATH];
	struct stat st;

	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (!cli_person_dir(c, path))
		return CLI_FAILED;
	p->dir = make_path(path);
	if (p->dir < 0 || fstat(p->dir, &st) != 0) {
		cli_error(c, "%s: %s", path, strerror(errno));
		return CLI_FAILED;
	}
	if ((st.st_mode & 022) != 0) {
		cli_error(c, "%s can be written by others: chmod go-w it",
		    path);
		return CLI_FAILED;
	}
	if (load_pair(c, p->dir, "reticulum", "mesh", true, true, p) != CLI_OK)
		return CLI_FAILED;
	(void)urn_make(p->urn, "kindai", "human", p->fp);
	return load_binding(c, p);
}

void
person_peek(struct cli *c, struct person *p)
{
	char path[CLI_PATH];

	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (cli_person_dir(c, path))
		p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void
person_clear(struct person *p)
{
	if (p->dir >= 0)
		(void)close(p->dir);
	p->dir = -1;
	explicit_bzero(p->rns_priv, sizeof(p->rns_priv));
	explicit_bzero(&p->secret, sizeof(p->secret));
}

/* ---- jobs/: one file a job, named by its id ---- */

bool
person_note_job(const struct person *p, const struct job_note *n)
{
	_cleanup_fd_ int dir = dir_open(p->dir, "jobs", true, 0700);
	char name[65], dest[33], fp[65], text[JOB_NOTE_MAX];
	int k;

	hex_encode(name, n->job, 32);
	hex_encode(dest, n->dest, 16);
	hex_encode(fp, n->node_fp, FP_LEN);
	k = snprintf(text, sizeof(text), "node %s\nkey %s\nfolder %s\n", dest,
	    fp, n->folder);
	return dir >= 0 && k > 0 && (size_t)k < sizeof(text) &&
	    file_replace(dir, name, text, (size_t)k, 0600) == 0;
}

void
person_forget_job(const struct person *p, const uint8_t job[32])
{
	_cleanup_fd_ int dir = dir_open(p->dir, "jobs", false, 0);
	char name[65];

	hex_encode(name, job, 32);
	if (dir >= 0)
		(void)unlinkat(dir, name, 0);
}

static bool
note_line(const char *text, const char *word, const char **value, size_t *n)
{
	size_t w = strlen(word);

	while (text != NULL && *text != '\0') {
		const char *nl = strchr(text, '\n');

		if (strncmp(text, word, w) == 0 && text[w] == ' ' &&
		    nl != NULL) {
			*value = text + w + 1;
			*n = (size_t)(nl - *value);
			return true;
		}
		text = nl != NULL ? nl + 1 : NULL;
	}
	return false;
}

static bool
read_note(int dir, const char *name, struct job_note *out)
{
	_cleanup_free_ char *text = NULL;
	const char *v;
	size_t n, len;

	memset(out, 0, sizeof(*out));
	text = file_load(dir, name, JOB_NOTE_MAX, &len);
	if (text == NULL || !hex_decode(out->job, 32, name, strlen(name)) ||
	    !note_line(text, "node", &v, &n) ||
	    !hex_decode(out->dest, 16, v, n) ||
	    !note_line(text, "key", &v, &n) ||
	    !hex_decode(out->node_fp, FP_LEN, v, n) ||
	    !note_line(text, "folder", &v, &n) || n >= sizeof(out->folder))
		return false;
	memcpy(out->folder, v, n);
	out->folder[n] = '\0';
	return true;
}

int
person_find_job(const struct person *p, const char *hex, struct job_note *out)
{
	int dir = p->dir >= 0 ? dir_open(p->dir, "jobs", false, 0) : -1;
	size_t n = strlen(hex);
	const struct dirent *e;
	int found = 0;
	DIR *d;

	if (dir < 0 || n < 4 || n > 64) {
		if (dir >= 0)
			(void)close(dir);
		return 0;
	}
	if ((d = dir_take(dir)) == NULL)
		return 0;
	while (found >= 0 && (e = readdir(d)) != NULL) {
		if (strlen(e->d_name) != 64 ||
		    strncasecmp(e->d_name, hex, n) != 0)
			continue;
		if (found == 1)
			found = -1;
		else if (read_note(dirfd(d), e->d_name, out))
			found = 1;
	}
	(void)closedir(d);
	return found;
}
