#define _GNU_SOURCE
#include "kernels_team.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define RELAX() __builtin_ia32_pause()
#else
#define RELAX() __asm__ volatile("yield")
#endif

enum { MAX_MEMBERS = 1024, SPIN_NS = 20000 };

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Waits until *value is no longer `old`.
static void wait_for_change(int *value, int old) {
  const long long end = now_ns() + SPIN_NS;
  do {
    for (int i = 0; i < 64; i++) {
      if (__atomic_load_n(value, __ATOMIC_ACQUIRE) != old) return;
      RELAX();
    }
  } while (now_ns() < end);
  while (__atomic_load_n(value, __ATOMIC_ACQUIRE) == old) {
    syscall(SYS_futex, value, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
  }
}

static void change(int *value, int amount) {
  __atomic_fetch_add(value, amount, __ATOMIC_ACQ_REL);
  syscall(SYS_futex, value, FUTEX_WAKE_PRIVATE, MAX_MEMBERS, NULL, NULL, 0);
}

void kernels_barrier_wait(kernels_barrier *barrier) {
  const int round = __atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE);
  if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == barrier->members) {
    __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELEASE);
    change(&barrier->round, 1);
  } else {
    wait_for_change(&barrier->round, round);
  }
}

// The job on hand. `job` is its number times MAX_MEMBERS plus its members - 1, in one word, so that a worker knows from
// one look whether it is meant; while it is, the job cannot change.
static struct {
  pthread_mutex_t mutex;
  int started;
  int job;
  int busy;
  void (*work)(void *context, int member);
  void *context;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *serve(void *argument) {
  const int member = (int)(intptr_t)argument;
  // Started under the mutex, before the first job that needs this worker.
  for (int seen = 0;;) {
    wait_for_change(&pool.job, seen);
    seen = __atomic_load_n(&pool.job, __ATOMIC_ACQUIRE);
    if (member > seen % MAX_MEMBERS) continue;
    pool.work(pool.context, member);
    change(&pool.busy, -1);
  }
  return NULL;
}

static void start_worker(int member) {
  pthread_t thread;
  const int error = pthread_create(&thread, NULL, serve, (void *)(intptr_t)member);
  if (error) {
    fprintf(stderr, "cellvec: a thread cannot be started (%s); ask for fewer with --threads\n", strerror(error));
    _exit(71);
  }
  pthread_detach(thread);
}

void kernels_run_team(int members, void (*work)(void *context, int member), void *context) {
  if (members <= 1) {
    work(context, 0);
    return;
  }
  members = members > MAX_MEMBERS ? MAX_MEMBERS : members;
  pthread_mutex_lock(&pool.mutex);
  pool.work = work;
  pool.context = context;
  __atomic_store_n(&pool.busy, members - 1, __ATOMIC_RELEASE);
  const int number = (pool.job / MAX_MEMBERS + 1) % (1 << 20);
  __atomic_store_n(&pool.job, number * MAX_MEMBERS + members - 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &pool.job, FUTEX_WAKE_PRIVATE, MAX_MEMBERS, NULL, NULL, 0);
  // A new worker finds the job waiting.
  for (; pool.started < members - 1; pool.started++) start_worker(pool.started + 1);
  work(context, 0);
  for (int left; (left = __atomic_load_n(&pool.busy, __ATOMIC_ACQUIRE)) > 0;) wait_for_change(&pool.busy, left);
  pthread_mutex_unlock(&pool.mutex);
}
