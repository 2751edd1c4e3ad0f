/* The node, its clock and its pages. */

#include "kmigrate.h"

int page_alloc(void *address)
{
    return kcall(KCALL_PAGE_ALLOC, (word)address, 0, 0, 0, 0);
}

int page_free(void *address)
{
    return kcall(KCALL_PAGE_FREE, (word)address, 0, 0, 0, 0);
}

int knode_get_num(void)
{
    return kcall(KCALL_NODE_GET_NUM, 0, 0, 0, 0, 0);
}

int kclock(void)
{
    return kcall(KCALL_CLOCK, 0, 0, 0, 0, 0);
}
