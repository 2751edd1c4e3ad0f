/* An integer benchmark of the kind that embedded cores are compared by: a linked list, small matrices, a state
   machine that reads numbers, and a 16-bit checksum over all that they come to. It was written anew from the
   public descriptions of such benchmarks; its figures compare with nobody else's.

   All work of one iteration undoes itself, so that every iteration must come to the same checksum.

   Argument: the iterations; 0 for 10. `checksum` is that of the last one, `iterations` counts those done, `wrong`
   those with another checksum. Exit value: 0 if there is none of these, else 1. */

#include "kmigrate.h"

#define USUAL 10
#define EXPECTED 0x590Cu

volatile word checksum;
volatile word iterations;
volatile word wrong;

/* -- the checksum: CRC-16 with the polynomial 0x8005, lowest bit first ------------------------------------ */

static word crc_byte(word crc, word value)
{
    crc ^= value & 255;
    for (int i = 0; i < 8; i++)
        crc = crc >> 1 ^ (crc & 1 ? 0xA001u : 0);
    return crc;
}

static word crc_word(word crc, word value)
{
    for (int i = 0; i < 4; i++, value >>= 8)
        crc = crc_byte(crc, value);
    return crc;
}

/* -- a linked list --------------------------------------------------------------------------------------- */

struct node { struct node *next; short value, place; };

static struct node nodes[48];

static struct node *make_list(word seed)
{
    for (int i = 0; i < (int)COUNT(nodes); i++) {
        seed = seed * 1103515245u + 12345u;
        nodes[i].value = (short)(seed >> 16);
        nodes[i].place = (short)i;
        nodes[i].next = i + 1 < (int)COUNT(nodes) ? &nodes[i + 1] : NULL;
    }
    return nodes;
}

static int by_value(const struct node *a, const struct node *b)
{
    return a->value - b->value;
}

static int by_place(const struct node *a, const struct node *b)
{
    return a->place - b->place;
}

typedef int order(const struct node *, const struct node *);

static struct node *merge(struct node *a, struct node *b, order *compare)
{
    struct node *first = NULL, **end = &first;
    while (a && b) {
        struct node **least = compare(a, b) <= 0 ? &a : &b;
        *end = *least;
        end = &(*least)->next;
        *least = (*least)->next;
    }
    *end = a ? a : b;
    return first;
}

/* From the bottom up: runs of 1, 2, 4, ... nodes are merged until one is left. */
static struct node *sort(struct node *list, order *compare)
{
    struct node *runs[8] = {NULL};
    while (list) {
        struct node *run = list;
        int level = 0;
        list = list->next;
        run->next = NULL;
        for (; runs[level]; level++) {
            run = merge(runs[level], run, compare);
            runs[level] = NULL;
        }
        runs[level] = run;
    }
    for (int level = 0; level < (int)COUNT(runs); level++)
        if (runs[level])
            list = list ? merge(runs[level], list, compare) : runs[level];
    return list;
}

static struct node *reverse(struct node *list)
{
    struct node *reversed = NULL;
    while (list) {
        struct node *rest = list->next;
        list->next = reversed;
        reversed = list;
        list = rest;
    }
    return reversed;
}

static word crc_list(word crc, const struct node *list)
{
    for (; list; list = list->next)
        crc = crc_word(crc, (word)list->value << 16 | (word)list->place);
    return crc;
}

static word lists(word crc)
{
    struct node *list = make_list(1);
    for (int wanted = 0; wanted < 16; wanted++) {
        const struct node *found = list;
        while (found && found->place != wanted * 3)
            found = found->next;
        crc = crc_word(crc, found ? (word)found->value : 0);
        list = reverse(list);
    }
    list = sort(list, by_value);
    crc = crc_list(crc, list);
    list = sort(reverse(list), by_place);
    return crc_list(crc, list);
}

/* -- matrices -------------------------------------------------------------------------------------------- */

#define N 9

static short left[N][N], right[N][N];
static int result[N][N];

static word crc_result(word crc)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            crc = crc_word(crc, (word)result[i][k]);
    return crc;
}

