/* Gray and Lamport's two-phase commit: N managers. Written by hand, as small a state vector as we could make:
   sets of managers are bit masks, each step is one d_step, the only process positions are loop heads.
   The same steps as TwoPhaseCommit in kmigrate.spec.examples; no invariant is asked, in SPIN's favour. */
#ifndef N
#define N 8
#endif
#define ME (1 << _pid)
#define ALL ((1 << N) - 1)
#define WORKING ((is_prepared | committed | aborted) & ME) == 0

int is_prepared = 0, committed = 0, aborted = 0; /* where each manager stands; in none of them: working */
int known = 0, sent = 0;                      /* whose Prepared has arrived, has been sent */
bit commit_sent = 0, abort_sent = 0;
byte decision = 0;                            /* 0 open, 1 committed, 2 aborted */

active [N] proctype Manager()
{
end:
  do
  :: d_step { decision == 0 && (sent & ME) -> known = known | ME }
  :: d_step { WORKING -> is_prepared = is_prepared | ME; sent = sent | ME }
  :: d_step { WORKING -> aborted = aborted | ME }
  :: d_step { commit_sent -> is_prepared = is_prepared & ~ME; aborted = aborted & ~ME; committed = committed | ME }
  :: d_step { abort_sent -> is_prepared = is_prepared & ~ME; committed = committed & ~ME; aborted = aborted | ME }
  od
}

active proctype Coordinator()
{
end:
  do
  :: d_step { decision == 0 && known == ALL -> decision = 1; commit_sent = 1 }
  :: d_step { decision == 0 -> decision = 2; abort_sent = 1 }
  od
}
