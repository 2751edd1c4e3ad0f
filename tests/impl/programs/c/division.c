/* Divides what somebody has put into the operands, in both ways of reading them. */

#include "kmigrate.h"

volatile unsigned long long operands[2] = {1, 1};
volatile unsigned long long results[4];

int main(word argument)
{
    unsigned long long a = operands[0], b = operands[1];
    (void)argument;
    results[0] = a / b;
    results[1] = a % b;
    results[2] = (unsigned long long)((long long)a / (long long)b);
    results[3] = (unsigned long long)((long long)a % (long long)b);
    return 0;
}
