"""Where names go on a plane of points: never over one another, rarely over anything else. numpy only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.float64]

# Where a name may stand: so far from its marker, in so many directions.
AWAY, DIRECTIONS = (7.0, 10.0, 15.0, 22.0, 31.0, 43.0, 57.0, 73.0, 91.0), 16
# Up to here a name belongs to its marker without a line that leads there.
BESIDE = 13.0
# What it costs to stand over something, against 1 for each point further away.
OVER_NAME, OVER_MARKER, OVER_LEADER, OVER_LINE, NEARER = 5000.0, 400.0, 120.0, 40.0, 15.0
# Each name is placed anew so often, the others standing where they are.
PASSES = 4
SAMPLES = 12


@dataclass(frozen=True)
class Placed:
    """A name's lower left corner [2]; and the end, beside it, of a line from its marker [2], None
    where it needs none."""

    corner: Places
    end: Places | None


def place(
    owners: Sequence[int],
    sizes: Sequence[tuple[float, float]],
    markers: Places,
    lines: Places,
    bounds: tuple[float, float, float, float],
    radius: float,
) -> list[Placed]:
    """Where each name goes; all lengths in points (1/72 inch).

    owners: which of `markers` [n, 2] each name belongs to. sizes: width and height of each name.
    lines: places [m, 2] along lines that had better stay clear. bounds: left, bottom, right, top.
    radius: of a marker. The names of the first owners have the first choice.
    """
    tries = [_candidates(markers[owner], size) for owner, size in zip(owners, sizes, strict=True)]
    fixed = [
        _fixed_costs(boxes, ends, reach, owner, markers, lines, bounds, radius)
        for (boxes, ends, reach), owner in zip(tries, owners, strict=True)
    ]
    chosen: dict[int, int] = {}
    for _ in range(PASSES):
        before = dict(chosen)
        for name, (boxes, ends, _) in enumerate(tries):
            costs, led = fixed[name]
            others = [other for other in chosen if other != name]
            theirs = np.array([tries[o][0][chosen[o]] for o in others]).reshape(-1, 4)
            leaders = [
                _along(markers[owners[o]], tries[o][1][chosen[o]][None])[0]
                for o in others
                if fixed[o][1][chosen[o]]
            ]
            hidden = _overlap(boxes, theirs).sum(axis=1)
            over = _inside(np.concatenate([np.empty((0, 2)), *leaders]), boxes, 1.0)
            own = _along(markers[owners[name]], ends)
            held = _inside(own.reshape(-1, 2), theirs, 0.5).reshape(len(theirs), len(own), SAMPLES)
            crossed = held.any(axis=2).sum(axis=0)
            total = costs + OVER_NAME * hidden + OVER_LEADER * (over.any(axis=1) + led * crossed)
            chosen[name] = int(np.argmin(total))
        if chosen == before:
            break
    return [
        Placed(boxes[chosen[n]][:2], ends[chosen[n]] if fixed[n][1][chosen[n]] else None)
        for n, (boxes, ends, _) in enumerate(tries)
    ]


def _candidates(where: Places, size: tuple[float, float]) -> tuple[Places, Places, Places]:
    """Boxes [tries, 4] around a marker, the place of each that is nearest to it [tries, 2], and how
    far away that is [tries]."""
    angles = 2 * math.pi * np.arange(DIRECTIONS) / DIRECTIONS
    toward = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    reach = np.repeat(AWAY, DIRECTIONS)
    toward = np.tile(toward, (len(AWAY), 1))
    ends = where + toward * reach[:, None]
    half = np.array(size) / 2
    # A box touches its end with the side, or the corner, that faces the marker.
    middle = ends + half * np.clip(toward * 1.6, -1, 1)
    return np.concatenate([middle - half, middle + half], axis=1), ends, reach


def _fixed_costs(
    boxes: Places, ends: Places, reach: Places, owner: int, markers: Places, lines: Places,
    bounds: tuple[float, float, float, float], radius: float,
) -> tuple[Places, NDArray[np.bool_]]:  # fmt: skip
    """What each box costs whatever the other names do [tries], and which need a leading line."""
    left, bottom, right, top = bounds
    outside = (
        (boxes[:, 0] < left) | (boxes[:, 1] < bottom) | (boxes[:, 2] > right) | (boxes[:, 3] > top)
    )
    others = np.delete(markers, owner, axis=0)
    # Distances [tries, others] from a box to a marker: 0 within.
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    gaps = np.maximum(np.maximum(low - others, others - high), 0.0)
    distance = np.hypot(gaps[..., 0], gaps[..., 1])
    nearer = (distance < np.minimum(reach, BESIDE)[:, None]).sum(axis=1)
    led = (reach > BESIDE) | (nearer > 0)
    along = _along(markers[owner], ends)[:, :, None, :] - others
    # How many other markers a leading line runs into.
    struck = (np.hypot(along[..., 0], along[..., 1]) < radius).any(axis=1).sum(axis=1)
    costs = (
        reach
        + 1e6 * outside
        + OVER_MARKER * (distance < radius).sum(axis=1)
        + NEARER * nearer
        + OVER_LINE * _inside(lines, boxes, 0.5).any(axis=1)
        + OVER_LINE * led * struck
    )
    return costs, led


def _along(where: Places, ends: Places) -> Places:
    """Places along lines from a marker to each end, [ends, SAMPLES, 2]."""
    share = np.linspace(0.0, 1.0, SAMPLES)[None, :, None]
    return where + share * (ends[:, None, :] - where)


def _overlap(boxes: Places, others: Places) -> NDArray[np.bool_]:
    """Which boxes [n, 4] overlap, or all but touch, which others [m, 4]: [n, m]."""
    a, b = boxes[:, None, :], others[None, :, :]
    return np.all((a[..., :2] < b[..., 2:] + 1.0) & (b[..., :2] < a[..., 2:] + 1.0), axis=-1)


def _inside(places: Places, boxes: Places, pad: float) -> NDArray[np.bool_]:
    """Which boxes [n, 4] hold which places [m, 2], or miss them by `pad` at most: [n, m]."""
    low, high = boxes[:, None, :2] - pad, boxes[:, None, 2:] + pad
    return np.all((places > low) & (places < high), axis=-1)
