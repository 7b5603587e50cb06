#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "samples.h"
#include "tiff_library.h"

struct codec_tiff {
  const tiff_library *lib;
  TIFF *tiff;
  uint64_t file_bytes;
  bool started;
  // The current page.
  codec_page page;
  stored_type stored;
  bool separate;  // samples in planes of their own rather than interleaved
  uint64_t expansion;
  // The first message of libtiff since `forget`: the cause; later ones are its consequences.
  codec_message library;
};

static int on_error(TIFF *tiff, void *user_data, const char *module, const char *format, va_list arguments) {
  (void)tiff;
  (void)module;
  codec_tiff *file = user_data;
  if (file->library.text[0] == '\0') {
    char text[sizeof file->library.text];
    vsnprintf(text, sizeof text, format, arguments);
    message_set(&file->library, "%s", text);
  }
  return 1;  // handled: the process-wide handler, which prints, is not called
}

static int on_warning(TIFF *tiff, void *user_data, const char *module, const char *format, va_list arguments) {
  (void)tiff;
  (void)user_data;
  (void)module;
  (void)format;
  (void)arguments;
  return 1;
}

static void forget(codec_tiff *file) { file->library.text[0] = '\0'; }

static codec_status damaged(codec_tiff *file, codec_message *message, const char *otherwise) {
  message_set(message, "%s", file->library.text[0] ? file->library.text : otherwise);
  return CODEC_DAMAGED;
}

codec_tiff *codec_tiff_open(int fd, codec_status *status, codec_message *message) {
  const tiff_library *lib = tiff_library_load(message);
  if (!lib) {
    *status = CODEC_NO_LIBRARY;
    return NULL;
  }
  struct stat attributes;
  codec_tiff *file = calloc(1, sizeof *file);
  TIFFOpenOptions *options = lib->TIFFOpenOptionsAlloc();
  // TIFFClose closes the descriptor that it was given.
  int own = dup(fd);
  if (!file || !options || own < 0 || fstat(own, &attributes) != 0 || lseek(own, 0, SEEK_SET) != 0) {
    message_set(message, "%s", strerror(errno));
    *status = CODEC_FAILED;
  } else {
    file->lib = lib;
    file->file_bytes = (uint64_t)attributes.st_size;
    lib->TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, file);
    lib->TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, file);
    // Nothing that libtiff itself keeps (directories, one packed strip) is larger than the file.
    lib->TIFFOpenOptionsSetMaxSingleMemAlloc(options, (tmsize_t)(file->file_bytes + (16 << 20)));
    // m: no memory map, in which a file cut short by another process would raise SIGBUS.
    file->tiff = lib->TIFFFdOpenExt(own, "TIFF", "rm", options);
    if (!file->tiff) *status = damaged(file, message, "the TIFF header is damaged");
  }
  lib->TIFFOpenOptionsFree(options);
  if (file && file->tiff) return file;
  if (own >= 0) close(own);
  free(file);
  return NULL;
}

void codec_tiff_close(codec_tiff *file) {
  if (!file) return;
  file->lib->TIFFClose(file->tiff);
  free(file);
}

// The name of a compression scheme that is not read.
static const char *compression_name(uint16_t compression) {
  switch (compression) {
  case COMPRESSION_OJPEG:
  case COMPRESSION_JPEG:
    return "JPEG";
  case COMPRESSION_JP2000:
  case 33003:
  case 33004:
  case 33005:
    return "JPEG 2000";
  case COMPRESSION_CCITTRLE:
  case COMPRESSION_CCITTFAX3:
  case COMPRESSION_CCITTFAX4:
    return "fax";
  case COMPRESSION_ZSTD:
  case 34926:
    return "Zstandard";
  case COMPRESSION_WEBP:
    return "WebP";
  case COMPRESSION_LZMA:
    return "LZMA";
  default:
    return "unknown";
  }
}

static bool find_stored_type(uint16_t bits, uint16_t format, stored_type *stored) {
  bool is_unsigned = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  bool is_signed = format == SAMPLEFORMAT_INT;
  if (bits == 8 && is_unsigned) *stored = STORED_U8;
  else if (bits == 16 && is_unsigned) *stored = STORED_U16;
  else if (bits == 32 && is_unsigned) *stored = STORED_U32;
  else if (bits == 8 && is_signed) *stored = STORED_I8;
  else if (bits == 16 && is_signed) *stored = STORED_I16;
  else if (bits == 32 && is_signed) *stored = STORED_I32;
  else if (bits == 32 && format == SAMPLEFORMAT_IEEEFP) *stored = STORED_F32;
  else return false;
  return true;
}

