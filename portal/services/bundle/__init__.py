"""The bundle in which a person takes all away that government holds on them, with the proofs of who looked."""