static void add_to_left(int number)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            left[i][k] = (short)(left[i][k] + number);
}

static void scale(int factor)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            result[i][k] = left[i][k] * factor;
}

/* Plain products, or only some bits of each: the field of 4 bits from bit 2 on times that of 7 from bit 5 on. */
static void multiply(int fields)
{
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            word sum = 0;
            for (int j = 0; j < N; j++) {
                word product = (word)(left[i][j] * right[j][k]);
                sum += fields ? (product >> 2 & 15) * (product >> 5 & 127) : product;
            }
            result[i][k] = (int)sum;
        }
}

static word matrices(word crc)
{
    word seed = 7;
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++) {
            seed = seed * 1103515245u + 12345u;
            left[i][k] = (short)(seed >> 20 & 255);
            right[i][k] = (short)((seed >> 10 & 255) - 128);
        }
    for (int number = -3; number <= 3; number += 2) {
        add_to_left(number);
        scale(number);
        crc = crc_result(crc);
        multiply(0);
        crc = crc_result(crc);
        multiply(1);
        crc = crc_result(crc);
        add_to_left(-number);
    }
    return crc;
}

/* -- a state machine that reads numbers between commas --------------------------------------------------- */

enum { START, SIGN, WHOLE, POINT, FRACTION, MARK, MARK_SIGN, POWER, INVALID, STATES };

static const char numbers[] = "+17,-4.25,993,1e9,.5,x7,2.5E-3,--1,600,0.0e+0,12e,7.,-,3.14159,"
                              "1.2.3,8E8,+.75,5,42,0x2A";

static char text[sizeof numbers];

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int is_sign(char c)
{
    return c == '+' || c == '-';
}

static int is_mark(char c)
{
    return c == 'e' || c == 'E';
}

static int step(int state, char c)
{
    switch (state) {
    case START:
        return is_digit(c) ? WHOLE : is_sign(c) ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN:
        return is_digit(c) ? WHOLE : c == '.' ? POINT : INVALID;
    case WHOLE:
        return is_digit(c) ? WHOLE : c == '.' ? POINT : is_mark(c) ? MARK : INVALID;
    case POINT:
    case FRACTION:
        return is_digit(c) ? FRACTION : is_mark(c) && state == FRACTION ? MARK : INVALID;
    case MARK:
        return is_digit(c) ? POWER : is_sign(c) ? MARK_SIGN : INVALID;
    case MARK_SIGN:
    case POWER:
        return is_digit(c) ? POWER : INVALID;
    default:
        return INVALID;
    }
}

/* How often each state was the last of a number, and how often it was entered. */
static word scan(word crc)
{
    word ends[STATES], entries[STATES];
    int state = START;
    memset(ends, 0, sizeof ends);
    memset(entries, 0, sizeof entries);
    for (size_t i = 0; i < sizeof text; i++) {
        if (text[i] == ',' || !text[i]) {
            ends[state]++;
            state = START;
            continue;
        }
        state = step(state, text[i]);
        entries[state]++;
    }
    for (int i = 0; i < STATES; i++)
        crc = crc_word(crc, ends[i] << 16 | entries[i]);
    return crc;
}

static word states(word crc)
{
    memcpy(text, numbers, sizeof text);
    crc = scan(crc);
    for (word stride = 5; stride <= 11; stride += 3) {
        for (int times = 0; times < 2; times++) {
            for (word i = stride; i < sizeof text - 1; i += stride)
                if (numbers[i] != ',')
                    text[i] ^= (char)stride;
            crc = scan(crc);
        }
    }
    return crc;
}

/* -- all together ---------------------------------------------------------------------------------------- */

int main(word argument)
{
    word wanted = argument ? argument : USUAL;
    wrong = 0;
    for (iterations = 0; iterations < wanted; iterations++) {
        checksum = states(matrices(lists(0)));
        if (checksum != EXPECTED)
            wrong++;
    }
    put_hexadecimal(checksum);
    puts(wrong ? " wrong" : " right");
    return wrong != 0;
}
