"""Views of cells for self-supervision: what may differ between two pictures of one cell.

A microscope gives no orientation, so views are rotated and mirrored; stain and exposure differ, so intensities
are bent channel by channel. What a crop's own
normalisation removes (offset and gain) needs no augmentation.

Noise and focus are varied twice. Widely from cell to cell, the same in all views of a cell: the backbone learns to
see through them but is not taught to forget them, since a dim protein is a noisy one. And slightly from view to
view, so that grains of noise are nothing to recognise a cell by. What channels have in common is varied from cell to
cell too, by letting one bleed into the other.

A sample is a pair of cells of one protein or treatment, or a cell twice: what the two share is what a cell is to be
known by, not its outline or its neighbours. Source: Cross-Zamirski et al., "Self-supervised learning of phenotypic
representations from cell images with weak labels", 2022.
"""

import math

import torch
import torch.nn.functional as F


def standardize(images):
    """Mean 0 and standard deviation 1 in each image and channel; a constant channel is 0. As `--normalize self`."""
    mean = images.mean((2, 3), keepdim=True)
    deviation = images.std((2, 3), keepdim=True, correction=0)
    return torch.where(deviation > 1e-6, (images - mean) / (deviation + 1e-7), 0)


def central(images, context):
    """The part that a backbone sees of crops that were cut `context` times wider."""
    side = images.shape[-1]
    inner = round(side / context)
    start = (side - inner) // 2
    return images[..., start : start + inner, start : start + inner]


def uniform(count, low, high):
    return low + (high - low) * torch.rand(count)


def view(images, side, scale, context, shift, stretch):
    """Squares of `side` pixels out of `images`: turned, mirrored, of a share `scale` of the cell crop's area, drawn
    out by a factor exp(`stretch` N(0, 1)), off centre by up to `shift` of the crop's side.
    [B, C, S, S] -> [B, C, side, side]."""
    count = len(images)
    # In grid_sample's units the whole image is -1...1, so the cell crop is 1 / context of it.
    half = uniform(count, *scale).sqrt() / context
    angle = uniform(count, 0, 2 * math.pi)
    mirror = 1 - 2 * (torch.rand(count) < 0.5).float()
    stretch = torch.exp(stretch * torch.randn(count))
    cos, sin = torch.cos(angle) * half, torch.sin(angle) * half
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = cos * mirror * stretch, -sin
    theta[:, 1, 0], theta[:, 1, 1] = sin * mirror * stretch, cos
    theta[:, :, 2] = (2 * torch.rand(count, 2) - 1) * 2 * shift[:, None] / context
    theta = theta.to(images.device)
    grid = F.affine_grid(theta, [count, images.shape[1], side, side], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def bend(images, strength):
    """x^gamma between each channel's extremes, with another gamma for each image and channel."""
    low = images.amin((2, 3), keepdim=True)
    span = (images.amax((2, 3), keepdim=True) - low).clamp_min(1e-6)
    gamma = torch.exp(strength * torch.randn(*images.shape[:2], 1, 1)).to(images.device)
    return ((images - low) / span).clamp(0, 1) ** gamma


def blur(images, probability, largest):
    """Gaussian blur of a share of the images, each channel by its own sigma of up to `largest` pixels."""
    count, channels, height, width = images.shape
    sigma = uniform(count * channels, 0.2, largest)
    sigma[torch.rand(count).repeat_interleave(channels) >= probability] = 0.05
    offsets = torch.arange(-3.0, 4.0)
    kernel = torch.exp(-offsets**2 / (2 * sigma[:, None] ** 2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).to(images.device)
    flat = F.pad(images.reshape(1, count * channels, height, width), (3, 3, 3, 3), mode="reflect")
    flat = F.conv2d(flat, kernel[:, None, :, None], groups=count * channels)
    return F.conv2d(flat, kernel[:, None, None, :], groups=count * channels).reshape(images.shape)


def noise(images, largest):
    """White noise of up to `largest` standard deviations of the channel."""
    level = (largest * torch.rand(*images.shape[:2], 1, 1) ** 2).to(images.device)
    return images + level * torch.randn_like(images)


def bleed(images, probability, largest):
    """Lets a share of the cells have some of one channel in the next, as overlapping spectra do."""
    count, inputs = images.shape[:2]
    share = largest * torch.rand(count, inputs, 1, 1) * (torch.rand(count, 1, 1, 1) < probability)
    lit = (images.abs().amax((2, 3), keepdim=True) > 0).float()
    return images + share.to(images.device) * images.roll(1, 1) * lit


def arrange_channels(images, present, replicate, drop, swap, telling):
    """Fills the inputs as `cellvec` will: some cells have one channel copied into all inputs (`replicate`), some
    lack a channel (`drop`) or have their channels in another order (`swap`: users map what they have to what there
    is), others come as they are. One choice a pair, so that its views agree. `telling` is the channel that tells
    what a pair has in common: where it is not seen, the first cell takes the second's place."""
    count, inputs = present.shape
    draw = torch.rand(count)
    alone = present.sum(1) == 1
    chosen = torch.multinomial(present.float(), 1).squeeze(1)
    copies = draw < torch.where(alone, 0.5, replicate)
    loses = ~copies & ~alone & (draw > 1 - drop)
    blind = torch.where(copies, chosen != telling, loses & (chosen == telling))
    first, second = images.chunk(2, 2)
    images = torch.cat([first, torch.where(blind.to(images.device)[:, None, None, None], first, second)], 2)
    source = torch.arange(inputs).expand(count, -1).clone()
    source[copies] = chosen[copies, None].expand(-1, inputs)
    turned = ~copies & ~loses & (torch.rand(count) < swap)
    source[turned] = source[turned].flip(1)
    images = images.gather(1, source[..., None, None].expand(-1, -1, *images.shape[2:]).to(images.device))
    keep = torch.ones(count, inputs)
    keep[loses, chosen[loses]] = 0
    return images * keep[..., None, None].to(images.device)


class MultiCrop:
    """Two global views, normalised as at inference, and some local ones in the scale of the whole crop."""

    def __init__(self, options):
        self.options = options

    def __call__(self, pairs, present):
        """Pairs stacked along the height [B, C, 2 S, S]; the first global view is of the first cell, the second of the
        second. -> (list of 2 global views, list of local views)."""
        o = self.options
        telling = o.inputs.index("protein") if "protein" in o.inputs else len(o.inputs) - 1
        pairs = arrange_channels(pairs, present, o.replicate, o.drop, o.swap, telling)
        # Absent channels stay 0: nothing is added to them.
        lit = (pairs.amax((2, 3), keepdim=True) > pairs.amin((2, 3), keepdim=True)).float()
        pairs = bleed(standardize(blur(pairs, o.blur, 1.5)), o.bleed, o.bleed_share)
        pairs = noise(standardize(pairs), o.noise)
        globals_, locals_ = [], []
        for cells in pairs.chunk(2, 2):
            x = view(cells, o.image_size, o.global_scale, o.context, uniform(len(cells), 0, 0.12), o.stretch)
            x = noise(standardize(blur(bend(x, o.gamma), o.blur, 0.7)), o.view_noise)
            globals_.append(standardize(x) * lit)
        bent = standardize(bend(pairs, o.gamma)).chunk(2, 2)
        for number in range(o.local_views):
            cells = bent[number % 2]
            x = view(cells, o.local_size, o.local_scale, o.context, uniform(len(cells), 0, 0.3), o.stretch)
            locals_.append(noise(blur(x, o.blur, 0.7), o.view_noise) * lit)
        return globals_, locals_
