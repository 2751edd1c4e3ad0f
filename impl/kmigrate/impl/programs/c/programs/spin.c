/* Threads that count for ever, each in a word of its own.

   Argument: how many threads besides the first. It never ends. */

#include "kmigrate.h"

volatile word counts[THREAD_MAX];

static void *count(void *own)
{
    volatile word *counter = own;
    for (;;)
        ++*counter;
    return NULL;
}

int main(word argument)
{
    for (word i = 0; i < argument && i + 1 < THREAD_MAX; i++)
        if (kthread_create(NULL, count, (void *)&counts[i + 1]) < 0)
            return 1;
    count((void *)&counts[0]);
    return 0;
}
