"""What Hearth counts while it runs, for `/metrics`."""
