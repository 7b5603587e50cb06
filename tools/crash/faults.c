// Preloaded into cellvec, makes one call of the system fail, or the power, to see that nothing but that run is lost.
//
//   FAULT_DIRECTORY  only calls on files whose absolute path begins with this count
//   FAULT_NUMBER     which of those calls fails, from 1
//   FAULT_ERRNO      with which number, such as 5 (EIO) or 28 (ENOSPC); a write fails half-way
//   FAULT_STAYS      if set, all later calls that need room fail too, as on a disk that stays full
//   FAULT_POWER      if set, the power fails in place of the call, or with number 0 when the process has ended; what the
//                    disk did not have is lost by the random numbers of this seed (power.c)
//   FAULT_LOG        this file is made, with the name of the call, when one has failed
//
// Calls that count: write, writev, pwrite, pwritev, fdatasync, fsync, ftruncate, posix_fallocate, flock, link, mkdir, rename,
// unlink, and mmap of a file.
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
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "power.c"

static atomic_long calls;
static atomic_bool has_failed;

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void find_functions(void) {
  plain_pwrite = NEXT(pwrite);
  plain_ftruncate = NEXT(ftruncate);
}

static unsigned power_seed(void) { return (unsigned)atol(getenv("FAULT_POWER")); }

// When the process has ended by itself.
__attribute__((destructor)) static void end(void) {
  const char *number = getenv("FAULT_NUMBER");
  if (getenv("FAULT_POWER") && number && atol(number) == 0) lose_unsynced(power_seed());
}

// Whether an absolute path counts.
static bool counts(const char *path) {
  const char *directory = getenv("FAULT_DIRECTORY");
  return directory && strncmp(path, directory, strlen(directory)) == 0;
}

// Whether a file that is open counts.
static bool is_open_below(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = 0;
  return counts(path);
}

// Whether a path counts, which may begin in the current directory.
static bool is_named_below(const char *path) {
  char folder[PATH_MAX], absolute[2 * PATH_MAX];
  if (path[0] == '/') return counts(path);
  if (!getcwd(folder, sizeof folder)) return false;
  snprintf(absolute, sizeof absolute, "%s/%s", folder, path);
  return counts(absolute);
}

// The number with which this call is to fail; 0 when it is to succeed.
static int fault(const char *name, bool does_count, bool needs_room) {
  if (!does_count) return 0;
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
    if (getenv("FAULT_POWER")) {
      lose_unsynced(power_seed());
      kill(getpid(), SIGKILL);
      pause();
    }
  }
  return code ? atoi(code) : EIO;
}

static int failed(int code) {
  errno = code;
  return -1;
}

// Whether writes to a file are followed until the disk has them. LMDB's lock file has nothing that is read again, and its
// locks end where a process closes it.
static bool is_followed(int descriptor) {
  if (!getenv("FAULT_POWER") || !is_open_below(descriptor)) return false;
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = 0;
  return !strstr(path, "/lock.mdb");
}

#define FOLLOWED(descriptor, offset, count, call)              \
  ({                                                           \
    const off_t start_ = (offset);                             \
    const bool is_ = is_followed(descriptor);                  \
    begin_write(descriptor, is_, start_, count);               \
    ssize_t result_ = (call);                                  \
    end_write(descriptor, is_, start_, count);                 \
    result_;                                                   \
  })

static size_t sum(const struct iovec *parts, int count) {
  size_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += parts[i].iov_len;
  return bytes;
}

static off_t place(int descriptor) { return lseek(descriptor, 0, SEEK_CUR); }

ssize_t write(int descriptor, const void *bytes, size_t count) {
  int code = fault("write", is_open_below(descriptor), true);
  if (!code) return FOLLOWED(descriptor, place(descriptor), count, NEXT(write)(descriptor, bytes, count));
  if (count > 1) NEXT(write)(descriptor, bytes, count / 2);
  return failed(code);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
  int code = fault("writev", is_open_below(descriptor), true);
  if (!code) return FOLLOWED(descriptor, place(descriptor), sum(parts, count), NEXT(writev)(descriptor, parts, count));
  if (count > 1) NEXT(writev)(descriptor, parts, count / 2);
  return failed(code);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  int code = fault("pwrite", is_open_below(descriptor), true);
  if (!code) return FOLLOWED(descriptor, offset, count, NEXT(pwrite)(descriptor, bytes, count, offset));
  if (count > 1) NEXT(pwrite)(descriptor, bytes, count / 2, offset);
  return failed(code);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) {
  int code = fault("pwritev", is_open_below(descriptor), true);
  if (!code) return FOLLOWED(descriptor, offset, sum(parts, count), NEXT(pwritev)(descriptor, parts, count, offset));
  if (count > 1) NEXT(pwritev)(descriptor, parts, count / 2, offset);
  return failed(code);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
  return pwritev(descriptor, parts, count, offset);
}

static int synchronised(int descriptor, int (*synchronise)(int)) {
  if (!is_followed(descriptor)) return synchronise(descriptor);
  pthread_mutex_lock(&writing);
  int result = synchronise(descriptor);
  if (result == 0) end_sync(descriptor);
  pthread_mutex_unlock(&writing);
  return result;
}

int fdatasync(int descriptor) {
  int code = fault("fdatasync", is_open_below(descriptor), false);
  return code ? failed(code) : synchronised(descriptor, NEXT(fdatasync));
}

int fsync(int descriptor) {
  int code = fault("fsync", is_open_below(descriptor), false);
  return code ? failed(code) : synchronised(descriptor, NEXT(fsync));
}

int ftruncate(int descriptor, off_t length) {
  int code = fault("ftruncate", is_open_below(descriptor), true);
  return code ? failed(code) : NEXT(ftruncate)(descriptor, length);
}

int ftruncate64(int descriptor, off64_t length) { return ftruncate(descriptor, length); }

int posix_fallocate(int descriptor, off_t offset, off_t length) {
  int code = fault("posix_fallocate", is_open_below(descriptor), true);
  return code ? code : NEXT(posix_fallocate)(descriptor, offset, length);
}

int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  return posix_fallocate(descriptor, offset, length);
}

int flock(int descriptor, int operation) {
  int code = fault("flock", is_open_below(descriptor), false);
  return code ? failed(code) : NEXT(flock)(descriptor, operation);
}

int link(const char *from, const char *to) {
  int code = fault("link", is_named_below(to), true);
  return code ? failed(code) : NEXT(link)(from, to);
}

int mkdir(const char *path, mode_t mode) {
  int code = fault("mkdir", is_named_below(path), true);
  return code ? failed(code) : NEXT(mkdir)(path, mode);
}

int rename(const char *from, const char *to) {
  int code = fault("rename", is_named_below(to), false);
  return code ? failed(code) : NEXT(rename)(from, to);
}

int unlink(const char *path) {
  int code = fault("unlink", is_named_below(path), false);
  return code ? failed(code) : NEXT(unlink)(path);
}

void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  int code = descriptor < 0 ? 0 : fault("mmap", is_open_below(descriptor), false);
  if (!code) return NEXT(mmap)(address, length, protection, flags, descriptor, offset);
  errno = code;
  return MAP_FAILED;
}

void *mmap64(void *address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
  return mmap(address, length, protection, flags, descriptor, offset);
}
