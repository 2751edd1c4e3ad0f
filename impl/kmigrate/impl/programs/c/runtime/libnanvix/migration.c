/* Leaving the node. */

#include "kmigrate.h"

/* What the migration daemon of this cluster writes here when it comes up, and while it works.
   task     id of its task that begins a migration; -1 without a daemon
   waits    0: published, the caller freezes its cluster; 1: the caller asks until it is elsewhere or refused
   outcome  of the last request: MIGRATION_UNDECIDED, or the negative number of an error */
struct migration { int task; int waits; int outcome; };
volatile struct migration kmigration = {-1, 0, 0};

int kmigrate_to(int node)
{
    int here, result;
    if (kmigration.task >= 0 && !kmigration.waits)
        return kcall(KCALL_MIGRATE_TO, (word)node, 0, 0, 0, 0);
    here = knode_get_num();
    if (node < 0 || node >= NODES_NUM || node == here)
        return -EINVAL;
    dcache_invalidate();
    if (kmigration.task < 0)
        return -ENOSYS;
    kmigration.outcome = MIGRATION_UNDECIDED;
    result = kcall(KCALL_TASK_DISPATCH, (word)kmigration.task, (word)node, 0, 0, 0);
    if (result < 0)
        return result;
    while (knode_get_num() == here) {
        dcache_invalidate();
        if (kmigration.outcome < 0)
            return kmigration.outcome;
        kthread_yield();
    }
    return 0;
}
