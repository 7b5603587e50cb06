#ifndef IMAGE_CODECS_PNG_MESSAGES_H
#define IMAGE_CODECS_PNG_MESSAGES_H

#include <png.h>

// Keeps libpng's text in the codec_message that the png struct has as its error pointer, and jumps.
_Noreturn void png_keep_error(png_structp png, png_const_charp text);

// Warnings are about chunks that we do not read.
void png_drop_warning(png_structp png, png_const_charp text);

#endif
