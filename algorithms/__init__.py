"""Search strategies, one page each: the file's name is the strategy's name."""
