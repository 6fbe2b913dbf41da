/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/klpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/folders.h"
#include "node/cli/person.h"
#include "node/cli/say.h"

#define KEY_LINE_MAX 128
#define SECRET_PREFIX "secret:"

/* ---- files ---- */

char *
klpfile_load(struct cli *c, const char *path, size_t max, size_t *len)
{
	char *text = file_load(AT_FDCWD, path, max, len);

	if (text == NULL && errno == EFBIG)
		cli_error(c, "%s: larger than %zu bytes", path, max);
	else if (text == NULL)
		cli_error(c, "%s: %s", path, strerror(errno));
	return text;
}

void
klpfile_bad(struct cli *c, const char *path, const char *why)
{
	cli_error(c, "%s: %s", path, why);
	if (strncmp(why, ENV_UNSIGNED, strlen(ENV_UNSIGNED)) == 0)
		cli_hint(c, "`warren klp sign FILE --key KEYFILE --out FILE` "
			    "signs it.");
}

/* The folder that a path lies in, and its last part. */
static int
open_parent(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char dir[CLI_PATH];

	*name = slash == NULL ? path : slash + 1;
	if (slash != NULL && (size_t)(slash - path) + 2 > sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(dir, sizeof(dir), "%.*s",
	    slash == NULL ? 1 : (int)(slash - path) + 1,
	    slash == NULL ? "." : path);
	return open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
klpfile_save(struct cli *c, const char *path, const void *data, size_t n)
{
	const char *name = path;
	_cleanup_fd_ int dir = -1;

	if (path == NULL || strcmp(path, "-") == 0) {
		if (write_full(STDOUT_FILENO, data, n) == 0)
			return CLI_OK;
		name = "standard output";
	} else if ((dir = open_parent(path, &name)) >= 0 &&
	    file_replace(dir, name, data, n, 0644) == 0) {
		return CLI_OK;
	} else {
		name = path;
	}
	cli_error(c, "%s: %s", name, strerror(errno));
	return CLI_FAILED;
}

/* ---- keys ---- */

const char *
klpfile_scheme(const struct klp_key *k)
{
	return k->kind == KEY_ED25519 ? "ed25519" :
	    k->bip340		      ? "bip340" :
					"ecdsa";
}

bool
klpfile_scheme_set(struct klp_secret *s, const char *scheme)
{
	s->kind = strcmp(scheme, "ed25519") == 0 ? KEY_ED25519 : KEY_SECP256K1;
	s->bip340 = strcmp(scheme, "bip340") == 0;
	return s->kind == KEY_ED25519 || s->bip340 ||
	    strcmp(scheme, "ecdsa") == 0;
}

int
klpfile_key_make(struct cli *c, const char *path, const struct klp_secret *s)
{
	const char *name;
	char line[KEY_LINE_MAX], hex[65];
	_cleanup_fd_ int dir = open_parent(path, &name), fd = -1;
	struct klp_key k;
	int n;

	if (!secret_public(&k, s))
		return CLI_FAILED;
	hex_encode(hex, s->raw, sizeof(s->raw));
	n = snprintf(line, sizeof(line), SECRET_PREFIX "%s:%s\n",
	    klpfile_scheme(&k), hex);
	explicit_bzero(hex, sizeof(hex));
	/* never over another key: what it has signed could not be followed */
	if (dir >= 0)
		fd = openat(dir, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600) != 0 ||
	    write_full(fd, line, (size_t)n) != 0 || fsync(fd) != 0) {
		int saved = errno;

		explicit_bzero(line, sizeof(line));
		if (fd >= 0)
			(void)unlinkat(dir, name, 0);
		cli_error(c, "%s: %s", path, strerror(saved));
		if (saved == EEXIST)
			cli_hint(c, "A key is never overwritten: `warren klp "
				    "keygen --show %s` shows its public half.",
			    path);
		return CLI_FAILED;
	}
	explicit_bzero(line, sizeof(line));
	(void)fsync(dir);
	return CLI_OK;
}

/* A line without its newline; false: no secret key. */
static bool
key_line(struct klp_secret *s, char *line)
{
	char *scheme = line + strlen(SECRET_PREFIX), *hex;
	struct klp_key k;

	if (strncmp(line, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0 ||
	    (hex = strchr(scheme, ':')) == NULL)
		return false;
	*hex++ = '\0';
	return klpfile_scheme_set(s, scheme) &&
	    hex_decode(s->raw, sizeof(s->raw), hex, strlen(hex)) &&
	    secret_public(&k, s);
}

int
klpfile_key_read(struct cli *c, const char *path, struct klp_secret *s)
{
	char line[KEY_LINE_MAX] = "";
	struct stat st;
	ssize_t n = -1;
	bool ok;

	memset(s, 0, sizeof(*s));
	if (stat(path, &st) != 0 ||
	    (n = file_read(AT_FDCWD, path, line, sizeof(line) - 1)) < 0) {
		cli_error(c, "%s: %s", path,
		    errno == EFBIG ? "no secret key" : strerror(errno));
		if (errno == ENOENT)
			cli_hint(c, "The file of a secret key is wanted here, "
				    "as `warren klp keygen FILE` makes it.");
		return CLI_FAILED;
	}
	if ((st.st_mode & 077) != 0) {
		explicit_bzero(line, sizeof(line));
		cli_error(c, "%s: others can read this secret key", path);
		cli_hint(c, "chmod 600 %s, and think of who has read it.", path);
		return CLI_REFUSED;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	ok = key_line(s, line);
	explicit_bzero(line, sizeof(line));
	if (ok)
		return CLI_OK;
	cli_error(c, "%s: no secret key of `warren klp keygen`", path);
	return CLI_FAILED;
}

/* ---- several ---- */

bool
klpfile_keys_add(struct cli *c, struct klpfile_keys *k, const char *path)
{
	if (k->n >= ENV_SIGS_MAX) {
		cli_error(c, "--key: %u are the most", ENV_SIGS_MAX);
		return false;
	}
	k->path[k->n++] = path;
	return true;
}

int
klpfile_keys_read(struct cli *c, struct klpfile_keys *k, bool person)
{
	uint8_t seed[32];
	struct person p;
	int rc = CLI_OK;

	randombytes_buf(seed, sizeof(seed));
	if (!secp_init(seed)) {
		cli_error(c, "out of memory");
		return CLI_FAILED;
	}
	for (unsigned i = 0; i < k->n && rc == CLI_OK; i++)
		rc = klpfile_key_read(c, k->path[i], &k->secret[i]);
	if (k->n == 0 && person) {
		rc = person_load(c, &p);
		k->secret[0] = p.secret;
		k->n = rc == CLI_OK;
		person_clear(&p);
	}
	return rc;
}

void
klpfile_keys_clear(struct klpfile_keys *k)
{
	explicit_bzero(k->secret, sizeof(k->secret));
}

/* ---- signing ---- */

/*
 * The place of a key among the signatures; nsigs when it has none. Those of a
 * frame know four bytes of it, and zeros.
 */
static unsigned
place(const struct env_signed *sigs, unsigned nsigs, const struct fp *fp)
{
	struct fp hint = {{0}};
	unsigned i = 0;

	memcpy(hint.b, fp->b, FP4_LEN);
	while (i < nsigs && !fp_eq(&sigs[i].fp, fp) &&
	    !fp_eq(&sigs[i].fp, &hint))
		i++;
	return i;
}

int
klpfile_sign(struct cli *c, const struct klpfile_keys *keys, const char *type,
    const void *payload, size_t len, struct env_signed *sigs, unsigned *nsigs)
{
	uint8_t aux[32];

	for (unsigned i = 0; i < keys->n; i++) {
		struct klp_key k;
		struct fp fp;
		unsigned at;

		if (!secret_public(&k, &keys->secret[i]))
			return CLI_FAILED;
		key_fp(&fp, &k);
		at = place(sigs, *nsigs, &fp);
		if (at >= ENV_SIGS_MAX) {
			cli_error(c, "%u signatures are the most",
			    ENV_SIGS_MAX);
			return CLI_FAILED;
		}
		randombytes_buf(aux, sizeof(aux));
		sigs[at].fp = fp;
		if (!pae_sign(sigs[at].sig, &keys->secret[i], type, payload,
			len, aux)) {
			cli_error(c, "out of memory");
			return CLI_FAILED;
		}
		*nsigs = MAX_OF(*nsigs, at + 1);
	}
	return CLI_OK;
}

char *
klpfile_envelope(struct cli *c, const char *type, const void *payload,
    size_t len, const struct env_signed *sigs, unsigned nsigs, size_t *out_len)
{
	size_t cap = len / 3 * 4 + 8192;
	char *out = malloc(cap);

	*out_len = out == NULL ? 0 : env_build_json((uint8_t *)out, cap, type,
	    payload, len, sigs, nsigs);
	if (*out_len > 0)
		return out;
	free(out);
	cli_error(c, "the envelope cannot be built: out of memory");
	return NULL;
}

int
klpfile_root(struct cli *c, const char *path, struct root *r)
{
	const char *why = NULL;
	struct env e;
	size_t len;
	char *text = klpfile_load(c, path, ROOT_BYTES, &len);

	if (text == NULL)
		return CLI_FAILED;
	if (env_parse(&e, text, len, ROOT_BYTES, ROOT_BYTES, &why) == 0 &&
	    (why = root_parse(r, e.payload, e.payload_len)) == NULL &&
	    !root_signed(r, root_role(r, "root"), &e, TYPE_ROOT))
		why = "not signed by as many of its own root keys as it asks "
		      "for";
	env_clear(&e);
	free(text);
	if (why == NULL)
		return CLI_OK;
	klpfile_bad(c, path, why);
	return CLI_FAILED;
}

int
klpfile_pinned(struct cli *c, const char *dir, const char *authority,
    struct root *root, struct id32 *id)
{
	char below[400], path[CLI_PATH];
	_cleanup_free_ char *text = NULL;
	const char *why;
	size_t len;

	(void)snprintf(below, sizeof(below), "klp/authorities/%s.root.json",
	    authority);
	if (!cli_path(path, dir, below))
		return CLI_FAILED;
	if (access(path, F_OK) != 0) {
		cli_error(c, "no_authority: %s: %s", path, strerror(errno));
		cli_hint(c, "An authority is known by its first root, which "
			    "the operator puts there.");
		return CLI_FAILED;
	}
	if ((text = klpfile_load(c, path, ROOT_BYTES, &len)) == NULL)
		return CLI_FAILED;
	if ((why = root_first(root, id, text, len)) == NULL)
		return CLI_OK;
	cli_error(c, "%s: %s", path, why);
	return CLI_FAILED;
}
