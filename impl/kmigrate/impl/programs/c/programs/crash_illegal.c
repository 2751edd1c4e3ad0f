/* It executes an instruction that does not exist. */

#include "kmigrate.h"

int main(word argument)
{
    (void)argument;
    __asm__ volatile(".word 0");
    return 1;
}
