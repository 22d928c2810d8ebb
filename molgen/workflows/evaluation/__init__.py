"""The workflow of `molgen evaluate`: a list of molecules in, verdicts, metrics and a page out."""
