"""What was published and what came out here, in one table: `nassim reproduce --list`.

row         what a row says
results     the rows: recorded ones, which docs pages say and `results.json` holds, and those that are computed now
identities  published rows of NAS-Bench-201 that are one cell of its table, several cells, or none
family      the claims of docs/claims.md on recorded searches of the DARTS family
orders      who is ahead of whom: comparisons that are run again in a minute
"""
