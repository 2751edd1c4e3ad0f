/* Threads. The kernel starts a thread at its routine with the argument in a0; a return from there ends it with the
   value that it returns. */

#include "kmigrate.h"

int errno;

static int checked(int result)
{
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

int kthread_create(kthread_t *thread, void *(*routine)(void *), void *argument)
{
    return checked(kcall(KCALL_THREAD_CREATE, (word)thread, (word)routine, (word)argument, 0, 0));
}

int kthread_join(kthread_t thread, void **value)
{
    return checked(kcall(KCALL_THREAD_JOIN, (word)thread, (word)value, 0, 0, 0));
}

int kthread_yield(void)
{
    return checked(kcall(KCALL_THREAD_YIELD, 0, 0, 0, 0, 0));
}

kthread_t kthread_self(void)
{
    return kcall(KCALL_THREAD_GET_ID, 0, 0, 0, 0, 0);
}

_Noreturn void kthread_exit(void *value)
{
    for (;;)
        kcall(KCALL_THREAD_EXIT, (word)value, 0, 0, 0, 0);
}

int ksleep(void)
{
    return checked(kcall(KCALL_SLEEP, 0, 0, 0, 0, 0));
}

int kwakeup(kthread_t thread)
{
    return checked(kcall(KCALL_WAKEUP, (word)thread, 0, 0, 0, 0));
}
