#define SET matmul_portable
#define TARGET
#define LANES_OF_A_REGISTER 4
#define ROWS 4
#define FUSED 0

#include "matmul_body.h"
