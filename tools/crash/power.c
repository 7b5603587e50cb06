// What a failure of the power leaves of the files that a process has written: each page as it was at some moment since the
// file was last synchronised, the moments of different pages in no order. What the power would also take back is kept: names
// of files that were made, renames, removals, and lengths that ftruncate has set. Part of faults.c.
#include <pthread.h>
#include <signal.h>
#include <stdint.h>

enum { PAGE_BYTES = 4096 };

// A page before a write that the disk may not have.
struct unsynced {
  int file;  // of `files`
  off_t start;
  ssize_t present;  // bytes of the page that the file had
  char bytes[PAGE_BYTES];
};

static struct { dev_t device; ino_t inode; int descriptor; } files[64];
static struct unsynced *pages;
static int file_count;
static size_t page_count, page_room;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*plain_pwrite)(int, const void *, size_t, off_t);
static int (*plain_ftruncate)(int, off_t);

// The number of a file that is open; -1 where it is not followed. What is opened here is never closed.
static int number_of(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) || !S_ISREG(status.st_mode)) return -1;
  for (int i = 0; i < file_count; i++)
    if (files[i].device == status.st_dev && files[i].inode == status.st_ino) return i;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  int own = file_count < 64 ? open(link, O_RDWR | O_CLOEXEC) : -1;
  if (own < 0) return -1;
  files[file_count] = (__typeof__(files[0])){status.st_dev, status.st_ino, own};
  return file_count++;
}

// Comes before a write to a file that counts.
static void begin_write(int descriptor, bool is_followed, off_t start, size_t count) {
  if (!is_followed) return;
  pthread_mutex_lock(&writing);
  int file = number_of(descriptor);
  if (file < 0 || count == 0) return;
  for (off_t page = start / PAGE_BYTES; page <= (off_t)(start + count - 1) / PAGE_BYTES; page++) {
    if (page_count == page_room) pages = realloc(pages, (page_room = 2 * page_room + 64) * sizeof *pages);
    struct unsynced *kept = &pages[page_count++];
    kept->file = file;
    kept->start = page * PAGE_BYTES;
    memset(kept->bytes, 0, PAGE_BYTES);
    kept->present = pread(files[file].descriptor, kept->bytes, PAGE_BYTES, kept->start);
  }
}

// Forgets pages that the disk has: those of a file from `start` to `end`.
static void forget(int file, off_t start, off_t end) {
  size_t left = 0;
  for (size_t i = 0; i < page_count; i++)
    if (pages[i].file != file || pages[i].start < start || pages[i].start >= end) pages[left++] = pages[i];
  page_count = left;
}

// Comes behind the write.
static void end_write(int descriptor, bool is_followed, off_t start, size_t count) {
  if (!is_followed) return;
  int file = number_of(descriptor);
  if (file >= 0 && fcntl(descriptor, F_GETFL) & O_DSYNC) forget(file, start / PAGE_BYTES * PAGE_BYTES, start + count);
  pthread_mutex_unlock(&writing);
}

// Comes behind a synchronisation that has succeeded, during which nobody has written.
static void end_sync(int descriptor) {
  int file = number_of(descriptor);
  if (file >= 0) forget(file, 0, INT64_MAX);
}

// Puts back what the disk may not have, by the random numbers of a seed: all of it, nothing, or of each page, with an even
// chance, the last write, and then that before it, and so on. A file ends before the first of its lost pages that were
// behind its end. Nobody writes afterwards.
static void lose_unsynced(unsigned seed) {
  pthread_mutex_lock(&writing);
  srandom(seed);
  const long mode = random() % 4;
  bool *is_kept = calloc(page_count + 1, sizeof *is_kept);
  off_t ends[64];
  for (int file = 0; file < file_count; file++) ends[file] = INT64_MAX;
  for (size_t i = page_count; i-- > 0;) {
    const struct unsynced *page = &pages[i];
    if (!is_kept[i] && (mode == 0 || (mode > 1 && random() % 2))) {
      plain_pwrite(files[page->file].descriptor, page->bytes, PAGE_BYTES, page->start);
      off_t end = page->start + page->present;
      if (page->present < PAGE_BYTES && end < ends[page->file]) ends[page->file] = end;
    } else {
      for (size_t k = 0; k < i; k++)
        if (pages[k].file == page->file && pages[k].start == page->start) is_kept[k] = true;
    }
  }
  for (int file = 0; file < file_count; file++)
    if (ends[file] < INT64_MAX) plain_ftruncate(files[file].descriptor, ends[file]);
}
