/* What the three experiments share: their roles, their barriers and their clock.

   Node 0 keeps the time; the others take part. Barriers go by way of node 0: ONE_TO_ALL from it, ALL_TO_ONE to it.
   The time is taken on node 0 between two barriers: start, for which the participants wait after they have moved,
   and end. In the published system a copy goes on where the process has left, and node 0 waits for its signal too;
   with the flag MOVED only those signal the end on whose nodes processes arrive, and their own processes end.

   The argument of a process: helpers, pages and clusters, a byte each from the lowest on; then the flag, and in the
   uppermost seven bits how many remote calls more the first thread makes while the time is taken.

   Source: nanvix-facts 8.1. The flag and the further calls are ours. */

#include "kmigrate.h"

#define MOVED 1

#define PATTERN 0xDEADBEEFu

struct experiment { int helpers, pages, clusters, flags, calls; };

static inline struct experiment experiment_of(word argument)
{
    struct experiment e = {argument & 255, argument >> 8 & 255, argument >> 16 & 255, argument >> 24 & MOVED,
                           argument >> 25};
    return e;
}

/* Ids of communicators: each cluster keeps its own, whichever process runs on it. */
static OF_CLUSTER int sync_in = -1;
static OF_CLUSTER int sync_out = -1;
static OF_CLUSTER int sync_end = -1;

/* Cycles between start and end; node 0's only. */
OF_CLUSTER int downtime;

static inline int cluster_node(int cluster)
{
    return FIRST_COMPUTE_NODE + cluster;
}

static inline int arrives(const struct experiment *e, int cluster)
{
    return !(e->flags & MOVED) || cluster >= e->clusters / 2;
}

static inline void further_calls(const struct experiment *e)
{
    for (int i = 0; i < e->calls; i++)
        knode_get_num();
}

static inline void barriers_open(const struct experiment *e, int keeper)
{
    int nodes[1 + COMPUTE_CLUSTERS], ends[1 + COMPUTE_CLUSTERS], count = 0;
    nodes[0] = ends[0] = 0;
    for (int cluster = 0; cluster < e->clusters; cluster++) {
        nodes[1 + cluster] = cluster_node(cluster);
        if (arrives(e, cluster))
            ends[1 + count++] = cluster_node(cluster);
    }
    if (keeper) {
        sync_in = ksync_create(nodes, 1 + e->clusters, ALL_TO_ONE);
        sync_out = ksync_open(nodes, 1 + e->clusters, ONE_TO_ALL);
        sync_end = count == e->clusters ? sync_in : ksync_create(ends, 1 + count, ALL_TO_ONE);
    } else {
        sync_in = ksync_create(nodes, 1 + e->clusters, ONE_TO_ALL);
        sync_out = ksync_open(nodes, 1 + e->clusters, ALL_TO_ONE);
        sync_end = count == e->clusters ? sync_out : ksync_open(ends, 1 + count, ALL_TO_ONE);
    }
}

/* The work of node 0. */
static inline int keep_time(const struct experiment *e)
{
    int setup;
    barriers_open(e, 1);
    ksync_signal(sync_out);
    ksync_wait(sync_in);

    ksync_wait(sync_in);
    ksync_signal(sync_out);
    setup = kclock();

    ksync_signal(sync_out);
    ksync_wait(sync_end);
    downtime = (int)((word)(kclock() - setup) & 0x7FFFFFFF);
    put_decimal(downtime);
    puts(" cycles");
    return 0;
}

/* The first barrier: everybody is there. */
static inline void take_part(const struct experiment *e)
{
    barriers_open(e, 0);
    ksync_wait(sync_in);
    ksync_signal(sync_out);
}

/* The second: everybody is set up. */
static inline void setup_done(void)
{
    ksync_signal(sync_out);
    ksync_wait(sync_in);
}

/* Start and end: after the move. */
static inline void start_and_end(void)
{
    ksync_wait(sync_in);
    ksync_signal(sync_end);
}

/* -- what moves ------------------------------------------------------------------------------------------ */

static volatile int done;
static kthread_t helpers[THREAD_MAX];

static inline void *help(void *argument)
{
    while (!done)
        dcache_invalidate();
    return argument;
}

/* The original steps by words where it means bytes, so that pages lie 16 KB apart. */
static inline volatile word *page(int number)
{
    return (volatile word *)(USER_BASE + (word)number * PAGE_SIZE * sizeof(word));
}

static inline int burden(const struct experiment *e)
{
    for (int i = 0; i < e->helpers; i++)
        if (kthread_create(&helpers[i], help, NULL) < 0)
            return 1;
    for (int i = 0; i < e->pages; i++) {
        if (page_alloc((void *)page(i)) < 0)
            return 2;
        *page(i) = PATTERN;
    }
    return 0;
}

static inline int pages_whole(const struct experiment *e)
{
    for (int i = 0; i < e->pages; i++)
        if (*page(i) != PATTERN)
            return 0;
    return 1;
}

static inline void join_helpers(const struct experiment *e)
{
    for (int i = 0; i < e->helpers; i++)
        kthread_join(helpers[i], NULL);
}

/* A cluster that a process is to come to: its own process only waits to be replaced, and never sleeps. */
static inline _Noreturn void be_replaced(void)
{
    for (;;)
        dcache_invalidate();
}

/* The second barrier there. With the flag MOVED a process comes only where there is none, and this one ends; its
   cluster keeps the signal, which the one that comes finds. */
static inline int make_room(const struct experiment *e)
{
    ksync_signal(sync_out);
    if (e->flags & MOVED)
        return 0;
    ksync_wait(sync_in);
    be_replaced();
}
