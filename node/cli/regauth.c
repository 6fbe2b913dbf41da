/* SPDX-License-Identifier: BSD-2-Clause */
#include "node/cli/regauth.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nettle/base64.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/ipc.h"
#include "common/util.h"

/* Docker's name for itself. */
#define HUB_KEY "https://index.docker.io/v1/"

static int fail(char *why, size_t cap, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int
fail(char *why, size_t cap, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, cap, fmt, ap);
	va_end(ap);
	return -1;
}

static json_t *
load(const char *path, char *why, size_t cap)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY);
	static char text[REGAUTH_MAX];
	json_error_t err;
	struct stat st;
	json_t *doc;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)fail(why, cap, "%s: %s", path, strerror(errno));
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 ||
	    (st.st_uid != geteuid() && st.st_uid != 0)) {
		(void)fail(why, cap, "%s: others may read it, or it is "
		    "somebody else's: chmod 600", path);
		return NULL;
	}
	n = read(fd, text, sizeof(text));
	if (n < 0 || n == (ssize_t)sizeof(text)) {
		(void)fail(why, cap, "%s: it is too large", path);
		return NULL;
	}
	doc = json_loadb(text, (size_t)n, JSON_REJECT_DUPLICATES, &err);
	explicit_bzero(text, sizeof(text));
	/* jansson's own words have some of the text, which is a password */
	if (doc == NULL)
		(void)fail(why, cap, "%s:%d:%d: no JSON", path, err.line,
		    err.column);
	return doc;
}

/* HOST[:PORT], with or without a scheme and a path behind it. */
static bool
is_key(const char *key, const char *host)
{
	size_t n = strlen(host);

	if (strncmp(key, "https://", 8) == 0)
		key += 8;
	else if (strncmp(key, "http://", 7) == 0)
		key += 7;
	return strncmp(key, host, n) == 0 && (key[n] == '\0' || key[n] == '/');
}

static const json_t *
entry(const json_t *doc, const struct regname *r)
{
	char host[WEBURL_HOST_MAX + 16];
	const char *key;
	json_t *v;

	regname_host(r, host);
	json_object_foreach (json_object_get(doc, "auths"), key, v)
		if (is_key(key, host) || (r->hub && strcmp(key, HUB_KEY) == 0))
			return v;
	return NULL;
}

static int
sealed(const char *text, size_t n, char *why, size_t cap)
{
	int fd;

	if (n == 0 || n > IPC_PULL_SECRET || memchr(text, ':', n) == NULL ||
	    memchr(text, '\n', n) != NULL || memchr(text, '\0', n) != NULL)
		return fail(why, cap, "its entry for this registry is no "
		    "NAME:PASSWORD");
	fd = memfd_sealed("auth", text, n);
	return fd < 0 ? fail(why, cap, "memfd: %s", strerror(errno)) : fd;
}

static int
take(const json_t *e, char *why, size_t cap)
{
	const char *auth = json_string_value(json_object_get(e, "auth"));
	const char *user = json_string_value(json_object_get(e, "username"));
	const char *pass = json_string_value(json_object_get(e, "password"));
	static char text[IPC_PULL_SECRET + 4];
	struct base64_decode_ctx ctx;
	size_t n = 0;
	int fd;

	if (json_object_get(e, "identitytoken") != NULL)
		return fail(why, cap, "it has an identity token for this "
		    "registry, which is not taken here: a name and a password, "
		    "or a token as a password");
	if (auth != NULL && auth[0] != '\0') {
		base64_decode_init(&ctx);
		n = strlen(auth);
		if (BASE64_DECODE_LENGTH(n) > sizeof(text) ||
		    !base64_decode_update(&ctx, &n, (uint8_t *)text, n, auth) ||
		    !base64_decode_final(&ctx))
			n = 0;
	} else if (user != NULL && pass != NULL) {
		n = (size_t)snprintf(text, sizeof(text), "%s:%s", user, pass);
		n = n < sizeof(text) ? n : 0;
	}
	fd = sealed(text, n, why, cap);
	explicit_bzero(text, sizeof(text));
	return fd;
}

int
regauth_load(const char *path, const struct regname *r, char *why, size_t cap)
{
	json_t *doc = load(path, why, cap);
	const json_t *e;
	int fd = -1;

	if (doc == NULL)
		return -1;
	why[0] = '\0';
	e = entry(doc, r);
	if (e != NULL)
		fd = take(e, why, cap);
	else if (json_object_get(doc, "credsStore") != NULL ||
	    json_object_get(doc, "credHelpers") != NULL)
		(void)fail(why, cap, "%s: its passwords lie with a helper "
		    "program, which is not asked here", path);
	json_decref(doc);
	return fd;
}
