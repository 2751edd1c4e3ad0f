/* What user programs may use. The numbers are those of kernel.h, which is made from the kernel's own tables. */

#ifndef KMIGRATE_H
#define KMIGRATE_H

#include "kernel.h"

typedef unsigned char byte;
typedef unsigned short half;
typedef unsigned int word;
typedef unsigned int size_t;
typedef int kthread_t;

#define NULL ((void *)0)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A variable that belongs to the cluster and not to the process: it stays when the process moves, and the process
   finds that of its new cluster (nanvix-facts 6). Volatile, since a move changes it behind the compiler's back. */
#define OF_CLUSTER __attribute__((section(".libnanvix.own"))) volatile

/* -- kernel calls ---------------------------------------------------------------------------------------- */

/* Up to five arguments; the result, or the negative number of an error. */
int kcall(int number, word a, word b, word c, word d, word e);

/* The last error of the functions that return -1: kthread_* and kwakeup. */
extern int errno;

/* -- threads --------------------------------------------------------------------------------------------- */

/* A process begins here, in its first thread; what it returns is that thread's exit value. */
int main(word argument);

int kthread_create(kthread_t *thread, void *(*routine)(void *), void *argument);
int kthread_join(kthread_t thread, void **value);
int kthread_yield(void);
kthread_t kthread_self(void);
_Noreturn void kthread_exit(void *value);
int ksleep(void);
int kwakeup(kthread_t thread);

/* -- locks ----------------------------------------------------------------------------------------------- */

struct mutexattr { int type; };
struct mutex { word words[MUTEX_SIZE / 4]; };
struct semaphore { word words[SEMAPHORE_SIZE / 4]; };
struct condition { word words[CONDITION_SIZE / 4]; };

int kmutexattr_init(struct mutexattr *attribute);
int kmutexattr_settype(struct mutexattr *attribute, int type);
int kmutex_init(struct mutex *mutex, struct mutexattr *attribute);
int kmutex_lock(struct mutex *mutex);
int kmutex_trylock(struct mutex *mutex);
int kmutex_unlock(struct mutex *mutex);
int kmutex_destroy(struct mutex *mutex);

int ksemaphore_init(struct semaphore *semaphore, int count);
int ksemaphore_up(struct semaphore *semaphore);
int ksemaphore_down(struct semaphore *semaphore);
int ksemaphore_trydown(struct semaphore *semaphore);
int ksemaphore_destroy(struct semaphore *semaphore);

int kcond_init(struct condition *condition);
int kcond_wait(struct condition *condition, struct mutex *mutex);
int kcond_signal(struct condition *condition);
int kcond_broadcast(struct condition *condition);
int kcond_destroy(struct condition *condition);

/* -- signals and exceptions ------------------------------------------------------------------------------ */

/* Signals are 0 to SIGNALS - 1. A handler interrupts its thread; NULL takes it away. */
struct ksigaction { void (*handler)(int signal); };

int ksigctl(int signal, struct ksigaction *action);
int ksigsend(int signal, kthread_t thread);
/* Sleep until the signal comes; one that came before is taken at once. */
int ksigwait(int signal);

/* Have SIGNAL_ALARM sent to the caller in so many seconds; 0: not any more. */
int kalarm(int seconds);

/* What an exception was about: its number, an address, and where the instruction stands. */
struct exception { word number, address, instruction; };

/* EXCEPTION_IGNORE passes over the instruction; with EXCEPTION_HANDLE the thread sleeps until another has paused
   for it and resumes it. */
int kexcp_control(int exception, int action);
int kexcp_pause(struct exception *exception);
int kexcp_resume(void);

/* -- performance ----------------------------------------------------------------------------------------- */

/* Events: PERF_STEPS and PERF_CALLS. */
int kperf_query(int event);
int kperf_start(int event);
int kperf_stop(int event);
int kperf_read(int event);

/* -- tasks ----------------------------------------------------------------------------------------------- */

