#include "tiff_library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

#include "samples.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static tiff_library library;
static codec_message reason;  // empty once the library is loaded

static void load(void) {
  // The library of the header's interface: options of their own for each file came with libtiff 4.5.
  void *handle = dlopen("libtiff.so.6", RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    message_set(&reason, "%s", dlerror());
    return;
  }
#define FIND(name)                                        \
  library.name = (__typeof__(&name))dlsym(handle, #name); \
  if (!library.name) message_set(&reason, "%s", dlerror());
  TIFF_LIBRARY_FUNCTIONS(FIND)
#undef FIND
}

const tiff_library *tiff_library_load(codec_message *message) {
  pthread_once(&once, load);
  if (reason.text[0] == '\0') return &library;
  *message = reason;
  return NULL;
}
