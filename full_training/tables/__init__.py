"""Building the table of a benchmark by training every class of cells."""
