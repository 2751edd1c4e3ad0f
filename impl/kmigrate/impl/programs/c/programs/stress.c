/* The experiment on threads: as many as there is room for are created and joined, again and again.

   Argument: how often; 0: 100 times. Exit value: 0, else what has failed.
   Source: thesis 5; nanvix-facts 8.1. */

#include "kmigrate.h"

#define OFTEN 100

static kthread_t threads[THREAD_MAX - 1];

static void *work(void *argument)
{
    return argument;
}

int main(word argument)
{
    word rounds = argument ? argument : OFTEN;
    for (word round = 0; round < rounds; round++) {
        for (int i = 0; i < THREAD_MAX - 1; i++)
            if (kthread_create(&threads[i], work, (void *)(round + (word)i + 1)) < 0)
                return 1;
        for (int i = 0; i < THREAD_MAX - 1; i++) {
            void *value = NULL;
            if (kthread_join(threads[i], &value) < 0)
                return 2;
            if ((word)value != round + (word)i + 1)
                return 3;
        }
    }
    return 0;
}
