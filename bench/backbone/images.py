"""Images somewhat like cells under the microscope: smooth spots of many sizes and some noise, from a seed."""

import numpy as np


def make(count, inputs, size, seed):
    """[count, inputs, size, size], float32, each input of each image of mean 0 and SD 1."""
    generator = np.random.default_rng(seed)
    images = np.stack([[plane(generator, size) for _ in range(inputs)] for _ in range(count)])
    images -= images.mean((2, 3), keepdims=True)
    return np.ascontiguousarray(images / images.std((2, 3), keepdims=True), dtype=np.float32)


def plane(generator, size):
    pixels = 0.05 * generator.random((size, size))
    frequencies = np.hypot(*np.meshgrid(np.fft.rfftfreq(size), np.fft.fftfreq(size)))
    for width in generator.uniform(1, size / 10, 3):
        points = np.zeros((size, size))
        spots = generator.integers(3, 40)
        points[tuple(generator.integers(0, size, (2, spots)))] = generator.random(spots) * width
        pixels += np.fft.irfft2(np.fft.rfft2(points) * np.exp(-2 * (np.pi * width * frequencies) ** 2), (size, size))
    return pixels
