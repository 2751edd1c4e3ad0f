/* Syncs. */

#include "kmigrate.h"

int ksync_create(const int *nodes, int count, int type)
{
    return kcall(KCALL_SYNC_CREATE, (word)nodes, (word)count, (word)type, 0, 0);
}

int ksync_open(const int *nodes, int count, int type)
{
    return kcall(KCALL_SYNC_OPEN, (word)nodes, (word)count, (word)type, 0, 0);
}

int ksync_unlink(int sync)
{
    return kcall(KCALL_SYNC_UNLINK, (word)sync, 0, 0, 0, 0);
}

int ksync_close(int sync)
{
    return kcall(KCALL_SYNC_CLOSE, (word)sync, 0, 0, 0, 0);
}

/* A target that has not acknowledged the last signal is asked again (nanvix-facts 2.2). */
int ksync_signal(int sync)
{
    int result;
    do
        result = kcall(KCALL_SYNC_SIGNAL, (word)sync, 0, 0, 0, 0);
    while (result == -EAGAIN);
    return result;
}

/* The core is given away once even if the signal is there already. That is fitted: with it the experiments wait for
   as many quanta as were measured. */
int ksync_wait(int sync)
{
    kcall(KCALL_THREAD_YIELD, 0, 0, 0, 0, 0);
    return kcall(KCALL_SYNC_WAIT, (word)sync, 0, 0, 0, 0);
}
