#define _GNU_SOURCE
#include "kernels_processors.h"

#include <sched.h>

int kernels_processor_count(void) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  int count = CPU_COUNT(&allowed);
  return count > 0 ? count : 1;
}
