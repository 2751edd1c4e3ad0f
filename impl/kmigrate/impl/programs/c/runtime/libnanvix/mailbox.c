/* Mailboxes: messages of at most MAILBOX_MESSAGE_SIZE bytes. Reads and writes are carried out by the dispatcher,
   which tries again what is refused for the moment, while the caller sleeps (nanvix-facts 2.5). */

#include "kmigrate.h"

int kmailbox_create(int node, int port)
{
    return kcall(KCALL_MAILBOX_CREATE, (word)node, (word)port, 0, 0, 0);
}

int kmailbox_open(int node, int port)
{
    return kcall(KCALL_MAILBOX_OPEN, (word)node, (word)port, 0, 0, 0);
}

int kmailbox_unlink(int mailbox)
{
    return kcall(KCALL_MAILBOX_UNLINK, (word)mailbox, 0, 0, 0, 0);
}

int kmailbox_close(int mailbox)
{
    return kcall(KCALL_MAILBOX_CLOSE, (word)mailbox, 0, 0, 0, 0);
}

int kmailbox_get_port(int mailbox)
{
    return kcall(KCALL_MAILBOX_GET_PORT, (word)mailbox, 0, 0, 0, 0);
}

int kmailbox_set_remote(int mailbox, int node, int port)
{
    return kcall(KCALL_MAILBOX_SET_REMOTE, (word)mailbox, (word)node, (word)port, 0, 0);
}

int kmailbox_read(int mailbox, void *buffer, int size)
{
    int result = kcall(KCALL_MAILBOX_READ, (word)mailbox, (word)buffer, (word)size, 0, 0);
    dcache_invalidate();
    return result;
}

int kmailbox_write(int mailbox, const void *buffer, int size)
{
    return kcall(KCALL_MAILBOX_WRITE, (word)mailbox, (word)buffer, (word)size, 0, 0);
}
