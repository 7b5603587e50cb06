#include <errno.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "png_messages.h"
#include "samples.h"

// Everything that the decoder owns lives here, not in locals, so that it survives the jump.
typedef struct {
  int fd;
  off_t position;
  codec_message *message;
  png_structp png;
  png_infop info;
  uint8_t *pixels;
} png_job;

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
  png_job *job = png_get_io_ptr(png);
  while (count > 0) {
    ssize_t got = pread(job->fd, bytes, count, job->position);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) png_error(png, strerror(errno));
    if (got == 0) png_error(png, "the file ends early");
    job->position += got;
    bytes += got;
    count -= (size_t)got;
  }
}

// Bytes of a PNG pixel once samples of 1, 2 and 4 bits are unpacked to a byte.
static uint64_t unpacked_pixel_bytes(const codec_page *page) {
  return (uint64_t)page->samples * (page->type == CODEC_UINT16 ? 2 : 1);
}

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

codec_status codec_png_describe(int fd, codec_page *page, codec_message *message) {
  // Signature (8), then the IHDR chunk: length 13, name, width, height, depth, colour type, ...
  uint8_t head[33];
  ssize_t got = pread(fd, head, sizeof head, 0);
  struct stat status;
  if (got < 0 || fstat(fd, &status) != 0) {
    message_set(message, "%s", strerror(errno));
    return CODEC_FAILED;
  }
  if (got < (ssize_t)sizeof head) {
    message_set(message, "the file ends early");
    return CODEC_DAMAGED;
  }
  if (png_sig_cmp(head, 0, 8) != 0 || big_endian(head + 8) != 13 || memcmp(head + 12, "IHDR", 4) != 0) {
    message_set(message, "the PNG header is missing");
    return CODEC_DAMAGED;
  }
  static const uint8_t samples_of_colour[7] = {1, 0, 3, 1, 2, 0, 4};
  uint8_t depth = head[24], colour = head[25];
  page->samples = colour < 7 ? samples_of_colour[colour] : 0;
  if (page->samples == 0 || depth > 16) {
    message_set(message, "the PNG header has colour type %d and bit depth %d", colour, depth);
    return CODEC_DAMAGED;
  }
  page->width = big_endian(head + 16);
  page->height = big_endian(head + 20);
  page->type = depth == 16 ? CODEC_UINT16 : CODEC_UINT8;
  // Up to eight unpacked pixels come from one byte.
  uint64_t unpacking = depth < 8 ? 8 : 1;
  return page_fits(page->width, page->height, unpacked_pixel_bytes(page), (uint64_t)status.st_size,
                   CODEC_MAX_EXPANSION * unpacking, message);
}

// The one function that libpng jumps back into.
static codec_status decode(png_job *job, const codec_page *page, float *const *planes) {
  if (setjmp(png_jmpbuf(job->png))) return CODEC_DAMAGED;

  png_set_read_fn(job->png, job, read_bytes);
  png_set_user_limits(job->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_read_info(job->png, job->info);
  png_set_packing(job->png);
  if (png_get_bit_depth(job->png, job->info) == 16) png_set_swap(job->png);
  int passes = png_set_interlace_handling(job->png);
  png_read_update_info(job->png, job->info);

  size_t width = page->width, height = page->height;
  size_t row_bytes = width * (size_t)unpacked_pixel_bytes(page);
  if (png_get_image_width(job->png, job->info) != page->width ||
      png_get_image_height(job->png, job->info) != page->height ||
      png_get_rowbytes(job->png, job->info) != row_bytes) {
    png_error(job->png, "the file changed while it was read");
  }
  // An interlaced image arrives in seven passes over the same rows and is kept whole until the last.
  size_t kept_rows = passes > 1 ? height : 1;
  job->pixels = calloc(kept_rows, row_bytes);
  if (!job->pixels) {
    message_set(job->message, "not enough memory for %zux%zu pixels", width, height);
    return CODEC_FAILED;
  }
  stored_type stored = page->type == CODEC_UINT16 ? STORED_U16 : STORED_U8;
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < height; y++) {
      uint8_t *row = job->pixels + (passes > 1 ? y * row_bytes : 0);
      png_read_row(job->png, row, NULL);
      if (pass == passes - 1) samples_spread(row, stored, width, page->samples, planes, y * width, NULL);
    }
  }
  png_read_end(job->png, NULL);
  return CODEC_OK;
}

codec_status codec_png_read(int fd, const codec_page *page, float *const *planes, codec_message *message) {
  png_job job = {.fd = fd, .message = message};
  job.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, png_keep_error, png_drop_warning);
  job.info = job.png ? png_create_info_struct(job.png) : NULL;
  codec_status status = CODEC_FAILED;
  if (job.info) {
    status = decode(&job, page, planes);
  } else {
    message_set(message, "libpng %s cannot start", PNG_LIBPNG_VER_STRING);
  }
  png_destroy_read_struct(&job.png, &job.info, NULL);
  free(job.pixels);
  return status;
}
