"""Twenty classical numbers of a cell: what a careful person measures before reaching for a network.

From a crop of two channels, the reference (nucleus or cytosol) and the protein: areas, intensities, the ratio of
protein inside and outside the reference's object, granularity at two scales, and how the channels go together.
"""

import numpy as np
from scipy import ndimage

NAMES = (
    [f"{channel}_{name}" for channel in ("reference", "protein") for name in (
        "area", "mean", "sd", "top", "skewness", "grain_fine", "grain_coarse", "centre_to_rim")]
    + ["ratio_inside_outside", "share_inside", "sd_inside", "correlation"])


def features(crops, self_normalized):
    """[cells, 2, side, side] -> [cells, 20]. `self_normalized` first sets mean and SD of each crop's channels to
    0 and 1, as backbones see them."""
    crops = crops.astype(np.float64)
    if self_normalized:
        mean, sd = crops.mean((2, 3), keepdims=True), crops.std((2, 3), keepdims=True)
        crops = np.where(sd > 0, (crops - mean) / (sd + 1e-7), 0)
        # What is left of mean and SD then is the 1e-7 and rounding; standardising would blow it up to a brightness.
        return np.array([of_cell(*cell) for cell in crops]).round(3)
    return np.array([of_cell(*cell) for cell in crops])


def of_cell(reference, protein):
    side = reference.shape[0]
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    centre = np.hypot(rows, columns) < side / 4
    inside = reference > otsu(reference)
    numbers = []
    for plane in (reference, protein):
        fine, coarse = ndimage.gaussian_filter(plane, 1), ndimage.gaussian_filter(plane, 3)
        sd = plane.std()
        numbers += [
            (plane > otsu(plane)).mean(), plane.mean(), sd, np.percentile(plane, 99),
            ((plane - plane.mean()) ** 3).mean() / (sd**3 + 1e-12), (plane - fine).std(), (fine - coarse).std(),
            plane[centre].mean() - plane[~centre].mean(),
        ]
    within, without = protein[inside], protein[~inside]
    floor = protein.min()
    numbers += [
        within.mean() - without.mean() if 0 < inside.sum() < inside.size else 0,
        (within - floor).sum() / ((protein - floor).sum() + 1e-12),
        within.std() if within.size else 0,
        np.corrcoef(reference.ravel(), protein.ravel())[0, 1] if reference.std() > 0 and protein.std() > 0 else 0,
    ]
    return numbers


def otsu(plane, bins=64):
    """The threshold that parts the pixels into the two classes of least variance."""
    low, high = plane.min(), plane.max()
    if low == high:
        return low
    counts, edges = np.histogram(plane, bins, (low, high))
    centres = (edges[1:] + edges[:-1]) / 2
    below = counts.cumsum()
    above = below[-1] - below
    weighted = (counts * centres).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (weighted / below - (weighted[-1] - weighted) / above) ** 2
    return centres[np.nanargmax(between)]
