/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/weburl.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#define SCHEME "https://"
#define PORT 443
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* A last label that begins with a digit is no name of the DNS. */
static const char *
name_ok(const char *host)
{
	size_t label = 0;

	for (const char *p = host;; p++) {
		if (*p != '\0' && *p != '.') {
			if (strchr(LOWER DIGITS "-", *p) == NULL)
				return "its host has a character that none has";
			label++;
			continue;
		}
		if (label == 0 || label > 63 || p[-1] == '-' ||
		    *(p - label) == '-')
			return "its host is no name";
		if (*p == '\0')
			return strchr(DIGITS, *(p - label)) == NULL ? NULL :
			    "its host is neither a name nor an address";
		label = 0;
	}
}

const char *
weburl_host(struct weburl *u, const char *text, size_t len)
{
	bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';

	u->family = 0;
	memset(u->addr, 0, sizeof(u->addr));
	if (brackets) {
		text++;
		len -= 2;
	}
	if (len == 0 || len > WEBURL_HOST_MAX)
		return len == 0 ? "it has no host" : "its host is too long";
	for (size_t i = 0; i < len; i++)
		u->host[i] = text[i] >= 'A' && text[i] <= 'Z' ?
		    (char)(text[i] - 'A' + 'a') : text[i];
	u->host[len] = '\0';
	if (strlen(u->host) != len)
		return "its host has a character that none has";
	if (inet_pton(AF_INET6, u->host, u->addr) == 1)
		u->family = 6;
	if (brackets != (u->family == 6))
		return brackets ? "its host is no IPv6 address" :
		    "an IPv6 address stands in brackets";
	if (u->family == 6)
		return NULL;
	if (inet_pton(AF_INET, u->host, u->addr) == 1) {
		u->family = 4;
		return NULL;
	}
	return name_ok(u->host);
}

const char *
weburl_port(struct weburl *u, const char *text, size_t len)
{
	unsigned long v = 0;

	if (len == 0 || len > 5)
		return "its port is no number";
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return "its port is no number";
		v = v * 10 + (unsigned long)(text[i] - '0');
	}
	if (v == 0 || v > 65535)
		return "its port is no number";
	u->port = (uint16_t)v;
	return NULL;
}

const char *
weburl_parse(struct weburl *u, const char *text)
{
	const char *at = text + sizeof(SCHEME) - 1, *why;
	size_t n = strlen(text), host, rest;

	if (n > WEBURL_MAX)
		return "it is too long";
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\')
			return "it has a character that none has";
	if (strncmp(text, SCHEME, sizeof(SCHEME) - 1) != 0)
		return "it does not begin with https://";
	if (strpbrk(at, "@#") != NULL)
		return "it has a user or a fragment";
	rest = strcspn(at, "/?");
	host = at[0] == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/?");
	if (host > rest)
		return "its host is no IPv6 address";
	u->port = PORT;
	u->path = at + rest;
	if ((why = weburl_host(u, at, host)) != NULL || host == rest)
		return why;
	return at[host] != ':' ? "its host is no IPv6 address" :
	    weburl_port(u, at + host + 1, rest - host - 1);
}

const char *
weburl_base(struct weburl *u, const char *text)
{
	const char *why = weburl_parse(u, text);

	if (why == NULL && strchr(u->path, '?') != NULL)
		why = "names of files are put behind it, so it has no query";
	if (why == NULL && text[strlen(text) - 1] == '/')
		why = "names of files are put behind it, so it ends in none";
	return why;
}
