"""What tests of the hub and of plugins build on. Nothing in the product imports it."""
