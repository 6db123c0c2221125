"""The supervisor behind bin/demo, bin/test and bin/bench: runs the whole stack as child processes."""
