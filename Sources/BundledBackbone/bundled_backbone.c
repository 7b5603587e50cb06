#include "bundled_backbone.h"

/* #embed is standard from C23 on; this compiler has it in every dialect and says so. It costs no parsing, and the
   build system knows that this file depends on the embedded ones. */
#pragma clang diagnostic ignored "-Wc23-extensions"

/* Another model has another name: databases remember the name, and the digest of the bytes. */
#define NAME "cellvec-small-1"

static const _Alignas(64) unsigned char weights[] = {
#embed "cellvec-small-1.safetensors"
};

static const char card[] = {
#embed "cellvec-small-1.md" suffix(, )
    0};

const char *bundled_backbone_name(void) { return NAME; }

const unsigned char *bundled_backbone_bytes(void) { return weights; }

size_t bundled_backbone_byte_count(void) { return sizeof weights; }

const char *bundled_backbone_card(void) { return card; }
