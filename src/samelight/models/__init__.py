"""The shipped networks, and the runtime that runs them."""
