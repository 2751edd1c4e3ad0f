/* A producer and a consumer over a mailbox: numbered messages of full size, each with its checksum.

   Argument: the consumer's node in the lowest byte, the producer's in the next; the same for both, or 0: the own
   node has both, a thread each. Exit value: 0, else what has failed. */

#include "kmigrate.h"

#define MESSAGES 32
#define PORT 5

struct message { word number, sum; byte text[MAILBOX_MESSAGE_SIZE - 8]; };

volatile int received;

static int here;

static word sum_of(const struct message *message)
{
    word sum = message->number;
    for (size_t i = 0; i < sizeof message->text; i++)
        sum = sum * 31 + message->text[i];
    return sum;
}

static void *produce(void *argument)
{
    struct message message;
    int outbox = kmailbox_open((int)argument, PORT);
    if (outbox < 0)
        return (void *)1;
    for (word n = 0; n < MESSAGES; n++) {
        message.number = n;
        for (size_t i = 0; i < sizeof message.text; i++)
            message.text[i] = (byte)(n * 7 + i);
        message.sum = sum_of(&message);
        if (kmailbox_write(outbox, &message, sizeof message) != sizeof message)
            return (void *)2;
    }
    return kmailbox_close(outbox) < 0 ? (void *)3 : NULL;
}

static int consume(int inbox)
{
    struct message message;
    for (word n = 0; n < MESSAGES; n++) {
        if (kmailbox_read(inbox, &message, sizeof message) != sizeof message)
            return 4;
        if (message.number != n || message.sum != sum_of(&message))
            return 5;
        received++;
    }
    return kmailbox_unlink(inbox) < 0 ? 6 : 0;
}

int main(word argument)
{
    int consumer = argument & 255, producer = argument >> 8 & 255, inbox, failed;
    kthread_t thread;
    void *value = NULL;
    here = knode_get_num();
    if (!argument)
        consumer = producer = here;
    if (here != consumer)
        return (int)produce((void *)consumer);
    inbox = kmailbox_create(here, PORT);
    if (inbox < 0)
        return 7;
    if (producer == here && kthread_create(&thread, produce, (void *)here) < 0)
        return 8;
    failed = consume(inbox);
    if (producer == here && kthread_join(thread, &value) < 0)
        return 9;
    return failed ? failed : (int)value;
}
