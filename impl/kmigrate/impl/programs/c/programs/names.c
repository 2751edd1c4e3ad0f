/* A client finds a server by its name, wherever that is, and sends it numbers.

   Argument: 0: the server; else the client, with as many numbers. Exit value: 0, else the step that has failed. */

#include "kmigrate.h"

#define PORT 5
#define NAME "server.of.numbers"

static int serve(void)
{
    word number, sum = 0, expected = 0;
    int inbox = kmailbox_create(knode_get_num(), PORT);
    if (inbox < 0 || kname_link(NAME) < 0)
        return 1;
    do {
        if (kmailbox_read(inbox, &number, sizeof number) != sizeof number)
            return 2;
        sum += number;
        expected++;
    } while (number);
    return sum == expected * (expected - 1) / 2 && kmailbox_unlink(inbox) == 0 ? 0 : 3;
}

static int ask(word numbers)
{
    int node, epoch, outbox;
    while (kname_lookup(NAME, &node, &epoch) == -ENOENT)
        kthread_yield();
    if (kname_lookup("nobody", NULL, NULL) != -ENOENT || kname_lookup("", NULL, NULL) != -EINVAL || epoch < 1)
        return 4;
    outbox = kmailbox_open(node, PORT);
    if (outbox < 0)
        return 5;
    do {
        word number = numbers;
        if (kmailbox_write(outbox, &number, sizeof number) != sizeof number)
            return 6;
    } while (numbers--);
    return kmailbox_close(outbox) < 0 ? 7 : 0;
}

int main(word argument)
{
    return argument ? ask(argument) : serve();
}
