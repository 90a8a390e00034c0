"""Dropout for training on processors: sixteen random bits for each element.

torch draws a float for each (2.13: 2.8 ms for 16 x 64 x 256 on one core), which takes a seventh of a small
model's step in fp32 and a fifth in bf16. Whole words of the same generator, cut into four, take a tenth
of that.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Values of sixteen bits: a share is rounded to one of them.
VALUES = 1 << 16


def drop(x: Tensor, share: float) -> Tensor:
    """x with `share` of its elements, drawn by torch's generator, set to nothing and all others raised so
    that the mean stays. On other devices torch's own."""
    if x.device.type != "cpu":
        return F.dropout(x, share)
    lowest = round(share * VALUES)
    if lowest == VALUES:
        return x * 0.0
    words = torch.empty(-(-x.numel() // 4), dtype=torch.int64)
    bits = words.random_(-(1 << 63), (1 << 63) - 1).view(torch.int16)[: x.numel()]
    kept = bits.view(x.shape) >= lowest - VALUES // 2
    return x * (kept.to(x.dtype) * (VALUES / (VALUES - lowest)))


class Dropout(nn.Dropout):
    """As torch's, by `drop`."""

    def forward(self, input: Tensor) -> Tensor:
        """The input as it is, unless in training."""
        return drop(input, self.p) if self.training and self.p else input


def use(model: nn.Module) -> None:
    """Have a model drop out this way; nothing that is saved of it says so."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p).train(child.training))
