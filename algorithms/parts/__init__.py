"""What several strategies share: no page imports another."""
