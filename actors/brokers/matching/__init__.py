"""How orders trade against what is shown, and the words in which that is reported."""
