/* Producers and one consumer over a small buffer, guarded by a mutex and two condition variables.

   Argument: how many numbers each producer makes; 0 for 64. Exit value: 0, else what has failed. */

#include "kmigrate.h"

#define PRODUCERS 3
#define ROOM 5
#define USUAL 64

static struct mutex guard;
static struct condition filled, emptied;
static int numbers[ROOM], first, held;
static int each;

volatile int consumed;
volatile int total;

static void *produce(void *argument)
{
    int which = (int)argument;
    for (int i = 0; i < each; i++) {
        kmutex_lock(&guard);
        while (held == ROOM)
            kcond_wait(&emptied, &guard);
        numbers[(first + held++) % ROOM] = which * each + i;
        kcond_signal(&filled);
        kmutex_unlock(&guard);
    }
    return NULL;
}

static void consume(void)
{
    kmutex_lock(&guard);
    while (!held)
        kcond_wait(&filled, &guard);
    total += numbers[first];
    first = (first + 1) % ROOM;
    held--;
    consumed++;
    kcond_signal(&emptied);
    kmutex_unlock(&guard);
}

int main(word argument)
{
    kthread_t producers[PRODUCERS];
    int all;
    each = argument ? (int)argument : USUAL;
    all = PRODUCERS * each;
    if (kmutex_init(&guard, NULL) < 0 || kcond_init(&filled) < 0 || kcond_init(&emptied) < 0)
        return 1;
    for (int i = 0; i < PRODUCERS; i++)
        if (kthread_create(&producers[i], produce, (void *)i) < 0)
            return 2;
    while (consumed < all)
        consume();
    for (int i = 0; i < PRODUCERS; i++)
        if (kthread_join(producers[i], NULL) < 0)
            return 3;
    return total == all * (all - 1) / 2 ? 0 : 4;
}
