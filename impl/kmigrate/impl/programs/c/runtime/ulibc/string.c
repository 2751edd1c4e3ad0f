/* Bytes. */

#include "kmigrate.h"

void *memmove(void *to, const void *from, size_t size)
{
    byte *t = to;
    const byte *f = from;
    if (t < f)
        for (size_t i = 0; i < size; i++)
            t[i] = f[i];
    else
        while (size--)
            t[size] = f[size];
    return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
    byte *t = to;
    const byte *f = from;
    while (size--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t size)
{
    byte *t = to;
    while (size--)
        *t++ = (byte)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const byte *x = a, *y = b;
    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}
