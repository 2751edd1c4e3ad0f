/* Performance counters of the core on which the caller runs. */

#include "kmigrate.h"

int kperf_query(int event)
{
    return kcall(KCALL_PERF_QUERY, (word)event, 0, 0, 0, 0);
}

int kperf_start(int event)
{
    return kcall(KCALL_PERF_START, (word)event, 0, 0, 0, 0);
}

int kperf_stop(int event)
{
    return kcall(KCALL_PERF_STOP, (word)event, 0, 0, 0, 0);
}

int kperf_read(int event)
{
    return kcall(KCALL_PERF_READ, (word)event, 0, 0, 0, 0);
}
