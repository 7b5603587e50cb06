#ifndef KERNELS_PROCESSORS_H
#define KERNELS_PROCESSORS_H

// The processors that this process may run on: those that taskset or a batch system has allotted to it, which can
// be fewer than the machine has. At least 1.
int kernels_processor_count(void);

#endif
