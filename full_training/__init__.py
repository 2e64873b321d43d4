"""The real training back-end: images, networks, recipes, training, supernets. Only what trains imports torch."""
