"""What the store promises: one suite for every database, and what only files and processes can show."""
