/* The console: the last bytes written in a cluster. Whoever looks at the memory reads them; they belong to the
   cluster, not to the process. */

#include "kmigrate.h"

struct {
    word written;
    char text[CONSOLE_SIZE];
} __console;

static void put(char character)
{
    __console.text[__console.written++ % CONSOLE_SIZE] = character;
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

int puts(const char *text)
{
    put_text(text);
    put('\n');
    return 0;
}

static void put_number(word number, word base)
{
    char digits[10];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    while (count)
        put(digits[--count]);
}

void put_decimal(int number)
{
    if (number < 0)
        put('-');
    put_number(number < 0 ? 0u - (word)number : (word)number, 10);
}

void put_hexadecimal(word number)
{
    put_text("0x");
    put_number(number, 16);
}
