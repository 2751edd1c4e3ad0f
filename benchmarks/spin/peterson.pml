/* Peterson's filter lock for N processes. Written by hand; the same steps as Peterson in kmigrate.spec.examples.
   j and k are kept in the non-critical section, as there. */
#ifndef N
#define N 4
#endif
byte pos[N], step[N], level[N], scanned[N];

active [N] proctype P()
{
ncs:
  level[_pid] = 1;
wait:
  if
  :: atomic { level[_pid] < N -> pos[_pid] = level[_pid] }; goto announce
  :: level[_pid] == N -> goto critical
  fi;
announce:
  atomic { step[level[_pid] - 1] = _pid; scanned[_pid] = 0 };
scan:
  do
  :: atomic { scanned[_pid] < N && (scanned[_pid] == _pid || pos[scanned[_pid]] < level[_pid]) -> scanned[_pid]++ }
  :: atomic { step[level[_pid] - 1] != _pid || scanned[_pid] == N -> level[_pid]++; goto wait }
  od;
critical:
  pos[_pid] = 0;
  goto ncs
}
