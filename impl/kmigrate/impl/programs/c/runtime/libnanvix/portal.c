/* Portals: up to PORTAL_MAX_SIZE bytes in pieces, each of which the reader must allow. The reader's first allow is
   a call of its own, so it reads piece by piece here; writes are carried out by the dispatcher. What is to be tried
   again: nanvix-facts 2.5. */

#include "kmigrate.h"

/* Whom the last allow of each portal named: the pieces after the first are allowed here. */
static struct { int remote, port; } allowed[PORTAL_MAX];

int kportal_create(int node, int port)
{
    return kcall(KCALL_PORTAL_CREATE, (word)node, (word)port, 0, 0, 0);
}

int kportal_open(int node, int remote, int port)
{
    return kcall(KCALL_PORTAL_OPEN, (word)node, (word)remote, (word)port, 0, 0);
}

int kportal_unlink(int portal)
{
    return kcall(KCALL_PORTAL_UNLINK, (word)portal, 0, 0, 0, 0);
}

int kportal_close(int portal)
{
    return kcall(KCALL_PORTAL_CLOSE, (word)portal, 0, 0, 0, 0);
}

int kportal_get_port(int portal)
{
    return kcall(KCALL_PORTAL_GET_PORT, (word)portal, 0, 0, 0, 0);
}

int kportal_allow(int portal, int remote, int port)
{
    int result = kcall(KCALL_PORTAL_ALLOW, (word)portal, (word)remote, (word)port, 0, 0);
    if (result >= 0) {
        allowed[portal].remote = remote;
        allowed[portal].port = port;
    }
    return result;
}

static int read_piece(int portal, byte *buffer, int size)
{
    int result;
    do {
        do
            result = kcall(KCALL_PORTAL_AREAD, (word)portal, (word)buffer, (word)size, 0, 0);
        while (result == -EBUSY || result == -ENOMSG);
        if (result < 0)
            return result;
        result = kcall(KCALL_PORTAL_WAIT, (word)portal, 0, 0, 0, 0);
    } while (result == WAIT_AGAIN);
    return result;
}

int kportal_read(int portal, void *buffer, int size)
{
    if (size < 1 || size > PORTAL_MAX_SIZE)
        return -EINVAL;
    for (int done = 0; done < size; done += PORTAL_PIECE_SIZE) {
        int left = size - done, piece = left < PORTAL_PIECE_SIZE ? left : PORTAL_PIECE_SIZE;
        int result = done ? kportal_allow(portal, allowed[portal].remote, allowed[portal].port) : 0;
        if (result >= 0)
            result = read_piece(portal, buffer ? (byte *)buffer + done : NULL, piece);
        if (result < 0)
            return result;
    }
    dcache_invalidate();
    return size;
}

int kportal_write(int portal, const void *buffer, int size)
{
    return kcall(KCALL_PORTAL_WRITE, (word)portal, (word)buffer, (word)size, 0, 0);
}
