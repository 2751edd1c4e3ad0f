/* It writes where no memory is.

   Argument: the address; 0 for one in the middle of nowhere. */

#include "kmigrate.h"

#define NOWHERE 0xF0000000u

int main(word argument)
{
    *(volatile word *)(argument ? argument : NOWHERE) = 1;
    return 1;
}
