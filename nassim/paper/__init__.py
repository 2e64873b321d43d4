"""Figures and tables for a paper: at the width they are printed, of the strategies that are chosen, under chosen names.

choice      widths, strategies and names, as they are typed
looks       colors, dashes, markers and sizes of text; the legend
scales      limits and ticks of logarithmic axes
anytime     regret over time, a panel a benchmark
finals      mean, median, interquartile mean and optimality gap with intervals; performance profiles
targets     expected running time, success rate and quantiles of the running time to each target
write       all of them, with captions
"""

from nassim.paper.choice import Choice, choose
from nassim.paper.write import write_paper

__all__ = ["Choice", "choose", "write_paper"]
