#ifndef TIFF_LIBRARY_H
#define TIFF_LIBRARY_H

// libtiff, loaded when the first TIFF is opened. Linked, it and the codecs that come with it would take a millisecond or
// more of every start of the program, most of which read no TIFF.

#include <tiffio.h>

#include "image_codecs.h"

#define TIFF_LIBRARY_FUNCTIONS(USE)          \
  USE(TIFFClose)                             \
  USE(TIFFComputeStrip)                      \
  USE(TIFFComputeTile)                       \
  USE(TIFFCurrentDirOffset)                  \
  USE(TIFFFdOpenExt)                         \
  USE(TIFFFileno)                            \
  USE(TIFFGetField)                          \
  USE(TIFFGetFieldDefaulted)                 \
  USE(TIFFIsBigEndian)                       \
  USE(TIFFIsBigTIFF)                         \
  USE(TIFFIsTiled)                           \
  USE(TIFFLastDirectory)                     \
  USE(TIFFOpenOptionsAlloc)                  \
  USE(TIFFOpenOptionsFree)                   \
  USE(TIFFOpenOptionsSetErrorHandlerExtR)    \
  USE(TIFFOpenOptionsSetMaxSingleMemAlloc)   \
  USE(TIFFOpenOptionsSetWarningHandlerExtR)  \
  USE(TIFFReadDirectory)                     \
  USE(TIFFReadEncodedStrip)                  \
  USE(TIFFReadEncodedTile)                   \
  USE(TIFFTileSize64)

// The functions under their own names, as tiffio.h declares them.
typedef struct {
#define TIFF_LIBRARY_MEMBER(name) __typeof__(&name) name;
  TIFF_LIBRARY_FUNCTIONS(TIFF_LIBRARY_MEMBER)
#undef TIFF_LIBRARY_MEMBER
} tiff_library;

// The library; NULL, with the reason in *message, where it cannot be loaded. Any thread may call it, any number of times.
const tiff_library *tiff_library_load(codec_message *message);

#endif
