/* SPDX-License-Identifier: BSD-2-Clause */
/* warren audit verify-bundle: offline, by the file alone. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "common/util.h"
#include "node/cli/bundle_zip.h"
#include "node/cli/folders.h"
#include "node/cli/format.h"
#include "node/cli/oldsig.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"
#include "node/config/nodeconf.h"
#include "trust/doc/binding.h"
#include "trust/doc/bundle.h"
#include "trust/doc/digest.h"

#define END 22	 /* of a zip's end record */
#define WRONG 64 /* lines of what is wrong that are kept */

struct look {
	struct klp_key key; /* --key */
	struct oldsig old;  /* --list, --root */
	struct klp_key signer; /* as the bundle says */
	bool given;
	struct bundle b;
	struct binding binding;
	struct fp fp;
	const char *known;  /* who vouches for the key; NULL: nobody */
	json_t *wrong;	    /* lines */
	unsigned more;	    /* ... that are not kept */
	size_t members;
};

static void wrong(struct look *, const char *fmt, const char *name)
    __attribute__((format(printf, 2, 0)));

/* name: a stranger's. */
static void
wrong(struct look *l, const char *fmt, const char *name)
{
	char shown[2048], line[2300];

	(void)text_escape(shown, sizeof(shown), name, strlen(name));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(line, sizeof(line), fmt, shown);
#pragma GCC diagnostic pop
	if (json_array_size(l->wrong) < WRONG)
		(void)json_array_append_new(l->wrong, json_string(line));
	else
		l->more++;
}

/* ---- the comment ---- */

/* Where it begins; 0: there is none. */
static uint64_t
comment_find(int fd, uint64_t size, char text[BUNDLE_COMMENT_MAX], size_t *len)
{
	uint8_t buf[END + BUNDLE_COMMENT_MAX];
	size_t n = (size_t)MIN_OF(size, (uint64_t)sizeof(buf));

	if (n < END || pread(fd, buf, n, (off_t)(size - n)) != (ssize_t)n)
		return 0;
	for (size_t i = n - END + 1; i-- > 0;) {
		size_t k = (size_t)(buf[i + 20] | buf[i + 21] << 8);

		if (memcmp(buf + i, "PK\5\6", 4) != 0 || i + END + k != n ||
		    k >= BUNDLE_COMMENT_MAX)
			continue;
		memcpy(text, buf + i + END, k);
		*len = k;
		return size - k;
	}
	return 0;
}

static bool
hash_file(int fd, uint64_t size, struct id32 *out)
{
	static uint8_t buf[1 << 16];
	crypto_hash_sha256_state s;
	uint64_t at = 0;
	ssize_t n;

	(void)crypto_hash_sha256_init(&s);
	for (; at < size; at += (uint64_t)n) {
		n = pread(fd, buf, (size_t)MIN_OF(size - at,
		    (uint64_t)sizeof(buf)), (off_t)at);
		if (n <= 0)
			return false;
		(void)crypto_hash_sha256_update(&s, buf, (size_t)n);
	}
	(void)crypto_hash_sha256_final(&s, out->b);
	return true;
}

/* Frame and binding, and what the frame says of the bytes. */
static void
signature(struct look *l, int fd, uint64_t size)
{
	uint8_t frame[BUNDLE_LEN], binding[BINDING_LEN];
	char text[BUNDLE_COMMENT_MAX];
	struct id32 digest;
	const char *why;
	size_t len = 0;
	struct env e;
	uint64_t at = comment_find(fd, size, text, &len);

	if (at == 0 || !bundle_comment_parse(text, len, frame, binding)) {
		wrong(l, "the signature at its end is %s", "missing or changed");
		return;
	}
	if (bundle_parse(&l->b, &e, frame, sizeof(frame), &why) < 0 ||
	    !binding_parse(&l->binding, binding, sizeof(binding))) {
		wrong(l, "the signature at its end is %s", "malformed");
		return;
	}
	if (!key_set(&l->signer, KEY_SECP256K1, l->binding.secp, 33)) {
		wrong(l, "the node's binding has %s", "no key");
		return;
	}
	l->signer.bip340 = l->binding.bip340;
	key_fp(&l->fp, &l->signer);
	if (!bundle_signed_by(&e, &l->signer))
		wrong(l, "the signature does not hold%s", "");
	if ((why = binding_check_at(&l->binding, l->b.made)) != NULL)
		wrong(l, "the node's binding: %s", why);
	if (l->given && (memcmp(l->signer.raw, l->key.raw, 33) != 0))
		wrong(l, "it is signed by another key than %s", "--key");
	if (l->b.size != at || !hash_file(fd, at, &digest) ||
	    !id32_eq(&digest, &l->b.digest))
		wrong(l, "bytes of the archive are %s", "changed");
}

