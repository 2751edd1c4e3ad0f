/* A workload that checks itself: four threads, each with its own kind of work on its own stack, for some rounds.
   Each round begins with what the round before came to, so that a single wrong bit shows in the end.

   Argument: the rounds; 0 for 3. `checksum` is what all came to. Exit value: 0, else what has failed: 1 to 4 the
   known answers of thread 0 to 3, 5 the checksum of 3 rounds. */

#include "kmigrate.h"

#define USUAL 3
#define EXPECTED 0x8C3634DAu

volatile word checksum;

static word rounds;
static word results[4];
static int failed;

static void check(int number, int right)
{
    if (!right)
        failed = number;
}

static word crc32(const void *start, size_t size, word crc)
{
    const byte *bytes = start;
    crc = ~crc;
    while (size--) {
        crc ^= *bytes++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static word next(word *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static word summing(word seed)
{
    byte noise[512];
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (byte)next(&seed);
    check(1, crc32("123456789", 9, 0) == 0xCBF43926u);
    return crc32(noise, sizeof noise, 0);
}

static void sift(int *heap, int from, int count)
{
    for (int child; (child = 2 * from + 1) < count; from = child) {
        int moved = heap[from];
        if (child + 1 < count && heap[child + 1] > heap[child])
            child++;
        if (moved >= heap[child])
            return;
        heap[from] = heap[child];
        heap[child] = moved;
    }
}

static word sorting(word seed)
{
    int numbers[200], count = COUNT(numbers);
    for (int i = 0; i < count; i++)
        numbers[i] = (int)next(&seed) - 32768;
    for (int i = count / 2; i--;)
        sift(numbers, i, count);
    for (int last = count; --last;) {
        int most = numbers[0];
        numbers[0] = numbers[last];
        numbers[last] = most;
        sift(numbers, 0, last);
    }
    for (int i = 1; i < count; i++)
        check(2, numbers[i - 1] <= numbers[i]);
    return crc32(numbers, sizeof numbers, 0);
}

#define N 9

static word multiplying(word seed)
{
    int a[N][N], power[N][N], product[N][N];
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            a[i][k] = (int)next(&seed) % 201 - 100;
            power[i][k] = i == k;
        }
    for (int n = 0; n < 5; n++) {
        for (int i = 0; i < N; i++)
            for (int k = 0; k < N; k++) {
                word sum = 0;
                for (int j = 0; j < N; j++)
                    sum += (word)power[i][j] * (word)a[j][k];
                product[i][k] = (int)sum;
            }
        memcpy(power, product, sizeof power);
        if (n == 0)
            check(3, !memcmp(power, a, sizeof a));
    }
    return crc32(power, sizeof power, 0);
}

static int queens(int row, word columns, word rising, word falling)
{
    int found = 0;
    if (row == 6)
        return 1;
    for (int column = 0; column < 6; column++) {
        word c = 1u << column, r = 1u << (row + column), f = 1u << (row - column + 5);
        if (!(columns & c) && !(rising & r) && !(falling & f))
            found += queens(row + 1, columns | c, rising | r, falling | f);
    }
    return found;
}

/* The sieve of 8,191 odd numbers that BYTE published as a benchmark in 1981: there are 1,899 primes. */
static word sieving(word seed)
{
    byte crossed[1024];
    int primes = 0;
    memset(crossed, 0, sizeof crossed);
    for (int i = 0; i <= 8190; i++) {
        int prime = 2 * i + 3;
        if (crossed[i / 8] >> i % 8 & 1)
            continue;
        primes++;
        for (int k = i + prime; k <= 8190; k += prime)
            crossed[k / 8] |= (byte)(1 << k % 8);
    }
    check(4, primes == 1899 && queens(0, 0, 0, 0) == 4);
    return crc32(crossed, sizeof crossed, seed);
}

static word (*const work[4])(word) = {summing, sorting, multiplying, sieving};

static void *worker(void *argument)
{
    int which = (int)argument;
    word result = (word)which + 1;
    for (word i = 0; i < rounds; i++)
        result = work[which](result);
    results[which] = result;
    return NULL;
}

int main(word argument)
{
    kthread_t workers[3];
    rounds = argument ? argument : USUAL;
    for (int i = 0; i < 3; i++)
        if (kthread_create(&workers[i], worker, (void *)i) < 0)
            return 6;
    worker((void *)3);
    for (int i = 0; i < 3; i++)
        if (kthread_join(workers[i], NULL) < 0)
            return 7;
    dcache_invalidate();
    checksum = crc32(results, sizeof results, 0);
    if (rounds == USUAL)
        check(5, checksum == EXPECTED);
    put_hexadecimal(checksum);
    puts(failed ? " wrong" : " right");
    return failed;
}
