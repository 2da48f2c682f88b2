"""What an export is made of: renderings of the trail, and the archive that seals them."""
