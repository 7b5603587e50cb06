#include "crsvg.h"

#include <dlfcn.h>
#include <stdbool.h>

// As the headers of librsvg 2.46 or newer, cairo and GLib declare them.
typedef struct {
  double x, y, width, height;
} rectangle;

enum { CAIRO_FORMAT_RGB24 = 1, CAIRO_STATUS_SUCCESS = 0 };

static struct {
  void *(*handle_new_from_data)(const uint8_t *data, size_t length, void **error);
  int (*render_document)(void *handle, void *cairo, const rectangle *viewport, void **error);
  void (*unref)(void *object);
  void *(*surface_create)(int format, int width, int height);
  int (*surface_status)(void *surface);
  void (*surface_flush)(void *surface);
  const uint8_t *(*surface_data)(void *surface);
  int (*surface_stride)(void *surface);
  void (*surface_destroy)(void *surface);
  void *(*create)(void *surface);
  void (*set_source_rgb)(void *cairo, double red, double green, double blue);
  void (*paint)(void *cairo);
  void (*destroy)(void *cairo);
} rsvg;
static bool is_loaded;

const char *crsvg_name(void) { return "librsvg-2.so.2"; }

const char *crsvg_load(void) {
  if (is_loaded) return NULL;
  void *library = dlopen(crsvg_name(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  // A library's symbols are also those of the libraries that it needs.
  struct {
    const char *name;
    void **place;
  } symbols[] = {
      {"rsvg_handle_new_from_data", (void **)&rsvg.handle_new_from_data},
      {"rsvg_handle_render_document", (void **)&rsvg.render_document},
      {"g_object_unref", (void **)&rsvg.unref},
      {"cairo_image_surface_create", (void **)&rsvg.surface_create},
      {"cairo_surface_status", (void **)&rsvg.surface_status},
      {"cairo_surface_flush", (void **)&rsvg.surface_flush},
      {"cairo_image_surface_get_data", (void **)&rsvg.surface_data},
      {"cairo_image_surface_get_stride", (void **)&rsvg.surface_stride},
      {"cairo_surface_destroy", (void **)&rsvg.surface_destroy},
      {"cairo_create", (void **)&rsvg.create},
      {"cairo_set_source_rgb", (void **)&rsvg.set_source_rgb},
      {"cairo_paint", (void **)&rsvg.paint},
      {"cairo_destroy", (void **)&rsvg.destroy},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
    *symbols[i].place = dlsym(library, symbols[i].name);
    if (!*symbols[i].place) return dlerror();
  }
  is_loaded = true;
  return NULL;
}

int crsvg_draw(const char *svg, size_t byte_count, int width, int height, uint8_t *rgb) {
  void *error = NULL;  // A GError, which is the last thing that a failed run allocates.
  void *document = rsvg.handle_new_from_data((const uint8_t *)svg, byte_count, &error);
  if (!document) return 1;
  void *surface = rsvg.surface_create(CAIRO_FORMAT_RGB24, width, height);
  bool is_drawn = false;
  if (rsvg.surface_status(surface) == CAIRO_STATUS_SUCCESS) {
    void *cairo = rsvg.create(surface);
    rsvg.set_source_rgb(cairo, 1, 1, 1);
    rsvg.paint(cairo);
    const rectangle viewport = {0, 0, width, height};
    is_drawn = rsvg.render_document(document, cairo, &viewport, &error);
    rsvg.destroy(cairo);
    rsvg.surface_flush(surface);
    const uint8_t *row = rsvg.surface_data(surface);
    for (int y = 0; is_drawn && y < height; y++, row += rsvg.surface_stride(surface)) {
      const uint32_t *pixels = (const uint32_t *)row;
      for (int x = 0; x < width; x++) {
        *rgb++ = (uint8_t)(pixels[x] >> 16);
        *rgb++ = (uint8_t)(pixels[x] >> 8);
        *rgb++ = (uint8_t)pixels[x];
      }
    }
  }
  rsvg.surface_destroy(surface);
  rsvg.unref(document);
  return is_drawn ? 0 : 2;
}
