/* SPDX-License-Identifier: BSD-2-Clause */
/* warren klp keygen FILE */
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "common/util.h"
#include "node/cli/klpfile.h"
#include "node/cli/options.h"
#include "node/cli/say.h"
#include "node/cli/verb.h"

struct keygen {
	const char *scheme;
	bool show;
};

static bool
set(struct cli *c, void *ctx, int option, const char *value)
{
	struct keygen *k = ctx;
	struct klp_secret s;

	if (option == OPT_SHOW) {
		k->show = true;
		return true;
	}
	k->scheme = value;
	if (klpfile_scheme_set(&s, value))
		return true;
	cli_error(c, "--scheme: %s is none of ed25519, ecdsa, bip340", value);
	return false;
}

static void
print_key(struct cli *c, const struct klp_key *k)
{
	char text[KEY_TEXT_MAX], hex[2 * FP_LEN + 1], urn[URN_MAX];
	struct fp fp;

	key_text(text, k);
	key_fp(&fp, k);
	hex_encode(hex, HASH_BYTES(fp));
	(void)urn_make(urn, "kindai", "human", &fp);
	if (c->json) {
		cli_json(json_pack("{s:s,s:s,s:s,s:s}", "key", text, "scheme",
		    klpfile_scheme(k), "fp", hex, "urn", urn));
		return;
	}
	printf("key          %s\n", text);
	printf("scheme       %s\n", klpfile_scheme(k));
	printf("fingerprint  %s\n", hex);
	printf("urn          %s\n", urn);
}

int
verb_klp_keygen(struct cli *c, int argc, char **argv)
{
	struct keygen k = {.scheme = NULL};
	struct klp_secret s = {.kind = KEY_ED25519};
	struct klp_key pub;
	int rc = cli_options(c, VERB_KLP_KEYGEN, argc, argv, set, &k);

	if (rc != CLI_OK)
		return rc < 0 ? CLI_OK : rc;
	if (k.show && k.scheme != NULL) {
		cli_error(c, "--show: a key that there is has its scheme");
		return CLI_USAGE;
	}
	if (k.scheme != NULL)
		(void)klpfile_scheme_set(&s, k.scheme);
	if (k.show) {
		rc = klpfile_key_read(c, argv[c->arg], &s);
	} else {
		do /* a scalar beyond the order is as good as never drawn */
			randombytes_buf(s.raw, sizeof(s.raw));
		while (!secret_public(&pub, &s));
		rc = klpfile_key_make(c, argv[c->arg], &s);
	}
	if (rc == CLI_OK && secret_public(&pub, &s))
		print_key(c, &pub);
	explicit_bzero(&s, sizeof(s));
	return rc;
}