/* ---- the members ---- */

static struct bundle_member *
member(struct bundle_zip *z, const char *name, bool *twice)
{
	struct bundle_member *hit = NULL;

	*twice = false;
	for (size_t i = 0; i < z->n; i++) {
		if (z->members[i].name == NULL ||
		    strcmp(z->members[i].name, name) != 0)
			continue;
		*twice = hit != NULL;
		if (hit == NULL)
			hit = &z->members[i];
	}
	return hit;
}

/* "<64 hex>  <name>" */
static void
sum_line(struct look *l, struct bundle_zip *z, char *line)
{
	struct bundle_member *m;
	struct id32 d;
	bool twice;

	if (strlen(line) < 67 || line[64] != ' ' || line[65] != ' ' ||
	    !hex_decode(HASH_BYTES(d), line, 64)) {
		wrong(l, "SHA256SUMS has a line that is none: %s", line);
		return;
	}
	m = member(z, line + 66, &twice);
	if (m == NULL)
		wrong(l, "%s is missing", line + 66);
	else if (twice)
		wrong(l, "%s is there more than once", line + 66);
	else if (!id32_eq(&m->digest, &d))
		wrong(l, "%s is changed", line + 66);
	if (m != NULL) {
		free(m->name);
		m->name = NULL; /* it was met */
		l->members++;
	}
}

static void
members(struct look *l, int fd)
{
	struct bundle_zip z;
	struct id32 d;
	char *line, *next;

	if (!bundle_zip_read(&z, fd)) {
		wrong(l, "it cannot be read: %s", strerror(errno));
		return;
	}
	if (z.why[0] != '\0')
		wrong(l, "the archive cannot be read to its end: %s", z.why);
	if (z.sums == NULL) {
		if (z.why[0] == '\0')
			wrong(l, "%s is missing", "SHA256SUMS");
		bundle_zip_clear(&z);
		return;
	}
	digest_of(&d, z.sums, z.sums_len);
	if (!id32_eq(&d, &l->b.sums))
		wrong(l, "%s is changed", "SHA256SUMS");
	for (line = z.sums; line < z.sums + z.sums_len; line = next) {
		next = memchr(line, '\n', (size_t)(z.sums + z.sums_len - line));
		if (next == NULL) {
			wrong(l, "SHA256SUMS ends in a line that is %s", "cut");
			break;
		}
		*next++ = '\0';
		sum_line(l, &z, line);
	}
	for (size_t i = 0; i < z.n; i++)
		if (z.members[i].name != NULL &&
		    strcmp(z.members[i].name, "SHA256SUMS") != 0)
			wrong(l, "%s was added", z.members[i].name);
	bundle_zip_clear(&z);
}

/* ---- whose key it is ---- */

