#include <lmdb.h>
#include <malloc.h> /* LMDB's pages come from malloc; mallopt is glibc's */
#include <stdint.h>
#include <sys/uio.h>
#include <sys/vfs.h>

/* Linux's; <fcntl.h> has it with _GNU_SOURCE only. */
extern int sync_file_range(int descriptor, int64_t offset, int64_t byte_count, unsigned int flags);

/* Lets the system begin to write what it holds of a file to disk (SYNC_FILE_RANGE_WRITE); waits
   for none of it to end, but for room where the disk's queue of requests is full. */
static inline int clmdb_start_writing(int descriptor) { return sync_file_range(descriptor, 0, 0, 2); }

/* Linux's, likewise. */
extern ssize_t preadv2(int descriptor, const struct iovec *parts, int part_count, int64_t offset, int flags);

/* Whether the system has a byte of a file in memory (RWF_NOWAIT); no where it does not tell. */
static inline int clmdb_is_in_memory(int descriptor, int64_t offset) {
  char byte;
  struct iovec part = {&byte, 1};
  return preadv2(descriptor, &part, 1, offset, 8) == 1;
}

/* The number of the type of file system that a path lies on (statfs(2)); 0 where there is no such path. */
static inline uint32_t clmdb_file_system(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (uint32_t)status.f_type : 0;
}
