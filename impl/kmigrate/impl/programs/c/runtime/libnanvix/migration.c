/* Leaving the node. */

#include "kmigrate.h"

/* The kernel hands the call to the migration daemon of its cluster: 0 where the process goes on, or the negative
   number of an error where it has stayed; ENOSYS without a daemon. */
int kmigrate_to(int node)
{
    dcache_invalidate();
    return kcall(KCALL_MIGRATE_TO, (word)node, 0, 0, 0, 0);
}
