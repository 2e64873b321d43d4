"""Data sets of images, and the batches that trainings take of them."""
