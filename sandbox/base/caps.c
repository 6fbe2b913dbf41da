/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/base/caps.h"

#include <sys/prctl.h>

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "sandbox/base/sys.h"

static int
set_caps(uint64_t eff, uint64_t inh)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct d[2];

	for (int i = 0; i < 2; i++) {
		d[i].effective = d[i].permitted = (uint32_t)(eff >> 32 * i);
		d[i].inheritable = (uint32_t)(inh >> 32 * i);
	}
	return (int)syscall(SYS_capset, &h, d);
}

void
caps_drop_bounding(uint64_t keep)
{
	int has;

	/* -1 ends the list; asking is cheaper than dropping what is gone */
	for (unsigned c = 0; c < 64; c++) {
		if ((has = prctl(PR_CAPBSET_READ, c, 0, 0, 0)) < 0)
			break;
		if (has == 1 && (keep >> c & 1) == 0)
			(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	}
}

int
caps_drop_all(void)
{
	caps_drop_bounding(0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_caps(0, 0);
}

int
caps_keep(uint64_t bits)
{
	caps_drop_bounding(bits);
	if (set_caps(bits, bits) < 0)
		return -1;
	for (unsigned c = 0; c < 64; c++)
		if ((bits >> c & 1) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
			return -1;
	return 0;
}

int
no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
