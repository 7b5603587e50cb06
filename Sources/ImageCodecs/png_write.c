#include <errno.h>
#include <png.h>
#include <string.h>
#include <unistd.h>

#include "png_messages.h"
#include "samples.h"

typedef struct {
  int fd;
  png_structp png;
  png_infop info;
} png_job;

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
  png_job *job = png_get_io_ptr(png);
  while (count > 0) {
    ssize_t written = write(job->fd, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) png_error(png, strerror(errno));
    bytes += written;
    count -= (size_t)written;
  }
}

static void flush_nothing(png_structp png) { (void)png; }

// The one function that libpng jumps back into.
static codec_status encode(png_job *job, uint32_t width, uint32_t height, int channels, int bits,
                           const void *pixels) {
  if (setjmp(png_jmpbuf(job->png))) return CODEC_FAILED;

  png_set_write_fn(job->png, job, write_bytes, flush_nothing);
  png_set_user_limits(job->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
  png_set_IHDR(job->png, job->info, width, height, bits, channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(job->png, job->info);
  if (bits == 16) png_set_swap(job->png);
  size_t row_bytes = (size_t)width * (size_t)channels * (size_t)(bits / 8);
  for (uint32_t y = 0; y < height; y++) png_write_row(job->png, (png_const_bytep)pixels + y * row_bytes);
  png_write_end(job->png, NULL);
  return CODEC_OK;
}

codec_status codec_png_write(int fd, uint32_t width, uint32_t height, int channels, int bits, const void *pixels,
                             codec_message *message) {
  png_job job = {.fd = fd};
  job.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, png_keep_error, png_drop_warning);
  job.info = job.png ? png_create_info_struct(job.png) : NULL;
  codec_status status = CODEC_FAILED;
  if (job.info) {
    status = encode(&job, width, height, channels, bits, pixels);
  } else {
    message_set(message, "libpng %s cannot start", PNG_LIBPNG_VER_STRING);
  }
  png_destroy_write_struct(&job.png, &job.info);
  return status;
}
