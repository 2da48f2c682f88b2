"""What the house costs, as ratios against peers in the same run on the same machine. Never part of the tests."""
