/* It tries to leave, first to where nobody can go, then to the node of its argument. */

#include "kmigrate.h"

volatile int results[4];
volatile int left;
volatile int node;

int main(word argument)
{
    results[0] = kmigrate_to(knode_get_num());
    results[1] = kmigrate_to(-1);
    results[2] = kmigrate_to(NODES_NUM);
    results[3] = kmigrate_to((int)argument);
    node = knode_get_num();
    left = 1;
    return results[3] < 0 ? 1 : 0;
}
