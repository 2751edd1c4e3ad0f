/* Logical names of processes, which the name service turns into nodes. */

#include "kmigrate.h"

int kname_link(const char *name)
{
    return kcall(KCALL_NAME_LINK, (word)name, 0, 0, 0, 0);
}

int kname_lookup(const char *name, int *node, int *epoch)
{
    int result = kcall(KCALL_NAME_LOOKUP, (word)name, (word)node, (word)epoch, 0, 0);
    dcache_invalidate();
    return result;
}
