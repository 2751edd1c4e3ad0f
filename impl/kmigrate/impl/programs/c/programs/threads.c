/* The experiment with several threads: a process with helpers and pages moves from the first cluster to the second.

   Argument: helpers, pages; the clusters are two. Exit value: 0, else what has failed.
   Source: thesis 5; nanvix-facts 8.1. */

#include "experiment.h"

int main(word argument)
{
    struct experiment e = experiment_of(argument);
    int node = knode_get_num(), failed;
    e.clusters = 2;
    if (node == 0)
        return keep_time(&e);
    take_part(&e);
    if (node != cluster_node(0))
        return make_room(&e);
    failed = burden(&e);
    setup_done();
    further_calls(&e);
    if (failed || kmigrate_to(cluster_node(1)) < 0)
        return failed ? failed : 3;
    done = 1;
    start_and_end();
    join_helpers(&e);
    return pages_whole(&e) ? 0 : 4;
}
