/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox/jail/sysv.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>

#include <stddef.h>

void
sysv_here(struct sysv_home *h)
{
	struct stat st;

	h->known = stat("/proc/self/ns/ipc", &st) == 0;
	if (!h->known)
		return;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
}

bool
sysv_drop(const struct sysv_home *home)
{
	struct sysv_home here;
	struct shmid_ds shm;
	struct msqid_ds msg;
	struct seminfo sem;
	struct shm_info shm_all;
	struct msginfo msg_all;
	union {
		struct semid_ds *one;
		struct seminfo *all;
	} s = {.all = &sem};
	struct semid_ds one;
	int n, id;

	sysv_here(&here);
	if (!home->known || !here.known || (here.dev == home->dev &&
		here.ino == home->ino))
		return false;
	n = shmctl(0, SHM_INFO, (struct shmid_ds *)&shm_all);
	for (int i = 0; i <= n; i++)
		if ((id = shmctl(i, SHM_STAT, &shm)) >= 0)
			(void)shmctl(id, IPC_RMID, NULL);
	n = semctl(0, 0, SEM_INFO, s);
	s.one = &one;
	for (int i = 0; i <= n; i++)
		if ((id = semctl(i, 0, SEM_STAT, s)) >= 0)
			(void)semctl(id, 0, IPC_RMID, s);
	n = msgctl(0, MSG_INFO, (struct msqid_ds *)&msg_all);
	for (int i = 0; i <= n; i++)
		if ((id = msgctl(i, MSG_STAT, &msg)) >= 0)
			(void)msgctl(id, IPC_RMID, NULL);
	return true;
}
