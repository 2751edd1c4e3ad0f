/* How a process begins, on its own side: this stands first in the user sections, where the runtime expects it. */

#include "kmigrate.h"

extern byte __USER_BSS_START[], __USER_BSS_END[];

_Noreturn void __process(word argument)
{
    memset(__USER_BSS_START, 0, (size_t)(__USER_BSS_END - __USER_BSS_START));
    kthread_exit((void *)main(argument));
}
