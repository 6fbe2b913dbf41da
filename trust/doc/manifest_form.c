/* SPDX-License-Identifier: BSD-2-Clause */
#include "trust/doc/manifest_form.h"

#include <string.h>

#include "common/util.h"

bool
text_ok(const char *s, size_t len, size_t max)
{
	return len <= max && memchr(s, '\0', len) == NULL &&
	    utf8_valid(s, len);
}

bool
image_ok(const char *s, size_t len)
{
	struct id32 sha;

	if (len < 1 || !text_ok(s, len, MANIFEST_TEXT))
		return false;
	if (len < 7 || memcmp(s, "sha256:", 7) != 0)
		return true;
	for (size_t i = 7; i < len; i++)
		if (s[i] >= 'A' && s[i] <= 'F')
			return false;
	return hex_decode(HASH_BYTES(sha), s + 7, len - 7);
}

bool
env_name_ok(const char *s, size_t len)
{
	if (len < 1 || len > MANIFEST_ENV_NAME || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

bool
cap_name_ok(const char *s, size_t len)
{
	if (len < 1 || len > 64)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z') &&
		    !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return true;
}

/* Valid UTF-8 is given: controls are 00-1f, 7f, and c2 80 to c2 9f. */
static bool
has_control(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		unsigned char d = i + 1 < len ? (unsigned char)s[i + 1] : 0xff;

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && d < 0xa0))
			return true;
	}
	return false;
}

bool
manifest_target_inside(const char *a, const char *b)
{
	size_t n = strlen(b);

	return strncmp(a, b, n) == 0 && (a[n] == '\0' || a[n] == '/');
}

const char *
manifest_target_bad(const char *t, size_t len)
{
	static const char *const kernel[] = {"/proc", "/sys", "/dev"};
	char copy[MANIFEST_TEXT + 1];

	if (len < 1 || !text_ok(t, len, MANIFEST_TEXT) || has_control(t, len))
		return "must be 1 to 255 bytes of text without control characters";
	if (t[0] != '/' || len == 1)
		return "must begin with / and name something below it";
	for (size_t i = 0, from = 1; i <= len; i++) {
		size_t n;

		if (i == 0 || (i < len && t[i] != '/'))
			continue;
		n = i - from;
		if (n == 0 || (n == 1 && t[from] == '.') ||
		    (n == 2 && t[from] == '.' && t[from + 1] == '.'))
			return "must have no empty, . or .. part, nor a / at "
			       "its end";
		from = i + 1;
	}
	memcpy(copy, t, len);
	copy[len] = '\0';
	for (size_t i = 0; i < NELEM(kernel); i++)
		if (manifest_target_inside(copy, kernel[i]))
			return "must not lie in /proc, /sys or /dev";
	return NULL;
}

static const char *
volumes_bad(const struct manifest *m)
{
	for (unsigned i = 0; i < m->nvolumes; i++)
		for (unsigned j = 0; j < m->nvolumes; j++)
			if (i != j &&
			    manifest_target_inside(m->volume[i].target,
				m->volume[j].target))
				return "volumes: one target is another or lies "
				       "inside it";
	return NULL;
}

const char *
manifest_whole_bad(const struct manifest *m)
{
	size_t bytes = 0;

	if (m->not_after > m->deadline)
		return "not_after: is later than deadline";
	if (((m->has & HAS_WASM) != 0) == (m->image[0] != '\0'))
		return "image: exactly one of image and wasm is needed";
	if ((m->has & HAS_COMMAND) && m->command.n == 0)
		return "command: is empty";
	for (unsigned i = 0; i < m->command.n; i++)
		bytes += strlen(m->command.v[i]);
	if (bytes > MANIFEST_ARGS_BYTES)
		return "command: its words are over 32 KiB together";
	return volumes_bad(m);
}
