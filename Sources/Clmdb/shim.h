#include <lmdb.h>
#include <malloc.h> /* LMDB's pages come from malloc; mallopt is glibc's */
