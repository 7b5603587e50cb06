#ifndef KERNELS_TEAM_H
#define KERNELS_TEAM_H

// Threads that work on one thing together. One pool a process, started when it is first needed and asleep between
// calls; the members of a team run at the same time for sure, so that they may wait for one another.

// Calls work(context, member) for member 0...members - 1, member 0 on the calling thread, and returns when all are
// done. A second caller waits until the first is served; `work` must not call this. When a
// thread cannot be started, the process ends with a message.
void kernels_run_team(int members, void (*work)(void *context, int member), void *context);

// Where the members of a team wait for one another: spins for some 20 us, then sleeps.
typedef struct {
  int members;
  int arrived;
  int round;
} kernels_barrier;

void kernels_barrier_wait(kernels_barrier *barrier);

#endif
