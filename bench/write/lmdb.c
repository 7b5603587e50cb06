// What LMDB alone takes for the vectors of an import: the same values in the same transactions, each synchronised, without
// checksums, cells or fields. Run by bench/write/run:
//
//   lmdb VECTORS.npy DIRECTORY DIMENSION ROWS_PER_COMMIT blocks|keys|blocks-next
//
// "blocks" are cellvec's, of 64 pages, the last of which is put again as it grows; "keys" is a record for each vector. Of
// "blocks-next", each commit but the last is durable with the next one, as those of an import are.
#include <fcntl.h>
#include <lmdb.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { PAGE = 4096, BLOCK_PAGES = 64, PAGE_HEAD = 16, BLOCK_HEAD = 48, NPY_HEAD = 128, PIECE = 16 << 20, PIECES = 3 };

static void require(int code, const char *what) {
  if (code == 0) return;
  fprintf(stderr, "lmdb: %s: %s\n", what, mdb_strerror(code));
  exit(1);
}

// As cellvec does: pages of transactions lie in huge pages, and stay with the process.
static void keep_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, INT32_MAX);
  char *pieces[PIECES];
  for (int i = 0; i < PIECES; i++) {
    pieces[i] = malloc(PIECE);
    char *start = (char *)(((uintptr_t)pieces[i] + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
    madvise(start, PIECE - PAGE, MADV_HUGEPAGE);
  }
  for (int i = 0; i < PIECES; i++) free(pieces[i]);
}

static size_t value_size(size_t payload) {
  size_t pages = 1;
  while (pages * PAGE < payload + PAGE_HEAD + BLOCK_HEAD) pages *= 2;
  return pages * PAGE - PAGE_HEAD;
}

static void put(MDB_txn *transaction, MDB_dbi table, uint32_t number, size_t size, size_t head, const char *bytes,
                size_t count) {
  uint32_t name = __builtin_bswap32(number);
  MDB_val key = {sizeof name, &name}, value = {size, NULL};
  require(mdb_put(transaction, table, &key, &value, MDB_RESERVE), "put");
  char *target = value.mv_data;
  memset(target, 0, head);
  memcpy(target + head, bytes, count);
  memset(target + head + count, 0, size - head - count);
}

int main(int count, char **arguments) {
  if (count != 6) return 64;
  const size_t vector = 4 * strtoul(arguments[3], NULL, 10), rows_per_commit = strtoul(arguments[4], NULL, 10);
  const size_t rows_per_block = (BLOCK_PAGES * PAGE - PAGE_HEAD - BLOCK_HEAD) / vector;
  const int in_blocks = strncmp(arguments[5], "blocks", 6) == 0, with_next = strcmp(arguments[5], "blocks-next") == 0;
  const int file = open(arguments[1], O_RDONLY);
  struct stat status;
  if (file < 0 || fstat(file, &status)) return 66;
  const size_t rows = ((size_t)status.st_size - NPY_HEAD) / vector;
  char *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  const char *vectors = map + NPY_HEAD;
  if (rows_per_commit > 10000) keep_memory();

  MDB_env *environment;
  require(mdb_env_create(&environment), "create");
  require(mdb_env_set_mapsize(environment, (size_t)1 << 36), "map");
  if (mkdir(arguments[2], 0777)) return 73;
  require(mdb_env_open(environment, arguments[2], 0, 0664), "open");
  MDB_dbi table = 0;
  for (size_t row = 0; row < rows;) {
    const size_t end = rows - row < rows_per_commit ? rows : row + rows_per_commit;
    MDB_txn *transaction;
    require(mdb_txn_begin(environment, NULL, 0, &transaction), "begin");
    require(mdb_dbi_open(transaction, NULL, 0, &table), "open the table");
    for (; row < end && !in_blocks; row++) {
      put(transaction, table, (uint32_t)row, vector, 0, vectors + row * vector, vector);
    }
    while (row < end) {
      const size_t first = row / rows_per_block * rows_per_block;
      const size_t last = end - first < rows_per_block ? end : first + rows_per_block;
      const size_t payload = (last - first) * vector;
      put(transaction, table, (uint32_t)(first / rows_per_block), value_size(payload), BLOCK_HEAD, vectors + first * vector,
          payload);
      row = last;
    }
    // What is copied is given back, as an import does.
    madvise(map, NPY_HEAD + row * vector & ~(size_t)(PAGE - 1), MADV_DONTNEED);
    require(mdb_env_set_flags(environment, MDB_NOMETASYNC, with_next && row < rows), "set a flag");
    require(mdb_txn_commit(transaction), "commit");
  }
  mdb_env_close(environment);
  return 0;
}