/* By node.yaml of the folder, if there is one that may be read. */
static void
vouch(struct cli *c, struct look *l)
{
	static struct mistakes bad;
	_cleanup_free_ char *text = NULL;
	struct node_config *conf = NULL;
	char dir[CLI_PATH];
	struct fp fp;
	size_t len = 0;
	int fd;

	if (l->given) {
		l->known = "--key";
		return;
	}
	if (c->config == NULL || !cli_config_dir(c, dir) ||
	    (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return;
	text = file_load(fd, "node.yaml", YDOC_BYTES_MAX, &len);
	(void)close(fd);
	if (text == NULL || node_config_parse(&conf, text, len, &bad) != 0)
		return;
	if (conf->has_identity) {
		key_fp(&fp, &conf->identity);
		if (fp_eq(&fp, &l->fp))
			l->known = "mesh_identity";
	}
	for (size_t i = 0; i < conf->npins; i++)
		if (!conf->pins[i].is_rns && conf->pins[i].level > 0 &&
		    fp_eq(&conf->pins[i].id, &l->fp))
			l->known = "a pin";
	node_config_free(conf);
}

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct look *l = ctx;

	if (oldsig_option(&l->old, option, value))
		return true;
	if (!key_parse(&l->key, value, strlen(value)) ||
	    l->key.kind != KEY_SECP256K1) {
		cli_error(c, "--key: %s is no mesh key "
		    "(pubkey:ecc-secp256k1: and 66 hex digits)", value);
		return false;
	}
	l->given = true;
	return true;
}

static void
print(struct cli *c, const struct look *l, bool ok)
{
	char urn[URN_MAX], hex[65], when[24];
	const json_t *line;
	size_t i;

	hex_encode(hex, HASH_BYTES(l->fp));
	(void)snprintf(urn, sizeof(urn), "urn:klp:kindai:device:%s", hex);
	hex_encode(hex, HASH_BYTES(l->b.job));
	if (c->json) {
		cli_json(json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:s?,s:O,s:I}",
		    "ok", ok, "node", urn, "kind", l->b.kind == BUNDLE_JOB ?
		    "job" : "trail", "job", hex, "made",
		    (json_int_t)l->b.made, "members", (json_int_t)l->members,
		    "key_from", l->known, "wrong", l->wrong, "more_wrong",
		    (json_int_t)l->more));
		return;
	}
	json_array_foreach(l->wrong, i, line)
		cli_error(c, "%s", json_string_value(line));
	if (l->more > 0)
		cli_error(c, "and %u more", l->more);
	if (l->b.made != 0) {
		printf("node       %s\n", urn);
		printf("made       %s\n", cli_time(when, l->b.made));
		if (l->b.kind == BUNDLE_JOB)
			printf("job        %s\n", hex);
	}
	printf("members    %zu\n", l->members);
	if (ok)
		printf("ok         every byte is as it was signed\n");
}

int
verb_audit_verify_bundle(struct cli *c, int argc, char **argv)
{
	struct look l = {.given = false};
	_cleanup_fd_ int fd = -1;
	struct stat st;
	bool ok, counts = true;
	int rc = cli_options(c, VERB_AUDIT_VERIFY_BUNDLE, argc, argv, set, &l);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	fd = open(argv[c->arg], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		cli_error(c, "%s: %s", argv[c->arg], fd < 0 ? strerror(errno) :
		    "no file");
		return CLI_FAILED;
	}
	l.wrong = json_array();
	signature(&l, fd, (uint64_t)st.st_size);
	members(&l, fd);
	vouch(c, &l);
	if (json_array_size(l.wrong) == 0)
		rc = oldsig_counts(c, &l.old, &l.signer, l.b.made, &counts);
	if (!counts)
		wrong(&l, "%s", l.old.why);
	ok = json_array_size(l.wrong) == 0;
	print(c, &l, ok);
	json_decref(l.wrong);
	if (rc != CLI_OK || !ok)
		return rc != CLI_OK ? rc : CLI_FAILED;
	if (l.old.why[0] != '\0')
		cli_note(c, "%s, and what it signed before that counts",
		    l.old.why);
	if (l.known != NULL)
		return CLI_OK;
	cli_error(c, "nobody vouches for the key: it is whole by the key that "
	    "is in it");
	cli_hint(c, "Give --key, or --config of a node that pins it.");
	return CLI_UNPROVEN;
}
