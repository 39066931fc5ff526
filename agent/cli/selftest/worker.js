// Harmless: the self-test of ExtWatch. This file does nothing and contacts nothing.
