/* Dining philosophers, N at the table: left fork, then right fork, both put down at once. Written by hand, with bit
   masks for who holds a left fork only and who eats; the same steps as Philosophers in kmigrate.spec.examples.
   The deadlock is not looked for (the label `end`), so that SPIN visits all states as our engine does. */
#ifndef N
#define N 16
#endif
#define ME (1 << _pid)
#define LEFT (1 << ((_pid + N - 1) % N))
#define RIGHT (1 << ((_pid + 1) % N))

int waiting = 0, eating = 0;

active [N] proctype Philosopher()
{
end:
  do
  :: d_step { ((waiting | eating) & ME) == 0 && (eating & LEFT) == 0 -> waiting = waiting | ME }
  :: d_step { (waiting & ME) && ((waiting | eating) & RIGHT) == 0 -> waiting = waiting & ~ME; eating = eating | ME }
  :: d_step { (eating & ME) -> eating = eating & ~ME }
  od
}
