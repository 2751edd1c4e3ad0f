/* Mutexes, semaphores and condition variables. RV32IM has no atomic instructions, so the kernel's local calls keep
   them; their waiting threads sleep and are woken as with ksleep and kwakeup. */

#include "kmigrate.h"

int kmutexattr_init(struct mutexattr *attribute)
{
    return kcall(KCALL_MUTEXATTR_INIT, (word)attribute, 0, 0, 0, 0);
}

int kmutexattr_settype(struct mutexattr *attribute, int type)
{
    return kcall(KCALL_MUTEXATTR_SETTYPE, (word)attribute, (word)type, 0, 0, 0);
}

int kmutex_init(struct mutex *mutex, struct mutexattr *attribute)
{
    return kcall(KCALL_MUTEX_INIT, (word)mutex, (word)attribute, 0, 0, 0);
}

/* Who holds a lock sees what the holder before it has written: each core has a cache of its own. */
static int held(int result)
{
    dcache_invalidate();
    return result;
}

int kmutex_lock(struct mutex *mutex)
{
    return held(kcall(KCALL_MUTEX_LOCK, (word)mutex, 0, 0, 0, 0));
}

int kmutex_trylock(struct mutex *mutex)
{
    return held(kcall(KCALL_MUTEX_TRYLOCK, (word)mutex, 0, 0, 0, 0));
}

int kmutex_unlock(struct mutex *mutex)
{
    return kcall(KCALL_MUTEX_UNLOCK, (word)mutex, 0, 0, 0, 0);
}

int kmutex_destroy(struct mutex *mutex)
{
    return kcall(KCALL_MUTEX_DESTROY, (word)mutex, 0, 0, 0, 0);
}

int ksemaphore_init(struct semaphore *semaphore, int count)
{
    return kcall(KCALL_SEMAPHORE_INIT, (word)semaphore, (word)count, 0, 0, 0);
}

int ksemaphore_up(struct semaphore *semaphore)
{
    return kcall(KCALL_SEMAPHORE_UP, (word)semaphore, 0, 0, 0, 0);
}

int ksemaphore_down(struct semaphore *semaphore)
{
    return held(kcall(KCALL_SEMAPHORE_DOWN, (word)semaphore, 0, 0, 0, 0));
}

int ksemaphore_trydown(struct semaphore *semaphore)
{
    return held(kcall(KCALL_SEMAPHORE_TRYDOWN, (word)semaphore, 0, 0, 0, 0));
}

int ksemaphore_destroy(struct semaphore *semaphore)
{
    return kcall(KCALL_SEMAPHORE_DESTROY, (word)semaphore, 0, 0, 0, 0);
}

int kcond_init(struct condition *condition)
{
    return kcall(KCALL_CONDITION_INIT, (word)condition, 0, 0, 0, 0);
}

int kcond_wait(struct condition *condition, struct mutex *mutex)
{
    return held(kcall(KCALL_CONDITION_WAIT, (word)condition, (word)mutex, 0, 0, 0));
}

int kcond_signal(struct condition *condition)
{
    return kcall(KCALL_CONDITION_SIGNAL, (word)condition, 0, 0, 0, 0);
}

int kcond_broadcast(struct condition *condition)
{
    return kcall(KCALL_CONDITION_BROADCAST, (word)condition, 0, 0, 0, 0);
}

int kcond_destroy(struct condition *condition)
{
    return kcall(KCALL_CONDITION_DESTROY, (word)condition, 0, 0, 0, 0);
}
