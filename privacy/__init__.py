"""What is known about people: an inventory of it, and all that the law and our promises make of that."""
