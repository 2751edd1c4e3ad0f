/* Division of 64-bit numbers, under the names by which the compiler asks for it on a 32-bit core. A division by
   zero gives what the core's own gives for 32 bits: all bits set, and the dividend as the remainder. */

#include "kmigrate.h"

typedef unsigned long long wide;
typedef long long signed_wide;

static wide divide(wide dividend, wide divisor, wide *remainder)
{
    wide quotient = 0, rest = 0;
    for (int bit = 63; bit >= 0; bit--) {
        int carried = (int)(rest >> 63);
        rest = rest << 1 | (dividend >> bit & 1);
        if (carried || rest >= divisor) {
            rest -= divisor;
            quotient |= 1ull << bit;
        }
    }
    *remainder = rest;
    return quotient;
}

static wide magnitude(signed_wide number)
{
    return number < 0 ? 0 - (wide)number : (wide)number;
}

wide __udivdi3(wide dividend, wide divisor)
{
    wide remainder;
    return divide(dividend, divisor, &remainder);
}

wide __umoddi3(wide dividend, wide divisor)
{
    wide remainder;
    divide(dividend, divisor, &remainder);
    return remainder;
}

signed_wide __divdi3(signed_wide dividend, signed_wide divisor)
{
    wide remainder, quotient = divide(magnitude(dividend), magnitude(divisor), &remainder);
    if (!divisor)
        return -1;
    return (signed_wide)((dividend < 0) != (divisor < 0) ? 0 - quotient : quotient);
}

signed_wide __moddi3(signed_wide dividend, signed_wide divisor)
{
    wide remainder;
    divide(magnitude(dividend), magnitude(divisor), &remainder);
    return (signed_wide)(dividend < 0 ? 0 - remainder : remainder);
}
