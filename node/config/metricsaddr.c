/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "node/config/nodeconf.h"

/* 1 to 65535, digits alone; 0: it is none. */
static uint16_t
port_of(const char *s)
{
	size_t n = strspn(s, "0123456789");
	unsigned long v;

	if (n == 0 || n > 5 || s[n] != '\0')
		return 0;
	v = strtoul(s, NULL, 10);
	return v <= UINT16_MAX ? (uint16_t)v : 0;
}

bool
metrics_address(const char *s, struct sockaddr_storage *sa, socklen_t *len)
{
	struct sockaddr_in *v4 = (void *)sa;
	struct sockaddr_in6 *v6 = (void *)sa;
	const char *colon = strrchr(s, ':');
	char host[64];
	size_t n;

	if (colon == NULL || port_of(colon + 1) == 0)
		return false;
	n = (size_t)(colon - s);
	if (n == 0 || n >= sizeof(host))
		return false;
	memset(sa, 0, sizeof(*sa));
	memcpy(host, s, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port_of(colon + 1));
		*len = sizeof(*v6);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port_of(colon + 1));
	*len = sizeof(*v4);
	return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ?
	    "127.0.0.1" : host, &v4->sin_addr) == 1;
}
