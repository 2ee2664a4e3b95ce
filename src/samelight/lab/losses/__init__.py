"""Loss terms: tensors in, a scalar out."""
