/* Threads signal each other; an alarm ends the wait for it; a thread mends the page fault of another.

   Argument: signals of each thread; 0: 5. Exit value: 0, else the step that has failed. */

#include "kmigrate.h"

#define PING 3
#define PONG 4
#define PAGE_FAULT_STORE 15

static volatile int pings, faults;
static kthread_t first;

static void on_ping(int signal)
{
    pings += signal == PING;
}

static void *pong(void *argument)
{
    for (int i = 0; i < (int)argument; i++)
        if (ksigwait(PONG) < 0 || ksigsend(PING, first) < 0)
            return (void *)1;
    return NULL;
}

static void *mend(void *argument)
{
    struct exception exception;
    (void)argument;
    if (kexcp_pause(&exception) < 0 || exception.number != PAGE_FAULT_STORE || exception.address != USER_BASE + 8)
        return (void *)1;
    faults++;
    return (void *)(page_alloc((void *)USER_BASE) < 0 || kexcp_resume() < 0);
}

int main(word argument)
{
    struct ksigaction action = {on_ping}, none = {NULL};
    int rounds = argument ? (int)argument : 5, before;
    kthread_t other;
    void *failed;

    first = kthread_self();
    if (ksigctl(PING, &action) < 0 || ksigctl(SIGNALS, &action) != -EINVAL || ksigctl(PING, NULL) != -EINVAL)
        return 1;
    if (kthread_create(&other, pong, (void *)rounds) < 0)
        return 2;
    for (int i = 0; i < rounds; i++) {
        if (ksigsend(PONG, other) < 0)
            return 3;
        while (pings <= i)
            dcache_invalidate();
    }
    if (kthread_join(other, &failed) < 0 || failed || pings != rounds || ksigctl(PING, &none) < 0)
        return 4;

    before = kclock();
    if (kalarm(-1) != -EINVAL || kalarm(1) < 0 || ksigwait(SIGNAL_ALARM) < 0)
        return 5;
    put_decimal((int)((word)(kclock() - before) & 0x7FFFFFFF) / 1000000);
    puts(" million cycles");

    if (kexcp_control(PAGE_FAULT_STORE, EXCEPTION_HANDLE) < 0 || kthread_create(&other, mend, NULL) < 0)
        return 6;
    *(volatile word *)(USER_BASE + 8) = 7;
    if (kthread_join(other, &failed) < 0 || failed || *(volatile word *)(USER_BASE + 8) != 7)
        return 7;
    dcache_invalidate();
    return faults == 1 ? 0 : 8;
}
