// Preloaded into cellvec, makes one call of the system fail, to see that nothing but that run is lost.
//
//   FAULT_DIRECTORY  only calls on files below this absolute path count
//   FAULT_NUMBER     which of those calls fails, from 1
//   FAULT_ERRNO      with which number, such as 5 (EIO) or 28 (ENOSPC); a write fails half-way
//   FAULT_STAYS      if set, all later calls that need room fail too, as on a disk that stays full
//   FAULT_LOG        this file is made, with the name of the call, when one has failed
//
// Calls that count: pwrite, pwritev, fdatasync, fsync, ftruncate, posix_fallocate, and mmap of a file.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls;
static atomic_bool has_failed;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// Whether the file lies below FAULT_DIRECTORY.
static bool counts(int descriptor) {
  const char *directory = getenv("FAULT_DIRECTORY");
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (!directory || length < 0) return false;
  path[length] = 0;
  return strncmp(path, directory, strlen(directory)) == 0;
}

// The number with which this call is to fail; 0 when it is to succeed.
static int fault(const char *name, int descriptor, bool needs_room) {
  if (!counts(descriptor)) return 0;
  const char *number = getenv("FAULT_NUMBER"), *code = getenv("FAULT_ERRNO");
  bool is_it = number && atomic_fetch_add(&calls, 1) + 1 == atol(number);
  if (!is_it && !(needs_room && atomic_load(&has_failed) && getenv("FAULT_STAYS"))) return 0;
  if (is_it) {
    atomic_store(&has_failed, true);
    const char *log = getenv("FAULT_LOG");
    FILE *file = log ? fopen(log, "w") : NULL;
    if (file) {
      fprintf(file, "%s\n", name);
      fclose(file);
    }
  }
  return code ? atoi(code) : EIO;
}

static int failed(int code) {
  errno = code;
  return -1;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  int code = fault("pwrite", descriptor, true);
  if (!code) return NEXT(pwrite)(descriptor, bytes, count, offset);
  if (count > 1) NEXT(pwrite)(descriptor, bytes, count / 2, offset);
  return failed(code);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  int code = fault("pwritev", descriptor, true);
  if (!code) return NEXT(pwritev)(descriptor, parts, count, offset);
  if (count > 1) NEXT(pwritev)(descriptor, parts, count / 2, offset);
  return failed(code);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
  return pwritev(descriptor, parts, count, offset);
}

int fdatasync(int descriptor) {
  int code = fault("fdatasync", descriptor, false);
  return code ? failed(code) : NEXT(fdatasync)(descriptor);
}

int fsync(int descriptor) {
  int code = fault("fsync", descriptor, false);
  return code ? failed(code) : NEXT(fsync)(descriptor);
}

int ftruncate(int descriptor, off_t length) {
  int code = fault("ftruncate", descriptor, true);
  return code ? failed(code) : NEXT(ftruncate)(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) { return ftruncate(descriptor, length); }

int posix_fallocate(int descriptor, off_t offset, off_t length) {
  int code = fault("posix_fallocate", descriptor, true);
  return code ? code : NEXT(posix_fallocate)(descriptor, offset, length);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  return posix_fallocate(descriptor, offset, length);
}

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  int code = descriptor < 0 ? 0 : fault("mmap", descriptor, false);
  if (!code) return NEXT(mmap)(address, length, protection, flags, descriptor, offset);
  errno = code;
  return MAP_FAILED;
}

void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
  return mmap(address, length, protection, flags, descriptor, offset);
}
