#ifndef IMAGE_CODECS_H
#define IMAGE_CODECS_H

// PNG and TIFF pixels as planes of 32-bit floats that hold the stored numbers exactly: no gamma, no scaling,
// no palette look-up. Everything that libpng (setjmp) and libtiff (variadic getters) do not let Swift do.
// No function prints, or trusts a size that the file could not hold. All that the process keeps is libtiff, once loaded.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  CODEC_OK = 0,
  CODEC_END,          // no further page
  CODEC_DAMAGED,      // the bytes are not what the format promises
  CODEC_UNSUPPORTED,  // a valid file of a kind that is not read
  CODEC_HIDDEN_PAGES, // a TIFF with images that no directory leads to
  CODEC_TOO_LARGE,    // the header promises more pixels than a plane may have or the file can hold
  CODEC_FAILED,       // the machine: memory, disk
  CODEC_NO_LIBRARY,   // the library that reads such files is not installed
} codec_status;

// Why a call did not return CODEC_OK or CODEC_END; always terminated, never holds a line break.
typedef struct {
  char text[240];
} codec_message;

typedef enum { CODEC_UINT8, CODEC_UINT16, CODEC_FLOAT32 } codec_sample_type;

// One image of a file. Each of its samples (gray, alpha, red, ...) is a plane of its own.
typedef struct {
  uint32_t width;
  uint32_t height;
  uint32_t samples;
  codec_sample_type type;
} codec_page;

// A plane may have at most this many pixels.
#define CODEC_MAX_PIXELS ((uint64_t)1 << 31)

// No codec that is read here unpacks one byte to more than this (deflate: 1032, LZW: about 1335).
#define CODEC_MAX_EXPANSION 3000

// Reads the header of the PNG at the start of `fd`.
codec_status codec_png_describe(int fd, codec_page *page, codec_message *message);

// Reads the pixels of the page that codec_png_describe gave. planes[s] is [height, width], row-major, or NULL
// for a sample that is not wanted.
codec_status codec_png_read(int fd, const codec_page *page, float *const *planes, codec_message *message);

// Writes a PNG to `fd`. channels: 1 (gray) or 3 (RGB), interleaved; bits: 8 (uint8_t) or 16 (uint16_t).
codec_status codec_png_write(int fd, uint32_t width, uint32_t height, int channels, int bits, const void *pixels,
                             codec_message *message);

// An open TIFF or BigTIFF of either byte order.
typedef struct codec_tiff codec_tiff;

// NULL, with *status and *message set, when the file cannot be opened. `fd` stays the caller's.
codec_tiff *codec_tiff_open(int fd, codec_status *status, codec_message *message);

// Steps to the first, then each further page, and describes it. Reduced copies of a page are passed over.
codec_status codec_tiff_next(codec_tiff *file, codec_page *page, codec_message *message);

// Reads the pixels of the page that codec_tiff_next gave; planes as for codec_png_read.
codec_status codec_tiff_read(codec_tiff *file, float *const *planes, codec_message *message);

void codec_tiff_close(codec_tiff *file);

// How many of n values are NaN or infinite; *first is the position of the first of them. n may be 0.
size_t codec_count_nonfinite(const float *values, size_t n, size_t *first);

// out[i] = values[i] as the stored type. The values must be whole numbers that the type can hold, as those of a
// decoded plane are; others are undefined. n may be 0.
void codec_narrow_uint8(const float *restrict values, size_t n, uint8_t *restrict out);
void codec_narrow_uint16(const float *restrict values, size_t n, uint16_t *restrict out);

#endif
