"""What strategies that share weights have in common: mixtures, policies, gradients; no network, no images."""