static codec_status describe(codec_tiff *file, codec_message *message) {
  const tiff_library *lib = file->lib;
  TIFF *tiff = file->tiff;
  uint32_t width = 0, height = 0, depth = 1;
  uint16_t samples = 1, bits = 1, format = SAMPLEFORMAT_UINT, compression = COMPRESSION_NONE;
  uint16_t planar = PLANARCONFIG_CONTIG;
  lib->TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
  lib->TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
  lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_IMAGEDEPTH, &depth);
  lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
  lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
  lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
  lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
  lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);

  switch (compression) {
  case COMPRESSION_NONE:
    file->expansion = 1;
    break;
  case COMPRESSION_LZW:
  case COMPRESSION_PACKBITS:
  case COMPRESSION_DEFLATE:
  case COMPRESSION_ADOBE_DEFLATE:
    file->expansion = CODEC_MAX_EXPANSION;
    break;
  default:
    message_set(message, "the pixels are packed with %s compression (TIFF code %d)",
                compression_name(compression), compression);
    return CODEC_UNSUPPORTED;
  }
  if (!find_stored_type(bits, format, &file->stored)) {
    const char *kind = format == SAMPLEFORMAT_IEEEFP                                             ? "floating-point"
                       : format == SAMPLEFORMAT_COMPLEXINT || format == SAMPLEFORMAT_COMPLEXIEEEFP ? "complex"
                                                                                                 : "integer";
    message_set(message, "the samples are %d-bit %s numbers", bits, kind);
    return CODEC_UNSUPPORTED;
  }
  if (samples == 0 || depth > 1) {
    message_set(message, "a pixel has %d samples and a page %u slices", samples, depth);
    return CODEC_UNSUPPORTED;
  }
  file->separate = planar == PLANARCONFIG_SEPARATE && samples > 1;
  codec_sample_type type = file->stored == STORED_U8    ? CODEC_UINT8
                           : file->stored == STORED_U16 ? CODEC_UINT16
                                                        : CODEC_FLOAT32;
  file->page = (codec_page){.width = width, .height = height, .samples = samples, .type = type};
  return page_fits(width, height, (uint64_t)samples * stored_size(file->stored), file->file_bytes,
                   file->expansion, message);
}

// Whether the current directory lies in the file with its last field, the place of the next one. libtiff takes a
// cut-off field for "no further page".
static bool directory_is_whole(codec_tiff *file) {
  const tiff_library *lib = file->lib;
  bool big = lib->TIFFIsBigTIFF(file->tiff);
  uint8_t bytes[8] = {0};
  uint64_t at = lib->TIFFCurrentDirOffset(file->tiff), count = 0;
  size_t count_bytes = big ? 8 : 2;
  if (pread(lib->TIFFFileno(file->tiff), bytes, count_bytes, (off_t)at) != (ssize_t)count_bytes) return false;
  for (size_t i = 0; i < count_bytes; i++) {
    count = count << 8 | bytes[lib->TIFFIsBigEndian(file->tiff) ? i : count_bytes - 1 - i];
  }
  // libtiff has read the directory: its entries are in the file, so nothing overflows.
  return at + (big ? 16 + 20 * count : 6 + 12 * count) <= file->file_bytes;
}

// How many images the file says that it has, by the description of its first page: ImageJ writes stacks beyond 4 GB behind
// one directory, tifffile those that it is asked to truncate. 1 for other files.
static uint64_t described_images(codec_tiff *file) {
  char *text = NULL;
  if (!file->lib->TIFFGetField(file->tiff, TIFFTAG_IMAGEDESCRIPTION, &text) || !text) return 1;
  if (strncmp(text, "ImageJ=", 7) == 0) {
    const char *line = strstr(text, "\nimages=");
    return line ? strtoull(line + 8, NULL, 10) : 1;
  }
  const char *next = strstr(text, "\"shape\": [");
  if (!next || !strstr(text, "\"truncated\": true")) return 1;
  next += strlen("\"shape\": [");
  double samples = 1;
  for (char *end = NULL;; next = end + 1) {
    uint64_t length = strtoull(next, &end, 10);
    if (end == next) return 1;
    samples *= (double)length;
    if (*end != ',') break;
  }
  double images = samples / ((double)file->page.width * file->page.height * file->page.samples);
  return images < 1e15 ? (uint64_t)images : 1;
}

codec_status codec_tiff_next(codec_tiff *file, codec_page *page, codec_message *message) {
  const tiff_library *lib = file->lib;
  forget(file);
  uint32_t kind = 0;
  bool is_first = !file->started;
  do {
    if (file->started) {
      if (lib->TIFFLastDirectory(file->tiff)) return CODEC_END;
      if (!lib->TIFFReadDirectory(file->tiff)) return damaged(file, message, "the next page cannot be found");
    }
    file->started = true;
    if (!directory_is_whole(file)) {
      message_set(message, "the file ends within a page's directory");
      return CODEC_DAMAGED;
    }
    lib->TIFFGetFieldDefaulted(file->tiff, TIFFTAG_SUBFILETYPE, &kind);
  } while (kind & FILETYPE_REDUCEDIMAGE);
  codec_status status = describe(file, message);
  *page = file->page;
  if (status != CODEC_OK || !is_first || !lib->TIFFLastDirectory(file->tiff)) return status;
  uint64_t images = described_images(file);
  // ImageJ counts the samples of 48-bit colour as images. A page that was split off a stack may have the stack's description,
  // but not its bytes, which are never packed.
  double page_bytes = (double)page->width * page->height * page->samples * stored_size(file->stored);
  bool has_bytes = file->expansion == 1 && (double)images * page_bytes <= (double)file->file_bytes;
  if (images <= page->samples || !has_bytes) return CODEC_OK;
  message_set(message, "it is a stack of %llu images with a directory for the first one alone",
              (unsigned long long)images);
  return CODEC_HIDDEN_PAGES;
}

