/* The dispatcher runs functions of the process: one after the other, in a loop, again and again, on every core.

   Argument: rounds of the loops; 0: 10. Exit value: 0, else the step that has failed. */

#include "kmigrate.h"

static char order[32];
static volatile int written, loops, beats, rounds;
static volatile int seen[CORES];

static int note(word what, word b, word c, word d, word e)
{
    (void)b, (void)c, (void)d, (void)e;
    order[written++] = (char)what;
    /* What follows is the next letter. */
    ktask_exit_with(TRIGGER_USER0, what + 1, 0, 0);
    return (int)what;
}

static int loop(word times, word b, word c, word d, word e)
{
    (void)b, (void)c, (void)d, (void)e;
    loops++;
    ktask_exit_with(times ? TRIGGER_USER1 : TRIGGER_USER0, times - 1, 0, 0);
    return knode_get_num();
}

static int beat(word a, word b, word c, word d, word e)
{
    (void)a, (void)b, (void)c, (void)d, (void)e;
    if (++beats < rounds)
        ktask_exit(TRIGGER_PERIODIC);
    return beats;
}

static int visit(word core, word b, word c, word d, word e)
{
    (void)b, (void)c, (void)d, (void)e;
    seen[core]++;
    return ktask_current() > 0 && knode_get_num() == -ENOTSUP ? (int)core : -1;
}

static int in_order(void)
{
    int a = ktask_create(note, TASK_LOW, 0, 0), b = ktask_create(note, TASK_LOW, 0, 0);
    int c = ktask_create(note, TASK_LOW, 0, 0);
    if (a < 1 || b < 1 || c < 1 || ktask_create(NULL, TASK_LOW, 0, 0) != -EINVAL)
        return 1;
    if (ktask_connect(a, b, TASK_DEPENDENCY, 0) || ktask_connect(b, c, TASK_DEPENDENCY | TASK_TEMPORARY, 0))
        return 2;
    if (ktask_unlink(a) != -EINVAL || ktask_dispatch(a, 'x', 0, 0, 0) || ktask_wait(c) != 'z')
        return 3;
    if (written != 3 || memcmp(order, "xyz", 3) || ktask_get(c, TASK_GET_STATE) != TASK_COMPLETED)
        return 4;
    if (ktask_disconnect(b, c) != -EINVAL || ktask_disconnect(a, b) || ktask_unlink(a) || ktask_unlink(b))
        return 5;
    return ktask_unlink(c) || ktask_unlink(c) != -EINVAL ? 6 : 0;
}

static int again_and_again(void)
{
    int task = ktask_create(loop, TASK_LOW, 0, 0), timer = ktask_create(beat, TASK_HIGH, 2, 0);
    if (ktask_connect(task, task, 0, TRIGGER_USER1) || ktask_dispatch(task, (word)rounds - 1, 0, 0, 0))
        return 11;
    if (ktask_wait(task) != knode_get_num() || loops != rounds)
        return 12;
    if (ktask_dispatch(timer, 0, 0, 0, 0) || ktask_wait(timer) != rounds || beats != rounds)
        return 13;
    return ktask_disconnect(task, task) || ktask_unlink(task) || ktask_unlink(timer) ? 14 : 0;
}

static int everywhere(void)
{
    int task = ktask_create(visit, TASK_LOW, 0, 0);
    if (ktask_emit(task, -1, 0, 0, 0) != -EINVAL || ktask_emit(task, CORES, 0, 0, 0) != -EINVAL)
        return 21;
    for (int core = 0; core < CORES; core++)
        if (ktask_emit(task, core, (word)core, 0, 0) || ktask_wait(task) != core || seen[core] != 1)
            return 22;
    return ktask_unlink(task) ? 23 : 0;
}

int main(word argument)
{
    int failed;
    rounds = argument ? (int)argument : 10;
    if (ktask_current() != 0 || ktask_exit(TRIGGER_USER0) != -EINVAL)
        return 99;
    failed = in_order();
    if (!failed)
        failed = again_and_again();
    return failed ? failed : everywhere();
}
