/* What the runtime promises of threads, locks and pages; the exit value is the number of the first broken one. */

#include "kmigrate.h"

#define CHECK(number, right) \
    do \
        if (!(right)) \
            return number; \
    while (0)

static struct semaphore ready;
static struct mutex guard;
static int count;
static volatile kthread_t sleeper;

static void *twice(void *argument)
{
    return (void *)(2 * (int)argument);
}

static void *early(void *argument)
{
    kthread_exit(argument);
}

static void *add(void *argument)
{
    for (int i = 0; i < (int)argument; i++) {
        kmutex_lock(&guard);
        count++;
        kmutex_unlock(&guard);
        kthread_yield();
    }
    ksemaphore_up(&ready);
    return NULL;
}

static void *wait(void *argument)
{
    struct condition *condition = argument;
    kmutex_lock(&guard);
    count++;
    ksemaphore_up(&ready);
    kcond_wait(condition, &guard);
    count--;
    kmutex_unlock(&guard);
    return NULL;
}

static void *sleep(void *argument)
{
    sleeper = kthread_self();
    ksemaphore_up(&ready);
    return ksleep() < 0 ? NULL : argument;
}

static int threads(void)
{
    kthread_t a, b;
    void *value;
    CHECK(1, kthread_self() == LEADER_TID);
    CHECK(2, kthread_create(&a, twice, (void *)21) == 0 && a == LEADER_TID + 1);
    CHECK(3, kthread_join(a, &value) == 0 && (int)value == 42);
    CHECK(4, kthread_create(&b, early, (void *)7) == 0 && kthread_join(b, &value) == 0 && (int)value == 7);
    errno = 0;
    CHECK(5, kthread_create(&a, NULL, NULL) == -1 && errno == EINVAL);
    CHECK(6, kthread_join(LEADER_TID, NULL) == -1 && errno == EINVAL);
    CHECK(7, kwakeup(LEADER_TID) == -1 && errno == EAGAIN);
    return 0;
}

static int locks(void)
{
    struct mutexattr attribute;
    struct mutex strict;
    kthread_t thread;
    void *value;
    CHECK(11, !kmutex_init(&guard, NULL) && !ksemaphore_init(&ready, 0));
    for (int i = 1; i <= 3; i++)
        CHECK(12, !kthread_create(NULL, add, (void *)(i * 5)));
    for (int i = 0; i < 3; i++)
        CHECK(13, !ksemaphore_down(&ready));
    CHECK(14, count == 30);
    CHECK(15, ksemaphore_trydown(&ready) == -EINVAL);
    CHECK(16, !kmutex_trylock(&guard) && kmutex_trylock(&guard) == -EBUSY && !kmutex_unlock(&guard));
    CHECK(17, !kmutexattr_init(&attribute) && !kmutexattr_settype(&attribute, MUTEX_ERRORCHECK));
    CHECK(18, !kmutex_init(&strict, &attribute) && kmutex_unlock(&strict) == -EPERM);
    CHECK(19, !kmutex_lock(&strict) && kmutex_lock(&strict) == -EDEADLK);
    CHECK(20, !kthread_create(&thread, sleep, (void *)9) && !ksemaphore_down(&ready));
    while (kwakeup(sleeper) < 0)
        kthread_yield();
    CHECK(21, !kthread_join(thread, &value) && (int)value == 9);
    return 0;
}

static int conditions(void)
{
    struct condition condition;
    kthread_t waiting[3];
    count = 0;
    CHECK(51, !kcond_init(&condition) && kcond_wait(&condition, NULL) == -EINVAL);
    for (int i = 0; i < 3; i++)
        CHECK(52, !kthread_create(&waiting[i], wait, &condition) && !ksemaphore_down(&ready));
    kmutex_lock(&guard);
    CHECK(53, count == 3 && !kcond_signal(&condition) && !kcond_broadcast(&condition));
    kmutex_unlock(&guard);
    for (int i = 0; i < 3; i++)
        CHECK(54, !kthread_join(waiting[i], NULL));
    dcache_invalidate();
    CHECK(55, count == 0 && !kcond_destroy(&condition) && !kmutex_destroy(&guard) && !ksemaphore_destroy(&ready));
    return 0;
}

static int pages(void)
{
    volatile word *page = (volatile word *)(USER_BASE + PAGE_SIZE);
    CHECK(31, page_alloc((void *)page) == 0 && page_alloc((void *)page) == -EADDRINUSE);
    CHECK(32, page_alloc((byte *)page + 4) == -EINVAL && page_alloc((void *)0x1000) == -EFAULT);
    *page = 5;
    CHECK(33, *page == 5 && page[PAGE_SIZE / 4 - 1] == 0);
    CHECK(34, page_free((void *)page) == 0 && page_free((void *)page) == -EFAULT);
    return 0;
}

static int bytes(void)
{
    char text[12] = "abcdefghij";
    memmove(text + 2, text, 6);
    CHECK(41, !memcmp(text, "ababcdefij", 11) && strlen(text) == 10);
    memmove(text, text + 2, 6);
    CHECK(42, !memcmp(text, "abcdefefij", 11) && memcmp("a", "b", 1) < 0 && memcmp("b", "a", 1) > 0);
    memset(text, 'x', 3);
    memcpy(text + 3, "yz", 2);
    CHECK(43, !memcmp(text, "xxxyzfefij", 11));
    puts("text");
    put_decimal(-2147483647 - 1);
    puts("");
    put_decimal(0);
    put_hexadecimal(0xDEADBEEF);
    return 0;
}

int main(word argument)
{
    int failed = threads();
    if (!failed)
        failed = locks();
    if (!failed)
        failed = conditions();
    if (!failed)
        failed = pages();
    if (!failed)
        failed = bytes();
    return argument == 5 || failed ? failed : 99;
}
