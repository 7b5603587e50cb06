"""What several benches share; bench/common/lib.sh puts its parent folder on Python's path."""
