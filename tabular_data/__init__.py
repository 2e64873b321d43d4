"""Tables: one HDF5 file per benchmark, opened by memory mapping."""
