#include "png_messages.h"

#include "samples.h"

void png_keep_error(png_structp png, png_const_charp text) {
  message_set(png_get_error_ptr(png), "%s", text);
  png_longjmp(png, 1);
}

void png_drop_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}
