#include "samples.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

size_t stored_size(stored_type type) {
  switch (type) {
  case STORED_U8:
  case STORED_I8:
    return 1;
  case STORED_U16:
  case STORED_I16:
    return 2;
  default:
    return 4;
  }
}

// One loop a type; the branch on a single sample lets the compiler vectorise the common case.
#define SPREAD(NAME, TYPE)                                                                            \
  static void NAME(const TYPE *restrict row, size_t width, size_t samples, float *restrict out) {     \
    if (samples == 1) {                                                                               \
      for (size_t x = 0; x < width; x++) out[x] = (float)row[x];                                      \
    } else {                                                                                          \
      for (size_t x = 0; x < width; x++) out[x] = (float)row[x * samples];                            \
    }                                                                                                 \
  }

SPREAD(spread_u8, uint8_t)
SPREAD(spread_u16, uint16_t)
SPREAD(spread_u32, uint32_t)
SPREAD(spread_i8, int8_t)
SPREAD(spread_i16, int16_t)
SPREAD(spread_i32, int32_t)
SPREAD(spread_f32, float)

bool samples_spread(const void *row, stored_type type, size_t width, size_t samples, float *const *planes,
                    size_t offset, int64_t *inexact) {
  for (size_t s = 0; s < samples; s++) {
    if (!planes[s]) continue;
    float *out = planes[s] + offset;
    switch (type) {
    case STORED_U8:
      spread_u8((const uint8_t *)row + s, width, samples, out);
      break;
    case STORED_U16:
      spread_u16((const uint16_t *)row + s, width, samples, out);
      break;
    case STORED_I8:
      spread_i8((const int8_t *)row + s, width, samples, out);
      break;
    case STORED_I16:
      spread_i16((const int16_t *)row + s, width, samples, out);
      break;
    case STORED_F32:
      spread_f32((const float *)row + s, width, samples, out);
      break;
    case STORED_U32:
      spread_u32((const uint32_t *)row + s, width, samples, out);
      for (size_t x = 0; x < width; x++) {
        uint32_t stored = ((const uint32_t *)row)[x * samples + s];
        if ((int64_t)out[x] != (int64_t)stored) {
          *inexact = stored;
          return false;
        }
      }
      break;
    case STORED_I32:
      spread_i32((const int32_t *)row + s, width, samples, out);
      for (size_t x = 0; x < width; x++) {
        int32_t stored = ((const int32_t *)row)[x * samples + s];
        if ((int64_t)out[x] != (int64_t)stored) {
          *inexact = stored;
          return false;
        }
      }
      break;
    }
  }
  return true;
}

void message_set(codec_message *message, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message->text, sizeof message->text, format, arguments);
  va_end(arguments);
  for (char *c = message->text; *c; c++) {
    if ((unsigned char)*c < ' ') *c = ' ';
  }
}

codec_status page_fits(uint64_t width, uint64_t height, uint64_t bytes_per_pixel, uint64_t file_bytes,
                       uint64_t expansion, codec_message *message) {
  unsigned long long w = width, h = height;
  if (width == 0 || height == 0) {
    message_set(message, "the header promises %llux%llu pixels", w, h);
    return CODEC_DAMAGED;
  }
  if (width > CODEC_MAX_PIXELS || height > CODEC_MAX_PIXELS || width * height > CODEC_MAX_PIXELS) {
    message_set(message, "%llux%llu pixels are more than the %llu that a plane may have", w, h,
                (unsigned long long)CODEC_MAX_PIXELS);
    return CODEC_TOO_LARGE;
  }
  // At most 2^31 pixels of 2^18 bytes, and files below 2^50 bytes: no product overflows.
  if (width * height * bytes_per_pixel > file_bytes * expansion) {
    message_set(message, "the header promises %llux%llu pixels, more than a file of %llu bytes can hold", w, h,
                (unsigned long long)file_bytes);
    return CODEC_TOO_LARGE;
  }
  return CODEC_OK;
}

size_t codec_count_nonfinite(const float *values, size_t n, size_t *first) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += !isfinite(values[i]);
  if (count == 0) return 0;
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) {
      *first = i;
      break;
    }
  }
  return count;
}

void codec_narrow_uint8(const float *restrict values, size_t n, uint8_t *restrict out) {
  for (size_t i = 0; i < n; i++) out[i] = (uint8_t)(int32_t)values[i];
}

void codec_narrow_uint16(const float *restrict values, size_t n, uint16_t *restrict out) {
  for (size_t i = 0; i < n; i++) out[i] = (uint16_t)(int32_t)values[i];
}
