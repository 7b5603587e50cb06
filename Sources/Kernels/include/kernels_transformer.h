#ifndef KERNELS_TRANSFORMER_H
#define KERNELS_TRANSFORMER_H

#include <stddef.h>
#include <stdint.h>

#endif
