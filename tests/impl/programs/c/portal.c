/* More than two pieces through a portal from node 8 to node 9, announced by a message that says from which port. */

#include "kmigrate.h"

#define BYTES 10000
#define BASE ((byte *)USER_BASE)

static int pages(void)
{
    for (int i = 0; i < BYTES; i += PAGE_SIZE)
        if (page_alloc(BASE + i) < 0)
            return -1;
    return 0;
}

static int send(void)
{
    int portal = kportal_open(8, 9, 3), mailbox = kmailbox_open(9, 4), port = 0;
    for (int i = 0; i < BYTES; i++)
        BASE[i] = (byte)(i * 7 + i / 256);
    if (kmailbox_write(mailbox, &port, sizeof port) != sizeof port)
        return 2;
    if (kportal_write(portal, BASE, BYTES) != BYTES)
        return 3;
    return kportal_close(portal) || kmailbox_close(mailbox) ? 4 : 0;
}

static int receive(void)
{
    int portal = kportal_create(9, 3), mailbox = kmailbox_create(9, 4), port = -1;
    if (kmailbox_get_port(mailbox) != 4 || kportal_get_port(portal) != 3)
        return 5;
    if (kmailbox_read(mailbox, &port, sizeof port) != sizeof port)
        return 6;
    if (kportal_read(portal, BASE, BYTES) != -EACCES || kportal_read(portal, BASE, 0) != -EINVAL)
        return 7;
    if (kportal_allow(portal, 8, port) || kportal_allow(portal, 8, port) != -EBUSY)
        return 8;
    if (kportal_read(portal, BASE, BYTES) != BYTES)
        return 9;
    for (int i = 0; i < BYTES; i++)
        if (BASE[i] != (byte)(i * 7 + i / 256))
            return 10;
    return kportal_unlink(portal) || kmailbox_unlink(mailbox) ? 11 : 0;
}

int main(word argument)
{
    (void)argument;
    if (pages() < 0)
        return 1;
    return knode_get_num() == 8 ? send() : receive();
}
