/* What benchmarks/core.py runs: sorting, checksums, products of matrices; `rounds` is set by the benchmark.
   It stores a checksum to `tohost`. */

typedef unsigned char byte;
typedef unsigned int word;

volatile word tohost;
volatile word rounds = 1;

static word seed = 1;
static int numbers[1000];
static byte bytes[4096];
static int factors[2][16][16];

static word next(void)
{
    seed = seed * 1103515245u + 12345u;
    return seed >> 8;
}

static word checksum(void)
{
    word crc = ~0u;
    for (word i = 0; i < sizeof bytes; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void sort(int *first, int low, int high)
{
    int i = low, k = high, pivot = first[(low + high) / 2];
    while (i <= k) {
        while (first[i] < pivot)
            i++;
        while (first[k] > pivot)
            k--;
        if (i <= k) {
            int moved = first[i];
            first[i++] = first[k];
            first[k--] = moved;
        }
    }
    if (low < k)
        sort(first, low, k);
    if (i < high)
        sort(first, i, high);
}

void work(void)
{
    word sum = 0;
    for (word round = 0; round < rounds; round++) {
        for (int i = 0; i < 1000; i++)
            numbers[i] = (int)(next() % 100000) - 50000;
        sort(numbers, 0, 999);
        for (int i = 1; i < 1000; i++)
            sum += numbers[i - 1] > numbers[i];
        for (word i = 0; i < sizeof bytes; i++)
            bytes[i] = (byte)next();
        sum ^= checksum();
        for (int i = 0; i < 512; i++)
            factors[i >> 8][i >> 4 & 15][i & 15] = (int)(next() & 255) - 128;
        for (int i = 0; i < 16; i++)
            for (int k = 0; k < 16; k++) {
                int product = 0;
                for (int j = 0; j < 16; j++)
                    product += factors[0][i][j] * factors[1][j][k];
                sum += (word)(product / (1 + (i ^ k)));
            }
    }
    tohost = sum;
}

__attribute__((naked, section(".text.start"))) void _start(void)
{
    __asm__("la sp, stack_end\n call work\n 1: j 1b");
}
