/* Pages that check themselves: four threads, each with two pages of user memory, one that it writes in every
   round and one that it only reads after it has filled it. Whatever a thread finds in a page must be what it has
   put there; so must what it keeps in registers and on its stack meanwhile.

   Argument: the rounds; 0 for 200. `turns` counts the rounds of all threads. Exit value: 0, else what was wrong:
   1 a page that is written, 2 one that is read, 3 the stack, 4 a count; 5 and more: no page, no thread. */

#include "kmigrate.h"

#define USUAL 200
#define THREADS 4
#define WORDS 1024

volatile word turns[THREADS];

static word rounds;
static int failed;

static word mixed(word value)
{
    value ^= value >> 16;
    value *= 0x7FEB352Du;
    value ^= value >> 15;
    value *= 0x846CA68Bu;
    return value ^ value >> 16;
}

static void wrong(int number)
{
    failed = number;
}

static void *worker(void *argument)
{
    word which = (word)argument, sum = 0, expected = 0;
    volatile word *written = (word *)(USER_BASE + 2 * which * PAGE_SIZE);
    volatile word *read = written + WORDS;
    word kept[16];
    if (page_alloc((void *)written) < 0 || page_alloc((void *)read) < 0) {
        wrong(5);
        return NULL;
    }
    for (word i = 0; i < WORDS; i++)
        read[i] = mixed(which << 16 | i);
    for (word turn = 0; turn < rounds; turn++) {
        for (int i = 0; i < 16; i++)
            kept[i] = mixed(turn ^ (word)i);
        for (word i = turn % 8; i < WORDS; i += 8) {
            if (written[i] != (turn < 8 ? 0 : mixed((turn - 8) << 12 ^ i ^ which)))
                wrong(1);
            written[i] = mixed(turn << 12 ^ i ^ which);
        }
        word place = mixed(turn) % WORDS;
        if (read[place] != mixed(which << 16 | place))
            wrong(2);
        sum += kept[turn % 16];
        expected += mixed(turn ^ turn % 16);
        for (int i = 0; i < 16; i++)
            if (kept[i] != mixed(turn ^ (word)i))
                wrong(3);
        turns[which]++;
    }
    if (sum != expected || turns[which] != rounds)
        wrong(4);
    return NULL;
}

int main(word argument)
{
    kthread_t workers[THREADS - 1];
    rounds = argument ? argument : USUAL;
    for (int i = 0; i < THREADS - 1; i++)
        if (kthread_create(&workers[i], worker, (void *)i) < 0)
            return 6;
    worker((void *)(THREADS - 1));
    for (int i = 0; i < THREADS - 1; i++)
        if (kthread_join(workers[i], NULL) < 0)
            return 7;
    puts(failed ? "pages wrong" : "pages right");
    return failed;
}
