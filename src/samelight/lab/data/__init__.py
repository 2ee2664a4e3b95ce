"""Photos, and the training examples made of them."""
