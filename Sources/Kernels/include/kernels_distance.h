#ifndef KERNELS_DISTANCE_H
#define KERNELS_DISTANCE_H

#include <stddef.h>
#include <stdint.h>

#endif
