#ifndef BUNDLED_BACKBONE_H
#define BUNDLED_BACKBONE_H

#include <stddef.h>

/* A backbone that is part of the program: a safetensors file and the text that describes it, as they lie in the
   folder of this target. They live as long as the process and nobody may write to them. */

/* The model's name, which `--backbone` takes. */
const char *bundled_backbone_name(void);

/* The bytes of the safetensors file, on a boundary of 64. */
const unsigned char *bundled_backbone_bytes(void);
size_t bundled_backbone_byte_count(void);

/* The model card: Markdown in UTF-8, ending with a zero byte. */
const char *bundled_backbone_card(void);

#endif
