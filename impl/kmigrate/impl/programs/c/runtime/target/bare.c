/* A process on a core without a kernel. A thread runs to its end while it is created, so that programs whose
   threads do not wait for each other come out as on a cluster. When main returns or a thread calls kthread_exit,
   1 is stored to `tohost` for the value 0, else twice the value plus 1, as the public RISC-V tests do. */

#include "kmigrate.h"

extern byte __KERNEL_BSS_START[], __KERNEL_BSS_END[];

_Noreturn void __process(word argument);

/* Not in bss: whoever watches it must not see it cleared. */
__attribute__((section(".data.tohost"))) volatile word tohost;

static word values[THREAD_MAX];
static word created;

/* The argument is what the core has in a0: 0 unless somebody has set it. */
__attribute__((naked)) void _start(void)
{
    __asm__("la sp, __STACK_END\n"
            "j __begin");
}

_Noreturn void __begin(word argument)
{
    memset(__KERNEL_BSS_START, 0, (size_t)(__KERNEL_BSS_END - __KERNEL_BSS_START));
    __process(argument);
}

static int create(kthread_t *thread, void *(*routine)(void *), void *argument)
{
    word slot = created;
    if (!routine)
        return -EINVAL;
    if (slot == THREAD_MAX - 1)
        return -EAGAIN;
    created++;
    if (thread)
        *thread = LEADER_TID + 1 + (int)slot;
    values[slot] = (word)routine(argument);
    return 0;
}

static int join(int thread, word *value)
{
    int slot = thread - LEADER_TID - 1;
    if (slot < 0 || (word)slot >= created)
        return -EINVAL;
    if (value)
        *value = values[slot];
    return 0;
}

int kcall(int number, word a, word b, word c, word d, word e)
{
    (void)d;
    (void)e;
    switch (number) {
    case KCALL_THREAD_CREATE:
        return create((kthread_t *)a, (void *(*)(void *))b, (void *)c);
    case KCALL_THREAD_JOIN:
        return join((int)a, (word *)b);
    case KCALL_THREAD_EXIT:
        tohost = a << 1 | 1;
        for (;;)
            ;
    case KCALL_THREAD_GET_ID:
        return LEADER_TID;
    case KCALL_THREAD_YIELD:
    case KCALL_MUTEX_INIT:
    case KCALL_MUTEX_LOCK:
    case KCALL_MUTEX_UNLOCK:
    case KCALL_MUTEX_DESTROY:
        return 0;
    default:
        return -ENOSYS;
    }
}
