/* Signals, alarms and exceptions. What a process has asked for belongs to the cluster and does not move with it. */

#include "kmigrate.h"

int ksigctl(int signal, struct ksigaction *action)
{
    return kcall(KCALL_SIGCTL, (word)signal, (word)action, 0, 0, 0);
}

int ksigsend(int signal, kthread_t thread)
{
    return kcall(KCALL_SIGSEND, (word)signal, (word)thread, 0, 0, 0);
}

int ksigwait(int signal)
{
    int result = kcall(KCALL_SIGWAIT, (word)signal, 0, 0, 0, 0);
    dcache_invalidate();
    return result;
}

int kalarm(int seconds)
{
    return kcall(KCALL_ALARM, (word)seconds, 0, 0, 0, 0);
}

int kexcp_control(int exception, int action)
{
    return kcall(KCALL_EXCP_CONTROL, (word)exception, (word)action, 0, 0, 0);
}

int kexcp_pause(struct exception *exception)
{
    int result = kcall(KCALL_EXCP_PAUSE, (word)exception, 0, 0, 0, 0);
    dcache_invalidate();
    return result;
}

int kexcp_resume(void)
{
    return kcall(KCALL_EXCP_RESUME, 0, 0, 0, 0, 0);
}
