/* SPDX-License-Identifier: BSD-2-Clause */
#include "transport/engine/seats.h"

/* Whom nobody can tell apart, nobody can share among. */
static bool
has_share(uid_t uid)
{
	return uid != 0 && uid != (uid_t)-1;
}

static size_t
of_user(const struct seat *s, size_t n, uid_t uid)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i].uid == uid;
	return count;
}

static size_t
of_process(const struct seat *s, size_t n, const struct seat *one)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i].uid == one->uid && s[i].pid == one->pid;
	return count;
}

/*
 * The oldest silent one of the process that has the most places; of one user,
 * or of all. false: everybody has spoken.
 */
static bool
who_goes(const struct seat *s, size_t n, bool one_user, uid_t uid, size_t *out)
{
	size_t most = 0, count;

	for (size_t i = 0; i < n; i++) {
		if (s[i].heard || (one_user && s[i].uid != uid))
			continue;
		count = of_process(s, n, &s[i]);
		if (count > most) {
			most = count;
			*out = i;
		}
	}
	return most > 0;
}

enum seats_say
seats_ask(const struct seat *s, size_t n, uid_t uid, size_t *out)
{
	if (has_share(uid) && of_user(s, n, uid) >= SEATS_UID_MAX)
		return who_goes(s, n, true, uid, out) ? SEATS_SWAP :
		    SEATS_SHARE;
	if (n < SEATS_MAX)
		return SEATS_TAKE;
	return who_goes(s, n, false, 0, out) ? SEATS_SWAP : SEATS_FULL;
}
