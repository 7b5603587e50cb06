#ifndef KERNELS_H
#define KERNELS_H

#include "kernels_attention.h"
#include "kernels_coarse.h"
#include "kernels_codes.h"
#include "kernels_column.h"
#include "kernels_distance.h"
#include "kernels_graph.h"
#include "kernels_isa.h"
#include "kernels_matmul.h"
#include "kernels_processors.h"
#include "kernels_quantize.h"
#include "kernels_scalar.h"
#include "kernels_team.h"
#include "kernels_training.h"
#include "kernels_transformer.h"

#endif
