# Read by installer/dist: an MSI for each processor.
# shellcheck shell=bash disable=SC2154
