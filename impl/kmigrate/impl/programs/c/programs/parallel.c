/* The experiment with several migrations at once: the processes of the lower half of the clusters move to the
   upper half.

   Argument: helpers, pages, clusters (2, 4, 8 or 16). Exit value: 0, else what has failed.
   Source: thesis 5; nanvix-facts 8.1. */

#include "experiment.h"

int main(word argument)
{
    struct experiment e = experiment_of(argument);
    int node = knode_get_num(), half = e.clusters / 2, cluster = node - FIRST_COMPUTE_NODE, failed;
    if (node == 0)
        return keep_time(&e);
    take_part(&e);
    if (cluster >= half)
        return make_room(&e);
    failed = burden(&e);
    setup_done();
    further_calls(&e);
    if (failed || kmigrate_to(cluster_node(cluster + half)) < 0)
        return failed ? failed : 3;
    start_and_end();
    done = 1;
    join_helpers(&e);
    return pages_whole(&e) ? 0 : 4;
}
