/* A process on a cluster: how it begins, and how it calls the kernel. */

#include "kmigrate.h"

extern byte __KERNEL_BSS_START[], __KERNEL_BSS_END[];

_Noreturn void __process(word argument);

/* The kernel starts the first thread here, on a stack of its own, with the process's argument. */
_Noreturn void _start(word argument)
{
    memset(__KERNEL_BSS_START, 0, (size_t)(__KERNEL_BSS_END - __KERNEL_BSS_START));
    __process(argument);
}

int kcall(int number, word a, word b, word c, word d, word e)
{
    register word a0 __asm__("a0") = a;
    register word a1 __asm__("a1") = b;
    register word a2 __asm__("a2") = c;
    register word a3 __asm__("a3") = d;
    register word a4 __asm__("a4") = e;
    register int a7 __asm__("a7") = number;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a7) : "memory");
    return (int)a0;
}
