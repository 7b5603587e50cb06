#ifndef CRSVG_H
#define CRSVG_H

#include <stddef.h>
#include <stdint.h>

// librsvg, which draws SVG as pixels. It is loaded when pictures are asked for: linked, it and the thirty libraries that it
// needs would be loaded by every start of the program, and be needed where nothing is drawn. Its headers are not needed.

// Loads the library. NULL when all is well, else the reason, to be read before anything else is loaded. The first call must
// return before another one, or a drawing, begins; further calls do nothing.
const char *crsvg_load(void);

// The file that crsvg_load looks for.
const char *crsvg_name(void);

// Draws an SVG document, stretched to width x height pixels, on white. rgb: [height, width, 3]. 0 when all is well; 1 when
// the document cannot be read, 2 when it cannot be drawn.
int crsvg_draw(const char *svg, size_t byte_count, int width, int height, uint8_t *rgb);

#endif
