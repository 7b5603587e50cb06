#ifndef IMAGE_CODECS_SAMPLES_H
#define IMAGE_CODECS_SAMPLES_H

#include "image_codecs.h"

// Number types that a decoder hands out, in the machine's byte order.
typedef enum { STORED_U8, STORED_U16, STORED_U32, STORED_I8, STORED_I16, STORED_I32, STORED_F32 } stored_type;

size_t stored_size(stored_type type);

// Takes `width` pixels of `samples` interleaved numbers apart: planes[s][offset + x] = row[x * samples + s], for
// the planes that are not NULL. Returns false when a 32-bit integer is not exactly a float; *inexact is the value.
bool samples_spread(const void *row, stored_type type, size_t width, size_t samples, float *const *planes,
                    size_t offset, int64_t *inexact);

__attribute__((format(printf, 2, 3))) void message_set(codec_message *message, const char *format, ...);

// Whether a page of width x height x bytes_per_pixel may be decoded from a file of file_bytes that unpacks
// at most `expansion` times; says why not.
codec_status page_fits(uint64_t width, uint64_t height, uint64_t bytes_per_pixel, uint64_t file_bytes,
                       uint64_t expansion, codec_message *message);

#endif
