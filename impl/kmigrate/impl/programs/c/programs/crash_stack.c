/* It calls itself until its stack has no room. On a bare core nothing lies below the stack; on a cluster nothing
   guards a stack, and the pages below are overwritten first, the thread's own kernel stack before all. */

#include "kmigrate.h"

volatile word depth;
volatile word enough = ~0u;

static word deeper(word from)
{
    volatile word frame[16];
    frame[from % 16] = from;
    depth = from;
    return from == enough ? from : deeper(from + 1) + frame[from % 16];
}

int main(word argument)
{
    return (int)deeper(argument);
}
