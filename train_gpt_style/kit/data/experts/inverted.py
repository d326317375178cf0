"""Networks of inverted residuals: EfficientNet-Lite0 and MobileNetV2, up to their pooled features.

Both are a stem, blocks that widen by a pointwise convolution, filter each channel and narrow again
(Sandler et al., arXiv 1801.04381; Tan and Le, arXiv 1905.11946; Lite: no squeeze step, clipped at
6), and a pointwise head. They differ in stages, in where the odd pixel of a padding goes, and in
what is added to a variance. The order of their state is that of the public files.

Shape letters: B batch, H and W sides, C channels.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from train_gpt_style.kit.constants import EFFICIENTNET_NORM_EPS, MOBILENET_NORM_EPS

HEAD = 1280


@dataclass(frozen=True)
class Plan:
    """stages: (blocks, kernel, stride of the first, widening, channels). late: whether the odd
    pixel of a padding goes to the right and below, as in TensorFlow. classes: 0 for no classifier.
    """

    stages: tuple[tuple[int, int, int, int, int], ...]
    late: bool
    eps: float
    classes: int = 0


PLANS = {
    "efficientnet_lite0": Plan(
        (
            *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
            *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
        ),
        late=True,
        eps=EFFICIENTNET_NORM_EPS,
        classes=1000,
    ),
    "mobilenetv2": Plan(
        (
            *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (3, 3, 2, 6, 32), (4, 3, 2, 6, 64)),
            *((3, 3, 1, 6, 96), (3, 3, 2, 6, 160), (1, 3, 1, 6, 320)),
        ),
        late=False,
        eps=MOBILENET_NORM_EPS,
    ),
}


class Convolution(nn.Module):
    """A convolution without bias, and a batch norm; `clip`: ReLU6 after it."""

    def __init__(self, plan, before, after, kernel=1, stride=1, groups=1, clip=True):
        super().__init__()
        self.late, self.clip = plan.late, clip
        self.weights = nn.Conv2d(before, after, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(after, eps=plan.eps)

    def forward(self, x_BCHW):
        """(B, C, H, W) to (B, C', ceil(H / stride), ceil(W / stride))."""
        kernel, stride = self.weights.kernel_size[0], self.weights.stride[0]
        margins = []
        for side in (x_BCHW.shape[3], x_BCHW.shape[2]):
            if self.late:
                whole = max(0, (-(-side // stride) - 1) * stride + kernel - side)
                margins += [whole // 2, whole - whole // 2]
            else:
                margins += [kernel // 2, kernel // 2]
        x = self.norm(self.weights(F.pad(x_BCHW, margins)))
        return F.relu6(x) if self.clip else x


class Block(nn.Module):
    """Widen, filter, narrow; added to what came in where shapes agree."""

    def __init__(self, plan, before, after, kernel, stride, widening):
        super().__init__()
        wide = before * widening
        self.widen = Convolution(plan, before, wide) if widening > 1 else nn.Identity()
        self.filter = Convolution(plan, wide, wide, kernel, stride, groups=wide)
        self.narrow = Convolution(plan, wide, after, clip=False)
        self.residual = stride == 1 and before == after

    def forward(self, x_BCHW):
        """(B, C, H, W) to (B, C', H', W')."""
        y = self.narrow(self.filter(self.widen(x_BCHW)))
        return x_BCHW + y if self.residual else y


class Inverted(nn.Module):
    """The whole network, in eval mode."""

    def __init__(self, plan):
        super().__init__()
        self.stem = Convolution(plan, 3, 32, 3, 2)
        blocks, before = [], 32
        for count, kernel, stride, widening, after in plan.stages:
            for i in range(count):
                blocks.append(Block(plan, before, after, kernel, stride if i == 0 else 1, widening))
                before = after
        self.blocks = nn.Sequential(*blocks)
        self.head = Convolution(plan, before, HEAD)
        self.classifier = nn.Linear(HEAD, plan.classes) if plan.classes else None
        self.eval().requires_grad_(False)

    def forward(self, x_BCHW):
        """Images as `normalised` gives them to pooled features (B, 1280)."""
        return self.head(self.blocks(self.stem(x_BCHW))).mean(dim=(2, 3))


def network(name, tensors):
    """The network of that name with converted weights, `{"000 NAME": tensor}`, by order and shape.

    Raises ValueError where they are not those of this network.
    """
    net = Inverted(PLANS[name])
    ours, theirs = net.state_dict(), sorted(tensors)
    if len(ours) != len(theirs):
        raise ValueError(f"{len(theirs)} tensors, {name} has {len(ours)}")
    for mine, other in zip(ours, theirs, strict=True):
        if ours[mine].shape != tensors[other].shape:
            raise ValueError(f"{other} does not fit {mine} of {name}")
    net.load_state_dict(dict(zip(ours, (tensors[name] for name in theirs), strict=True)))
    return net


# Mean and deviation of ImageNet's channels in thousandths, as torchvision's networks are trained.
MEAN, DEVIATION = (485, 456, 406), (229, 224, 225)


def normalised(pixels, imagenet=False):
    """uint8 images (B, 3, H, W) to [-1, 1]; imagenet: by its means and deviations instead.

    (x / 255 - mean) / deviation, in whole numbers up to the one division.
    """
    if not imagenet:
        return pixels.to(torch.float32) / 127.5 - 1.0
    mean, deviation = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, DEVIATION))
    above = 1000 * pixels.to(torch.int64) - 255 * mean
    return above.to(torch.float32) / (255 * deviation).to(torch.float32)
