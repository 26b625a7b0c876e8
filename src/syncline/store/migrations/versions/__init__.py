"""One file for each revision of the schema, oldest first; none is ever changed once released."""