/* What a task does. It runs on the dispatcher and cannot sleep: of the local calls it has those that never do, and
   all remote ones. */
typedef int (*ktask_function)(word a, word b, word c, word d, word e);

/* A new task's id, 1 and more. Priority: TASK_LOW or TASK_HIGH. Period: ticks of a periodic task. Release: the
   endings that wake those who wait for it, 0 for the usual ones. */
int ktask_create(ktask_function function, int priority, int period, int release);
int ktask_unlink(int task);

/* Kind: TASK_DEPENDENCY waits for all its parents, else any of them lets the child go; TASK_TEMPORARY is gone once
   it was used. Triggers: the endings of the parent on which the edge is used, 0 for the usual ones. */
int ktask_connect(int parent, int child, int kind, int triggers);
int ktask_disconnect(int parent, int child);

/* Arguments that are not given are 0. */
int ktask_dispatch(int task, word a, word b, word c, word d);
int ktask_emit(int task, int core, word a, word b, word c);

/* The value of the task's run, negative ones included. */
int ktask_wait(int task);

/* The task that is running, 0 outside of one; what is known of a task: TASK_GET_STATE and so on. */
int ktask_current(void);
int ktask_get(int task, int what);

/* Say how the running task is to end: TRIGGER_USER0 and so on; it goes on, and a later word replaces this one. The
   tasks that follow keep their arguments, or get these. */
int ktask_exit(int management);
int ktask_exit_with(int management, word a, word b, word c);

/* -- names ----------------------------------------------------------------------------------------------- */

/* Give this process a name of 1 to 32 characters. */
int kname_link(const char *name);

/* Where the process with a name is, and how often it has moved; each may be NULL. */
int kname_lookup(const char *name, int *node, int *epoch);

/* -- memory ---------------------------------------------------------------------------------------------- */

int page_alloc(void *address);
int page_free(void *address);

/* Forget what this core's data cache holds, so that it sees what other cores have written. */
static inline void dcache_invalidate(void)
{
    __asm__ volatile("fence rw, rw" ::: "memory");
}

/* -- cluster --------------------------------------------------------------------------------------------- */

int knode_get_num(void);

/* Cycles, modulo 2**31. */
int kclock(void);

/* Move this process to another node. 0 where it has arrived; in the published system also on the node that it
   has left, where a copy goes on. */
int kmigrate_to(int node);

/* -- messages -------------------------------------------------------------------------------------------- */

/* Ids are 0 and more. The reads and writes return the number of bytes when all of them are there or gone. */

int ksync_create(const int *nodes, int count, int type);
int ksync_open(const int *nodes, int count, int type);
int ksync_unlink(int sync);
int ksync_close(int sync);
int ksync_signal(int sync);
int ksync_wait(int sync);

int kmailbox_create(int node, int port);
int kmailbox_open(int node, int port);
int kmailbox_unlink(int mailbox);
int kmailbox_close(int mailbox);
/* The receiver's port, on either side. The sender's own, which a receiver names to choose it, is the first that is
   free: 0 for the first communicator opened to a node. */
int kmailbox_get_port(int mailbox);
int kmailbox_set_remote(int mailbox, int node, int port);
int kmailbox_read(int mailbox, void *buffer, int size);
int kmailbox_write(int mailbox, const void *buffer, int size);

int kportal_create(int node, int port);
int kportal_open(int node, int remote, int port);
int kportal_unlink(int portal);
int kportal_close(int portal);
int kportal_get_port(int portal);
int kportal_allow(int portal, int remote, int port);
int kportal_read(int portal, void *buffer, int size);
int kportal_write(int portal, const void *buffer, int size);

/* -- ulibc ----------------------------------------------------------------------------------------------- */

void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

/* These write to the console, which is a ring of bytes in the cluster's memory. */
int puts(const char *text);
void put_decimal(int number);
void put_hexadecimal(word number);

#endif
