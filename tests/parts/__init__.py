"""What the tests are made of: gateways, providers and clients to run, stores to fill, readers of
what came back. A part that only one test file needs stands in that file."""
