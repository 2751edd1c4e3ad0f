/* Tasks: functions of the process that the cluster's dispatcher runs, in the order of their edges. The kernel keeps
   the tasks; an id is all that a program has of one. */

#include "kmigrate.h"

int ktask_create(ktask_function function, int priority, int period, int release)
{
    return kcall(KCALL_TASK_CREATE, (word)function, (word)priority, (word)period, (word)release, 0);
}

int ktask_unlink(int task)
{
    return kcall(KCALL_TASK_UNLINK, (word)task, 0, 0, 0, 0);
}

int ktask_connect(int parent, int child, int kind, int triggers)
{
    return kcall(KCALL_TASK_CONNECT, (word)parent, (word)child, (word)kind, (word)triggers, 0);
}

int ktask_disconnect(int parent, int child)
{
    return kcall(KCALL_TASK_DISCONNECT, (word)parent, (word)child, 0, 0, 0);
}

int ktask_dispatch(int task, word a, word b, word c, word d)
{
    dcache_invalidate();
    return kcall(KCALL_TASK_DISPATCH, (word)task, a, b, c, d);
}

int ktask_emit(int task, int core, word a, word b, word c)
{
    dcache_invalidate();
    return kcall(KCALL_TASK_EMIT, (word)task, (word)core, a, b, c);
}

int ktask_wait(int task)
{
    int result = kcall(KCALL_TASK_WAIT, (word)task, 0, 0, 0, 0);
    dcache_invalidate();
    return result;
}

int ktask_current(void)
{
    return kcall(KCALL_TASK_CURRENT, 0, 0, 0, 0, 0);
}

int ktask_get(int task, int what)
{
    return kcall(KCALL_TASK_GET, (word)task, (word)what, 0, 0, 0);
}

int ktask_exit(int management)
{
    return kcall(KCALL_TASK_EXIT, (word)management, 0, 0, 0, 0);
}

int ktask_exit_with(int management, word a, word b, word c)
{
    return kcall(KCALL_TASK_EXIT, (word)management, 1, a, b, c);
}