// A rectangle of decoded pixels (a strip or a tile) and where it lies on the page.
typedef struct {
  uint32_t x, y;
  uint32_t columns, rows;  // within the page
  uint32_t row_pixels;     // a tile's rows go on beyond the page's edge
} piece;

static codec_status spread_piece(codec_tiff *file, const uint8_t *pixels, piece piece, uint32_t samples,
                                 float *const *planes, codec_message *message) {
  size_t row_bytes = (size_t)piece.row_pixels * samples * stored_size(file->stored);
  for (uint32_t row = 0; row < piece.rows; row++) {
    size_t offset = (size_t)(piece.y + row) * file->page.width + piece.x;
    int64_t inexact = 0;
    if (!samples_spread(pixels + row * row_bytes, file->stored, piece.columns, samples, planes, offset, &inexact)) {
      message_set(message, "the value %lld does not fit a 32-bit float exactly", (long long)inexact);
      return CODEC_UNSUPPORTED;
    }
  }
  return CODEC_OK;
}

// Decodes the rows or tiles of `samples` interleaved samples, the first of which is `first`.
static codec_status read_pieces(codec_tiff *file, uint16_t first, uint32_t samples, float *const *planes,
                                codec_message *message) {
  const tiff_library *lib = file->lib;
  TIFF *tiff = file->tiff;
  const codec_page *page = &file->page;
  bool tiled = lib->TIFFIsTiled(tiff);
  uint32_t piece_width = page->width, piece_height = page->height;
  if (tiled) {
    lib->TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &piece_width);
    lib->TIFFGetField(tiff, TIFFTAG_TILELENGTH, &piece_height);
  } else {
    lib->TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &piece_height);
    if (piece_height > page->height) piece_height = page->height;
  }
  uint64_t pixel_bytes = samples * stored_size(file->stored);
  codec_status status =
      page_fits(piece_width, piece_height, pixel_bytes, file->file_bytes, file->expansion, message);
  if (status != CODEC_OK) return status;

  uint64_t piece_bytes = (uint64_t)piece_width * piece_height * pixel_bytes;
  if (tiled && (uint64_t)lib->TIFFTileSize64(tiff) != piece_bytes) {
    message_set(message, "the tiles have an unexpected size");
    return CODEC_DAMAGED;
  }
  uint8_t *pixels = malloc(piece_bytes);
  if (!pixels) {
    message_set(message, "not enough memory for %llu bytes of pixels", (unsigned long long)piece_bytes);
    return CODEC_FAILED;
  }
  for (uint32_t y = 0; status == CODEC_OK && y < page->height; y += piece_height) {
    uint32_t rows = page->height - y < piece_height ? page->height - y : piece_height;
    for (uint32_t x = 0; status == CODEC_OK && x < page->width; x += piece_width) {
      uint32_t columns = page->width - x < piece_width ? page->width - x : piece_width;
      // The last strip may be short, a tile is always whole.
      uint64_t wanted = tiled ? piece_bytes : (uint64_t)rows * page->width * pixel_bytes;
      uint32_t number = tiled ? lib->TIFFComputeTile(tiff, x, y, 0, first) : lib->TIFFComputeStrip(tiff, y, first);
      tmsize_t got = tiled ? lib->TIFFReadEncodedTile(tiff, number, pixels, (tmsize_t)wanted)
                           : lib->TIFFReadEncodedStrip(tiff, number, pixels, (tmsize_t)wanted);
      if (got < 0 || (uint64_t)got != wanted) {
        status = damaged(file, message, "the pixels end early");
        break;
      }
      piece piece = {x, y, columns, rows, piece_width};
      status = spread_piece(file, pixels, piece, samples, planes, message);
      if (page->width - x <= piece_width) break;  // x + piece_width may pass 2^32
    }
    if (page->height - y <= piece_height) break;
  }
  free(pixels);
  return status;
}

codec_status codec_tiff_read(codec_tiff *file, float *const *planes, codec_message *message) {
  forget(file);
  if (!file->separate) return read_pieces(file, 0, file->page.samples, planes, message);
  codec_status status = CODEC_OK;
  for (uint32_t sample = 0; status == CODEC_OK && sample < file->page.samples; sample++) {
    if (planes[sample]) status = read_pieces(file, (uint16_t)sample, 1, planes + sample, message);
  }
  return status;
}
