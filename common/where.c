/* SPDX-License-Identifier: BSD-2-Clause */
#include "common/where.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *
where_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home != NULL && home[0] == '/')
		return home;
	pw = getpwuid(geteuid());
	return pw != NULL ? pw->pw_dir : NULL;
}

static bool
has_config(const char *dir)
{
	char path[4200];
	struct stat st;

	return (size_t)snprintf(path, sizeof(path), "%s/config", dir) <
	    sizeof(path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool
where_config(char *out, size_t cap)
{
	const char *home = where_home();

	if (has_config("/etc/reticulum"))
		return (size_t)snprintf(out, cap, "/etc/reticulum") < cap;
	if (home == NULL ||
	    (size_t)snprintf(out, cap, "%s/.config/reticulum", home) >= cap)
		return false;
	if (has_config(out))
		return true;
	return (size_t)snprintf(out, cap, "%s/.reticulum", home) < cap;
}

bool
where_person(char *out, size_t cap)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = where_home();

	if (xdg != NULL && xdg[0] == '/')
		return (size_t)snprintf(out, cap, "%s/warren", xdg) < cap;
	return home != NULL &&
	    (size_t)snprintf(out, cap, "%s/.config/warren", home) < cap;
}

const char *
where_certificates(unsigned i)
{
	static const char *const bundles[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Alpine */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
		"/etc/ssl/ca-bundle.pem",	      /* SUSE */
		"/etc/ssl/cert.pem",		      /* OpenWrt, the BSDs */
	};

	return i < sizeof(bundles) / sizeof(bundles[0]) ? bundles[i] : NULL;
}
