/* The circular experiment: one process with one page travels through all clusters and comes home.

   Argument: the clusters, as in the other experiments; 0 for all 16. Exit value: 0, else what has failed. Where a
   copy stays behind it ends with 0; the one on the first node waits to be replaced by the process itself.
   The first node tells node 0 when the process begins, leaves and is home; the time is that between the last two.
   It keeps no mailbox on the way: an id is a number of the cluster that gave it, and the process would be refused.
   Source: thesis 5; nanvix-facts 8.1. */

#include "experiment.h"

#define TIME_PORT 10

static OF_CLUSTER int teller = -1;

static volatile word travelled = PATTERN;

static void tell(byte what)
{
    kmailbox_write(teller, &what, 1);
}

static int listen(void)
{
    int inbox = kmailbox_create(0, TIME_PORT), times[3];
    for (int i = 0; i < 3; i++) {
        byte what;
        if (kmailbox_read(inbox, &what, 1) != 1 || what != i)
            return 1;
        times[i] = kclock();
    }
    downtime = (int)((word)(times[2] - times[1]) & 0x7FFFFFFF);
    put_decimal(downtime);
    puts(" cycles");
    return 0;
}

int main(word argument)
{
    struct experiment e = experiment_of(argument);
    int node = knode_get_num(), hop = 0, failed;
    if (!e.clusters)
        e.clusters = COMPUTE_CLUSTERS;
    if (node == 0)
        return listen();
    if (node != cluster_node(0))
        be_replaced();
    e.helpers = 0;
    e.pages = 1;
    teller = kmailbox_open(0, TIME_PORT);
    tell(0);
    failed = burden(&e);
    tell(1);
    kmailbox_close(teller);
    if (failed)
        return failed;
    do {
        int next = (hop + 1) % e.clusters;
        if (kmigrate_to(cluster_node(next)) < 0)
            return 3;
        if (knode_get_num() != cluster_node(next)) {
            if (hop == 0)
                be_replaced();
            return 0;
        }
        travelled += 1;
        hop = next;
    } while (hop);
    teller = kmailbox_open(0, TIME_PORT);
    tell(2);
    return pages_whole(&e) && travelled == PATTERN + (word)e.clusters ? 0 : 4;
}
