"""The template of a specification, as `nassim data template` prints it."""

from __future__ import annotations

TEMPLATE = """\
# The specification of a table of your own, for
#     nassim data import NAME RESULTS --spec THIS_FILE
# RESULTS is CSV (.csv, .tsv, also .gz), JSON (an array of objects, or one object a line) or Parquet.
# Lines that begin with # are optional. A row is one training (long) or one architecture (wide, see `valid`).

[decisions]  # every decision and its options, smallest first; the column has the decision's name
layer1 = ["none", "conv3x3", "conv5x5"]
layer2 = ["none", "conv3x3", "conv5x5"]
width = { column = "channels", options = [16, 32, 64] }  # ... or another name

[architectures]
missing = "refuse"  # if not all are in the file: "refuse" to answer for the others, or "sample" only those that exist
# column = "arch"   # instead of one column a decision: one column with all options, in the order above,
# separator = "-"   # between them

[accuracy]
unit = "percent"    # or "fraction"
valid = "valid_acc" # what a search sees. Wide: "valid_{epoch}_{repeat}" for columns like valid_12_1, valid_200_1
test = "test_acc"   # what is reported; leave it out if there is none
# split = "split"   # if each row has one split: the column that says which; `valid` and `test` are then
# value = "acc"     # the words in it, and this is the column of the accuracy

# [metric]            # instead of [accuracy]: whatever else the trainings are judged by, as it was measured;
# name = "loss"       # `valid`, `test` and the rest are those of [accuracy]
# unit = "nats"       # leave it out if there is none
# better = "less"     # or "more"
# reading = "perplexity"  # how it is printed, if not as it is: "perplexity" or "bits" (less), "percent" (more)

[training]
epochs = 200        # of every training, or, if they differ,
# epoch = "epoch"   # the column that says how many (wide: {epoch} above)
repeat = "seed"     # the column that tells repeats of a training apart (wide: {repeat}); leave it out if there are none
# continues = true  # if a shorter training is the beginning of a longer one, so that a search can go on with it

[cost]
column = "seconds"  # of a training; may have {epoch} and {repeat} too
unit = "seconds"    # or "minutes", "hours"
of = "training"     # all epochs of the row, or "epoch": one of them
# seconds_per_epoch = 30.0  # instead of a column: the same for all

# [extras]          # numbers of an architecture that every result carries, with their unit
# latency = { column = "latency_ms", unit = "ms" }

# [about]           # what `nassim show` says of the table
# title = "..."
# paper = "..."
# source = "..."
# licence = "..."
# citation = "..."
"""
