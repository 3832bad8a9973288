"""Paths through a lattice, by dynamic programming (Viterbi) and by the forward algorithm."""

from collections.abc import Sequence
from math import exp, inf, log1p
from typing import NamedTuple


class Edge(NamedTuple):
    """A segment as an edge between two nodes."""

    first: int  # the node where it begins
    last: int  # the node where it ends, greater than `first`
    score: float  # logarithm of a likelihood, not normalized
    digit: int


def best_path(edges: Sequence[Edge], nodes: int) -> list[int]:
    """Return the indices of the edges with the highest sum of scores from node 0 to the last node.

    At least one path must lead there.
    """
    best, taken = [0.0] + [-inf] * (nodes - 1), [-1] * nodes
    for number in sorted(range(len(edges)), key=lambda number: edges[number].first):
        edge = edges[number]
        if best[edge.first] + edge.score > best[edge.last]:
            best[edge.last], taken[edge.last] = best[edge.first] + edge.score, number
    path, node = [], nodes - 1
    while node > 0:
        path.append(taken[node])
        node = edges[taken[node]].first
    return path[::-1]


def log_sum(edges: Sequence[Edge], nodes: int) -> float:
    """Return the logarithm of the sum of exp(score) over all paths from node 0 to the last node."""
    total = [0.0] + [-inf] * (nodes - 1)
    for first, last, score, _ in sorted(edges):
        total[last] = add_logs(total[last], total[first] + score)
    return total[-1]


def log_sum_of(edges: Sequence[Edge], nodes: int, digits: Sequence[int]) -> float:
    """Return what `log_sum` does, over the paths that spell `digits` alone."""
    total = [[-inf] * (len(digits) + 1) for _ in range(nodes)]
    total[0][0] = 0.0
    for first, last, score, digit in sorted(edges):
        for place, wanted in enumerate(digits):
            if digit == wanted and total[first][place] > -inf:
                total[last][place + 1] = add_logs(total[last][place + 1], total[first][place] + score)
    return total[-1][-1]


def add_logs(one: float, other: float) -> float:
    """Return log(exp(one) + exp(other))."""
    high, low = max(one, other), min(one, other)
    return high if low == -inf else high + log1p(exp(low - high))
